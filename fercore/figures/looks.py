"""What networks look at."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from fercore.analysis import Looks
from fercore.display import Figure
from fercore.figures.style import house_axes

CELL = 1.0
"""Width and height of one image, in inches; a telephone shows three as they are."""

PUBLISH = " These are faces of your data: mind its licence before you pass this on."


def looks(found: Looks, split: str, *, note: str = "") -> list[Figure]:
    """Faces in the first column, each network's occlusion map beside them; none without maps."""
    return [_looks(found, split, note)] if found.maps else []


def _looks(found: Looks, split: str, note: str) -> Figure:
    columns, rows = 1 + len(found.maps), len(found.expressions)
    drawing, axes = house_axes(0.35 + CELL * columns, 1.1 + CELL * rows, columns, rows)
    for panel in axes:
        panel.set(xticks=[], yticks=[])
        panel.grid(visible=False)
        sns.despine(ax=panel, left=True, bottom=True)
    shown = _draw(axes, found)
    for panel, name in zip(axes, ["face", *found.maps], strict=False):
        panel.set_title(textwrap.fill(name, 13), size=9)
    bar = drawing.colorbar(shown, ax=axes, location="bottom", shrink=0.7, aspect=30, pad=0.01)
    bar.set_label("lost by covering (percentage points)", size=9)
    return Figure(
        drawing,
        name="looks",
        caption=f"What two networks look at: the first image of {split} of each expression that "
        "both read correctly, and what the right answer's probability loses when a grey square, "
        "a quarter as wide as the image, covers the place; mean over all squares over a pixel, "
        "one seed. Red: the network needs what is there. Blue: it is surer without. "
        "Occlusion maps after Zeiler and Fergus 2014, arXiv:1311.2901."
        + ("" if found.synthetic else PUBLISH),
        alt="Faces with coloured maps. Largest loss: " + "; ".join(_peaks(found)),
        note=note,
        raster=True,
    )


def _draw(axes: Sequence[Axes], found: Looks) -> AxesImage:
    """Faces and maps, row by row, all maps in the same colours; the last of them, for its scale."""
    peak = max(1.0, *(100 * np.abs(maps).max() for maps in found.maps.values()))
    panels = iter(axes)
    for row, expression in enumerate(found.expressions):
        _face(first := next(panels), found, row)
        first.set_ylabel(expression, size=10)
        for maps in found.maps.values():
            _face(panel := next(panels), found, row)
            shown = panel.imshow(100 * maps[row], "vlag", vmin=-peak, vmax=peak, alpha=0.65)
    return shown


def _face(axes: Axes, found: Looks, row: int) -> None:
    axes.imshow(found.images[row], "gray", vmin=0, vmax=255, interpolation="nearest")


def _peaks(found: Looks) -> list[str]:
    """By network: where each expression's map is highest, and how high."""
    said = []
    for name, maps in found.maps.items():
        places = []
        for expression, values in zip(found.expressions, maps, strict=True):
            row, column = np.unravel_index(values.argmax(), values.shape)
            height = ("top", "middle", "bottom")[3 * int(row) // values.shape[0]]
            side = ("left", "centre", "right")[3 * int(column) // values.shape[1]]
            places.append(f"{expression} {height} {side} {100 * values.max():.0f} points")
        said.append(f"{name}: {', '.join(places)}")
    return said
