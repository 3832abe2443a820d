"""Networks that learn what other networks say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from fercore.data.faces import Faces
from fercore.spec import DataSpec, RunSpec
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore
from fercore.training import train
from fercore.training.evaluate import scores
from fercore.training.fit import Examples, Fit
from fercore.training.teachers import TeacherError
from tests.toy import Spy, bars, spec

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def faces() -> Faces:
    return bars()


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def run(task: RunSpec, faces: Faces, store: RunStore, watch: Spy | None = None) -> RunRecord:
    return train.run(task, faces, store, device="cpu", threads=1, progress=watch or Spy())


@pytest.fixture
def teacher(faces: Faces, store: RunStore) -> str:
    return run(spec(epochs=3), faces, store).run_id


class Next(nn.Module):
    """Says the class after the one whose bar an image has, and counts what it is asked."""

    asked = 0

    def forward(self, images: Tensor) -> Tensor:
        self.asked += len(images)
        assert not torch.is_grad_enabled()
        bands = images[:, 0, 2:44].reshape(-1, 7, 6 * 48).mean(2)
        return bands.roll(1, 1) * 20


def test_what_the_teacher_says_is_learned_and_not_the_label(faces: Faces) -> None:
    images, teacher = Examples(faces, np.arange(140), CPU), Next()
    student = Fit(spec(epochs=12), images, images, [teacher])
    epochs = [student.epoch(lambda: None) for _ in range(12)]
    said = scores(student.network, images.images).argmax(1)
    assert (said == (images.labels + 1) % 7).float().mean() > 0.5  # by chance 0.14
    assert epochs[-1].train_accuracy < 0.1  # which is of labels
    assert teacher.asked == 12 * 140


def test_several_teachers_are_heard_alike(faces: Faces) -> None:
    images = Examples(faces, np.arange(140), CPU)
    once, twice = (Fit(spec(seed=seed), images, images) for seed in (1, 2))
    student = Fit(spec(), images, images, [once.network.eval(), twice.network.eval()])
    grey = torch.rand(4, 1, 48, 48)
    shares = [fit.network(grey).softmax(1) for fit in (once, twice)]
    torch.testing.assert_close(student._taught(grey), (shares[0] + shares[1]) / 2)


def test_a_student_is_a_run_of_its_own(faces: Faces, store: RunStore, teacher: str) -> None:
    taught = run(spec(teachers=(teacher,)), faces, store)
    alone = run(spec(), faces, store)
    assert taught.run_id != alone.run_id
    assert taught.spec.train.teachers == (teacher,)
    assert taught.history[0].train_loss != alone.history[0].train_loss


@pytest.mark.parametrize("stop", [Spy(stop_after_epochs=1), Spy(stop_after_steps=9)])
def test_an_interrupted_student_goes_on(
    faces: Faces, tmp_path: Path, store: RunStore, teacher: str, stop: Spy
) -> None:
    task = spec(epochs=3, teachers=(teacher,))
    with pytest.raises(KeyboardInterrupt):
        run(task, faces, store, stop)
    resumed = run(task, faces, store)
    other = RunStore(tmp_path / "other")
    run(spec(epochs=3), faces, other)
    assert resumed.weights_sha256 == run(task, faces, other).weights_sha256


def untaught(faces: Faces, store: RunStore) -> Iterator[tuple[RunSpec, str]]:
    absent = "0123456789ab"
    yield spec(teachers=(absent,)), f"teacher {absent}: no weights '{absent}'"
    elsewhere = run(spec(data=DataSpec(split_seed=1)), faces, store).run_id
    yield spec(teachers=(elsewhere,)), f"teacher {elsewhere}: expected the faces and the split"
    broken = run(spec(rate=1e30, optimizer="sgd"), faces, store)
    assert broken.status == "diverged"
    yield spec(teachers=(broken.run_id,)), "a run that diverged has no weights"
    strange = run(spec(), bars(seed=1), store).run_id
    yield spec(teachers=(strange,)), f"teacher {strange}: expected the faces and the split"


def test_a_teacher_that_cannot_teach_is_named(faces: Faces, store: RunStore) -> None:
    for task, message in untaught(faces, store):
        before = store.ids()
        with pytest.raises(TeacherError, match=message):
            run(task, faces, store)
        assert store.ids() == before


def test_a_teacher_may_have_read_its_faces_elsewhere(
    faces: Faces, store: RunStore, teacher: str
) -> None:
    moved = DataSpec(source="/elsewhere/bars")
    assert run(spec(data=moved, teachers=(teacher,)), faces, store).status == "done"


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"teachers": ("0123456789ab",), "first_side": 24}, "expected 48, found 24"),
        ({"teachers": ("a-cnn-219k",)}, "should match pattern"),
    ],
)
def test_a_recipe_that_has_no_sense_is_refused(recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        spec(**recipe)
