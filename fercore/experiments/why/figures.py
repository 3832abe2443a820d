"""The figure: one line per change that was tried."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fercore.analysis import Row
from fercore.display import Figure, Text
from fercore.experiments.verdicts import MARGIN
from fercore.experiments.why.words import COVERS, SUBJECTS, TITLES, in_points, undirected
from fercore.figures import COLOURS, house_axes, pale
from fercore.language import paragraph, say

FURTHEST = 2
"""An interval is drawn up to so many times the largest difference, or the margin if that is larger:
those of two seeds are wide."""


def forest(judged: pd.DataFrame, split: str, *, note: str = "") -> Figure | Text:
    """One line per change that was tried: difference and interval, zero and the margin.

    An empty text where there is no difference.
    """
    rows: list[Row] = judged.dropna(subset="difference").to_dict("records")
    if not rows:
        return Text("")
    drawing, (axes,) = house_axes(8.4, 1.2 + 0.32 * len(rows))
    axes.axvspan(-100 * MARGIN, 100 * MARGIN, color="0.92", zorder=0)
    axes.axvline(0, color="0.3", linewidth=1)
    end = 100 * FURTHEST * max(MARGIN, *(abs(row["difference"]) for row in rows))
    cut = [_interval(axes, place, row, end) for place, row in enumerate(rows)]
    axes.set_yticks(range(len(rows)), [_line(row) for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(say("difference of accuracy on {split} (percentage points)", split=split))
    points = [
        say(
            "{line} {points}, {verdict}",
            line=_line(row),
            points=in_points(row["difference"]),
            verdict=say(row["verdict"]),
        )
        for row in rows
    ]
    return Figure(
        drawing,
        name="verdicts",
        caption=paragraph(
            say(
                "Differences that the hypotheses speak of, {split}, with 95 % interval. Right of "
                "zero speaks for the claim; marks are full where that is supported and pale "
                "elsewhere; the grey band is {margin:.0f} point to either side. Colour: plain CNN, "
                "MobileNet, or (grey) MobileNet's lead.",
                split=split,
                margin=100 * MARGIN,
            ),
            say("An arrowhead: the interval goes on.") if any(cut) else "",
            undirected(judged.dropna(subset="difference")),
            say(COVERS),
        ),
        alt=say("Differences by comparison. {points}", points=say("; ").join(points)),
        note=note,
    )


def _interval(axes: Axes, place: int, row: Row, end: float) -> bool:
    """Draw one difference with its interval; whether that reaches beyond `end` and was cut."""
    difference, spread = 100 * row["difference"], 100 * (row["high"] - row["difference"])
    colour = COLOURS.get(row["subject"], "0.35")
    low, high = max(difference - spread, -end), min(difference + spread, end)
    axes.errorbar(
        difference,
        place,
        xerr=None if math.isnan(spread) else [[difference - low], [high - difference]],
        fmt="o",
        color=colour,
        markerfacecolor=colour if row["verdict"] == "supported" else pale(colour),
        capsize=3,
    )
    for edge, arrow in ((low, "<"), (high, ">")):
        if abs(edge) == end:
            axes.plot(edge, place, arrow, color=colour, markersize=8)
    return end in (-low, high)


def _line(row: Row) -> str:
    return say(
        "{number} {subject}: {change}",
        number=TITLES[row["hypothesis"]][:2],
        subject=say(SUBJECTS[row["subject"]]),
        change=say(row["change"]),
    )
