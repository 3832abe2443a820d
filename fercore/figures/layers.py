"""Networks layer by layer: what a block is made of, and where parameters and MACs go.

Both read a table with one row per layer: ``network``, and what `fercore.models.Piece` has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Patch

from fercore.display import Figure
from fercore.figures.style import COLOURS, GROUP_COLOURS, NAMES, house_axes, short
from fercore.language import mark, say

LAYER, SMALL, GAP = 0.86, 0.3, 0.17
"""Heights in inches: a box with weights, one without or with few, and the arrow between two."""
COLUMN, BOX = 2.3, 2.14
"""Widths in inches. So narrow, a figure is still read on a telephone."""
HEAD, FOOT = 0.75, 0.5
AMOUNTS = mark({"trainable": "parameters", "macs": "multiply-adds"})


def blocks(pieces: pd.DataFrame, *, note: str = "") -> Figure:
    """Each family's block from input to output, side by side, every layer a box with its cost.

    pieces: the layers of one block per ``family``, all of the same step of equally wide networks.
    """
    parts = dict(list(pieces.groupby("family", sort=False)))
    tallest = max(map(_height, parts.values()))
    width, height = COLUMN * len(parts), HEAD + tallest + FOOT
    drawing, (axes,) = house_axes(width, height)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    for place, (family, part) in enumerate(parts.items()):
        _block(axes, COLUMN * (place + 0.5), part, tallest, str(family))
    described = [
        say("{name}: {layers}", name=say(NAMES[str(name)]), layers=_in_words(part))
        for name, part in parts.items()
    ]
    names = say(" and ").join(pieces["network"].unique())
    return Figure(
        drawing,
        name="blocks",
        caption=say(
            "The last block of {names}, which have the same number of channels in every stage, "
            "layer by layer: kernel, channels and image, trainable parameters, multiply-adds for "
            "one image. The plain convolution does at once what the separable block does in two "
            "steps. Drawn from the description that the networks are built from.",
            names=names,
        ),
        alt=say("Two stacks of layers. {stacks}", stacks=say("; ").join(described)),
        note=note,
    )


def _heights(part: pd.DataFrame) -> list[float]:
    return [LAYER if macs else SMALL for macs in part["macs"]]


def _height(part: pd.DataFrame) -> float:
    return sum(_heights(part)) + GAP * (len(part) - 1)


def _block(axes: Axes, middle: float, part: pd.DataFrame, tallest: float, family: str) -> None:
    """One stack; its first box is stretched so that all stacks end together."""
    first, last = part.iloc[0], part.iloc[-1]
    side = last["output"][-1]
    axes.text(middle, 0.16, say(NAMES[family]), ha="center", va="center", weight="bold", size=11,
              color=COLOURS[family])  # fmt: skip
    received = say("{channels} channels in", channels=first["inputs"])
    axes.text(middle, 0.4, received, ha="center", va="center", size=9)
    heights, top = _heights(part), HEAD
    heights[0] += tallest - _height(part)
    for row, height in zip(part.to_dict("records"), heights, strict=True):
        _arrow(axes, middle, top)
        _box(axes, middle, top, height, row, side)
        top += height + GAP
    words = "\n".join(f"{short(part[key].sum())} {say(name)}" for key, name in AMOUNTS.items())
    axes.text(middle, top + 0.16, words, ha="center", va="center", weight="bold", size=10,
              linespacing=1.4)  # fmt: skip


def _arrow(axes: Axes, middle: float, top: float) -> None:
    axes.annotate(
        "",
        (middle, top + 0.02),
        (middle, top - GAP),
        arrowprops={"arrowstyle": "-|>", "color": "0.3", "shrinkA": 0, "shrinkB": 0},
    )


def _box(
    axes: Axes, middle: float, top: float, height: float, row: dict[Any, Any], side: int
) -> None:
    colour = GROUP_COLOURS.get(row["group"], "#949494")
    corner = (middle - BOX / 2, top)
    style = "round,pad=0,rounding_size=0.06"
    tint = FancyBboxPatch(corner, BOX, height, style, facecolor=colour, alpha=0.2, linewidth=0)
    edge = FancyBboxPatch(corner, BOX, height, style, fill=False, edgecolor=colour, linewidth=1.4)
    axes.add_patch(tint)
    axes.add_patch(edge)
    lines = [row["layer"]]
    if row["macs"]:
        lines += [
            f"{_channels(row)}, {side}×{side}",
            *(f"{row[key]:,} {say(name)}" for key, name in AMOUNTS.items()),
        ]
    elif row["trainable"]:
        lines = [f"{row['layer']}, {row['trainable']:,} {say('parameters')}"]
    axes.text(middle, top + height / 2, "\n".join(lines), ha="center", va="center", size=9)


def _channels(row: dict[Any, Any]) -> str:
    if row["group"] == "depthwise":
        return say("each of {channels} channels", channels=row["inputs"])
    return say("{inputs} → {outputs} channels", inputs=row["inputs"], outputs=row["output"][0])


def _in_words(part: pd.DataFrame) -> str:
    layers = [
        say(
            "{layer} ({trainable:,} parameters, {macs:,} multiply-adds)",
            layer=row["layer"],
            trainable=row["trainable"],
            macs=row["macs"],
        )
        for row in part.to_dict("records")
        if row["macs"]
    ]
    return say(
        "{layers}; with normalisation {total:,} parameters",
        layers=say(", then ").join(layers),
        total=part["trainable"].sum(),
    )


def layers(pieces: pd.DataFrame, *, note: str = "") -> list[Figure]:
    """One figure per ``report``: shares of parameters and MACs, layer by layer, input on top."""
    return [_layers(str(report), part, note) for report, part in pieces.groupby("report")]


def _layers(report: str, pieces: pd.DataFrame, note: str) -> Figure:
    parts = dict(list(pieces.groupby("network", sort=False)))
    steps = [part["step"].nunique() for part in parts.values()]
    drawing, axes = house_axes(4.6, 0.9 + 0.7 * len(parts) + 0.19 * sum(steps), 2, len(parts))
    axes[0].get_gridspec().set_height_ratios(steps)  # type: ignore[union-attr]
    for place, (network, part) in enumerate(parts.items()):
        for panel, (key, name) in zip(axes[2 * place :], AMOUNTS.items(), strict=False):
            _bars(panel, part, key)
            panel.set_title(f"{short(part[key].sum())} {say(name)}", size=9.5, loc="left")
        axes[2 * place].set_yticks(range(steps[place]), step_names(part), size=9)
        axes[2 * place + 1].set_yticks([])
        axes[2 * place].annotate(
            str(network), (0, 1), (0, 20), xycoords="axes fraction", textcoords="offset points",
            weight="bold", size=10, va="bottom", annotation_clip=False,
        )  # fmt: skip
    there = [name for name in GROUP_COLOURS if name in set(pieces["group"])]
    handles = [Patch(color=GROUP_COLOURS[name], label=say(name)) for name in there]
    drawing.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return Figure(
        drawing,
        name=f"layers-{report.lower()}",
        caption=say(
            "Where the parameters and the multiply-adds of report {report}'s networks are, layer "
            "by layer from input (top) to scores, in percent of the network; the number after a "
            "layer is that of its channels. Left trainable parameters, right multiply-adds of one "
            "image, of which normalisation counts none.",
            report=report,
        ),
        alt=say(
            "Bars layer by layer. {largest}",
            largest=say("; ").join(_largest(str(n), p) for n, p in parts.items()),
        ),
        note=note,
    )


def step_names(part: pd.DataFrame) -> list[str]:
    """What each step of a network is called: its convolution or dense layer, and its channels."""
    names = []
    for _, step in part.groupby("step"):
        name = str(step["layer"].iloc[0])
        if "pointwise" in set(step["group"]):
            name = name.replace("depthwise", "separable")
        names.append(f"{name}, {step['output'].iloc[-1][0]}")
    return names


def _bars(axes: Axes, part: pd.DataFrame, key: str) -> None:
    """Stacked bars in percent of the network, one per step, labelled with their sum."""
    shares = 100 * part.pivot_table(key, "step", "group", "sum", fill_value=0) / part[key].sum()
    ends = np.zeros(len(shares))
    for group, colour in GROUP_COLOURS.items():
        if group in shares:
            axes.barh(shares.index, shares[group], left=ends, color=colour, height=0.8, linewidth=0)
            ends = ends + shares[group].to_numpy()
    for place, end in zip(shares.index, ends, strict=True):
        axes.annotate(percent(end), (end, place), (3, 0), textcoords="offset points",
                      va="center", size=9)  # fmt: skip
    axes.set(xlim=(0, 1.28 * ends.max()), ylim=(len(shares) - 0.4, -0.6), xticks=[])
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)


def percent(share: float) -> str:
    """A share of the network, in percent, as a bar is labelled."""
    if share >= 9.95:
        return f"{share:.0f} %"
    return f"{share:.1f} %" if share >= 0.05 else "< 0.1 %"


def _largest(network: str, part: pd.DataFrame) -> str:
    tops = []
    for key, name in AMOUNTS.items():
        sums = part.groupby("step")[key].sum()
        step = step_names(part)[int(sums.argmax())]
        most = percent(100 * sums.max() / sums.sum())
        tops.append(say("most {what} in {step} ({share})", what=say(name), step=step, share=most))
    return say("{network}: {most}", network=network, most=say(", ").join(tops))
