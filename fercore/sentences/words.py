"""Parts of sentences that several of them share."""

from __future__ import annotations

import math

import pandas as pd

from fercore.analysis import LEARNED, Row, unlearned
from fercore.display import Text, number, spread
from fercore.language import mark, paragraph, say

ANSWER = mark("**Answer** ({about}). {note}")
"""How an answer opens: what it was measured on, and what must be said of the data."""


def answer(split: str, summary: pd.DataFrame, note: str, *sentences: str) -> Text:
    """A question's answer: what it was measured on, who learned nothing and which runs failed.

    sentences: or one list; what is said of all networks stands below, as a paragraph of its own.
    """
    about = say("{split}, {seeds}", split=split, seeds=seeds(summary))
    head = say(ANSWER, about=about, note=note)
    remarks = paragraph(no_better(summary, split), failures(summary))
    return Text("\n\n".join(filter(None, [head, paragraph(*sentences), remarks])))


def points(value: float, half: float = math.nan) -> str:
    """The size of a difference, as "1.2 points", rounded to what half its interval supports."""
    return say("{points} points", points=number(100 * abs(value), half))


def seeds(summary: pd.DataFrame) -> str:
    """How many seeds the means are of."""
    counts = sorted(set(summary["seeds"]) - {0}) or [0]
    if len(counts) == 1:
        return say("1 seed") if counts == [1] else say("mean of {count} seeds", count=counts[0])
    return say("mean of {fewest} to {most} seeds", fewest=counts[0], most=counts[-1])


def lead(first: str, second: str, row: Row) -> str:
    """Who leads, by how much, and how sure that is; first and second as they are to be called."""
    leader, other = (first, second) if row["lead"] >= 0 else (second, first)
    half = 100 * (row["high"] - row["lead"])
    ahead = points(row["lead"], half)
    within = spread(half).strip()
    if row["verdict"] == "undecided":
        return say(
            "no difference is shown (the means are {points} apart, {spread})",
            points=ahead,
            spread=within,
        )
    by = say("{leader} is {points} ahead of {other}", leader=leader, points=ahead, other=other)
    if row["verdict"] == "one seed":
        return say("{by}, from a single seed: nothing says how sure that is", by=by)
    return say("{by} ({spread})", by=by, spread=within)


def no_better(summary: pd.DataFrame, split: str) -> str:
    """A sentence that names the networks that learned nothing; empty if there are none."""
    stuck = summary[unlearned(summary)]
    if stuck.empty:
        return ""
    names = zip(stuck["network"], 100 * stuck["mean"], strict=True)
    return say(
        "{networks} did not get more than {margin:.0f} point past the share of the largest class "
        "of {split}, {share:.1f} %, which the same answer for every image reaches: nothing was "
        "learned there, and no trend is read from it.",
        networks=say(", ").join(f"{name} ({accuracy:.1f} %)" for name, accuracy in names),
        margin=100 * LEARNED,
        split=split,
        share=100 * stuck["largest"].max(),
    )


def failures(summary: pd.DataFrame) -> str:
    """A sentence that names the networks with diverged runs; empty if there are none."""
    failed = summary[summary["failed"] > 0]
    if failed.empty:
        return ""
    names = ", ".join(f"{row.network} ({row.failed})" for row in failed.itertuples())
    return say("Training did not stay finite, and no result is shown, for: {names}.", names=names)
