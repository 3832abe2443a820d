"""A network drawn from its layers: SVG, since matplotlib would take half a second a drawing."""

from __future__ import annotations

from html import escape
from math import prod, sqrt

from fercore import models
from fercore.figures import GROUP_COLOURS
from fercore.models import Piece
from fercore.spec import ModelSpec

MIDDLE, LABELS, HEIGHT = 42, 90, 265
"""CSS pixels from the top: the boxes' middle, where labels begin, and the end."""
GAP, JOINT = 8, 2
"""Between two boxes, and between the two of a separable step."""


def diagram(spec: ModelSpec) -> str:
    """The network from input to scores: a box for each layer that multiplies.

    Its height is the side of the image that leaves it, its width grows with the channels, its
    colour is the kind of layer, as in `fercore.figures.blocks`. Raises `ModelError`.
    """
    pieces = [piece for piece in models.pieces(spec) if piece.macs]
    x, step, boxes = 0.0, -1, []
    for piece in pieces:
        x += GAP if piece.step != step else JOINT
        step, width = piece.step, 12 + sqrt(piece.output[0])
        boxes.append(_box(piece, x, width))
        x += width
    names = escape("; ".join(map(_name, pieces)))
    line = f'<line x2="{x:.0f}" y1="{MIDDLE}" y2="{MIDDLE}" stroke="currentColor"/>'
    return (
        f'<svg role="img" aria-label="From input to scores: {names}" width="{x:.0f}" '
        f'height="{HEIGHT}" style="flex: none">{line}{"".join(boxes)}</svg>{_key(pieces)}'
    )


def _name(piece: Piece) -> str:
    return f"{piece.layer}{piece.remark}, {'×'.join(map(str, piece.output))}"


def _box(piece: Piece, x: float, width: float) -> str:
    """The box, and its name below it, read from top to bottom."""
    height = 6 + 1.5 * sqrt(prod(piece.output[1:]))
    place = f"{x + width / 2 - 4:.1f} {LABELS}"
    return (
        f'<rect x="{x:.1f}" y="{MIDDLE - height / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" fill="{GROUP_COLOURS[piece.group]}"/>'
        f'<text transform="translate({place}) rotate(90)" font-size="11" fill="currentColor">'
        f"{escape(_name(piece))}</text>"
    )


def _key(pieces: list[Piece]) -> str:
    """What the colours mean."""
    groups = dict.fromkeys(piece.group for piece in pieces)
    square = (
        '<span style="display: inline-block; width: .8em; height: .8em; background: {}"></span>'
    )
    items = [f"{square.format(GROUP_COLOURS[group])} {escape(group)}" for group in groups]
    return f"<p>{' &ensp; '.join(items)}</p>"
