from __future__ import annotations

import hashlib
import io
import itertools
import logging
import math
import os
import stat
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from fercore import models
from fercore.data.faces import Faces
from fercore.data.split import divide
from fercore.progress import Progress
from fercore.spec import DataSpec, ModelSpec, RunSpec
from fercore.store.identity import identity
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore, StoreError
from fercore.store.verify import Verdict, verify
from fercore.training import checkpoint, device, train
from fercore.training.evaluate import loss_and_accuracy, scores
from fercore.training.fit import Examples, Fit, seeds
from fercore.training.recipe import rate_at
from tests.toy import TINY, Spy, bars, spec

CPU = torch.device("cpu")
MOVED = spec().train.augment.model_copy(update={"flip": True, "shift": 0.1, "rotation": 10.0})


@pytest.fixture(scope="module")
def faces() -> Faces:
    return bars()


def run(task: RunSpec, faces: Faces, root: Path, watch: Progress | None = None) -> RunRecord:
    return train.run(task, faces, RunStore(root), device="cpu", progress=watch or Progress())


def weights(root: Path, record: RunRecord) -> bytes:
    return (root / record.run_id / "weights.safetensors").read_bytes()


# The same run gives the same bits


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_specification_gives_the_same_bytes(
    faces: Faces, tmp_path: Path, dtype: str
) -> None:
    task = spec(augment=MOVED, dtype=dtype)
    first = run(task, faces, tmp_path / "a")
    torch.rand(3)
    np.random.default_rng().random()
    second = run(task, faces, tmp_path / "b")
    assert weights(tmp_path / "a", first) == weights(tmp_path / "b", second)
    assert first.splits == second.splits
    other = run(task.model_copy(update={"seed": 1}), faces, tmp_path / "a")
    assert weights(tmp_path / "a", other) != weights(tmp_path / "a", first)


@pytest.mark.parametrize(
    ("stop", "side"),
    [(Spy(stop_after_epochs=1), 48), (Spy(stop_after_steps=15), 48), (Spy(stop_after_steps=3), 24)],
)
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    faces: Faces, tmp_path: Path, stop: Spy, side: int
) -> None:
    task = spec(epochs=3, augment=MOVED, first_side=side)  # 6 steps in each epoch
    whole = run(task, faces, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(task, faces, tmp_path / "cut", stop)
    assert RunStore(tmp_path / "cut").ids() == []
    rest = Spy()
    resumed = run(task, faces, tmp_path / "cut", rest)
    assert rest.epochs == 3 - stop.steps // 6
    assert weights(tmp_path / "cut", resumed) == weights(tmp_path / "whole", whole)
    assert [e.train_loss for e in resumed.history] == [e.train_loss for e in whole.history]
    assert list((tmp_path / "cut" / ".checkpoints").iterdir()) == []


def test_the_first_half_of_the_epochs_sees_small_images(faces: Faces) -> None:
    train = Examples(faces, np.arange(140), CPU)
    fit = Fit(spec(epochs=5, first_side=32), train, train)
    seen: list[int] = []

    def look(network: nn.Module, images: tuple[torch.Tensor]) -> None:
        seen.append(images[0].shape[2])

    fit.trained.register_forward_pre_hook(look)
    for _ in range(5):
        fit.epoch(lambda: None)
    assert seen == [32] * 14 + [48] * 21  # 7 steps in each epoch


def test_a_network_that_reads_one_side_only_is_not_begun_with_another(
    faces: Faces, tmp_path: Path
) -> None:
    dense = TINY.model_copy(update={"head": "dense"})
    task = spec(first_side=24).model_copy(update={"model": dense})
    with pytest.raises(models.ModelError, match="expected first_side 48, found 24"):
        run(task, faces, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_there_is_not_is_told_so(faces: Faces) -> None:
    task = spec().model_copy(update={"model": ModelSpec(name="nope")})
    with pytest.raises(models.ModelError, match="nope") as told:
        identity(task, faces)
    assert "pixels" not in str(told.value)


def dropping(seed: int = 0, **train: Any) -> RunSpec:
    """A network with dropout, trained with all that keeps a state."""
    moved = {"dropout": 1.0, "average": 0.8, "augment": MOVED}
    task = spec(seed, **{"optimizer": "muon", "rate": 0.01, **moved, **train})
    return task.model_copy(update={"model": ModelSpec(name="b-mobilenet-46k")})


@pytest.mark.parametrize("last", [9, 6])  # of 2 x 6: within an epoch, and before its validation
@pytest.mark.parametrize("recipe", [{}, {"optimizer": "adamw", "dtype": "bfloat16"}])
def test_a_run_that_was_stopped_within_an_epoch_goes_on_from_there(
    faces: Faces,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recipe: dict[str, Any],
    last: int,
) -> None:
    task = dropping(**recipe)
    whole = run(task, faces, tmp_path / "whole")
    monkeypatch.setenv(checkpoint.MINUTES, "0")
    with pytest.raises(KeyboardInterrupt):
        run(task, faces, tmp_path / "cut", Spy(stop_after_steps=last))
    monkeypatch.delenv(checkpoint.MINUTES)
    for stop in (2, 0):  # once more, before another step is saved
        rest = Spy(stop_after_steps=stop)
        with pytest.raises(KeyboardInterrupt) if stop else nullcontext():
            run(task, faces, tmp_path / "cut", rest)
        assert rest.done == last
    assert rest.steps == 12 - last
    resumed = RunStore(tmp_path / "cut").check(whole.run_id)
    assert weights(tmp_path / "cut", resumed) == weights(tmp_path / "whole", whole)
    assert resumed.splits == whole.splits
    assert [e.model_copy(update={"seconds": 0}) for e in resumed.history] == [
        e.model_copy(update={"seconds": 0}) for e in whole.history
    ]
    assert list((tmp_path / "cut" / ".checkpoints").iterdir()) == []


def test_a_kept_state_goes_on_after_any_step(faces: Faces) -> None:
    parts = divide(faces, spec().data)
    train, valid = (Examples(faces, rows, CPU) for rows in (parts.train, parts.valid))
    first, kept = Fit(dropping(), train, valid), []

    def keep() -> None:
        file = io.BytesIO()
        torch.save(first.state(), file)
        kept.append(file.getvalue())

    first.epoch(keep)
    for done, content in enumerate(kept, start=1):
        other = Fit(dropping(), train, valid)
        torch.rand(3)
        other.resume(torch.load(io.BytesIO(content), weights_only=True))
        assert other.done == done
        latest = other.epoch(lambda: None)
        assert latest.train_loss == first.history[0].train_loss
        assert latest.seconds > 0
        assert other.weights().keys() == first.weights().keys()
        for name, value in first.weights().items():
            np.testing.assert_array_equal(other.weights()[name], value)


def saved_at(monkeypatch: pytest.MonkeyPatch, each: float) -> list[int]:
    """Steps after which the state is saved, if each step takes so many seconds."""
    saved: list[int] = []
    clock = itertools.count(0, each)
    now = SimpleNamespace(monotonic=lambda: next(clock), perf_counter=time.perf_counter)
    monkeypatch.setattr(train, "time", now)

    def save(path: Path, state: dict[str, Any]) -> None:
        within = state["under_way"]
        saved.append(6 * len(state["history"]) + (within["step"] if within else 0))

    monkeypatch.setattr(checkpoint, "save", save)
    return saved


@pytest.mark.parametrize(
    ("minutes", "each", "expected"),
    [
        ("", 1, [6, 12]),
        ("", 149, [3, 6, 6, 9, 12, 12]),  # before an epoch's validation, and after it
        ("", 300, [1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12, 12]),
        ("0.5", 15, [2, 4, 6, 6, 8, 10, 12, 12]),
    ],
)
def test_states_are_saved_after_epochs_and_minutes(
    faces: Faces,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    minutes: str,
    each: float,
    expected: list[int],
) -> None:
    monkeypatch.setenv(checkpoint.MINUTES, minutes)
    saved = saved_at(monkeypatch, each)
    run(spec(), faces, tmp_path)
    assert saved == expected


@pytest.mark.parametrize("text", ["soon", "-1", "nan"])
def test_minutes_that_are_none_are_one_message(
    faces: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(checkpoint.MINUTES, text)
    with pytest.raises(StoreError, match=f"_MINUTES: expected a number of .*, found '{text}'"):
        run(spec(), faces, tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="a folder is flushed where that can be asked for")
def test_a_checkpoint_is_on_disk_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut neither its bytes nor the two renames may be missing."""
    done: list[str] = []

    def flush(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append("folder" if folder else "file")

    def rename(old: Path, new: Path) -> None:
        done.append("rename")
        old.rename(new)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "replace", rename)
    path = RunStore(tmp_path).checkpoint("0123456789ab")
    for _ in range(2):
        checkpoint.save(path, {"about": {}})
    saves = ["file", "rename", "folder"], ["file", "rename", "rename", "folder"]
    assert done == ["folder", *saves[0], *saves[1]]


@pytest.mark.parametrize("fault", ["another machine", "another layout", "cut", "empty", "bit"])
def test_a_checkpoint_that_does_not_fit_is_left_out(
    faces: Faces, tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(spec(), faces, tmp_path, Spy(stop_after_epochs=1))
    (path,) = (tmp_path / ".checkpoints").iterdir()
    if fault.startswith("another"):
        content = path.read_bytes()[checkpoint.DIGEST :]
        state = torch.load(io.BytesIO(content), weights_only=True)
        elsewhere = {"about": {**state["about"], "threads": 99}}
        checkpoint.save(path, state | (elsewhere if fault == "another machine" else {"layout": 1}))
        checkpoint.before(path).unlink()
    elif fault == "bit":
        changed = bytearray(path.read_bytes())
        changed[len(changed) // 2] ^= 1
        path.write_bytes(changed)
    else:
        path.write_bytes(path.read_bytes()[: 100 if fault == "cut" else 0])
    watch = Spy()
    with caplog.at_level(logging.WARNING):
        run(spec(), faces, tmp_path, watch)
    assert watch.epochs == 2
    assert f"{path}" in caplog.text
    assert "left out" in caplog.text


def test_training_leaves_torch_as_it_was(faces: Faces, tmp_path: Path) -> None:
    def state() -> tuple[Any, ...]:
        memory: Any = torch.utils.deterministic
        return (
            torch.get_rng_state().tolist(),
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            memory.fill_uninitialized_memory,
            torch.backends.cudnn.deterministic,
        )

    before = state()
    assert before[2] is False
    threads = torch.get_num_threads() + 1
    store = RunStore(tmp_path)
    record = train.run(spec(), faces, store, device="cpu", threads=threads, progress=Progress())
    assert record.threads == threads
    assert state() == before


def test_dropout_is_seeded_by_epoch(faces: Faces) -> None:
    fit = Fit(spec(), Examples(faces, np.arange(20), CPU), Examples(faces, np.arange(20), CPU))

    def drawn(number: int) -> list[float]:
        fit._plan(number)
        return torch.rand(4).tolist()

    assert drawn(1) == drawn(1) != drawn(2)


def test_seeds_of_runs_and_epochs_are_all_different() -> None:
    assert seeds(0, 1) == seeds(0, 1)
    assert len({value for pair in ((0, 1), (1, 0), (0, 2)) for value in seeds(*pair)}) == 6


# What is trained on


def test_a_run_in_the_store_is_read(faces: Faces, tmp_path: Path) -> None:
    first, watch = run(spec(), faces, tmp_path), Spy()
    assert run(spec(), faces, tmp_path, watch) == first
    assert watch.titles == []


def test_a_run_that_another_process_makes_meanwhile_is_read(faces: Faces, tmp_path: Path) -> None:
    name = identity(spec(), faces)
    made = run(spec(), faces, tmp_path / "other")
    store, watch = RunStore(tmp_path), Spy()
    with store.lock(name):
        ours: list[RunRecord] = []
        thread = threading.Thread(target=lambda: ours.append(run(spec(), faces, tmp_path, watch)))
        thread.start()
        thread.join(0.3)
        assert ours == []
        (tmp_path / "other" / name).rename(tmp_path / name)
    thread.join()
    assert ours == [made]
    assert watch.titles == []


def test_test_images_change_nothing_but_their_score(faces: Faces, tmp_path: Path) -> None:
    images = faces.images.copy()
    images[faces.splits == "PublicTest"] = 7
    other = Faces(images, faces.labels, faces.splits, "other")
    first, second = run(spec(), faces, tmp_path), run(spec(), other, tmp_path)
    assert first.run_id != second.run_id
    assert weights(tmp_path, first) == weights(tmp_path, second)
    assert first.splits["PublicTest"] != second.splits["PublicTest"]


def test_every_step_has_a_full_batch_of_different_images(faces: Faces) -> None:
    rows = np.arange(41)
    fit = Fit(spec(batch=20), Examples(faces, rows, CPU), Examples(faces, rows, CPU))
    assert (fit.steps, fit.batch) == (2, 20)
    orders = [fit._plan(number).order for number in (1, 2)]
    for order in orders:
        assert order.shape == (2, 20)
        assert len(set(order.flatten().tolist())) == 40
    assert orders[0].tolist() != orders[1].tolist()


def test_fewer_images_than_a_batch_are_one_batch(faces: Faces, tmp_path: Path) -> None:
    record = run(spec(batch=1000, data=DataSpec(train_images=77)), faces, tmp_path)
    assert record.status == "done"
    assert record.data.train_images == 69


# The recipe


def test_it_learns_what_can_be_learned(faces: Faces, tmp_path: Path) -> None:
    record = run(spec(epochs=15, batch=10), faces, tmp_path)
    assert record.history[-1].train_loss < record.history[0].train_loss / 2
    assert record.history[-1].train_accuracy > 0.6
    accuracy = record.accuracy("PublicTest")
    assert accuracy is not None
    assert accuracy > 0.6


@pytest.mark.parametrize(
    "recipe",
    [
        {"optimizer": "adamw", "weight_decay": 0.1, "schedule": "cosine"},
        {"optimizer": "sgd", "rate": 0.05, "schedule": "constant"},
        {"optimizer": "sgd", "rate": 0.05, "momentum": 0.0, "weight_decay": 1e-3},
        {"label_smoothing": 0.2},
        {"initial": "torch"},
        {"first_side": 24},
    ],
)
def test_recipes_differ_in_what_they_make(
    faces: Faces, tmp_path: Path, recipe: dict[str, Any]
) -> None:
    plain, other = run(spec(), faces, tmp_path), run(spec(**recipe), faces, tmp_path)
    assert other.status == "done"
    assert weights(tmp_path, plain) != weights(tmp_path, other)


def test_an_epochs_rate_is_that_of_its_last_step(faces: Faces, tmp_path: Path) -> None:
    task = spec(schedule="cosine")
    record = run(task, faces, tmp_path)
    assert [e.rate for e in record.history] == [rate_at(task.train, x / 12) for x in (5, 11)]


# When it goes wrong


def test_divergence_is_recorded_and_not_tried_again(faces: Faces, tmp_path: Path) -> None:
    task, watch = spec(optimizer="sgd", rate=1e6, schedule="constant"), Spy()
    record = run(task, faces, tmp_path, watch)
    assert record.status == "diverged"
    assert "loss of epoch 1 is not finite" in record.message
    assert (record.splits, record.file_bytes, record.history) == ({}, None, ())
    assert record.accuracy("PublicTest") is None
    assert watch.outcomes[0].startswith("diverged")
    assert [path.name for path in (tmp_path / record.run_id).iterdir()] == ["record.json"]
    assert list((tmp_path / ".checkpoints").iterdir()) == []
    again = Spy()
    assert run(task, faces, tmp_path, again) == record
    assert again.titles == []


def test_an_unknown_device_is_a_clear_error(faces: Faces, tmp_path: Path) -> None:
    with pytest.raises(
        device.DeviceError, match=r"expected auto or what torch finds here \(.*cpu\), found 'tpu'"
    ):
        train.run(spec(), faces, RunStore(tmp_path), device="tpu", progress=Progress())
    with pytest.raises(device.DeviceError, match="found 'cuda:99'"):
        device.choose("cuda:99")
    assert device.choose("cpu") == CPU


# What is written


def test_the_record_says_what_can_be_counted_again(faces: Faces, tmp_path: Path) -> None:
    task = spec(dtype="float32")
    record = run(task, faces, tmp_path)
    store, parts = RunStore(tmp_path), divide(faces, task.data)
    assert store.get(record.run_id) == record
    assert list(record.splits) == ["valid", "PublicTest"]
    kept = store.predictions(record.run_id)
    for name, rows in {"valid": parts.valid, **parts.tests}.items():
        said = kept[name].probabilities.argmax(1)
        np.testing.assert_array_equal(kept[name].rows, rows)
        np.testing.assert_array_equal(kept[name].labels, faces.labels[rows])
        score = record.splits[name]
        assert score.n == len(rows)
        assert score.accuracy == pytest.approx((said == faces.labels[rows]).mean(), abs=1.5 / 35)
        assert np.array(score.confusion).sum(1).tolist() == np.bincount(faces.labels[rows]).tolist()
        assert np.trace(score.confusion) / score.n == pytest.approx(score.accuracy)
        correct = score.correct()
        assert correct is not None
        assert correct.mean() == pytest.approx(score.accuracy)
        assert (correct == (said == faces.labels[rows])).sum() >= len(rows) - 1  # float16 may tie
    last = record.history[-1]
    assert record.splits["valid"].loss == last.valid_loss
    assert record.splits["valid"].accuracy == last.valid_accuracy
    cost = models.cost(TINY)
    assert (record.params_trainable, record.macs) == (cost.trainable, cost.macs)
    assert record.file_bytes == len(weights(tmp_path, record))
    assert record.weights_sha256 == hashlib.sha256(weights(tmp_path, record)).hexdigest()
    assert verify(RunStore(tmp_path), record.run_id) == Verdict(record.run_id)
    assert record.data.train_images == len(parts.train)
    assert (record.dtype, record.device) == ("float32", device.describe(CPU))
    assert record.seconds >= sum(e.seconds for e in record.history) > 0
    assert set(record.versions) == {"python", "torch", "numpy", "numba", "fercore"}


def test_kept_weights_give_the_recorded_accuracy(faces: Faces, tmp_path: Path) -> None:
    record = run(spec(augment=MOVED), faces, tmp_path)
    network = models.build(TINY)
    network.load_state_dict(safetensors.torch.load(weights(tmp_path, record)))
    examples = Examples(faces, faces.rows("PublicTest"), CPU)
    loss, accuracy = loss_and_accuracy(scores(network, examples.images), examples.labels)
    assert accuracy == record.accuracy("PublicTest")
    assert loss == pytest.approx(record.splits["PublicTest"].loss, rel=1e-4)


@pytest.mark.parametrize("most", [20, 6000])
def test_images_trained_on_are_measured_too(
    most: int, faces: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most so many, and at most a quarter of them."""
    monkeypatch.setattr(train, "SEEN", most)
    record = run(spec(), faces, tmp_path)
    network = models.build(TINY)
    network.load_state_dict(safetensors.torch.load(weights(tmp_path, record)))
    rows = divide(faces, spec().data).train
    n = min(most, len(rows) // 4)
    assert 20 < len(rows) // 4 < 6000
    first = Examples(faces, rows[:n], CPU)
    _, accuracy = loss_and_accuracy(scores(network, first.images), first.labels)
    assert record.seen is not None
    assert (record.seen.n, record.seen.accuracy) == (n, accuracy)
    assert (record.seen.repeated, record.seen.accuracy_unseen) == (n, None)


def test_repeated_images_are_counted_and_left_out(faces: Faces, tmp_path: Path) -> None:
    images, parts = faces.images.copy(), divide(faces, spec().data)
    test = parts.tests["PublicTest"]
    images[test[:5]] = images[parts.train[:5]]
    images[parts.valid[:2]] = images[parts.train[9]]
    images[parts.valid[4]] = images[parts.valid[3]]  # repeats no image that is trained on
    record = run(spec(), Faces(images, faces.labels, faces.splits, "repeats"), tmp_path)
    public, valid = record.splits["PublicTest"], record.splits["valid"]
    assert (public.repeated, valid.repeated) == (5, 2)
    kept = RunStore(tmp_path).predictions(record.run_id)["PublicTest"]
    right = kept.probabilities.argmax(1) == kept.labels
    assert public.accuracy_unseen == pytest.approx(right[5:].mean(), abs=1.5 / 30)


def test_a_split_of_repeats_alone_has_no_unseen_accuracy(faces: Faces, tmp_path: Path) -> None:
    images = faces.images.copy()
    images[140:] = images[:35]
    record = run(spec(epochs=1), Faces(images, faces.labels, faces.splits, "all"), tmp_path)
    assert record.splits["PublicTest"].accuracy_unseen is None


# Number formats


def test_auto_goes_by_what_the_hardware_can() -> None:
    cpu = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    expected = torch.bfloat16 if cpu else torch.float32
    assert device.training_dtype("auto", CPU) == expected
    assert device.training_dtype("auto", torch.device("mps")) == torch.float32
    assert device.training_dtype("bfloat16", torch.device("mps")) == torch.bfloat16
    assert device.training_dtype("float32", CPU) == torch.float32


@pytest.mark.parametrize("stride", [1, 2])
def test_strided_depthwise_convolutions_are_spared_bfloat16(stride: int) -> None:
    images = torch.rand(2, 4, 8, 8)
    network = nn.Sequential(nn.Conv2d(4, 4, 3, stride, groups=4), nn.Conv2d(4, 4, 1))
    exact = network[0](images)
    device.spare_bfloat16(network)
    with torch.autocast("cpu", torch.bfloat16):
        first = network[0](images.bfloat16())
        assert network[1](first).dtype == torch.bfloat16
    assert first.dtype == (torch.bfloat16 if stride == 1 else torch.float32)
    torch.testing.assert_close(first.float(), exact, atol=2e-2, rtol=0)
    assert not math.isnan(first.sum().item())
