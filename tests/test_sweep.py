from __future__ import annotations

from pathlib import Path

import pytest

from fercore import sweep
from fercore.data.faces import Faces
from fercore.spec import DataSpec
from fercore.store.identity import identity
from fercore.store.runs import RunStore
from tests.toy import Spy, bars, spec


@pytest.fixture(scope="module")
def faces() -> Faces:
    return bars()


def test_each_run_is_made_once_and_the_order_is_kept(faces: Faces, tmp_path: Path) -> None:
    store, watch = RunStore(tmp_path), Spy()
    a, b = spec(seed=0, epochs=1), spec(seed=1, epochs=1)
    records = sweep.run([b, a, b, a], faces, store, progress=watch)
    assert [record.spec.seed for record in records] == [1, 0, 1, 0]
    assert (watch.total, len(watch.titles), watch.closed) == ((2, 0), 2, 1)
    assert store.ids() == sorted({record.run_id for record in records})


def test_what_is_done_is_read(faces: Faces, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    tasks = [spec(seed=seed, epochs=1) for seed in range(3)]
    first = sweep.run(tasks[:2], faces, store, progress=Spy())
    watch = Spy()
    assert sweep.run(tasks, faces, store, progress=watch)[:2] == first
    assert watch.total == (3, 2)
    assert len(watch.titles) == 1
    silent = Spy()
    sweep.run(tasks, faces, store, progress=silent)
    assert (silent.steps, silent.total) == (0, (3, 3))


def test_an_interrupted_sweep_keeps_what_is_done_and_goes_on(faces: Faces, tmp_path: Path) -> None:
    store, tasks = RunStore(tmp_path), [spec(seed=seed) for seed in range(2)]
    stopped = Spy(stop_after_epochs=3)  # the second run's first
    with pytest.raises(KeyboardInterrupt):
        sweep.run(tasks, faces, store, progress=stopped)
    assert stopped.closed == 1
    assert store.ids() == [identity(tasks[0], faces)]
    rest = Spy()
    records = sweep.run(tasks, faces, store, progress=rest)
    assert [record.status for record in records] == ["done", "done"]
    assert rest.epochs == 1


def test_other_processes_find_the_faces_from_any_folder(
    faces: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("synthetic", "faces"):
        (tmp_path / name).mkdir()  # a folder of that name is not what "synthetic" means
    tasks = [sweep._task(spec(data=DataSpec(source=s)), faces) for s in ("synthetic", "faces")]
    assert [task.source for task in tasks] == ["synthetic", str(tmp_path / "faces")]


def test_a_diverged_run_does_not_end_the_others(faces: Faces, tmp_path: Path) -> None:
    wild = spec(optimizer="sgd", rate=1e6, schedule="constant")
    records = sweep.run([wild, spec(epochs=1)], faces, RunStore(tmp_path), progress=Spy())
    assert [record.status for record in records] == ["diverged", "done"]
