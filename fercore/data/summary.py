"""What a data set holds, and its defects: `fercore data inspect`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fercore.data import load, recognise
from fercore.data.faces import EMOTIONS, SPLITS, UNLABELLED, Faces
from fercore.data.split import Indices, groups


@dataclass(frozen=True)
class Duplicates:
    """Images that are equal byte by byte, labelled or not; a group is all copies of one."""

    groups: int
    surplus: int
    """Images beyond the first of each group."""
    surplus_within: dict[str, int]
    """Images beyond the first of each group within one split."""
    groups_across_splits: int
    conflicting_groups: int
    """Groups whose labels differ."""
    conflicting_images: int
    in_training: dict[str, int]
    """Images of each test split that are also in Training."""


@dataclass(frozen=True)
class Summary:
    """Counts of images, by split and class."""

    source: str
    form: str
    synthetic: bool
    fingerprint: str
    rows: int
    splits: dict[str, int]
    classes: dict[str, dict[str, int]]
    """Labelled images by split and emotion."""
    unlabelled: dict[str, int]
    blank: dict[str, int]
    """Images of one single grey value."""
    duplicates: Duplicates


def inspect(source: str | Path) -> Summary:
    """Load a source and count what it holds; errors as `fercore.data.load`."""
    form = "synthetic" if source == "synthetic" else recognise(Path(source)).form
    return summarise(load(source), form)


def summarise(faces: Faces, form: str) -> Summary:
    """Count what faces hold; splits without rows are left out."""
    present = [split for split in SPLITS if (faces.splits == split).any()]
    flat = faces.images.reshape(len(faces), -1)
    blank = flat.min(axis=1, initial=255) == flat.max(axis=1, initial=0)
    rows = {split: faces.splits == split for split in present}
    return Summary(
        source=faces.source,
        form=form,
        synthetic=faces.synthetic,
        fingerprint=faces.fingerprint,
        rows=len(faces),
        splits={split: int(rows[split].sum()) for split in present},
        classes={split: _classes(faces.labels[rows[split]]) for split in present},
        unlabelled={s: int((faces.labels[rows[s]] == UNLABELLED).sum()) for s in present},
        blank={split: int(blank[rows[split]].sum()) for split in present},
        duplicates=_duplicates(faces, present),
    )


def _classes(labels: Indices) -> dict[str, int]:
    return {name: int((labels == label).sum()) for label, name in enumerate(EMOTIONS)}


def _duplicates(faces: Faces, present: list[str]) -> Duplicates:
    group = groups(faces.images)
    sizes = np.bincount(group)
    members = {split: group[faces.splits == split] for split in present}
    holders = sum(np.bincount(np.unique(ids), minlength=len(sizes)) for ids in members.values())
    known = faces.labels != UNLABELLED
    pairs = np.unique(np.stack([group[known], faces.labels[known]]), axis=1)[0]
    conflict = np.bincount(pairs, minlength=len(sizes)) > 1
    training = members.get("Training", group[:0])
    return Duplicates(
        groups=int((sizes > 1).sum()),
        surplus=len(group) - len(sizes),
        surplus_within={name: len(ids) - len(np.unique(ids)) for name, ids in members.items()},
        groups_across_splits=int((holders > np.int64(1)).sum()),
        conflicting_groups=int(conflict.sum()),
        conflicting_images=int(sizes[conflict].sum()),
        in_training={
            name: int(np.isin(ids, training).sum())
            for name, ids in members.items()
            if name != "Training"
        },
    )
