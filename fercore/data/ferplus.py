"""FER+ labels: how ten annotators voted on each row of fer2013.csv (Barsoum et al., 2016).

``fer2013new.csv`` of github.com/microsoft/FERPlus: Usage, Image name, then ten counts of votes.
An image name may be empty; such rows have no face in the annotators' view but are kept, as the
rows are those of fer2013.csv in the same order.
"""

from __future__ import annotations

import dataclasses
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercore.data.faces import SPLITS, Faces
from fercore.data.files import MAX_ROWS, bad, header, rows, table

VOTES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "nf",
)
"""Columns of `Faces.votes`; NF is "no face"."""
LABELS = np.array([6, 3, 5, 4, 0, 1, 2])
"""FER2013's label (`EMOTIONS`) of the first seven of `VOTES`, which are its expressions."""
DISPUTED, OTHER = -1, -2
"""In place of a label: no majority; a majority for contempt, unknown or no face."""
COUNTS = {str(count): count for count in range(11)}
"""What ten annotators can have given to one column, as it is written."""
COLUMNS = ["usage", "image name", *VOTES]


def join(faces: Faces, path: Path) -> Faces:
    """The same faces with `votes`, int64 (N, 10), columns as in `VOTES`.

    faces: rows of fer2013.csv or icml_face_data.csv, in that file's order. Where a whole split
    is missing from them, its votes are left out.
    Raises DataError where the rows of the two files do not agree in number and Usage.
    """
    present = set(faces.splits.tolist())
    lines = [row for row in _read(path) if row[1] in present]
    for row, (line, usage, _) in enumerate(lines[: len(faces)]):
        if usage != faces.splits[row]:
            expected = f"Usage {faces.splits[row]} as in row {row + 1} of {faces.source}"
            raise bad(path, expected, usage, line=line)
    if len(lines) != len(faces):
        raise bad(path, f"{len(faces):,} rows as in {faces.source}", f"{len(lines):,}")
    return dataclasses.replace(faces, votes=np.array([votes for *_, votes in lines], np.int64))


def majority(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the annotators of each image say: its label 0..6, else `DISPUTED` or `OTHER`; (N,).

    votes: (N, 10), as `Faces.votes`. The rule of FER+'s majority labels: an answer that a single
    annotator gave is dropped; what then has more than half of the votes left is the majority. So
    ties have none (Barsoum et al. 2016, arXiv:1608.01041; `_process_data` of
    github.com/microsoft/FERPlus, src/ferplus.py). FER2013 has no label for contempt.
    """
    kept = np.where(votes > 1, votes, 0)
    top = kept.argmax(1)
    labels = np.append(LABELS, [OTHER] * (len(VOTES) - len(LABELS)))[top]
    decided = 2 * kept.max(1) > kept.sum(1)
    return np.where(decided, labels, DISPUTED)


def _read(path: Path) -> list[tuple[int, str, list[int]]]:
    """Line, Usage and votes of each row."""
    with table(path) as stream:
        columns = header(path, stream)
        if columns != COLUMNS:
            raise bad(path, "columns " + ",".join(COLUMNS), ",".join(columns)[:80], line=1)
        lines = islice(rows(path, stream, len(COLUMNS)), MAX_ROWS + 1)
        found = [_row(path, line, [cell.strip() for cell in cells]) for line, cells in lines]
    if len(found) > MAX_ROWS:
        raise bad(path, f"at most {MAX_ROWS:,} rows", "more")
    return found


def _row(path: Path, line: int, cells: list[str]) -> tuple[int, str, list[int]]:
    usage, _, *votes = cells
    if usage not in SPLITS:
        raise bad(path, "a Usage of " + ", ".join(SPLITS), f"{usage[:20]!r}", line=line)
    for vote in votes:
        if vote not in COUNTS:
            raise bad(path, "votes as whole numbers 0-10", f"{vote[:20]!r}", line=line)
    return line, usage, [COUNTS[vote] for vote in votes]
