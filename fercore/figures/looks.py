"""What networks look at."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from fercore.analysis import Looks
from fercore.display import Figure
from fercore.figures.style import bare, house_axes
from fercore.language import mark, paragraph, say

CELL = 1.0
"""Width and height of one image, in inches; a telephone shows three as they are."""

PUBLISH = mark("These are faces of your data: mind its licence before you pass this on.")

PLACES = mark(
    (
        ("top left", "top centre", "top right"),
        ("middle left", "middle centre", "middle right"),
        ("bottom left", "bottom centre", "bottom right"),
    )
)


def looks(found: Looks, split: str, *, note: str = "") -> list[Figure]:
    """Faces in the first column, each network's occlusion map beside them; none without maps."""
    return [_looks(found, split, note)] if found.maps else []


def _looks(found: Looks, split: str, note: str) -> Figure:
    columns, rows = 1 + len(found.maps), len(found.expressions)
    drawing, axes = house_axes(0.35 + CELL * columns, 1.1 + CELL * rows, columns, rows)
    for panel in axes:
        panel.set(xticks=[], yticks=[])
        panel.grid(visible=False)
        bare(panel)
    shown = _draw(axes, found)
    for panel, name in zip(axes, [say("face"), *found.maps], strict=False):
        panel.set_title(textwrap.fill(name, 13), size=9)
    bar = drawing.colorbar(shown, ax=axes, location="bottom", shrink=0.7, aspect=30, pad=0.01)
    bar.set_label(say("lost by covering (percentage points)"), size=9)
    return Figure(
        drawing,
        name="looks",
        caption=paragraph(
            say(
                "What two networks look at: the first image of {split} of each expression that "
                "both read correctly, and what the right answer's probability loses when a grey "
                "square, a quarter as wide as the image, covers the place; mean over all squares "
                "over a pixel, one seed. Red: the network needs what is there. Blue: it is surer "
                "without. Occlusion maps after Zeiler and Fergus 2014, arXiv:1311.2901.",
                split=split,
            ),
            "" if found.synthetic else say(PUBLISH),
        ),
        alt=say(
            "Faces with coloured maps. Largest loss: {peaks}", peaks=say("; ").join(_peaks(found))
        ),
        note=note,
        raster=True,
    )


def _draw(axes: Sequence[Axes], found: Looks) -> AxesImage:
    """Faces and maps, row by row, all maps in the same colours; the last of them, for its scale."""
    import seaborn as sns

    colours = sns.color_palette("vlag", as_cmap=True)
    peak = max(1.0, *(100 * np.abs(maps).max() for maps in found.maps.values()))
    panels = iter(axes)
    for row, expression in enumerate(found.expressions):
        _face(first := next(panels), found, row)
        first.set_ylabel(say(expression), size=10)
        for maps in found.maps.values():
            _face(panel := next(panels), found, row)
            shown = panel.imshow(100 * maps[row], colours, vmin=-peak, vmax=peak, alpha=0.65)
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
            down, across = 3 * int(row) // values.shape[0], 3 * int(column) // values.shape[1]
            place = say(
                "{expression} {place} {loss:.0f} points",
                expression=say(expression),
                place=say(PLACES[down][across]),
                loss=100 * values.max(),
            )
            places.append(place)
        said.append(say("{network}: {most}", network=name, most=say(", ").join(places)))
    return said
