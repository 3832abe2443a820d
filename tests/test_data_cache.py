import logging
import pickle
from pathlib import Path

import numpy as np
import pytest

from fercore.data import Faces, cache, load
from tests.face_files import (
    csv_text,
    image_file,
    own_cache,  # noqa: F401
    random_faces,
    write_folder,
)

FACES = random_faces(8)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "fer2013.csv"
    path.write_text(csv_text(FACES))
    return path


def stored(own_cache: Path) -> Path:  # noqa: F811
    (file,) = own_cache.iterdir()  # one file, and nothing half-written beside it
    return file


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: Path) -> Faces:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("fercore.data.fer2013.read", read)
    monkeypatch.setattr("fercore.data.folder.read", read)


def test_the_second_load_reads_the_cache(
    table: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = load(table)
    forbid_reading(monkeypatch)
    second = load(table)
    assert first.fingerprint == second.fingerprint == FACES.fingerprint
    assert (second.labels.dtype, second.splits.dtype) == (first.labels.dtype, first.splits.dtype)
    assert not caplog.records


def test_the_cache_goes_by_content_not_by_name(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(table)
    moved = table.rename(table.with_name("other.csv"))
    table.write_text(csv_text(random_faces(8, seed=1)))
    assert load(table).fingerprint == random_faces(8, seed=1).fingerprint
    forbid_reading(monkeypatch)
    assert load(moved).fingerprint == FACES.fingerprint
    assert load(moved).source == "other.csv"


def test_folders_are_cached_by_names_and_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_file(FACES.images[0])
    afraid, sad = (
        write_folder(tmp_path / name, {f"train/{name}/1.png": image}) for name in ("fear", "sad")
    )
    assert load(afraid).labels.tolist() == [2]
    assert load(sad).labels.tolist() == [4]
    forbid_reading(monkeypatch)
    assert load(afraid).labels.tolist() == [2]


def damaged(kind: str, whole: bytes, file: Path) -> bytes:
    if kind == "other arrays":
        with file.open("wb") as stream:
            np.savez(stream, images=FACES.images[:3], labels=FACES.labels, splits=FACES.labels)
    elif kind == "bad codes":
        with file.open("wb") as stream:
            np.savez(stream, images=FACES.images, labels=FACES.labels, splits=FACES.labels + 9)
    elif kind == "objects":
        with file.open("wb") as stream:
            np.savez(stream, images=np.array([{}]), labels=FACES.labels, splits=FACES.labels)
    half = len(whole) // 2
    return {
        "empty": b"",
        "cut short": whole[:half],
        "one bit": whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :],
        "other": b"something else" * 99,
        "pickle": pickle.dumps([1, 2]),
    }.get(kind, file.read_bytes())


@pytest.mark.parametrize(
    "kind",
    ["empty", "cut short", "one bit", "other", "pickle", "other arrays", "bad codes", "objects"],
)
def test_a_damaged_cache_is_rebuilt_and_logged(
    table: Path,
    own_cache: Path,  # noqa: F811
    kind: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(table)
    file = stored(own_cache)
    file.write_bytes(damaged(kind, file.read_bytes(), file))
    with caplog.at_level(logging.WARNING):
        assert load(table).fingerprint == FACES.fingerprint
    assert "is damaged and is made anew" in caplog.text
    caplog.clear()
    assert stored(own_cache) == file
    forbid_reading(monkeypatch)
    assert load(table).fingerprint == FACES.fingerprint
    assert not caplog.records


def test_a_cache_that_cannot_be_written_costs_only_a_warning(
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FERCORE_CACHE", str(tmp_path / "file"))
    assert load(table).fingerprint == FACES.fingerprint
    assert "could not be written" in caplog.text


def test_a_write_that_fails_leaves_nothing(
    table: Path,
    own_cache: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(file: Path, **arrays: object) -> None:
        file.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", full)
    assert load(table).fingerprint == FACES.fingerprint
    assert list(own_cache.iterdir()) == []


def test_the_users_cache_folder_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FERCORE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.folder().name == "fercore"


def test_a_relative_cache_folder_is_below_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FERCORE_CACHE", "mine")
    assert cache.folder() == Path(__file__).parents[1] / "mine"
