"""What another seed would change: replicate means of each network, and the intervals from them.

Resampling two or three runs of one network promises too much: the plain percentile bootstrap's
95 % interval of a mean covers it in 50 % of cases with two runs, 70 % with three, 83 % with five.
So the bootstrap here is *parametric* and *studentised* (Davison and Hinkley 1997, chapters 2 and
5): a replicate trains every network anew, in effect, by drawing as many runs as it has from a
normal law; how far the means of such runs stray, in units of the deviation that one would have
estimated from them, is carried over to the measured means. docs/analysis.md has its coverage, and
what it assumes.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from fercore.data.faces import TEST_SPLITS

MEASURED = ("valid", *TEST_SPLITS)
"""The splits that a run's accuracy is measured on."""
LEVEL = 0.95
"""Confidence level of every interval."""

REPLICATES = 10_000
SEED = 0
"""Of the generator behind a report's intervals: always the same, so that it repeats itself."""

STUCK = 4.0
"""A network whose runs scatter more than this many times as far as is usual in its family (a run
that got stuck) keeps its deviation to itself."""

SHARED = 4
"""How many degrees of freedom the family's deviation counts in that of one network."""

Row: TypeAlias = dict[Any, Any]
Array: TypeAlias = NDArray[np.float64]

LEARNED = 0.01
"""A network has learned something if it reaches more than this share of images beyond the largest
class, which one and the same answer for every image reads correctly."""

IDENTITY = ["network", "family", "report", "params_trainable", "params_keras_total", "macs"]
"""Columns that are the same for all runs of one network."""


def headline_split(runs: pd.DataFrame) -> str:
    """Name the split whose accuracy is the headline: the first test split that was measured.

    Falls back to "valid" where the data has no labelled test rows.
    """
    measured = [name for name in TEST_SPLITS if name in runs and runs[name].notna().any()]
    return measured[0] if measured else "valid"


def bootstrap(
    runs: pd.DataFrame,
    split: str,
    generator: np.random.Generator,
    replicates: int = REPLICATES,
) -> pd.DataFrame:
    """Draw replicates of each network's mean over seeds; every interval over seeds is from these.

    split: the column, accuracies or any other figure of a run. The deviation between seeds is
    shared within a family (`_deviations`); a network with one finished seed borrows none.

    Returns a frame (replicates, networks) around the measured means; NaN for a network with fewer
    than two finished seeds. One row holds for all networks together, so differences and curves
    may be taken row by row. Equal generators give equal frames.
    """
    families = runs.groupby("network")["family"].first()
    found = runs.groupby("network")[split].agg(["mean", "var", "count"])
    means = pd.DataFrame(np.nan, index=range(replicates), columns=list(found.index))
    several = found[found["count"] > 1]
    for _, group in several.groupby(families[several.index]):
        counts = group["count"].to_numpy()
        spread = _deviations(group["var"].to_numpy(), counts - 1)
        strayed = _strayed(counts, generator, replicates)
        means[list(group.index)] = group["mean"].to_numpy() + spread * strayed
    return means


def _strayed(counts: NDArray[np.int64], generator: np.random.Generator, replicates: int) -> Array:
    """How far means of normal runs lie off, over their estimated deviation: (replicates, networks).

    The deviation is estimated as for the measured runs, so that what this costs is in it.
    """
    runs = [generator.standard_normal((replicates, count)) for count in counts]
    centres = np.stack([drawn.mean(1) for drawn in runs], 1)
    variances = np.stack([drawn.var(1, ddof=1) for drawn in runs], 1)
    strayed: Array = centres / _deviations(variances, counts - 1)
    return strayed


def _deviations(variances: Array, freedom: NDArray[np.int64]) -> Array:
    """Deviation between seeds of each network of a family, (..., networks).

    variances: each network's own, (..., networks); freedom: seeds less one, (networks,).
    The family's variance is the mean over networks, without those that scatter more than `STUCK`
    times as far as the median says. A network's variance is the mean of its own, weighted by its
    degrees of freedom, and of its family's, weighted by `SHARED`, as in moderated t-tests (Smyth
    2004, doi 10.2202/1544-6115.1027). So a stuck run widens its own network's interval alone.
    """
    # The median of chi-squared is below its mean: most at 2 seeds.
    usual = 2 * special.gammaincinv(freedom / 2, 0.5) / freedom
    median = np.median(variances / usual, axis=-1, keepdims=True)
    weights = freedom * (variances <= STUCK**2 * median)
    family = (weights * variances).sum(-1, keepdims=True) / weights.sum(-1, keepdims=True)
    deviations: Array = np.sqrt((SHARED * family + freedom * variances) / (SHARED + freedom))
    return deviations


def summarise(runs: pd.DataFrame, split: str, means: pd.DataFrame) -> pd.DataFrame:
    """One row per network: mean accuracy on `split` over its finished seeds, with interval.

    means: from `bootstrap` of the same runs and split.

    Columns: those of `IDENTITY`, ``file_bytes``, ``seeds`` (finished), ``failed`` (diverged),
    ``mean``, ``low``, ``high`` (fractions; low and high are NaN without a second seed), ``largest``
    (share of the split's largest class; NaN where the runs do not have it). Sorted by parameters.
    """
    largest = f"{split}_largest"
    runs = runs if largest in runs else runs.assign(**{largest: math.nan})
    table = (
        runs.groupby(IDENTITY, dropna=False)
        .agg(
            file_bytes=("file_bytes", "max"),
            seeds=(split, "count"),
            failed=(split, lambda values: int(values.isna().sum())),
            mean=(split, "mean"),
            largest=(largest, "max"),
        )
        .reset_index()
        .sort_values(["params_trainable", "network"], ignore_index=True)
    )
    values = zip(table["mean"], table["network"], strict=True)
    rows = [with_interval(value, means[network]) for value, network in values]
    return table.assign(low=[row["low"] for row in rows], high=[row["high"] for row in rows])


def unlearned(summary: pd.DataFrame) -> pd.Series[bool]:
    """By row of a summary: whether the network learned nothing; see `LEARNED`."""
    return summary["mean"] <= summary["largest"] + LEARNED


def difference(runs: pd.DataFrame, split: str, means: pd.DataFrame, first: str, second: str) -> Row:
    """How far the network `first` leads `second` on average over seeds; see `with_interval`.

    means: from `bootstrap` of the same runs and split.
    """
    values = [runs.loc[runs["network"] == name, split].mean() for name in (first, second)]
    return with_interval(values[0] - values[1], means[first] - means[second])


def with_interval(value: float, draws: Any) -> Row:
    """Return ``lead`` (the value), ``low``, ``high`` and ``verdict`` from its replicates.

    The interval is symmetric: it reaches as far from the value as 95 % of the replicates do, which
    covers better than two tails (Hall 1988, doi 10.1214/aos/1176350933). NaN where a replicate is.
    """
    away = np.abs(np.asarray(draws, float) - value)
    spread = math.nan if np.isnan(away).any() else float(np.quantile(away, LEVEL))
    low, high = float(value) - spread, float(value) + spread
    return {"lead": float(value), "low": low, "high": high, "verdict": who_leads(low, high)}


def who_leads(low: float, high: float) -> str:
    """What an interval of a lead allows one to say.

    "ahead" or "behind" where the interval lies wholly on one side of zero, "undecided" where it
    holds zero, "one seed" where there is no interval. An interval of no width is undecided: such
    networks answer one class whatever they are shown.
    """
    if math.isnan(low) or math.isnan(high):
        return "one seed"
    if low == high:
        return "undecided"
    if low > 0:
        return "ahead"
    return "behind" if high < 0 else "undecided"
