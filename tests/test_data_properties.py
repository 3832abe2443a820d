"""Readers against any faces in any dress, and against what `make fuzz` makes of files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercore import presets, weights
from fercore.data import SPLITS, Faces, crops, load
from tests import fuzz_oracle
from tests.face_files import csv_text, image_files, own_cache, write_zip  # noqa: F401
from tests.fuzz_files import PHOTOS, Case, scramble
from tests.fuzz_oracle import WrongError
from tests.fuzz_readers import FORMS, one


@st.composite
def faces(draw: st.DrawFn) -> Faces:
    """Up to four faces with any labels and splits; pixels by seed, as drawing 2,304 is slow."""
    rows = draw(st.integers(1, 4))
    images = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, (rows, 48, 48))
    labels = draw(st.lists(st.integers(0, 6), min_size=rows, max_size=rows))
    splits = draw(st.lists(st.sampled_from(SPLITS), min_size=rows, max_size=rows))
    return Faces(images.astype(np.uint8), np.array(labels), np.array(splits), "any")


@settings(max_examples=40, deadline=None)
@given(
    faces(),
    st.permutations(["emotion", "pixels", "Usage"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "\n", "\r\n\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([" ", "  ", "\t"]),
)
def test_any_faces_in_any_dress_are_read_as_they_were(
    given_faces: Faces, columns: list[str], end: str, last: str, bom: bool, quoted: bool, space: str
) -> None:
    head, *rows = csv_text(given_faces, ",".join(columns)).replace(" ", space).splitlines()
    if quoted:
        rows = [",".join(f'"{cell}"' for cell in row.split(",")) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        text = head + "\n" + end.join([*rows, last])
        path.write_bytes(text.encode("utf-8-sig" if bom else "utf-8"))
        assert load(path).fingerprint == given_faces.fingerprint


@settings(max_examples=20, deadline=None)
@given(faces(), st.sampled_from(["", "fer/", "a/b/"]), st.booleans())
def test_any_faces_as_images_are_read_with_their_labels(
    given_faces: Faces, prefix: str, upper: bool
) -> None:
    files = {prefix + name: body for name, body in image_files(given_faces).items()}
    if upper:
        files = {name.replace(".png", ".PNG"): body for name, body in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        found = load(write_zip(Path(folder) / "a.zip", files))
    order = np.argsort([SPLITS.index(split) for split in given_faces.splits], kind="stable")
    np.testing.assert_array_equal(found.images, given_faces.images[order])
    np.testing.assert_array_equal(found.labels, given_faces.labels[order])


@pytest.mark.parametrize("form", FORMS)
def test_spoilt_files_load_rightly_or_are_refused(tmp_path: Path, form: str) -> None:
    found = {one(form, number, seed=0, root=tmp_path / str(number)) for number in range(12)}
    assert found == {"loaded", "refused"}


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(sorted(PHOTOS)))
def test_a_spoilt_image_is_read_as_pillow_reads_it_or_refused(random: Random, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_zip(Path(folder) / "a.zip", PHOTOS | {name: scramble(random, PHOTOS[name])})
        assert fuzz_oracle.judge(Case(path), Path(os.environ["FERCORE_CACHE"])) in (
            "loaded",
            "refused",
        )


def test_the_fuzz_notices_what_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        csv_text(Faces(np.zeros((1, 48, 48), np.uint8), np.array([3]), np.array(["Training"]), "a"))
    )
    case, cache = Case(path), tmp_path / "cache"
    assert fuzz_oracle.judge(case, cache) == "loaded"
    good = load(path)

    def wrong(change: object) -> str:
        monkeypatch.setattr(fuzz_oracle, "load", change)
        with pytest.raises(WrongError) as caught:
            fuzz_oracle.judge(case, cache)
        return str(caught.value)

    other = Faces(good.images + np.uint8(1), good.labels, good.splits, "other")
    assert "not those in the file" in wrong(lambda *_, **__: other)
    assert "written outside" in wrong(lambda *_, **__: (tmp_path / "x").write_text("x") and good)
    assert "KeyError" in wrong(lambda *_, **__: dict[int, int]()[0])


def test_the_fuzz_notices_other_pixels_weights_and_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judged(form: str, name: str, change: Callable[[], Any]) -> str:
        """What the fuzz says of the form's first whole case with its reader changed."""
        for number in range(20):
            with monkeypatch.context() as patch:
                folder = tmp_path / f"{form}{number}"
                if one(form, number, 0, folder) == "refused":
                    continue
                patch.setattr(name, change())
                with pytest.raises(WrongError) as caught:
                    FORMS[form][1](FORMS[form][0](Random(f"0/{form}/{number}"), folder), folder)
                return str(caught.value)
        raise AssertionError("no whole case")

    def brighter() -> Any:
        read = crops.read
        return lambda path: replace(read(path), images=read(path).images ^ np.uint8(1))

    def heavier() -> Any:
        load = weights._tensors
        return lambda found: {name: tensor + 1 for name, tensor in load(found).items()}

    def longer() -> Any:
        read = presets.read
        return lambda path: read(path) | {"BATCH": 999}

    def lost() -> Any:
        return lambda path: {}[path]

    assert "other pixels" in judged("crop", "fercore.data.crops.read", brighter)
    assert "other numbers" in judged("weights", "fercore.weights._tensors", heavier)
    assert "other values" in judged("preset", "fercore.presets.read", longer)
    assert "KeyError" in judged("preset", "fercore.presets.read", lost)
