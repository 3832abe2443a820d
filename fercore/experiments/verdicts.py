"""From trials to verdicts: what the experiments of question 5 say of each hypothesis.

A *trials* table (`fercore.study.Study.experiments`) has one row per change, size and seed:
``hypothesis``, ``claim``, ``subject``, ``change``, ``directed``, ``size``, ``seed``,
``treatment_params``, ``control_params``, ``untried`` (why there was no trial; else empty) and for
each split S the accuracies ``S_treatment`` and ``S_control`` and their difference ``S``
(fractions; NaN where a run diverged).

Treatment and control share their seed, data and recipe, so that differences are taken seed by
seed. Every interval covers what another seed would change, at these sizes and on these test
images; it covers neither another draw of test images nor other sizes.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from fercore.analysis import half_width, pooled_deviation

MARGIN = 0.01
"""The smallest effect worth the name: 1 percentage point."""

FREEDOM = 3
"""Fewest degrees of freedom for a verdict: 4 seeds at one size, or 2 at each of three sizes."""

CHANGE = ["hypothesis", "claim", "subject", "change", "directed"]
COSTS = ["treatment_params", "control_params"]
JUDGED = [*CHANGE, "sizes", "seeds", "failed", "treatment", "control"]
JUDGED += ["difference", "low", "high", "verdict", "untried"]
BY_SIZE = [*CHANGE, "size", *COSTS, "seeds", "failed", "treatment", "control"]
BY_SIZE += ["difference", "low", "high"]


def judge(trials: pd.DataFrame, split: str) -> pd.DataFrame:
    """One row per change, and one per hypothesis that was not tried; columns `JUDGED`.

    sizes, seeds: how many sizes and (per size, at least) finished pairs lie behind it.
    treatment, control, difference: means over sizes of the means over seeds; low, high: the 95 %
    interval of the difference. verdict: see `verdict`, or "not tried", "failed".
    """
    rows = [_judge(part, split) for _, part in _changes(trials)]
    return pd.DataFrame(rows, columns=JUDGED)


def by_size(trials: pd.DataFrame, split: str, hypothesis: str) -> pd.DataFrame:
    """One row per change and size of one hypothesis; columns `BY_SIZE`.

    The deviation behind low and high is pooled over the sizes of a change.
    """
    chosen = trials[(trials["hypothesis"] == hypothesis) & (trials["untried"] == "")]
    rows = []
    for _, part in _changes(chosen):
        deviation, freedom = _deviation(part, split)
        for _, at in part.groupby("size"):
            finished = at.dropna(subset=split)
            found = _means(at, split)
            several = len(finished) > 1
            spread = half_width(deviation, freedom, len(finished)) if several else math.nan
            low, high = found["difference"] - spread, found["difference"] + spread
            rows.append({**at.iloc[0], **found, "seeds": len(finished), "low": low, "high": high})
    return pd.DataFrame(rows, columns=BY_SIZE)


def verdict(low: float, high: float, freedom: int, *, directed: bool = True) -> str:
    """What the interval of an effect allows one to say; a positive effect is what is claimed.

    "supported" where the interval lies above zero (undirected: holds no zero), "not supported"
    where it ends below `MARGIN` (undirected: lies within it on both sides), so that an effect of 1
    point is ruled out, else "undecided"; "too few seeds" below `FREEDOM` degrees of freedom. An
    interval of no width is undecided: such networks have learned nothing, as class shares repeat.
    """
    if freedom < FREEDOM or math.isnan(low):
        return "too few seeds"
    if low == high:
        return "undecided"
    if low > 0 or (not directed and high < 0):
        return "supported"
    ruled_out = high < MARGIN if directed else low > -MARGIN and high < MARGIN
    return "not supported" if ruled_out else "undecided"


def summary(judged: pd.DataFrame) -> dict[str, str]:
    """One verdict per hypothesis, by its name.

    That of its changes where they agree; "supported in part" where only some support it,
    else "undecided" (or the word that all agree on).
    """
    found = {}
    for name, part in judged.groupby("hypothesis", sort=False):
        words = set(part["verdict"])
        mixed = "supported in part" if "supported" in words else "undecided"
        found[str(name)] = words.pop() if len(words) == 1 else mixed
    return found


def _changes(trials: pd.DataFrame) -> Any:
    return trials.groupby(CHANGE, sort=False)


def _deviation(part: pd.DataFrame, split: str) -> tuple[float, int]:
    """Deviation of the paired differences between seeds within a size, and its freedom."""
    return pooled_deviation(part.assign(network=part["size"]), split)


def _means(part: pd.DataFrame, split: str) -> dict[str, float]:
    """Means over the pairs whose runs were all finished."""
    finished = part.dropna(subset=split)
    sides = {side: finished[f"{split}_{side}"].mean() for side in ("treatment", "control")}
    return {**sides, "difference": finished[split].mean(), "failed": len(part) - len(finished)}


def _judge(part: pd.DataFrame, split: str) -> dict[str, Any]:
    row = {name: part.iloc[0][name] for name in [*CHANGE, "untried"]}
    if row["untried"]:
        return {**row, "verdict": "not tried"}
    sizes = [at for _, at in part.groupby("size") if at[split].notna().any()]
    if not sizes:
        return {**row, "failed": len(part), "verdict": "failed"}
    means = pd.DataFrame([_means(at, split) for at in sizes]).mean()
    counts = [int(at[split].notna().sum()) for at in sizes]
    # The one place where an interval over seeds and sizes is made: Student's t for a mean of
    # means, each size weighing the same, with the deviation pooled within sizes.
    deviation, freedom = _deviation(part, split)
    spread = half_width(deviation, freedom, *counts) / len(counts)
    low, high = means["difference"] - spread, means["difference"] + spread
    return {
        **row,
        **means,
        "failed": int(part[split].isna().sum()),
        "sizes": len(sizes),
        "seeds": min(counts),
        "low": low,
        "high": high,
        "verdict": verdict(low, high, freedom, directed=bool(row["directed"])),
    }
