"""Networks of equal size held against each other, and the smallest that is good enough."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from fercore.analysis.seeds import Row, bootstrap, difference, summarise, unlearned

PAIR_COLUMNS = ["report", "mobilenet", "cnn", "size", "mobilenet_mean", "cnn_mean"]
PAIR_COLUMNS += ["lead", "low", "high", "verdict"]
GAIN_COLUMNS = ["network", "params_trainable", "teachers", "labels", "taught"]
GAIN_COLUMNS += ["lead", "low", "high", "verdict"]


def matched_pairs(
    runs: pd.DataFrame, split: str, means: pd.DataFrame, tolerance: float = 0.1
) -> pd.DataFrame:
    """Pairs of one MobileNet and one CNN of equal size, and MobileNet's lead in each.

    Only networks of the sweep, or of one and the same report, are paired: they share a plan.
    Two networks match if their trainable parameters differ by at most `tolerance` (a share of
    the smaller); each network is paired with its nearest, and only once. means: from `bootstrap`
    of the same runs and split.

    Columns: ``report`` ("sweep", "A" or "B"), ``mobilenet``, ``cnn`` (names), ``size``
    (geometric mean of both counts), ``mobilenet_mean``, ``cnn_mean`` (fractions) and those of
    `difference`, MobileNet first; the verdict is "nothing learned" where neither did. Sorted by
    size; empty where nothing matches.
    """
    summary = summarise(runs, split, means).dropna(subset="mean")
    finished = summary.assign(unlearned=unlearned(summary)).to_dict("records")
    rows = [
        {
            "report": ours["report"],
            "mobilenet": ours["network"],
            "cnn": theirs["network"],
            "size": math.sqrt(ours["params_trainable"] * theirs["params_trainable"]),
            "mobilenet_mean": ours["mean"],
            "cnn_mean": theirs["mean"],
            **difference(runs, split, means, ours["network"], theirs["network"]),
            **({"verdict": "nothing learned"} if ours["unlearned"] and theirs["unlearned"] else {}),
        }
        for ours, theirs in _nearest(finished, tolerance)
    ]
    return pd.DataFrame(rows, columns=PAIR_COLUMNS).sort_values("size", ignore_index=True)


def _nearest(networks: list[Row], tolerance: float) -> list[tuple[Row, Row]]:
    """Pair each MobileNet with a CNN by size, closest pair first, each network used once."""
    ours = [row for row in networks if row["family"] == "mobilenet"]
    theirs = [row for row in networks if row["family"] == "cnn"]
    gaps = sorted(
        (abs(math.log(a["params_trainable"] / b["params_trainable"])), i, j)
        for i, a in enumerate(ours)
        for j, b in enumerate(theirs)
        if a["report"] == b["report"]
    )
    used: set[tuple[str, int]] = set()
    pairs = []
    for gap, i, j in gaps:
        if gap <= math.log1p(tolerance) and not used & {("ours", i), ("theirs", j)}:
            used |= {("ours", i), ("theirs", j)}
            pairs.append((ours[i], theirs[j]))
    return pairs


def gains(runs: pd.DataFrame, split: str, random: np.random.Generator) -> pd.DataFrame:
    """What networks gain by learning from teachers in place of labels, fewest parameters first.

    runs: also with ``learned``: "labels", else the teachers' names. A network without runs of
    both kinds has no row.

    Columns: ``network``, ``params_trainable``, ``teachers`` (names), ``labels`` and ``taught``
    (mean accuracies, fractions) and those of `difference`, the taught first.
    """
    if runs.empty:
        return pd.DataFrame(columns=GAIN_COLUMNS)
    named = runs.assign(network=runs["network"] + " " + runs["learned"])
    means = bootstrap(named, split, random)
    columns = ["params_trainable", "network", "learned"]
    grouped = runs.groupby(columns)[[split]].mean().reset_index()
    reached: list[Row] = grouped.to_dict("records")
    labels = {row["network"]: row[split] for row in reached if row["learned"] == "labels"}
    rows = [
        {
            "network": network,
            "params_trainable": row["params_trainable"],
            "teachers": row["learned"],
            "labels": labels[network],
            "taught": row[split],
            **difference(named, split, means, f"{network} {row['learned']}", f"{network} labels"),
        }
        for row in reached
        if row["learned"] != "labels" and (network := row["network"]) in labels
    ]
    return pd.DataFrame(rows, columns=GAIN_COLUMNS)


def smallest_within(summary: pd.DataFrame, loss: float) -> Row | None:
    """Return the row of the smallest network within `loss` (fraction) of the best mean.

    None where nothing finished.
    """
    finished = summary.dropna(subset="mean")
    if finished.empty:
        return None
    good = finished[finished["mean"] >= finished["mean"].max() - loss]
    rows: list[Row] = good.to_dict("records")
    return min(rows, key=lambda row: row["params_trainable"])
