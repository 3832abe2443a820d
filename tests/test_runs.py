from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import BaseModel
from typer.testing import CliRunner

from fercore import models
from fercore.provenance import commit, versions
from fercore.spec import SCHEMA_VERSION, RunSpec
from fercore.store.record import DataRecord, Epoch, RunRecord, Score, bits, parse
from fercore.store.runs import Predictions, RunStore, StoreError, pack, run_id
from fercore.store.verify import verify
from fercore.training import checkpoint
from tests import toy

SPEC = toy.spec()
WEIGHTS = pack({"w": np.ones(12, np.float32)})
LABELS, SAID = [0, 1, 2, 6], [0, 1, 2, 3]


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
        "file_bytes": len(WEIGHTS),
        "seconds": 3.0,
        "train_images_per_second": 63.0,
        "device": "a machine",
        "dtype": "float32",
        "threads": 1,
        "versions": versions(),
        "commit": commit(),
        "finished": "2026-01-01T00:00:00+00:00",
    }
    return RunRecord(**(values | change))


def parts() -> dict[str, Predictions]:
    probabilities = np.full((4, 7), 0.1, np.float16)
    probabilities[np.arange(4), SAID] = 0.4
    labels = np.array(LABELS)
    return {
        name: Predictions(probabilities, labels, rows)
        for name, rows in {"valid": labels + 9, "PublicTest": labels + 20}.items()
    }


def put(store: RunStore, one: RunRecord | None = None) -> RunRecord:
    one = one or record()
    store.put(one, parts(), WEIGHTS)
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
    assert SCHEMA_VERSION == 2
    assert run_id(spec, "0123456789abcdef", "0123456789ab") == "006723996b0b"


OTHERS: list[tuple[str, Any]] = [
    ("data.train_images", 70),
    ("data.valid_fraction", 0.2),
    ("data.split_seed", 1),
    ("model.name", "cnn"),
    ("model.widths", [4, 8, 8, 17]),
    ("model.depth", 2),
    ("model.head", "dense"),
    ("model.residual", True),
    ("model.early", True),
    ("model.norm", "after"),
    ("train.epochs", 3),
    ("train.batch", 21),
    ("train.optimizer", "sgd"),
    ("train.rate", 0.1),
    ("train.schedule", "cosine"),
    ("train.momentum", 0.5),
    ("train.label_smoothing", 0.1),
    ("train.dropout", 0.5),
    ("train.average", 0.9),
    ("train.initial", "torch"),
    ("train.first_side", 24),
    ("train.teachers", ["0123456789ab"]),
    ("train.dtype", "float32"),
    ("train.augment.flip", True),
    ("train.augment.shift", 0.2),
    ("train.augment.rotation", 1.0),
    ("train.augment.zoom", 0.2),
    ("train.augment.shear", 1.0),
    ("seed", 1),
]


def leaves(tree: BaseModel, above: str = "") -> set[str]:
    found = set()
    for name, value in tree:
        inner = isinstance(value, BaseModel)
        found |= leaves(value, f"{above}{name}.") if inner else {above + name}
    return found


def test_every_field_is_tried() -> None:
    left_out = {"data.source", "train.weight_decay", "train.decay_all"}  # no effect; need adamw
    assert leaves(SPEC) - left_out == {name for name, _ in OTHERS}


@pytest.mark.parametrize(("field", "value"), OTHERS)
def test_the_id_changes_with_every_field(field: str, value: Any) -> None:
    tree = SPEC.model_dump(mode="json")
    *path, last = field.split(".")
    branch = tree
    for name in path:
        branch = branch[name]
    assert branch.get(last) != value
    branch[last] = value
    assert run_id(RunSpec(**tree), "d", "m") != run_id(SPEC, "d", "m")


def test_the_id_changes_with_weight_decay_data_and_network() -> None:
    decays = [toy.spec(optimizer="adamw", weight_decay=decay) for decay in (0, 0.1)]
    decays.append(toy.spec(optimizer="adamw", weight_decay=0.1, decay_all=True))
    names = [run_id(spec, "d", "m") for spec in decays]
    names += [run_id(SPEC, *pair) for pair in (("d", "m"), ("e", "m"), ("d", "n"))]
    assert len(set(names)) == 6


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
    project = Path(__file__).parents[1]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FERCORE_RUNS", "mine")  # one place, wherever one stands
    assert RunStore().root == project / "mine"
    assert RunStore("mine").root == Path("mine")
    assert str(project / "mine") in str(command("show", "0").exception)
    monkeypatch.delenv("FERCORE_RUNS")
    assert RunStore().root == project / "runs"


RECORD, FILES = "record.json", ("weights.safetensors", "predictions.npz")
SCHEMA = f'"schema_version": {SCHEMA_VERSION}'.encode()
DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes | None]]] = {
    "cut": (RECORD, lambda text: text[: len(text) // 2]),
    "empty": (RECORD, lambda _: b""),
    "no record": (RECORD, lambda _: None),
    "no weights": (FILES[0], lambda _: None),
    "cut weights": (FILES[0], lambda content: content[:-1]),
    "cut predictions": (FILES[1], lambda content: content[:200]),
    "another schema": (RECORD, lambda text: text.replace(SCHEMA, b'"schema_version": 0')),
    "another run": (
        RECORD,
        lambda text: re.sub(rb'"run_id": "\w+"', b'"run_id": "ffffffffffff"', text),
    ),
    "another specification": (RECORD, lambda text: text.replace(b'"seed": 0', b'"seed": 1')),
    "unknown key": (RECORD, lambda text: text.replace(b'"status"', b'"more": 1, "status"')),
}


def spoil(folder: Path, how: str) -> None:
    name, change = DAMAGE[how]
    changed = change((folder / name).read_bytes())
    if changed is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(changed)


WHY = {
    "cut": "record.json: Unterminated string|record.json: Expecting",
    "empty": "record.json: Expecting value",
    "no record": "record.json: No such file",
    "no weights": "weights.safetensors is missing",
    "cut weights": f"weights.safetensors: expected {len(WEIGHTS)} bytes, found {len(WEIGHTS) - 1}",
    "cut predictions": "predictions.npz is cut short",
    "another schema": f"expected schema {SCHEMA_VERSION}, found 0",
    "another run": "found run ffffffffffff",
    "another specification": "its specification and fingerprints are those of run",
    "unknown key": "record.json: more: Extra inputs are not permitted",
}


@pytest.mark.parametrize("how", WHY)
def test_a_spoilt_folder_is_no_run_and_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    store = RunStore(tmp_path)
    one = put(store)
    spoil(store.folder(one.run_id), how)
    with caplog.at_level(logging.WARNING):
        assert store.get(one.run_id) is None
    assert str(store.folder(one.run_id)) in caplog.text
    assert re.search(WHY[how], str(verify(store, one.run_id).fault))
    assert store.records() == []
    put(store)
    assert store.get(one.run_id) == one
    assert [path.name for path in tmp_path.iterdir()] == [one.run_id]


def test_a_readable_run_is_not_replaced(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    first = put(store)
    put(store, record(seconds=99.0))
    assert store.get(first.run_id) == first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a limit on the size of files")
def test_a_full_disk_leaves_nothing_and_names_path_and_bytes(tmp_path: Path) -> None:
    with small_files(100), pytest.raises(StoreError) as caught:
        put(RunStore(tmp_path))
    assert str(tmp_path) in str(caught.value)
    assert re.search(r"File too large; \d,\d+ bytes are needed, [\d,]+ are free", str(caught.value))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a limit on the size of files")
def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(tmp_path: Path) -> None:
    path = RunStore(tmp_path).checkpoint("a")
    checkpoint.save(path, {"about": {}, "w": torch.ones(2)})
    whole = path.read_bytes()
    with small_files(100), pytest.raises(StoreError, match="bytes are needed") as caught:
        checkpoint.save(path, {"about": {}, "w": torch.ones(2)})
    assert str(path) in str(caught.value)
    assert [file.read_bytes() for file in path.parent.iterdir()] == [whole]


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Stands in for a full disk: the system refuses to write more into a file."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_of_damaged_checkpoints_the_one_before_is_taken(tmp_path: Path) -> None:
    path = RunStore(tmp_path).checkpoint("a")
    for epoch in (1, 2):
        checkpoint.save(path, {"about": {"threads": 1}, "epoch": epoch})
    assert checkpoint.load(path, {"threads": 1}) == {"about": {"threads": 1}, "epoch": 2}
    path.write_bytes(path.read_bytes()[:50])
    assert checkpoint.load(path, {"threads": 1}) == {"about": {"threads": 1}, "epoch": 1}
    assert checkpoint.load(path, {"threads": 2}) is None
    checkpoint.before(path).write_bytes(b"")
    assert checkpoint.load(path, {"threads": 1}) is None


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


@pytest.mark.parametrize("use", [*WRITES.values(), RunStore.records, lambda s: s.get("0" * 12)])
def test_a_store_below_a_name_that_is_too_long_is_a_clear_error(
    tmp_path: Path, use: Callable[[RunStore], Any]
) -> None:
    with pytest.raises(StoreError, match=r"run store .*/x: File name too long; .*make room, or"):
        use(RunStore(tmp_path / ("x" * 300) / "x"))


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


@pytest.mark.parametrize(
    ("right", "message"),
    [
        ("4", "right: "),
        (bits(np.ones(30, bool)), "right: expected 22 bits, found 32"),
        (bits(np.ones(22, bool)), "right: expected 21 by confusion, found 22"),
    ],
)
def test_answers_that_do_not_fit_are_refused(right: str, message: str) -> None:
    whole = record(splits={"valid": score(right=bits(np.arange(22) > 0))})
    assert parse(whole.content()) == whole
    np.testing.assert_array_equal(whole.splits["valid"].correct(), np.arange(22) > 0)
    tree = json.loads(whole.content())
    tree["splits"]["valid"]["right"] = right
    with pytest.raises(ValueError, match=f"splits.valid: Value error, {message}"):
        parse(json.dumps(tree).encode())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, r"splits.valid.n: .* greater than or equal to 1, found 0$"),
        ({"n": "x"}, r"splits.valid.n: .* found 'x'$"),
        ({"n": 23}, r"splits.valid: .* confusion: expected 23 images, found 22$"),
        ({"confusion": [[22]]}, r"splits.valid: .* confusion: expected 7 rows of 7$"),
        ({"confusion": [[22], [0, 0]]}, r"splits.valid: .* confusion: expected 7 rows of 7$"),
        ({"confusion": [[-1]]}, r"splits.valid.confusion.0.0: .* found -1$"),
    ],
)
def test_figures_of_no_images_or_of_other_images_are_refused(
    change: dict[str, Any], message: str
) -> None:
    tree = json.loads(record().content())
    tree["splits"]["valid"] |= change
    with pytest.raises(ValueError, match=message):
        parse(json.dumps(tree).encode())


@pytest.mark.parametrize("start", [b"[", b'{"schema_version": 2, "run_id": ['])
def test_brackets_without_end_are_no_record(start: bytes) -> None:
    with pytest.raises(ValueError, match="brackets within brackets"):
        parse(start + b"[" * 100_000)


def test_a_record_is_frozen_and_has_no_nan() -> None:
    with pytest.raises(ValueError, match="finite"):
        score(loss=math.nan)
    with pytest.raises(ValueError, match="frozen"):
        setattr(record(), "seconds", 1.0)  # noqa: B010


def test_accuracy_is_none_where_nothing_was_measured() -> None:
    assert record().accuracy("PublicTest") == 21 / 22
    assert record().accuracy("PrivateTest") is None
    assert record(status="diverged", splits={}, file_bytes=None).accuracy("valid") is None


# The command line


def command(*words: str) -> Any:
    from fercore.cli.runs import app

    return CliRunner().invoke(app, list(words))


def test_runs_are_listed_shown_and_found(tmp_path: Path) -> None:
    one = put(RunStore(tmp_path))
    where = ("--store", str(tmp_path))
    head, line = command("list", *where).stdout.splitlines()[:2]
    cells = dict(zip(head.split(), line.split(), strict=False))
    assert (cells["run"], cells["epochs"]) == (one.run_id, str(one.spec.train.epochs))
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


def stored(root: Path, **change: Any) -> tuple[RunStore, RunRecord]:
    """A store with one run whose network is the real one and whose files are what it says."""
    fingerprint = models.fingerprint(SPEC.model)
    confusion = np.zeros((7, 7), int)
    confusion[LABELS, SAID] = 1
    loss = -(3 * math.log(0.4) + math.log(0.1)) / 4
    figures = {"n": 4, "accuracy": 0.75, "accuracy_unseen": 0.75, "loss": loss}
    whole = score(**figures, confusion=confusion.tolist())
    one = record(
        model_fingerprint=fingerprint,
        run_id=run_id(SPEC, "d" * 16, fingerprint),
        splits=dict.fromkeys(parts(), whole),
        **{"weights_sha256": hashlib.sha256(WEIGHTS).hexdigest()} | change,
    )
    return RunStore(root), put(RunStore(root), one)


def edit(store: RunStore, one: RunRecord, **change: Any) -> None:
    """Write other figures of PublicTest into a record."""
    figures = Score(**one.splits["PublicTest"].model_dump() | change)
    edited = one.model_copy(update={"splits": one.splits | {"PublicTest": figures}})
    (store.folder(one.run_id) / "record.json").write_bytes(edited.content())


def verified(store: RunStore) -> tuple[int, str]:
    found = command("verify", "--store", str(store.root))
    return found.exit_code, found.stdout


def test_verify_finds_nothing_wrong_with_a_whole_run(tmp_path: Path) -> None:
    store, one = stored(tmp_path)
    assert verified(store) == (0, "1 runs, 0 of them cannot be used\n")
    found = command("verify", "--store", str(tmp_path), "--json")
    nothing = dict.fromkeys(["fault", "unchecked", "version"])
    assert json.loads(found.stdout) == [{"run_id": one.run_id, **nothing}]


def test_a_run_of_another_version_is_used_and_named(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {"versions": versions() | {"torch": "1.0"}},
        {"commit": "0123456789abcdef0123456789abcdef01234567-dirty"},
        {"commit": None, "versions": {}},
    ]
    here = (commit() or "unknown").partition("-")[0][:12]
    for change, words in zip(
        changes, ("torch 1.0 (here", "commit 0123456789ab-dirty", "commit unknown"), strict=True
    ):
        store, one = stored(tmp_path / words, **change)
        assert store.get(one.run_id) == one
        code, said = verified(store)
        assert code == 0
        assert f"1 made by another version: {words}" in said
        shown = command("show", one.run_id, "--store", str(store.root)).stdout
        assert words in shown.split("other_version")[1]
    assert f"commit unknown (here {here}" in said
    assert "python unknown (here" in said


MOVED = np.diag([1, 1, 1, 0, 0, 0, 0])
MOVED[6, 4] = 1
EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "accuracy": ({"accuracy": 0.99}, "accuracy: expected 0.75, .* found 0.99"),
    "unseen": ({"accuracy_unseen": 0.99}, "repeated: expected 3, .* found 3.96"),
    "loss": ({"loss": 1.2}, r"loss: expected 1\.26\d+ to 1\.26\d+, .* found 1\.2"),
    "confusion": ({"confusion": MOVED.tolist()}, "neutral read as happy: expected 1, .* found 0"),
    "class": ({"confusion": np.diag([1, 1, 1, 1, 0, 0, 0]).tolist()}, "happy images: expected 0"),
    "right": (
        {"right": bits(np.array([1, 1, 0, 1], bool))},
        "images otherwise: expected 0, .* found 2",
    ),
}


@pytest.mark.parametrize("how", EDITS)
def test_verify_holds_the_record_against_the_predictions(tmp_path: Path, how: str) -> None:
    store, one = stored(tmp_path)
    change, message = EDITS[how]
    edit(store, one, **change)
    code, said = verified(store)
    assert code == 1
    assert re.search(rf"{one.run_id}  record.json: PublicTest: .*{message}", said)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": np.array([0, 1, 2, 7])},
        {"labels": np.array([0.0, 1, 2, 6])},
        {"probabilities": parts()["valid"].probabilities.astype(np.float32)},
        {"probabilities": parts()["valid"].probabilities[:, :6]},
        {"rows": np.arange(3)},
        {"rows": np.arange(4.0)},
    ],
)
def test_predictions_of_another_form_are_found(tmp_path: Path, change: dict[str, Any]) -> None:
    store, one = stored(tmp_path)
    store.remove(one.run_id)
    kept = parts()
    store.put(one, kept | {"PublicTest": kept["PublicTest"]._replace(**change)}, WEIGHTS)
    fault = "predictions.npz: PublicTest: expected labels 0 to 6 with 7 shares and a row each"
    assert verify(store, one.run_id).fault == fault


@pytest.mark.parametrize(("read", "fault"), [(3, None), (6, None), (5, "surprise: expected 0")])
def test_of_a_tie_by_rounding_either_class_may_have_been_read(
    tmp_path: Path, read: int, fault: str | None
) -> None:
    store, one = stored(tmp_path)
    store.remove(one.run_id)
    shares, labels, rows = parts()["PublicTest"]
    shares[3, 6] = shares[3, 3]
    store.put(one, parts() | {"PublicTest": Predictions(shares, labels, rows)}, WEIGHTS)
    confusion = np.zeros((7, 7), int)
    confusion[LABELS, [0, 1, 2, read]] = 1
    right = confusion.trace() / 4
    change = {"accuracy": right, "accuracy_unseen": right, "confusion": confusion.tolist()}
    edit(store, one, **change, loss=-math.log(0.4))
    found = verify(store, one.run_id).fault
    assert found == fault or (fault and fault in str(found))


@pytest.mark.parametrize("bit", range(8))
def test_one_flipped_bit_of_the_weights_is_found(tmp_path: Path, bit: int) -> None:
    store, one = stored(tmp_path)
    path = store.folder(one.run_id) / "weights.safetensors"
    path.write_bytes(WEIGHTS[:-1] + bytes([WEIGHTS[-1] ^ 1 << bit]))
    code, said = verified(store)
    assert code == 1
    assert f"weights.safetensors: expected SHA-256 {one.weights_sha256}, found" in said


def test_verify_says_what_an_older_record_cannot_be_checked_for(tmp_path: Path) -> None:
    store, one = stored(tmp_path, weights_sha256=None)
    assert b"sha256" not in one.content()  # as committed records are
    path = store.folder(one.run_id) / "weights.safetensors"
    path.write_bytes(WEIGHTS[:-4] + np.float32(2).tobytes())
    code, said = verified(store)
    assert code == 0
    assert "1 not checked for a changed bit of the weights: the record is older" in said
    path.write_bytes(WEIGHTS[:-4] + np.float32(np.nan).tobytes())
    assert verify(store, one.run_id).fault == "weights.safetensors: w: expected finite numbers"


def damage(folder: Path, how: str) -> None:
    path = folder / ("weights.safetensors" if how == "weights" else "predictions.npz")
    content = bytearray(path.read_bytes())
    content[:60] = bytes(60)
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["weights", "predictions"])
def test_verify_reads_every_file(tmp_path: Path, how: str) -> None:
    store, one = stored(tmp_path)
    damage(store.folder(one.run_id), how)
    assert store.get(one.run_id) == one  # a look at its size says nothing
    found = command("verify", "--store", str(tmp_path))
    assert found.exit_code == 1
    assert re.search(rf"{one.run_id}  {how}\.", found.stdout)
    assert "1 runs, 1 of them cannot be used" in found.stdout


def test_verify_says_where_a_network_has_changed_since(tmp_path: Path) -> None:
    one = put(RunStore(tmp_path))  # under a fingerprint that no network has
    found = command("verify", "--store", str(tmp_path)).stdout
    assert f"{one.run_id}  mobilenet-0.7k-depth1" in found
    assert "fingerprint mmmmmmmmmmmm then" in found


def test_runs_are_removed_by_the_beginning_of_their_ids(tmp_path: Path) -> None:
    store, one = stored(tmp_path)
    store.checkpoint(one.run_id).write_bytes(b"x")
    spoil(store.folder(one.run_id), "cut")  # unreadable ones too
    done = command("remove", one.run_id[:4], "--store", str(tmp_path))
    assert (done.exit_code, done.stdout) == (0, f"removed {one.run_id}\n")
    assert store.names() == []
    assert list((tmp_path / ".checkpoints").iterdir()) == []
    assert isinstance(command("remove", "", "--store", str(tmp_path)).exception, StoreError)


def test_gc_deletes_what_nobody_needs_and_nothing_else(tmp_path: Path) -> None:
    store, one = stored(tmp_path)
    with store.lock(one.run_id), store.lock("busy"), store.lock("dead"):
        pass
    for name in (f"{one.run_id}.pt", "going.pt", "going.pt.before", "going.pt.77.new", "busy.pt"):
        store.checkpoint("x").with_name(name).write_bytes(b"1234")
    for name in (".new-dead-12345678", ".new-busy-12345678", ".new-0-1-old"):
        (tmp_path / name).mkdir()
    where = ("--store", str(tmp_path), "--json")
    with store.lock("busy"):
        dry = json.loads(command("gc", "--dry-run", *where).stdout)
        wet = json.loads(command("gc", *where).stdout)
    assert (
        dry["paths"]
        == wet["paths"]
        == [
            ".new-0-1-old",
            ".new-dead-12345678",
            f".checkpoints/{one.run_id}.pt",
            ".checkpoints/going.pt.77.new",
            *sorted(f".locks/{name}.lock" for name in (one.run_id, "dead")),
        ]
    )
    assert wet["bytes"] == 8
    assert store.get(one.run_id) == one
    kept = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob(".*/*")}
    kept |= {path.name for path in tmp_path.glob(".new-*")}
    assert kept == {
        ".checkpoints/going.pt",
        ".checkpoints/going.pt.before",
        ".checkpoints/busy.pt",
        ".locks/busy.lock",
        ".new-busy-12345678",
    }
