"""The images that a study shows of its data."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fercore import material
from fercore.data import EMOTIONS, Faces


@pytest.mark.parametrize("synthetic", [True, False])
def test_a_class_without_images_has_no_tile(synthetic: bool) -> None:
    labels = np.array([0, 2, 3, 4, 5, 6] * material.COLUMNS)
    images = np.full((len(labels), 48, 48), 10, np.uint8) * labels[:, None, None].astype(np.uint8)
    faces = Faces(images, labels, np.array(["Training"] * len(labels)), "mine", synthetic)
    this: Any = SimpleNamespace(faces=faces)
    shown, rows, columns, _ = material.gallery(this)
    assert [*rows, *columns] == [name for name in EMOTIONS if name != "disgust"]
    tiles = shown[:, 0] if synthetic else shown[0]
    assert [int(tile.mean()) for tile in tiles] == [0, 20, 30, 40, 50, 60]
