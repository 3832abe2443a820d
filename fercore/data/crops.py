"""Face crops of any size and colour, as the networks want them: 48x48, grey.

A picture is turned upright (its EXIF says how), laid on white where it is transparent, made grey
by ITU-R 601-2 luma (L = 0.299 R + 0.587 G + 0.114 B), cut to its largest centred square, and
resampled to 48x48 by Pillow's FILTER. One that is 48x48 and 8-bit grey stays byte for byte.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from fercore.data import load
from fercore.data.faces import SIDE, UNLABELLED
from fercore.data.files import MAX_ROWS, bad, damage, is_image, is_zip, magic, members, names
from fercore.data.folder import CLASSES, FOLDERS, FORMATS

FILTER = Image.Resampling.BICUBIC
MAX_PHOTO = 64 << 20
"""Largest image file, in bytes."""
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff")
DEEP = ("I", "F", "I;16", "I;16B", "I;16L")
"""Pillow's modes whose values do not end at 255."""
OTHERS = (".bmp", ".gif", ".heic", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, eq=False)
class Crops:
    """Faces to be read.

    names: of file or row, rows counted from 1. images: uint8 (N, 48, 48). labels: int64 (N,), -1
    where none is known. splits: str (N,), one of `SPLITS`, "" where the source has none.
    """

    names: list[str]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.names)


def read(source: str | Path) -> Crops:
    """Faces from one JPEG or PNG, a folder or .zip of them, or all that `fercore.data.load` reads.

    Images may have any size. In a folder named like an emotion they have its label, and in train,
    test or one of FER2013's splits above it their split. Raises `DataError` naming the file.
    """
    path = Path(source)
    with damage(path):
        folder, pictures = _pictures(path)
    if pictures:
        return _crops(folder, pictures)
    faces = load(source)
    rows = [f"row {row}" for row in range(1, len(faces) + 1)]
    return Crops(rows, faces.images, faces.labels, faces.splits)


def _pictures(path: Path) -> tuple[Path, list[str]]:
    """A folder or .zip, and the images in it that are meant; none where it is data of FER2013."""
    if path.is_file() and _is_picture(path):
        return path.parent, [path.name]
    found = names(path) if path.is_dir() or is_zip(path) else []
    return path, [name for name in found if is_image(name)]


def _is_picture(path: Path) -> bool:
    """By its name or its content; kinds that nobody reads here are told so by `_grey`."""
    return (
        is_image(path.name) or path.suffix.lower() in OTHERS or magic(path).startswith(SIGNATURES)
    )


def _crops(folder: Path, chosen: list[str]) -> Crops:
    if len(chosen) > MAX_ROWS:
        raise bad(folder, f"at most {MAX_ROWS:,} images", f"{len(chosen):,}")
    with members(folder, MAX_PHOTO) as member:
        images = np.stack([_grey(folder / name, member(name)) for name in chosen])
    parents = [Path(name).parent.name.lower() for name in chosen]
    labels = np.array([CLASSES.get(parent, UNLABELLED) for parent in parents], np.int64)
    return Crops(chosen, images, labels, np.array([_split(Path(name)) for name in chosen]))


def _split(name: Path) -> str:
    allowed = FOLDERS.get(name.parent.parent.name.lower(), ("",))
    prefix = name.name.split("_")[0].lower()
    return next((split for split in allowed if split.lower() == prefix), allowed[0])


def _grey(file: Path, content: bytes) -> NDArray[np.uint8]:
    """One picture, uint8 (48, 48). Raises `DataError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd EXIF is no matter ...
            warnings.simplefilter("error", Image.DecompressionBombWarning)  # ... but this is
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.mode not in DEEP:
                    return np.asarray(square(image))
                found = f"mode {image.mode}"
    except UnidentifiedImageError:
        found = "neither"
    except Exception as error:  # Pillow raises what it likes on a damaged file
        found = f"one that does not decode ({error})"
    raise bad(file, "a JPEG or PNG image of 8 bits a channel", found)


def square(image: Image.Image) -> Image.Image:
    """The picture as 48x48, 8-bit grey, as this module's head says."""
    if image.size == (SIDE, SIDE) and image.mode == "L":
        return image
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        colours = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
    return ImageOps.fit(upright.convert("L"), (SIDE, SIDE), FILTER)
