from __future__ import annotations

import errno
import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fercore.record import DataRecord, Epoch, RunRecord, Score
from fercore.runs import Predictions, RunStore, StoreError, pack, run_id
from fercore.spec import SCHEMA_VERSION, RunSpec
from tests import toy

SPEC = toy.spec()


def score(**change: Any) -> Score:
    confusion = np.diag([3] * 7)
    confusion[0, 1] = 1
    values = {"n": 22, "accuracy": 21 / 22, "loss": 0.3, "repeated": 0, "accuracy_unseen": 21 / 22}
    return Score(**(values | {"confusion": confusion.tolist()} | change))


def record(**change: Any) -> RunRecord:
    values: dict[str, Any] = {
        "run_id": run_id(SPEC, "d" * 16, "m" * 12),
        "spec": SPEC,
        "data": DataRecord(source="x", fingerprint="d" * 16, synthetic=True, train_images=126),
        "model_fingerprint": "m" * 12,
        "status": "done",
        "history": [
            Epoch(
                epoch=1,
                rate=0.1,
                train_loss=1.9,
                train_accuracy=0.2,
                valid_loss=1.8,
                valid_accuracy=0.3,
                seconds=2.0,
            )
        ],
        "splits": {"valid": score(), "PublicTest": score(n=22, repeated=2)},
        "params_trainable": 10,
        "params_keras_total": 12,
        "macs": 100,
        "file_bytes": 8,
        "seconds": 3.0,
        "train_images_per_second": 63.0,
        "device": "a machine",
        "dtype": "float32",
        "threads": 1,
        "versions": {"torch": "2"},
        "commit": None,
        "finished": "2026-01-01T00:00:00+00:00",
    }
    return RunRecord(**(values | change))


def parts() -> dict[str, Predictions]:
    probabilities = np.full((4, 7), 1 / 7, np.float16)
    labels = np.array([0, 1, 2, 6])
    return {
        name: Predictions(probabilities, labels, rows)
        for name, rows in {"valid": labels + 9, "PublicTest": labels + 20}.items()
    }


def put(store: RunStore, one: RunRecord | None = None) -> RunRecord:
    one = one or record()
    store.put(one, parts(), pack({"w": np.ones(2, np.float32)}))
    return one


# Ids


def test_the_id_of_a_fixed_specification_never_changes() -> None:
    # A change here makes every stored run unreadable: raise SCHEMA_VERSION if it is meant.
    augment = {"flip": True, "shift": 0.1, "rotation": 10, "zoom": 0.1, "shear": 0}
    train = {"epochs": 10, "batch": 64, "optimizer": "adam", "rate": 0.002, "schedule": "onecycle"}
    train |= {"momentum": 0.9, "weight_decay": 0, "label_smoothing": 0, "dtype": "auto"}
    spec = RunSpec.model_validate(
        {
            "data": {"train_images": None, "valid_fraction": 0.1, "split_seed": 0},
            "model": {"name": "cnn", "widths": [4, 8, 16, 32], "depth": 2},
            "train": {**train, "augment": augment},
            "seed": 3,
        }
    )
    assert SCHEMA_VERSION == 1
    assert run_id(spec, "0123456789abcdef", "0123456789ab") == "e5ecbe2a8b22"


OTHERS: list[tuple[str, Any]] = [
    ("data.train_images", 70),
    ("data.valid_fraction", 0.2),
    ("data.split_seed", 1),
    ("model.name", "cnn"),
    ("model.widths", [4, 8, 8, 17]),
    ("model.depth", 2),
    ("train.epochs", 3),
    ("train.batch", 21),
    ("train.optimizer", "sgd"),
    ("train.rate", 0.1),
    ("train.schedule", "cosine"),
    ("train.momentum", 0.5),
    ("train.label_smoothing", 0.1),
    ("train.dtype", "float32"),
    ("train.augment.flip", True),
    ("train.augment.shift", 0.2),
    ("train.augment.rotation", 1.0),
    ("train.augment.zoom", 0.2),
    ("train.augment.shear", 1.0),
    ("seed", 1),
]


def leaves(tree: dict[str, Any], above: str = "") -> set[str]:
    found = set()
    for name, value in tree.items():
        found |= leaves(value, f"{above}{name}.") if isinstance(value, dict) else {above + name}
    return found


def test_every_field_is_tried() -> None:
    left_out = {"data.source", "train.weight_decay"}  # has no effect; needs adamw
    assert leaves(SPEC.model_dump()) - left_out == {name for name, _ in OTHERS}


@pytest.mark.parametrize(("field", "value"), OTHERS)
def test_the_id_changes_with_every_field(field: str, value: Any) -> None:
    tree = SPEC.model_dump(mode="json")
    *path, last = field.split(".")
    branch = tree
    for name in path:
        branch = branch[name]
    assert branch[last] != value
    branch[last] = value
    assert run_id(RunSpec(**tree), "d", "m") != run_id(SPEC, "d", "m")


def test_the_id_changes_with_weight_decay_data_and_network() -> None:
    decays = [toy.spec(optimizer="adamw", weight_decay=decay) for decay in (0, 0.1)]
    names = [run_id(spec, "d", "m") for spec in decays]
    names += [run_id(SPEC, *pair) for pair in (("d", "m"), ("e", "m"), ("d", "n"))]
    assert len(set(names)) == 5


def test_the_id_does_not_depend_on_where_the_data_lies() -> None:
    data = SPEC.data.model_copy(update={"source": "/elsewhere/fer2013.csv"})
    assert run_id(SPEC.model_copy(update={"data": data}), "d", "m") == run_id(SPEC, "d", "m")


# The store


def test_what_was_put_is_got(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "new" / "runs")
    one = put(store)
    assert store.get(one.run_id) == one
    assert store.ids() == [one.run_id]
    kept = store.predictions(one.run_id)
    assert list(kept) == ["valid", "PublicTest"]
    for name, expected in parts().items():
        assert kept[name].probabilities.dtype == np.float16
        for got, wanted in zip(kept[name], expected, strict=True):
            np.testing.assert_array_equal(got, wanted)
    assert sorted(path.name for path in store.folder(one.run_id).iterdir()) == [
        "predictions.npz",
        "record.json",
        "weights.safetensors",
    ]
    assert sorted(path.name for path in store.root.iterdir()) == [one.run_id]


def test_a_run_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert RunStore(tmp_path).get("0" * 12) is None
    assert RunStore(tmp_path / "no").ids() == []
    with pytest.raises(StoreError, match=r"predictions\.npz: expected the predictions of a run"):
        RunStore(tmp_path).predictions("0" * 12)


def test_the_root_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERCORE_RUNS", str(tmp_path))
    assert RunStore().root == tmp_path
    monkeypatch.delenv("FERCORE_RUNS")
    assert RunStore().root == Path(__file__).parents[1] / "runs"


def spoil(folder: Path, how: str) -> None:
    path = folder / "record.json"
    text = path.read_text("utf-8")
    if how == "cut":
        path.write_text(text[: len(text) // 2], "utf-8")
    elif how == "empty":
        path.write_text("", "utf-8")
    elif how == "no record":
        path.unlink()
    elif how == "no weights":
        (folder / "weights.safetensors").unlink()
    elif how == "another schema":
        path.write_text(text.replace('"schema_version": 1', '"schema_version": 0'), "utf-8")
    elif how == "another run":
        path.write_text(text.replace(folder.name, "f" * 12), "utf-8")


@pytest.mark.parametrize(
    "how", ["cut", "empty", "no record", "no weights", "another schema", "another run"]
)
def test_a_spoilt_folder_is_no_run_and_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    store = RunStore(tmp_path)
    one = put(store)
    spoil(store.folder(one.run_id), how)
    with caplog.at_level(logging.WARNING):
        assert store.get(one.run_id) is None
    assert str(store.folder(one.run_id)) in caplog.text
    put(store)
    assert store.get(one.run_id) == one
    assert [path.name for path in tmp_path.iterdir()] == [one.run_id]


def test_a_readable_run_is_not_replaced(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    first = put(store)
    put(store, record(seconds=99.0))
    assert store.get(first.run_id) == first


def test_a_full_disk_leaves_nothing_and_names_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(StoreError) as caught:
        put(RunStore(tmp_path))
    assert str(tmp_path) in str(caught.value)
    assert "No space left" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


WRITES: dict[str, Callable[[RunStore], Any]] = {
    "put": put,
    "lock": lambda store: store.lock("0" * 12).__enter__(),
    "checkpoint": lambda store: store.checkpoint("0" * 12),
}


@pytest.mark.parametrize("use", WRITES.values(), ids=WRITES)
def test_a_store_that_cannot_be_written_is_a_clear_error(
    tmp_path: Path, use: Callable[[RunStore], Any]
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write to the run store") as caught:
        use(RunStore(tmp_path / "file"))
    assert "FERCORE_RUNS" in str(caught.value)
    assert str(tmp_path / "file") in str(caught.value)


def test_a_held_lock_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, order = RunStore(tmp_path), []
    held = threading.Event()

    def other() -> None:
        with store.lock("a"):
            held.set()
            time.sleep(0.3)
            order.append("other")

    thread = threading.Thread(target=other)
    thread.start()
    held.wait()
    with store.lock("b"):  # another run's lock is free
        assert order == []
    with store.lock("a"):
        order.append("we")
    thread.join()
    assert order == ["other", "we"]
    assert "another process trains run a" in caplog.text


# What a record says


def test_a_record_is_frozen_and_has_no_nan() -> None:
    with pytest.raises(ValueError, match="finite"):
        score(loss=math.nan)
    with pytest.raises(ValueError, match="frozen"):
        setattr(record(), "seconds", 1.0)  # noqa: B010


def test_accuracy_is_none_where_nothing_was_measured() -> None:
    assert record().accuracy("PublicTest") == 21 / 22
    assert record().accuracy("PrivateTest") is None
    assert record(status="diverged", splits={}, file_bytes=None).accuracy("valid") is None


def test_per_class_figures_follow_from_the_confusion() -> None:
    confusion = np.zeros((7, 7), int)
    confusion[0, :2] = 3, 1  # of 4 angry ones, 3 are found and 1 is called disgust
    confusion[1, 1] = 2
    confusion[2, 1] = 1  # the only fear is called disgust
    one = score(confusion=confusion.tolist())
    assert one.recall[:3] == pytest.approx((3 / 4, 1, 0))
    assert one.precision[:2] == pytest.approx((1, 2 / 4))
    assert one.f1[:3] == pytest.approx((6 / 7, 4 / 6, 0))
    assert math.isnan(one.precision[2])  # fear is never said
    assert math.isnan(one.recall[3])  # there is no happy one
    assert math.isnan(one.f1[3])


# The command line


def command(*words: str) -> Any:
    from fercore.cli.runs import app

    return CliRunner().invoke(app, list(words))


def test_runs_are_listed_shown_and_found(tmp_path: Path) -> None:
    one = put(RunStore(tmp_path))
    where = ("--store", str(tmp_path))
    assert one.run_id in command("list", *where).stdout
    (row,) = json.loads(command("list", "--json", *where).stdout)
    assert (row["run_id"], row["PublicTest"]) == (one.run_id, 21 / 22)
    assert "mobilenet" in command("show", one.run_id[:5], *where).stdout
    whole = command("show", one.run_id, "--json", *where).stdout
    assert RunRecord.model_validate_json(whole) == one
    assert command("path", one.run_id, *where).stdout.strip() == str(tmp_path / one.run_id)


def test_an_unknown_run_is_a_clear_error(tmp_path: Path) -> None:
    error = command("path", "zz", "--store", str(tmp_path)).exception
    assert isinstance(error, StoreError)
    assert "begins with 'zz', found 0" in str(error)
