"""Questions 1 to 3: a large network against a compact one, and size against accuracy."""

from __future__ import annotations

import math
from itertools import pairwise

import pandas as pd

from fercore.analysis import Row, difference, smallest_within, unlearned
from fercore.display import Text, percent, times
from fercore.figures import NAMES, short
from fercore.language import mark, paragraph, say
from fercore.sentences.words import answer, lead, points

CLOSE = 0.02
"""What counts as nearly as good as the best: 2 percentage points."""


def large_against_compact(
    runs: pd.DataFrame, summary: pd.DataFrame, means: pd.DataFrame, split: str, note: str = ""
) -> Text:
    """Question 1: for each report, what its large CNN and its compact MobileNet reach.

    means: the replicates that the summary was made from.
    """
    lines = []
    for report, part in summary.groupby("report"):
        small, large = (
            part[part["family"] == family].to_dict("records") for family in ("mobilenet", "cnn")
        )
        for compact in small:
            lines += [_one_pair(runs, means, split, str(report), big, compact) for big in large]
    text = "\n".join(f"- {line}" for line in lines)
    none = say("No pair of a CNN and a MobileNet was asked.")
    return answer(split, summary, note, text or none)


def _one_pair(
    runs: pd.DataFrame, means: pd.DataFrame, split: str, report: str, large: Row, compact: Row
) -> str:
    ratio = large["params_trainable"] / compact["params_trainable"]
    sizes = say(
        "Report {report}: **{compact}** has {few:,} trainable parameters, {times} than **{large}** "
        "with {many:,}.",
        report=report,
        compact=compact["network"],
        few=compact["params_trainable"],
        times=times(ratio),
        large=large["network"],
        many=large["params_trainable"],
    )
    if math.isnan(large["mean"] + compact["mean"]):
        why = say("At least one of them has no finished run, so they cannot be compared.")
        return paragraph(sizes, why)
    row = difference(runs, split, means, large["network"], compact["network"])
    reached = say(
        "They reach {compact} % and {large} %: {lead}.",
        compact=percent(compact["mean"], compact["high"]),
        large=percent(large["mean"], large["high"]),
        lead=lead(say("the large CNN"), say("the compact MobileNet"), row),
    )
    return paragraph(sizes, reached)


def size_against_accuracy(summary: pd.DataFrame, family: str, split: str, note: str = "") -> Text:
    """Questions 2 and 3: what a family's accuracy does as parameters are taken away."""
    part = summary[(summary["family"] == family)].dropna(subset="mean")
    name = say(NAMES[family])
    if part.empty:
        return answer(split, summary, note, say("No {name} has a finished run.", name=name))
    learned = part[~unlearned(part)].sort_values("params_trainable")
    rows: list[Row] = learned.to_dict("records")
    if not rows:
        nothing = say("No {name} learned to tell expressions apart.", name=name)
        return answer(split, summary, note, nothing)
    if len(rows) == 1:
        which = TRAINED if len(part) == 1 else LEARNED_ALONE
        return answer(split, summary, note, say(which, name=name, reach=_reach(rows[0])))
    trend = _range(name, rows[0], rows[-1])
    return answer(split, summary, note, trend, _nearly(learned), _order(rows))


TRAINED = mark("The one {name} trained reaches {reach}; one size shows no trend.")
LEARNED_ALONE = mark("The one {name} that learned reaches {reach}; one size shows no trend.")


def _reach(row: Row) -> str:
    return say(
        "**{accuracy} %** with {parameters:,} trainable parameters ({network})",
        accuracy=percent(row["mean"], row["high"]),
        parameters=row["params_trainable"],
        network=row["network"],
    )


def _range(name: str, first: Row, last: Row) -> str:
    return say(
        "The smallest {name} reaches {first}, the largest {last}{slope}.",
        name=name,
        first=_reach(first),
        last=_reach(last),
        slope=_slope(first, last),
    )


def _slope(first: Row, last: Row) -> str:
    """What ten times the parameters change, on average; empty between equal sizes."""
    tens = math.log10(last["params_trainable"] / first["params_trainable"])
    if tens <= 0:
        return ""
    gain = last["mean"] - first["mean"]
    if gain >= 0:
        return say(
            ": a gain of {points} for every tenfold of parameters, on average",
            points=points(gain / tens),
        )
    return say(
        ": a loss of {points} for every tenfold of parameters, on average",
        points=points(gain / tens),
    )


NEARLY = mark(
    "The smallest within {points:.0f} points of the best is {network} ({size} parameters)."
)
NONE_SMALLER = mark(
    "None smaller comes within {points:.0f} points of the best, {network} ({size} parameters)."
)


def _nearly(part: pd.DataFrame) -> str:
    row = smallest_within(part, CLOSE)
    assert row is not None
    best = row["mean"] == part["mean"].max()
    smallest = row["params_trainable"] == part["params_trainable"].min()
    return say(
        NONE_SMALLER if best and not smallest else NEARLY,
        points=100 * CLOSE,
        network=row["network"],
        size=short(row["params_trainable"]),
    )


def _order(rows: list[Row]) -> str:
    """Whether more parameters always gave a higher mean."""
    drops = [
        (small["network"], large["network"])
        for small, large in pairwise(rows)
        if large["mean"] < small["mean"]
    ]
    if not drops:
        return say("No step up in size lowered the mean.")
    below = [say("{large} is below {small}", large=large, small=small) for small, large in drops]
    steps = say(", ").join(below)
    return say("The mean did not rise with every step up in size: {steps}.", steps=steps)
