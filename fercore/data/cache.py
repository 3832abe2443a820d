"""Parsed faces, kept under the user's cache folder and found again by the source's content.

The folder may be deleted at any time; what is damaged in it is parsed anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs

from fercore.data.faces import SPLITS, Faces
from fercore.data.files import MAX_IMAGE, damage, is_image, members, names
from fercore.provenance import root

VERSION = 3
"""Raised when a reader reads the same bytes differently."""

log = logging.getLogger(__name__)


def folder() -> Path:
    """Where parsed data is kept: FERCORE_CACHE, or the system's place for users' caches.

    A relative path is taken from the project's folder, as that of the run store.
    """
    named = os.environ.get("FERCORE_CACHE") or platformdirs.user_cache_dir("fercore")
    return root() / Path(named).expanduser()


def through(path: Path, read: Callable[[], Faces]) -> Faces:
    """The faces in `path`: from the cache where it has them, else read and then cached.

    A cache that cannot be read or written costs a line in the log and time, nothing else.
    """
    file = folder() / f"faces-{VERSION}-{digest(path)}.npz"
    faces = stored(file, path.name)
    if faces is None:
        faces = read()
        store(file, faces)
    return faces


def digest(path: Path) -> str:
    """32 hexadecimal digits of SHA-256 over a file, or over the images in a folder by name."""
    if path.is_file():
        with damage(path), path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    whole = hashlib.sha256()
    with members(path, MAX_IMAGE) as member:
        for name in filter(is_image, names(path)):
            content = hashlib.sha256(member(name)).digest()
            whole.update(name.encode("utf-8", "surrogateescape") + b"\0" + content)
    return whole.hexdigest()[:32]


def stored(file: Path, source: str) -> Faces | None:
    """Faces that `store` kept; None where there are none, or damaged ones (said in the log)."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            return Faces(kept["images"], kept["labels"], np.array(SPLITS)[kept["splits"]], source)
    except FileNotFoundError:
        return None
    except Exception as error:  # whatever damage does to a .npz, the source is still there
        log.warning("%s is damaged and is made anew: %s", file, error)
        return None


def store(file: Path, faces: Faces) -> None:
    """Keep faces for `stored`; where that cannot be written, the log says so."""
    codes = np.array([SPLITS.index(split) for split in faces.splits.tolist()], np.uint8)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
            whole = Path(scratch) / file.name
            np.savez(whole, images=faces.images, labels=faces.labels, splits=codes)
            whole.replace(file)
    except OSError as error:
        log.warning("%s could not be written: %s", file, error)
