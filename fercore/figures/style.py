"""The one visual language of all figures: colours, names, axes, and how a budget is written."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from textwrap import fill
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from fercore.analysis import UNITS
from fercore.display import fonts
from fercore.language import mark, say

COLOURS = {"mobilenet": "#0173b2", "cnn": "#d55e00"}
"""From seaborn's colour-blind palette."""

OTHER = "#595959"
"""Of a family that has no colour here, as one of a user's own."""

GROUP_COLOURS = {
    "stem": "#949494",
    "depthwise": "#56b4e9",
    "pointwise": COLOURS["mobilenet"],
    "plain convolution": COLOURS["cnn"],
    "normalisation": "#cc78bc",
    "dense head": "#029e73",
}
"""Kinds of layers, from the same palette: a family's own layers have its colour."""

NAMES = mark({"mobilenet": "MobileNet", "cnn": "plain CNN"})
MARKERS = {"A": "s", "B": "^", "sweep": "o"}

SHEET = "seaborn-v0_8-whitegrid"
"""Matplotlib's own copy: seaborn is imported only where it is needed, since it and what it imports
take as long as a whole notebook's drawings."""
STYLE: dict[Any, Any] = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 10}


def pale(colour: str) -> str:
    """The colour as ours is filled where nothing is shown; open marks are published figures."""
    return _mixed(colour, 1.0, 0.7)


def shade(colour: str, depth: float) -> str:
    """The colour itself at a depth of 0.5, lighter down to 0, darker up to 1."""
    if depth < 0.5:
        return _mixed(colour, 1.0, 0.6 * (0.5 - depth))
    return _mixed(colour, 0.0, 1.1 * (depth - 0.5))


def _mixed(colour: str, grey: float, share: float) -> str:
    """A colour with a share of a grey from 0, black, to 1, white."""
    red, green, blue = (part + share * (grey - part) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def name_ends(axes: Axes, ends: Mapping[Hashable, float], colours: Mapping[Hashable, str]) -> None:
    """Write names beside the ends of lines, moved apart where they would touch.

    ends: where each line ends, in the units of the y axis.
    """
    texts = {name: fill(str(name), 22) for name in sorted(ends, key=lambda name: ends[name])}
    low, high = axes.get_ylim()
    lines = {name: text.count("\n") + 1 for name, text in texts.items()}
    line = (high - low) * min(0.06, 1 / max(1, sum(lines.values())))  # more would outgrow the axes
    heights = {name: line * count for name, count in lines.items()}
    floor, ceiling = -math.inf, high - sum(heights.values())
    for name, text in texts.items():
        ceiling += heights[name]
        floor = max(min(ends[name] + heights[name] / 2, ceiling), floor + heights[name])
        middle = floor - heights[name] / 2
        axes.annotate(
            text,
            (1, middle),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=colours[name],
            annotation_clip=False,
        )


def short(count: float) -> str:
    """A count as one reads it on an axis: 30k, 1.3M."""
    if count >= 999_500:  # what rounds to a million
        return f"{count / 1e6:.3g}M"
    if count >= 1e3:
        return f"{count / 1e3:.3g}k"
    return f"{count:.0f}" if count >= 10 else f"{count:.2g}"


def amount(value: float, unit: str) -> str:
    """A budget with its unit, as 30k parameters, 8.8M multiply-adds, 410 kB or 0.61 ms."""
    if math.isnan(value):
        return say("unknown")
    match unit:
        case "file_bytes":
            return f"{value / 1000:,.0f} kB"
        case "latency_ms":
            return f"{value:.2g} ms"
        case "macs":
            return say("{count} multiply-adds", count=short(value))
    return say("{count} parameters", count=short(value))


def house_axes(
    width: float, height: float, columns: int = 1, rows: int = 1
) -> tuple[Drawing, list[Axes]]:
    """Axes in the house style, outside pyplot's global state; row by row."""
    with style.context([SHEET, {**STYLE, **font_style()}]):
        drawing = Drawing(figsize=(width, height), layout="constrained")
        axes = drawing.subplots(rows, columns, squeeze=False)
    return drawing, list(axes.flat)


def bare(axes: Axes) -> None:
    """No frame, as around an image."""
    axes.spines[:].set_visible(False)


def font_style() -> dict[Any, Any]:
    """Matplotlib's setting of a font for languages that need their own; empty for others."""
    return {"font.family": ["sans-serif", *fonts()]} if fonts() else {}


def size_axis(axes: Axes, unit: str = "params_trainable") -> None:
    """A logarithmic axis of budgets, labelled."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(say("{unit} (log scale)", unit=say(UNITS[unit])))
