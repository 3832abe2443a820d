"""Questions 1 to 3: a large network against a compact one, and size against accuracy."""

from __future__ import annotations

import math
from itertools import pairwise

import pandas as pd

from fercore.analysis import Row, difference, smallest_within
from fercore.figures import NAMES, short
from fercore.sentences.words import Text, failures, lead, points, seeds

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
    text = "\n".join(f"- {line}" for line in lines) or "No pair of a CNN and a MobileNet was asked."
    return Text(f"**Answer** ({split}, {seeds(summary)}). {note}\n\n{text}{failures(summary)}")


def _one_pair(
    runs: pd.DataFrame, means: pd.DataFrame, split: str, report: str, large: Row, compact: Row
) -> str:
    ratio = large["params_trainable"] / compact["params_trainable"]
    word = "fewer" if ratio >= 1 else "more"
    ratio = max(ratio, 1 / ratio)
    times = f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"
    sizes = (
        f"Report {report}: **{compact['network']}** has {compact['params_trainable']:,} trainable "
        f"parameters, {times} times {word} than **{large['network']}** with "
        f"{large['params_trainable']:,}"
    )
    if math.isnan(large["mean"] + compact["mean"]):
        return f"{sizes}. At least one of them has no finished run, so they cannot be compared."
    row = difference(runs, split, means, large["network"], compact["network"])
    return (
        f"{sizes}. They reach {100 * compact['mean']:.1f} % and {100 * large['mean']:.1f} %: "
        f"{lead('the large CNN', 'the compact MobileNet', row)}."
    )


def size_against_accuracy(summary: pd.DataFrame, family: str, split: str, note: str = "") -> Text:
    """Questions 2 and 3: what a family's accuracy does as parameters are taken away."""
    part = summary[(summary["family"] == family)].dropna(subset="mean")
    name, head = NAMES[family], f"**Answer** ({split}, {seeds(summary)}). {note}\n\n"
    if part.empty:
        return Text(f"{head}No {name} has a finished run.{failures(summary)}")
    rows: list[Row] = part.sort_values("params_trainable").to_dict("records")
    first, last = rows[0], rows[-1]
    if len(rows) == 1:
        text = f"The one {name} trained reaches {_reach(first)}; one size shows no trend."
    else:
        text = f"{_range(name, first, last)} {_nearly(part)} {_order(rows)}"
    return Text(f"{head}{text}{failures(summary)}")


def _reach(row: Row) -> str:
    spread = "" if math.isnan(row["high"]) else f" ± {100 * (row['high'] - row['mean']):.1f}"
    return (
        f"**{100 * row['mean']:.1f}{spread} %** with {row['params_trainable']:,} "
        f"trainable parameters ({row['network']})"
    )


def _range(name: str, first: Row, last: Row) -> str:
    tens = math.log10(last["params_trainable"] / first["params_trainable"])
    gain = last["mean"] - first["mean"]
    slope = (
        f": {'a gain' if gain >= 0 else 'a loss'} of {points(gain / tens)} "
        "for every tenfold of parameters, on average"
        if tens > 0
        else ""
    )
    return f"The smallest {name} reaches {_reach(first)}, the largest {_reach(last)}{slope}."


def _nearly(part: pd.DataFrame) -> str:
    row = smallest_within(part, CLOSE)
    assert row is not None
    return (
        f"The smallest within {100 * CLOSE:.0f} points of the best is {row['network']} "
        f"({short(row['params_trainable'])} parameters)."
    )


def _order(rows: list[Row]) -> str:
    """Whether more parameters always gave a higher mean."""
    drops = [
        (small["network"], large["network"])
        for small, large in pairwise(rows)
        if large["mean"] < small["mean"]
    ]
    if not drops:
        return "No step up in size lowered the mean."
    steps = ", ".join(f"{large} is below {small}" for small, large in drops)
    return f"The mean did not rise with every step up in size: {steps}."
