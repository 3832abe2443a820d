"""The figure: one line per change that was tried."""

from __future__ import annotations

import math

import pandas as pd

from fercore.analysis import Row
from fercore.display import Figure, Text
from fercore.experiments.verdicts import MARGIN
from fercore.experiments.why.words import COVERS, SUBJECTS, TITLES, in_points, undirected
from fercore.figures import COLOURS, house_axes, pale
from fercore.language import paragraph, say


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
    for place, row in enumerate(rows):
        spread = 100 * (row["high"] - row["difference"])
        colour = COLOURS.get(row["subject"], "0.35")
        axes.errorbar(
            100 * row["difference"],
            place,
            xerr=None if math.isnan(spread) else spread,
            fmt="o",
            color=colour,
            markerfacecolor=colour if row["verdict"] == "supported" else pale(colour),
            capsize=3,
        )
    axes.set_yticks(range(len(rows)), [_line(row) for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
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
            undirected(judged.dropna(subset="difference")),
            say(COVERS),
        ),
        alt=say("Differences by comparison. {points}", points=say("; ").join(points)),
        note=note,
    )


def _line(row: Row) -> str:
    return say(
        "{number} {subject}: {change}",
        number=TITLES[row["hypothesis"]][:2],
        subject=say(SUBJECTS[row["subject"]]),
        change=say(row["change"]),
    )
