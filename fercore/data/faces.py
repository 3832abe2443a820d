"""What every reader returns and every run trains on: labelled 48x48 grey faces."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fercore.language import mark

EMOTIONS = mark(("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"))
"""Class names in FER2013's label order: label 3 is happy."""

TEST_SPLITS = ("PublicTest", "PrivateTest")
SPLITS = ("Training", *TEST_SPLITS)
"""Split names as FER2013's ``Usage`` column spells them."""

SIDE = 48
"""Height and width of every image, in pixels."""

UNLABELLED = -1

SYNTHETIC_NOTE = mark("Synthetic data (SynthFER), not photographs.")
"""What a caption must say of faces that a program drew."""


class DataError(ValueError):
    """Faces could not be read: the message names file, place, what was expected and found."""


@dataclass(frozen=True, eq=False)
class Faces:
    """A data set of faces.

    images: uint8 (N, 48, 48), 0 black to 255 white.
    labels: int64 (N,), 0..6 as in `EMOTIONS`, -1 where the source gives none.
    splits: str (N,), each one of `SPLITS`.
    source: where the faces came from, for people.
    synthetic: True if the faces were drawn by a program.
    votes: FER+ annotators' votes, int64 (N, 10), where joined; see `fercore.data.ferplus`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    source: str
    synthetic: bool = False
    votes: NDArray[np.int64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        rows = len(self.images)
        if self.images.shape != (rows, SIDE, SIDE) or self.images.dtype != np.uint8:
            raise DataError(
                f"{self.source}: expected images uint8 (N, {SIDE}, {SIDE}), "
                f"found {self.images.dtype} {self.images.shape}"
            )
        if self.labels.shape != (rows,) or self.splits.shape != (rows,):
            raise DataError(
                f"{self.source}: expected {rows} labels and splits, "
                f"found {self.labels.shape} and {self.splits.shape}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {self.count(name):,}" for name in SPLITS)
        return f"Faces({self.source}: {counts})"

    def _repr_html_(self) -> str:
        """Counts, and a face of each class: of photographs their mean, which shows nobody."""
        from fercore import reprs  # here, as it needs torch, which takes seconds to import

        groups = {name: self.labels == label for label, name in enumerate(EMOTIONS)}
        there = {name: self.images[rows] for name, rows in groups.items() if rows.any()}
        if self.synthetic:
            shown = [images[0] for images in there.values()]
        else:
            shown = [images.mean(0).round().astype(np.uint8) for images in there.values()]
        unlabelled = {"without a label": f"{(self.labels == UNLABELLED).sum():,}"}
        counts = {f"{split} images": f"{self.count(split):,}" for split in SPLITS} | unlabelled
        table = reprs.facts(self.source, {**counts, "fingerprint": self.fingerprint})
        return table + reprs.tiles(shown, list(there))

    def rows(self, split: str) -> NDArray[np.int64]:
        """Indices of the labelled rows of one split, ascending."""
        chosen = (self.splits == split) & (self.labels != UNLABELLED)
        return np.flatnonzero(chosen).astype(np.int64)

    def count(self, split: str) -> int:
        """Number of labelled rows of one split."""
        return len(self.rows(split))

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of SHA-256 over images, labels and splits, in row order."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        digest.update("\n".join(self.splits.tolist()).encode())
        return digest.hexdigest()[:16]
