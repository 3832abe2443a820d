"""Parts of sentences that several of them share."""

from __future__ import annotations

import pandas as pd

from fercore.analysis import Row
from fercore.display import Text

__all__ = ["Text", "failures", "lead", "points", "seeds"]


def points(value: float) -> str:
    """The size of a difference, as "1.2 points"."""
    return f"{100 * abs(value):.1f} points"


def seeds(summary: pd.DataFrame) -> str:
    """How many seeds the means are of."""
    counts = sorted(set(summary["seeds"]) - {0}) or [0]
    if len(counts) == 1:
        return "1 seed" if counts == [1] else f"mean of {counts[0]} seeds"
    return f"mean of {counts[0]} to {counts[-1]} seeds"


def lead(first: str, second: str, row: Row) -> str:
    """Who leads, by how much, and how sure that is."""
    leader, other = (first, second) if row["lead"] >= 0 else (second, first)
    by = f"{leader} is {points(row['lead'])} ahead of {other}"
    if row["verdict"] == "one seed":
        return f"{by}, from a single seed: nothing says how sure that is"
    spread = f"± {100 * (row['high'] - row['lead']):.1f}"
    if row["verdict"] == "undecided":
        return f"no difference is shown between {first} and {second} ({by}, {spread})"
    return f"{by} ({spread})"


def failures(summary: pd.DataFrame) -> str:
    """A sentence that names the networks with diverged runs; empty if there are none."""
    failed = summary[summary["failed"] > 0]
    if failed.empty:
        return ""
    names = ", ".join(f"{row.network} ({row.failed})" for row in failed.itertuples())
    return f" Training did not stay finite, and no result is shown, for: {names}."
