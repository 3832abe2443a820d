"""Accuracy over a budget, family against family: fitted curves, who is ahead where, crossovers.

Each family's means are fitted by isotonic regression: the non-decreasing steps nearest to them,
weighted by seeds, joined by straight lines over the logarithm of the budget. It assumes only that
a larger budget does no harm; three to six sizes are too few to tell a saturating law from another.
Means that rise anyway are left as they are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from fercore.analysis.seeds import LEVEL, Array, Row, with_interval
from fercore.language import mark

UNITS = mark(
    {
        "params_trainable": "trainable parameters",
        "macs": "multiply-adds per image",
        "file_bytes": "bytes of the weight file",
        "latency_ms": "milliseconds per image",
    }
)
"""Columns of a summary that a budget may be counted in."""

FAMILIES = ("mobilenet", "cnn")

SURE = 0.95
"""Share of the bootstrap replicates from which on an outcome counts as shown."""


@dataclass(frozen=True)
class Comparison:
    """MobileNet's curve against the plain CNN's over one unit of budget, sweep networks only.

    unit: one of `UNITS`. start, stop: the budgets that both families cover; NaN if there are none.
    curves: by family, ``size``, ``accuracy``, ``low``, ``high`` (fractions) at its networks.
    first, last: MobileNet's lead at start and at stop (`analysis.with_interval`).
    outcome: who leads between start and stop by the fitted means: "mobilenet" or "cnn" throughout,
    "mobilenet first" (then the CNN) or "cnn first" if the curves cross once, "several" if they
    cross more often, "level" if they never differ, "apart" without common budgets.
    crossings: where the fitted means cross. shares: outcome to its share of the replicates, empty
    unless every network has two seeds. low, high: 95 % of the crossings, of those replicates that
    cross once and in the more frequent direction; NaN if none does. left_out: whether networks
    with a single seed take no part in the curves.
    """

    unit: str
    curves: Mapping[str, pd.DataFrame]
    start: float = math.nan
    stop: float = math.nan
    first: Row = field(default_factory=dict)
    last: Row = field(default_factory=dict)
    outcome: str = "apart"
    crossings: tuple[float, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    low: float = math.nan
    high: float = math.nan
    left_out: bool = False

    @property
    def shown(self) -> bool:
        """Whether nearly all replicates (`SURE`) have the outcome of the means."""
        return self.shares.get(self.outcome, 0.0) >= SURE

    @property
    def once(self) -> str:
        """The more frequent of "mobilenet first" and "cnn first"; empty if no replicate is so."""
        shares = {name: self.shares.get(name, 0.0) for name in ("mobilenet first", "cnn first")}
        best = max(shares, key=lambda name: shares[name])
        return best if shares[best] > 0 else ""


def budgets(summary: pd.DataFrame, means: pd.DataFrame) -> list[Comparison]:
    """One `Comparison` for each unit that the summary has as a column."""
    return [compare(summary, means, unit) for unit in UNITS if unit in summary]


def compare(
    summary: pd.DataFrame, means: pd.DataFrame, unit: str = "params_trainable"
) -> Comparison:
    """Compare the two families' curves over one unit of budget.

    summary: from `summarise`, with the unit as a column; means: the replicates it was made from.
    Networks with a single seed are left out where both families have two or more others.
    """
    members = summary[summary["report"] == "sweep"].dropna(subset=["mean", unit])
    sweep = _told_apart(members)
    parts = {f: sweep[sweep["family"] == f].sort_values(unit) for f in FAMILIES}
    fits = {family: _fits(part, means) for family, part in parts.items()}
    curves = {family: _curve(part, fits[family], unit) for family, part in parts.items()}
    apart = Comparison(unit, curves, left_out=len(sweep) < len(members))
    sizes = {family: np.log(part[unit].to_numpy(float)) for family, part in parts.items()}
    if any(len(x) == 0 for x in sizes.values()):
        return apart
    start, stop = max(x[0] for x in sizes.values()), min(x[-1] for x in sizes.values())
    if start >= stop:
        return apart
    knots = np.unique(np.concatenate([*sizes.values(), [start, stop]]))
    knots = knots[(knots >= start) & (knots <= stop)]
    ours, theirs = (_at(knots, sizes[family], fits[family]) for family in FAMILIES)
    leads = ours - theirs
    outcome, crossings = _outcome(knots, leads[0])
    shares, low, high = _replicated(knots, leads[1:])
    return replace(
        apart,
        start=float(np.exp(start)),
        stop=float(np.exp(stop)),
        first=with_interval(leads[0, 0], leads[1:, 0]),
        last=with_interval(leads[0, -1], leads[1:, -1]),
        outcome=outcome,
        crossings=tuple(float(np.exp(place)) for place in crossings),
        shares=shares,
        low=low,
        high=high,
    )


def _told_apart(sweep: pd.DataFrame) -> pd.DataFrame:
    """A network with one seed has no interval, and would leave its family's curve without one."""
    several = sweep[sweep["seeds"] > 1]
    counts = several["family"].value_counts()
    return several if all(counts.get(family, 0) > 1 for family in FAMILIES) else sweep


def _fits(part: pd.DataFrame, means: pd.DataFrame) -> Array:
    """Fitted accuracies (1 + replicates, networks): first of the means, then of each replicate."""
    measured = part["mean"].to_numpy(float)[None]
    drawn = means[list(part["network"])].to_numpy(float)
    return isotonic(np.concatenate([measured, drawn]), part["seeds"].to_numpy(float))


def isotonic(values: Array, weights: Array) -> Array:
    """Non-decreasing least-squares fit along the last axis: (..., n) values, (n,) weights.

    By the max-min formula (Robertson, Wright and Dykstra 1988, theorem 1.4.4): all rows at once.
    """
    count = values.shape[-1]
    sums = np.cumsum(np.concatenate([np.zeros_like(values[..., :1]), weights * values], -1), -1)
    weight = np.cumsum(np.concatenate([[0.0], weights]))
    fit = np.full_like(values, -np.inf)
    for j in range(count):
        blocks = (sums[..., j + 1 :] - sums[..., j : j + 1]) / (weight[j + 1 :] - weight[j])
        lowest = np.minimum.accumulate(blocks[..., ::-1], -1)[..., ::-1]
        fit[..., j:] = np.maximum(fit[..., j:], lowest)
    return fit


def _curve(part: pd.DataFrame, fits: Array, unit: str) -> pd.DataFrame:
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(fits[1:], tails, axis=0)
    return pd.DataFrame(
        {"size": part[unit].to_numpy(float), "accuracy": fits[0], "low": low, "high": high}
    )


def _at(knots: Array, sizes: Array, fits: Array) -> Array:
    """Curves (rows, networks) read at knots: (rows, knots). Linear, so one matrix serves all."""
    unit_curves = np.eye(len(sizes))
    read: Array = fits @ np.stack([np.interp(knots, sizes, curve) for curve in unit_curves])
    return read


def _outcome(knots: Array, lead: Array) -> tuple[str, list[float]]:
    """Who leads where, and the crossings, on the scale of the knots."""
    roots = _roots(knots, lead)
    signs = np.sign(lead[lead != 0])
    if len(signs) == 0:
        return "level", roots
    leader = "mobilenet" if signs[0] > 0 else "cnn"
    words = {0: leader, 1: f"{leader} first"}
    return words.get(len(roots), "several"), roots


def _replicated(knots: Array, leads: Array) -> tuple[dict[str, float], float, float]:
    """Share of each outcome, and 95 % of the single crossings in their usual direction."""
    if np.isnan(leads).any():
        return {}, math.nan, math.nan
    found = [_outcome(knots, lead) for lead in leads]
    counts = Counter(outcome for outcome, _ in found)
    shares = {outcome: count / len(found) for outcome, count in counts.items()}
    usual = max(("mobilenet first", "cnn first"), key=lambda name: counts[name])
    places = [roots[0] for outcome, roots in found if outcome == usual]
    if not places:
        return shares, math.nan, math.nan
    low, high = np.exp(np.quantile(places, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return shares, float(low), float(high)


def _roots(x: Array, y: Array) -> list[float]:
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
