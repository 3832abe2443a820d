"""Faces from files and from a program: `load` recognises what it is given by its content."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from fercore.data import cache, fer2013, folder
from fercore.data.faces import EMOTIONS, SIDE, SPLITS, TEST_SPLITS, UNLABELLED, DataError, Faces
from fercore.data.ferplus import join
from fercore.data.files import Found, damage

__all__ = [
    "EMOTIONS",
    "READERS",
    "SIDE",
    "SPLITS",
    "TEST_SPLITS",
    "UNLABELLED",
    "DataError",
    "Faces",
    "Found",
    "load",
    "recognise",
]

READERS: dict[str, Callable[[Path], Found | None]] = {
    "table": fer2013.find,
    "images": folder.find,
}
"""Each looks at a file or folder and says what it found, or None if it is not of its kind.

A file belongs to the first that knows it; a folder must be known to one alone.
"""


def recognise(path: Path) -> Found:
    """The one form that `path` has; DataError if there is none or more than one."""
    with damage(path):
        if not path.exists():
            raise DataError(f"{path}: no such file or folder ('synthetic' for the embedded faces)")
        if not (path.is_file() or path.is_dir()):
            raise DataError(f"{path}: expected a file or folder, found a pipe or a device")
        known = (one for find in READERS.values() if (one := find(path)) is not None)
        found = list(islice(known, 1 if path.is_file() else None))
    if len(found) != 1:
        forms = ", ".join(f"{one.form} in {one.path}" for one in found) or "neither"
        raise DataError(f"{path}: expected one CSV of FER2013 or image folders, found {forms}")
    return found[0]


def load(source: str | Path, *, ferplus: str | Path | None = None) -> Faces:
    """Faces from "synthetic", the embedded default, or from a file or folder.

    Recognised by content: the CSV forms of `fercore.data.fer2013.FORMS`, plain, as .gz or as a
    .zip or folder that holds one of them; image folders (`fercore.data.folder`), also as a .zip.
    Rows without a Usage column are Training where they carry labels and PublicTest where they do
    not. Rows without labels stay, with label -1. Parsed data is cached by content.

    ferplus: fer2013new.csv of FER+, to be joined to fer2013.csv or icml_face_data.csv as `votes`.
    Raises DataError naming the file, the line, what was expected and what was found.
    """
    if source == "synthetic":
        if ferplus is not None:
            raise DataError("FER+ votes belong to the rows of fer2013.csv, not to synthetic faces")
        return _synthetic()
    found = recognise(Path(source))
    if ferplus is not None and not found.form.startswith(fer2013.WHOLE):
        raise DataError(f"{source}: expected fer2013.csv to join FER+ votes to, found {found.form}")
    faces = cache.through(found.path, found.read)
    return faces if ferplus is None else join(faces, Path(ferplus))


def _synthetic() -> Faces:
    from fercore.data import synthetic  # here, as it needs torch, which takes seconds to import

    return synthetic.load()
