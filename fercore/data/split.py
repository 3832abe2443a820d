"""Dividing Training into train and validation, and knowing which test images it repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercore.data.faces import EMOTIONS, TEST_SPLITS, DataError, Faces
from fercore.spec import DataSpec

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a `Faces`, ascending; all of them labelled."""

    train: Indices
    valid: Indices
    tests: dict[str, Indices]
    """PublicTest and PrivateTest, where they have labelled rows."""
    repeated: dict[str, NDArray[np.bool_]]
    """For each row of each test split: whether its image equals, byte by byte, one of Training,
    used or not."""


def divide(faces: Faces, spec: DataSpec) -> Split:
    """Divide the labelled Training rows as `spec` says; test splits stay as they are.

    Stratified: each class gives its share of train_images and of validation, rounded so that the
    totals are exact; a class with two rows or more has one on each side. Seeded by split_seed:
    the same faces and spec give the same split.
    Raises DataError where there are too few rows.
    """
    rows = faces.rows("Training")
    if spec.train_images is not None and spec.train_images > len(rows):
        raise DataError(
            f"{faces.source}: expected at least {spec.train_images:,} labelled Training rows "
            f"(train_images; none: all), found {len(rows):,}"
        )
    by_class = _shuffled(faces.labels[rows], rows, spec.split_seed)
    sizes = np.array([len(members) for members in by_class])
    used = shares(sizes, spec.train_images or len(rows), np.minimum(sizes, 2), sizes)
    least = np.minimum(used // 2, 1)
    held = shares(used, round(spec.valid_fraction * used.sum()), least, used - 1)
    if held.sum() == 0:
        raise DataError(
            f"{faces.source}: expected a class with two or more labelled Training rows, "
            f"one to train on and one to validate on, found {_counted(sizes)}"
        )
    cut = list(zip(by_class, held, used, strict=True))
    valid = np.concatenate([members[:first] for members, first, _ in cut])
    train = np.concatenate([members[first:last] for members, first, last in cut])
    tests = {name: faces.rows(name) for name in TEST_SPLITS if faces.count(name)}
    return Split(np.sort(train), np.sort(valid), tests, _repeated(faces, tests))


def shares(sizes: Indices, total: int, least: Indices, most: Indices) -> Indices:
    """Whole numbers in proportion to `sizes` that add up to `total`, by largest remainders.

    Bounds come first: where `least` or `most` bind, the total gives way as far as it must.
    """
    quotas = sizes * (total / max(1, sizes.sum()))
    counts: Indices = np.clip(np.floor(quotas), least, np.maximum(most, 0)).astype(np.int64)
    while counts.sum() != total:
        step = 1 if counts.sum() < total else -1
        free = counts < most if step > 0 else counts > least
        if not free.any():
            break
        counts[np.argmax(np.where(free, step * (quotas - counts), -np.inf))] += step
    return counts


def _shuffled(labels: Indices, rows: Indices, seed: int) -> list[Indices]:
    generator = np.random.default_rng(seed)
    return [generator.permutation(rows[labels == label]) for label in range(len(EMOTIONS))]


def _counted(sizes: Indices) -> str:
    return ", ".join(f"{name} {size}" for name, size in zip(EMOTIONS, sizes, strict=True))


def groups(images: NDArray[np.uint8]) -> Indices:
    """A number for each image, int64 (N,): equal exactly where the images are, byte by byte."""
    seen: dict[bytes, int] = {}
    return np.array([seen.setdefault(image.tobytes(), len(seen)) for image in images], np.int64)


def _repeated(faces: Faces, tests: dict[str, Indices]) -> dict[str, NDArray[np.bool_]]:
    group = groups(faces.images)
    training = group[faces.splits == "Training"]
    return {name: np.isin(group[rows], training) for name, rows in tests.items()}
