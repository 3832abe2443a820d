from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fercore.data import EMOTIONS, synthetic
from fercore.data.synthetic.dice import CHUNK
from fercore.data.synthetic.difficulty import Difficulty

STILL = Difficulty(
    label_noise=0, blend_rate=0, idle_rate=0, intensity=(1, 1), roll=0, turn=0, shift=0, zoom=0,
    occlusion=0, light=0, noise=(0, 0),
)  # fmt: skip


def faces_of(emotion: str, count: int = 2 * CHUNK) -> NDArray[np.float64]:
    """Mean over undisturbed faces of one emotion, (48, 48)."""
    labels = np.full(count, EMOTIONS.index(emotion))
    mean: NDArray[np.float64] = synthetic.generate(labels, seed=3, knobs=STILL).mean(0)
    return mean


def test_an_image_depends_on_seed_place_and_label_alone() -> None:
    labels = np.arange(CHUNK + 10) % 7
    images = synthetic.generate(labels, seed=1)
    assert images.shape == (CHUNK + 10, 48, 48)
    assert images.dtype == np.uint8
    assert (synthetic.generate(labels[:5], seed=1) == images[:5]).all()
    assert (synthetic.generate(labels, seed=2) != images).mean() > 0.5


def test_images_use_the_range_of_grey() -> None:
    images = synthetic.generate(np.arange(4 * CHUNK) % 7)
    assert images.min() < 30
    assert images.max() > 225
    assert (images.std(axis=(1, 2)) > 10).all()


def test_the_expression_is_in_the_face_and_not_around_it() -> None:
    smile = np.abs(faces_of("happy") - faces_of("sad"))
    mouth, corner = smile[30:42, 14:34].mean(), smile[:6, :6].mean()
    assert mouth > 5 * corner
    wide = np.abs(faces_of("surprise") - faces_of("neutral"))
    assert wide[12:24, 10:38].mean() > 3 * wide[:6, :6].mean()


def test_every_knob_changes_the_images() -> None:
    labels = np.arange(CHUNK) % 7
    usual = synthetic.generate(labels, knobs=Difficulty())
    for name, value in asdict(Difficulty()).items():
        more: Any = tuple(v / 2 + 0.4 for v in value) if isinstance(value, tuple) else 0.5 + value
        other = synthetic.generate(labels, knobs=replace(Difficulty(), **{name: more}))
        assert (other != usual).any(), name


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FERCORE_CACHE", str(tmp_path))
    return tmp_path


def test_classes_are_as_frequent_as_in_fer2013(cache: Path) -> None:
    faces = synthetic.load(train=700, test=100)
    assert faces.synthetic
    assert "SynthFER" in faces.source
    assert [faces.count(name) for name in ("Training", "PublicTest", "PrivateTest")] == [
        700,
        100,
        100,
    ]
    counts = np.bincount(faces.labels[faces.rows("Training")], minlength=7)
    expected = np.array(synthetic.FREQUENCIES) * 700 / sum(synthetic.FREQUENCIES)
    assert np.abs(counts - expected).max() < 1


def test_no_image_is_in_two_places(cache: Path) -> None:
    faces = synthetic.load(train=200, test=100)
    assert len({image.tobytes() for image in faces.images}) == len(faces)


def test_the_cache_is_read_and_if_damaged_rebuilt(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = synthetic.load(train=40, test=10)
    (file,) = cache.glob("synthfer-*")
    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "generate", None)
        assert synthetic.load(train=40, test=10).fingerprint == first.fingerprint
    file.write_bytes(file.read_bytes()[:1000])
    assert synthetic.load(train=40, test=10).fingerprint == first.fingerprint
    assert file.stat().st_size > 1000
