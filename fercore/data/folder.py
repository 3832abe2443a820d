"""FER2013 as image files: ``train/<class>/Training_1.jpg``, ``test/<class>/PublicTest_1.jpg``.

Classes are known by the name of their folder, never by its place in an alphabetical listing,
which is not the order of FER2013's labels. Rows come in a fixed order: by split, then by the
number in the file name, then by name.
"""

from __future__ import annotations

import io
import re
import warnings
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fercore.data.faces import EMOTIONS, SIDE, SPLITS, TEST_SPLITS, Faces
from fercore.data.files import MAX_IMAGE, MAX_ROWS, Found, bad, is_image, is_zip, members, names

SYNONYMS = {
    "angry": ("anger",),
    "disgust": ("disgusted",),
    "fear": ("fearful", "afraid", "scared"),
    "happy": ("happiness", "joy"),
    "sad": ("sadness",),
    "surprise": ("surprised",),
    "neutral": ("neutrality",),
}
CLASSES = {word: EMOTIONS.index(name) for name in EMOTIONS for word in (name, *SYNONYMS[name])}
"""Label by the name of a class folder, lower case."""

FOLDERS = {"train": ("Training",), "test": TEST_SPLITS}
FOLDERS |= {split.lower(): (split,) for split in SPLITS}
"""Splits that a folder may hold; a file's prefix chooses, else the first applies."""


FORMATS = ("PNG", "JPEG")
"""What Pillow may decode, whatever a file calls itself; for EPS it would start Ghostscript."""


class Entry(NamedTuple):
    """One image file; sorting entries gives the order of rows."""

    split: int
    number: int
    name: str
    label: int


def find(path: Path) -> Found | None:
    """Recognise a folder, or a .zip, that holds image files."""
    if path.is_file() and not is_zip(path):
        return None
    if not any(map(is_image, names(path))):
        return None
    form = "image folders" + (", zip" if path.is_file() else "")
    return Found(form, path, partial(read, path))


def read(path: Path) -> Faces:
    """Read image files; each must be 48x48 and 8-bit grey, in ``<split>/<class>/<file>``.

    path: a folder or .zip. Split folders are train, test or FER2013's own split names, at any
    depth. In test, files called PrivateTest_... are PrivateTest and all others PublicTest.
    Files that are not images are read past unless they lie in a class folder.
    Raises DataError naming the file at fault.
    """
    entries = sorted(_entry(path, name) for name in names(path) if _belongs(name))
    if len(entries) > MAX_ROWS:
        raise bad(path, f"at most {MAX_ROWS:,} images", f"{len(entries):,}")
    images = np.empty((len(entries), SIDE, SIDE), np.uint8)
    with members(path, MAX_IMAGE) as member, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # refused by size anyway
        for row, entry in enumerate(entries):
            images[row] = _decoded(path / entry.name, member(entry.name))
    labels = np.array([entry.label for entry in entries], np.int64)
    splits = np.array(SPLITS)[[entry.split for entry in entries]]
    return Faces(images, labels, splits, path.name)


def _belongs(name: str) -> bool:
    parts = name.split("/")
    return is_image(name) or (len(parts) > 2 and parts[-3].lower() in FOLDERS)


def _entry(path: Path, name: str) -> Entry:
    parts = name.split("/")
    if len(parts) < 3 or parts[-3].lower() not in FOLDERS:
        expected = f"<split>/<class>/<image>, split one of {', '.join(FOLDERS)}"
        raise bad(path / name, expected, name)
    if not is_image(name):
        raise bad(path / name, "an image (.jpg, .jpeg, .png)", "another kind of file")
    label = CLASSES.get(parts[-2].lower())
    if label is None:
        raise bad(path / name, f"a class folder of {', '.join(EMOTIONS)}", f"{parts[-2]!r}")
    numbers = re.findall(r"\d{1,18}", parts[-1])
    split = _split(path / name, FOLDERS[parts[-3].lower()])
    return Entry(SPLITS.index(split), int(numbers[0]) if numbers else 0, name, label)


def _split(file: Path, allowed: tuple[str, ...]) -> str:
    prefix = file.name.split("_")[0].lower()
    split = next((split for split in SPLITS if split.lower() == prefix), allowed[0])
    if split not in allowed:
        raise bad(file, f"files of {' or '.join(allowed)} in this folder", f"one of {split}")
    return split


def _decoded(file: Path, content: bytes) -> NDArray[np.uint8]:
    """One image, uint8 (48, 48)."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            found = f"{image.width}x{image.height}, mode {image.mode}"
            if image.size == (SIDE, SIDE) and image.mode == "L":
                return np.asarray(image)
    except UnidentifiedImageError:
        found = "a file that does not decode (neither PNG nor JPEG)"
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        found = f"a file that does not decode ({error})"
    raise bad(file, f"an 8-bit grey image of {SIDE}x{SIDE}", found)
