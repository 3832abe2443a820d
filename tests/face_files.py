"""Small random faces, and the files that FER2013's forms would make of them."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercore.data import EMOTIONS, SPLITS, Faces

ROWS = 28


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test starts with an empty cache of its own; import this to have it."""
    monkeypatch.setenv("FERCORE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def random_faces(rows: int = ROWS, seed: int = 0) -> Faces:
    """Half Training, then a quarter each of the test splits; labels in turn."""
    images = np.random.default_rng(seed).integers(0, 256, (rows, 48, 48), np.uint8)
    splits = np.repeat(np.array(SPLITS), [rows // 2, rows // 4, rows // 4])
    return Faces(images, np.arange(rows, dtype=np.int64) % 7, splits, "random")


def pixel_text(image: np.ndarray, space: str = " ") -> str:
    return space.join(str(value) for value in image.ravel().tolist())


def csv_text(faces: Faces, header: str = "emotion,pixels,Usage", end: str = "\n") -> str:
    """A table with the header's columns, which may have spaces around their names."""
    lines = [header]
    for row, (image, label, split) in enumerate(
        zip(faces.images, faces.labels, faces.splits, strict=True)
    ):
        cells = {"emotion": str(label), "label": str(label), "usage": str(split), "id": str(row)}
        cells |= dict.fromkeys(("pixels", "feature"), pixel_text(image))
        lines.append(",".join(cells[name.strip().lower()] for name in header.split(",")))
    return end.join([*lines, ""])


def image_file(array: np.ndarray, kind: str = "png") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


def image_files(faces: Faces, classes: Iterable[str] = EMOTIONS) -> dict[str, bytes]:
    """Names and contents as in the image-folder form; PNG, to lose nothing."""
    names = list(classes)
    files = {}
    for row, (image, label, split) in enumerate(
        zip(faces.images, faces.labels, faces.splits, strict=True)
    ):
        folder = "train" if split == "Training" else "test"
        files[f"{folder}/{names[label]}/{split}_{row}.png"] = image_file(image)
    return files


def write_folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
