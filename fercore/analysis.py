"""Tables in, numbers out: means over seeds, their intervals, matched pairs and crossings.

A *runs* table has one row per training run with at least the columns ``network``, ``family``,
``report``, ``seed``, ``params_trainable`` and one accuracy column per split (fractions 0..1, NaN
where the split is absent or the run diverged). `fercore.study` makes it from the run store.

Every interval here covers what another seed would change (initial weights, order, augmentation)
on the same data and the same test images. It does not cover another draw of test images.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

TEST_SPLITS = ("PublicTest", "PrivateTest")
LEVEL = 0.95
"""Confidence level of every interval."""

Row = dict[Any, Any]

IDENTITY = ["network", "family", "report", "params_trainable", "params_keras_total", "macs"]
"""Columns that are the same for all runs of one network."""


PAIR_COLUMNS = ["report", "mobilenet", "cnn", "size", "mobilenet_mean", "cnn_mean"]
PAIR_COLUMNS += ["lead", "low", "high", "verdict"]


def headline_split(runs: pd.DataFrame) -> str:
    """Name the split whose accuracy is the headline: the first test split that was measured.

    Falls back to "valid" where the data has no labelled test rows.
    """
    measured = [name for name in TEST_SPLITS if name in runs and runs[name].notna().any()]
    return measured[0] if measured else "valid"


def pooled_deviation(runs: pd.DataFrame, split: str) -> tuple[float, int]:
    """Standard deviation between seeds of one network, pooled over all networks of `runs`.

    With two or three seeds a network's own deviation says next to nothing; pooling (the residual
    deviation of a one-way analysis of variance) assumes that seeds scatter alike for all of them.

    Returns the deviation (fraction) and its degrees of freedom; (nan, 0) where no network has
    two finished seeds.
    """
    groups = [part.dropna().to_numpy() for _, part in runs.groupby("network")[split]]
    freedom = sum(max(len(values) - 1, 0) for values in groups)
    if freedom == 0:
        return math.nan, 0
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in groups if len(values))
    return math.sqrt(squares / freedom), freedom


def half_width(deviation: float, freedom: int, *counts: int) -> float:
    """Half the 95 % Student-t interval of a mean, or of the difference of two means.

    deviation, freedom: from `pooled_deviation`; counts: seeds behind each mean.
    Returns nan where there is no deviation to go by: one seed gives no interval.
    """
    if freedom == 0 or min(counts) == 0:
        return math.nan
    quantile = float(stats.t.ppf((1 + LEVEL) / 2, freedom))
    return quantile * deviation * math.sqrt(sum(1 / count for count in counts))


def summarise(runs: pd.DataFrame, split: str) -> pd.DataFrame:
    """One row per network: mean accuracy on `split` over its finished seeds, with interval.

    Columns: those of `IDENTITY`, ``seeds`` (finished), ``failed`` (diverged), ``mean``, ``low``,
    ``high`` (fractions; low and high are NaN without a second seed). Sorted by parameters.
    """
    deviation, freedom = pooled_deviation(runs, split)
    table = (
        runs.groupby(IDENTITY, dropna=False)[split]
        .agg(seeds="count", failed=lambda values: int(values.isna().sum()), mean="mean")
        .reset_index()
        .sort_values(["params_trainable", "network"], ignore_index=True)
    )
    spread = [
        half_width(deviation, freedom, int(count)) if count > 1 else math.nan
        for count in table["seeds"]
    ]
    return table.assign(low=table["mean"] - spread, high=table["mean"] + spread)


def difference(runs: pd.DataFrame, split: str, first: str, second: str) -> Row:
    """How far the network `first` leads `second`: ``lead``, ``low``, ``high`` and ``verdict``.

    The lead is the difference of mean accuracies (fraction); low and high bound its interval,
    NaN without a second seed; for the verdict see `verdict`.
    """
    deviation, freedom = pooled_deviation(runs, split)
    values = [runs.loc[runs["network"] == name, split].dropna() for name in (first, second)]
    lead = float(values[0].mean() - values[1].mean())
    several = min(map(len, values)) > 1
    spread = half_width(deviation, freedom, *map(len, values)) if several else math.nan
    low, high = lead - spread, lead + spread
    return {"lead": lead, "low": low, "high": high, "verdict": verdict(low, high)}


def matched_pairs(runs: pd.DataFrame, split: str, tolerance: float = 0.1) -> pd.DataFrame:
    """Pairs of one MobileNet and one CNN of equal size, and MobileNet's lead in each.

    Only networks of the sweep, or of one and the same report, are paired: they share a plan.
    Two networks match if their trainable parameters differ by at most `tolerance` (a share of
    the smaller); each network is paired with its nearest, and only once.

    Columns: ``report`` ("sweep", "A" or "B"), ``mobilenet``, ``cnn`` (names), ``size``
    (geometric mean of both counts), ``mobilenet_mean``, ``cnn_mean`` (fractions) and those of
    `difference`, MobileNet first. Sorted by size; empty where nothing matches.
    """
    finished = summarise(runs, split).dropna(subset="mean").to_dict("records")
    rows = [
        {
            "report": ours["report"],
            "mobilenet": ours["network"],
            "cnn": theirs["network"],
            "size": math.sqrt(ours["params_trainable"] * theirs["params_trainable"]),
            "mobilenet_mean": ours["mean"],
            "cnn_mean": theirs["mean"],
            **difference(runs, split, ours["network"], theirs["network"]),
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


def verdict(low: float, high: float) -> str:
    """What an interval of a lead allows one to say.

    "ahead" or "behind" where the interval lies wholly on one side of zero, "undecided" where it
    holds zero, "one seed" where there is no interval.
    """
    if math.isnan(low) or math.isnan(high):
        return "one seed"
    if low > 0:
        return "ahead"
    return "behind" if high < 0 else "undecided"


def crossings(summary: pd.DataFrame) -> list[float]:
    """Sizes at which the mean curves of the two families' sweeps cross.

    The reports' own networks are on no curve: they differ in more than size. Each family's
    means are joined by straight lines over log10 of trainable parameters, and compared only where
    both families were measured.

    Returns parameter counts, ascending; empty where the curves do not cross or do not overlap.
    """
    curves = {
        family: part.groupby("params_trainable")["mean"].mean().dropna()
        for family, part in summary[summary["report"] == "sweep"].groupby("family")
    }
    if set(curves) < {"mobilenet", "cnn"} or any(curve.empty for curve in curves.values()):
        return []
    x = {family: np.log10(curve.index.to_numpy(float)) for family, curve in curves.items()}
    start = max(x["mobilenet"][0], x["cnn"][0])
    stop = min(x["mobilenet"][-1], x["cnn"][-1])
    knots = np.unique(np.concatenate([x["mobilenet"], x["cnn"], [start, stop]]))
    knots = knots[(knots >= start) & (knots <= stop)]
    lead = np.interp(knots, x["mobilenet"], curves["mobilenet"].to_numpy()) - np.interp(
        knots, x["cnn"], curves["cnn"].to_numpy()
    )
    return [float(10**root) for root in _roots(knots, lead)]


def _roots(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Where the piecewise linear function through (x, y) changes sign."""
    roots = []
    nonzero = np.flatnonzero(y)
    for i, j in pairwise(nonzero):
        if y[i] * y[j] < 0:
            # Between i and j lie only zeros; the middle of their stretch is the crossing.
            inner = x[i + 1 : j]
            linear = x[i] - y[i] * (x[j] - x[i]) / (y[j] - y[i])
            roots.append(float(inner.mean()) if len(inner) else float(linear))
    return roots


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


def per_class(confusion: NDArray[np.int64]) -> pd.DataFrame:
    """Recall, precision and F1 of each class.

    confusion: (7, 7) counts, rows true, columns predicted. A class without rows (or without
    predictions) has NaN recall (precision). Index 0..6.
    """
    matrix = np.asarray(confusion, dtype=float)
    hits = np.diag(matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision = hits / matrix.sum(1), hits / matrix.sum(0)
        f1 = 2 * hits / (matrix.sum(0) + matrix.sum(1))
    return pd.DataFrame({"recall": recall, "precision": precision, "f1": f1})


def class_table(matrices: Mapping[str, NDArray[np.int64]], classes: Sequence[str]) -> pd.DataFrame:
    """Recall and F1 of each class in percent, one pair of columns per network.

    matrices: network to confusion counts (7, 7). Columns ``expression``, ``images`` (summed over
    seeds), then "NETWORK recall" and "NETWORK F1".
    """
    table = pd.DataFrame({"expression": list(classes)})
    for network, matrix in matrices.items():
        figures = 100 * per_class(matrix)
        table["images"] = matrix.sum(1)
        table[f"{network} recall"], table[f"{network} F1"] = figures["recall"], figures["f1"]
    return table
