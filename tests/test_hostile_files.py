"""A user's file runs nothing: no pickle is opened, and no name of the data becomes HTML."""

from __future__ import annotations

import ast
import hashlib
import io
import logging
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from fercore.data import DataError, cache, load
from fercore.report import Job, build
from fercore.store.runs import Predictions, RunStore, StoreError
from fercore.training import checkpoint
from tests.face_files import csv_text, image_files, random_faces, write_folder
from tests.fuzz_files import scramble

ROOT = Path(__file__).parents[1]
READS = {"load", "loads", "Unpickler", "load_module", "read_pickle", "unsafe_load", "full_load"}
SAFE = {"torch.load": "weights_only", "np.load": "allow_pickle"}


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.trace),)


@pytest.fixture
def evil(tmp_path: Path) -> Evil:
    return Evil(tmp_path / "unpickled")


def hostile(evil: Evil) -> list[Callable[[Path], Any]]:
    """Ways to write an object that does harm where a checkpoint or arrays are expected."""
    state = {"about": {}, "network": evil, "splits": evil}

    def as_checkpoint(path: Path) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        path.write_bytes(hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue())

    objects = np.array([evil], object)
    return [
        lambda path: path.write_bytes(pickle.dumps(state)),
        as_checkpoint,
        lambda path: torch.save(state, path),
        lambda path: torch.save(state, path, _use_new_zipfile_serialization=False),
        lambda path: np.savez(path.open("wb"), PublicTest_labels=objects, images=objects),
        lambda path: np.save(path.open("wb"), objects, allow_pickle=True),
    ]


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("way", range(6))
def test_nothing_is_unpickled(tmp_path: Path, evil: Evil, way: int) -> None:
    path = RunStore(tmp_path).folder("a") / "predictions.npz"
    path.parent.mkdir()
    hostile(evil)[way](path)
    assert checkpoint.load(path, {}) is None
    assert cache.stored(path, "a") is None
    with pytest.raises(StoreError, match="expected the predictions of a run"):
        RunStore(tmp_path).predictions("a")
    with pytest.raises(DataError):
        load(path)
    assert not evil.trace.exists()
    pickle.loads(pickle.dumps(evil))
    assert evil.trace.exists(), "the object is harmless, so this tested nothing"


def test_a_spoilt_checkpoint_is_left_out_whatever_is_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, {"about": {}, "network": {"weight": torch.zeros(300)}, "epoch": 3})
    good = path.read_bytes()
    caplog.set_level(logging.CRITICAL)
    for seed in range(300):
        spoilt = scramble(Random(seed), good)
        path.write_bytes(spoilt)
        assert (checkpoint.load(path, {}) is None) == (spoilt != good)
    path.write_bytes(good)
    assert checkpoint.load(path, {}) is not None


def test_spoilt_predictions_are_refused_whatever_is_wrong(tmp_path: Path) -> None:
    path = RunStore(tmp_path).folder("a") / "predictions.npz"
    path.parent.mkdir()
    arrays: dict[str, Any] = {f"PublicTest_{name}": np.arange(9) for name in Predictions._fields}
    np.savez(path, **arrays)
    good = path.read_bytes()
    for seed in range(300):
        path.write_bytes(scramble(Random(seed), good))
        try:
            found = RunStore(tmp_path).predictions("a")
        except StoreError:
            continue
        assert all((part == np.arange(9)).all() for parts in found.values() for part in parts)


def test_no_module_reads_what_could_run() -> None:
    """torch.load and np.load say that they unpickle nothing; yaml is read by safe_load."""
    for path in sorted((ROOT / "fercore").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                _check(path, node, ast.unparse(node.func))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "__import__"), path


def _check(path: Path, call: ast.Call, name: str) -> None:
    if name in SAFE:
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        wanted = "True" if name == "torch.load" else "False"
        assert given.get(SAFE[name]) == wanted, f"{path}, line {call.lineno}: {name}"
    module, _, function = name.rpartition(".")
    dangerous = module in ("pickle", "marshal", "shelve", "joblib", "dill", "yaml", "pd", "pandas")
    assert not (dangerous and function in READS), f"{path}, line {call.lineno}: {name}"


HOSTILE = "<img src=x onerror=alert(1)>&\"'<script>alert(2)<!--.csv"


def test_a_class_folder_named_script_is_refused_by_name(tmp_path: Path) -> None:
    files = image_files(random_faces(8))
    path = write_folder(
        tmp_path / "a", files | {"train/<script>/a.png": next(iter(files.values()))}
    )
    with pytest.raises(DataError, match=r"expected a class folder of angry.* found '<script>'"):
        load(path)


@pytest.mark.slow
def test_a_path_with_html_in_it_is_text_in_the_report(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    (folder / "presets").mkdir(parents=True)
    (folder / "presets" / "quick.yaml").write_text("")
    shutil.copy(ROOT / "notebooks" / "data_and_method.ipynb", folder)
    (tmp_path / "<script>").mkdir()
    path = tmp_path / "<script>" / HOSTILE
    path.write_text(csv_text(random_faces(280)))
    job = Job(
        folder, tmp_path / "out", overrides=[f"DATA={path}", "TRAIN_IMAGES=100"], only=["data"]
    )
    (written,) = build(job, say=lambda text: None)
    page = BeautifulSoup(written.read_text(encoding="utf-8"), "html.parser")
    assert HOSTILE in page.get_text()
    assert all("alert" not in script.get_text() for script in page.find_all("script"))
    for tag in page.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on")], tag.name
        assert tag.get("src") != "x"
