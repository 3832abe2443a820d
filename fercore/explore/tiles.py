"""Which faces to look at: those of a class, and those that a network reads wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fercore import reprs
from fercore.data import EMOTIONS, UNLABELLED, Faces
from fercore.explore.runs import ALL
from fercore.store.runs import Predictions


class Tile(NamedTuple):
    """A face by its row, and what is said below it."""

    row: int
    text: str


def mistakes(said: Predictions, true: str = ALL) -> list[Tile]:
    """The faces that a network got wrong, the surest of its wrong answers first.

    true: the class of the faces, one of `EMOTIONS`, or `ALL`.
    """
    answers = said.probabilities.argmax(1)
    wrong = answers != said.labels
    if true != ALL:
        wrong &= said.labels == EMOTIONS.index(true)
    places = np.flatnonzero(wrong)
    sure = said.probabilities.max(1)[places].astype(float)
    return [
        Tile(
            int(said.rows[place]),
            f"{EMOTIONS[said.labels[place]]}, read as {EMOTIONS[answers[place]]} "
            f"{said.probabilities[place, answers[place]]:.0%}",
        )
        for place in places[np.argsort(-sure, kind="stable")]
    ]


def gallery(faces: Faces, split: str, emotion: str = ALL) -> list[Tile]:
    """Faces of one split in the order of the data; emotion: one of `EMOTIONS`, or `ALL`."""
    chosen = faces.splits == split
    if emotion != ALL:
        chosen = chosen & (faces.labels == EMOTIONS.index(emotion))
    return [Tile(int(row), _name(int(faces.labels[row]))) for row in np.flatnonzero(chosen)]


def _name(label: int) -> str:
    return "no label" if label == UNLABELLED else EMOTIONS[label]


def sheet(faces: Faces, found: Sequence[Tile]) -> str:
    """The faces as HTML."""
    return reprs.tiles([faces.images[tile.row] for tile in found], [tile.text for tile in found])
