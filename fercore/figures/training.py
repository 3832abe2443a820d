"""How training went, and what it saw."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fercore.display import Figure
from fercore.figures.style import COLOURS, OTHER, bare, house_axes, name_ends, shade
from fercore.language import say


def learning_curves(history: pd.DataFrame, *, note: str = "") -> Figure:
    """Loss and validation accuracy by epoch.

    history: one row per run and epoch with ``network``, ``family``, ``seed``, ``epoch``,
    ``train_loss`` and ``valid_accuracy``. A family's networks are shades of its colour, the first
    the lightest.
    """
    drawing, (left, right) = house_axes(9, 3.6, 2)
    colours = _shades(history)
    for (network, _), part in history.groupby(["network", "seed"], sort=False):
        left.plot(part["epoch"], part["train_loss"], color=colours[network], alpha=0.8)
        right.plot(part["epoch"], 100 * part["valid_accuracy"], color=colours[network], alpha=0.8)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set(xlabel=say("epoch"), ylabel=say("training loss (augmented images)"))
    right.set(xlabel=say("epoch"), ylabel=say("validation accuracy (%)"))
    last = history.groupby(["network", "seed"], sort=False).tail(1)
    final = last.groupby("network", sort=False)["valid_accuracy"].mean()
    name_ends(right, (100 * final).to_dict(), colours)
    ends = say("; ").join(f"{network} {100 * value:.1f} %" for network, value in final.items())
    return Figure(
        drawing,
        name="learning-curves",
        caption=say(
            "Learning curves, one line per seed: training loss, and accuracy on the validation "
            "part of Training. A run that did not stay finite stops before its last epoch."
        ),
        alt=say(
            "Learning curves. Validation accuracy after the last finished epoch, mean over seeds: "
            "{ends}",
            ends=ends or say("no epoch was finished"),
        ),
        note=note,
    )


def _shades(history: pd.DataFrame) -> dict[Hashable, str]:
    """A colour for each network: its family's, from light to dark where there are several."""
    colours: dict[Hashable, str] = {}
    for family, networks in history.groupby("family", sort=False)["network"].unique().items():
        depths = np.linspace(0, 1, len(networks)) if len(networks) > 1 else [0.5]
        shades = [shade(COLOURS.get(str(family), OTHER), depth) for depth in depths]
        colours |= zip(networks, shades, strict=True)
    return colours


def faces(
    images: NDArray[np.uint8],
    rows: Sequence[str],
    columns: Sequence[str],
    caption: str,
    *,
    note: str = "",
) -> Figure:
    """Grey images in a grid.

    images: uint8 (rows, columns, height, width); rows, columns: their names, or none.
    """
    down, across, height, width = images.shape
    sheet = images.transpose(0, 2, 1, 3).reshape(down * height, across * width)
    drawing, (axes,) = house_axes(7.2, 7.2 * down / across + 0.3)
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    rows, columns = [*map(say, rows)], [*map(say, columns)]
    axes.set_yticks([height * (i + 0.5) for i in range(len(rows))], rows)
    axes.set_xticks([width * (i + 0.5) for i in range(len(columns))], columns)
    axes.grid(visible=False)
    bare(axes)
    names = say(", ").join([*rows, *columns])
    return Figure(
        drawing,
        name="faces",
        caption=caption,
        alt=say("Grid of faces: {names}", names=names),
        note=note,
        raster=True,
    )
