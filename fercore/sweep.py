"""Many runs: each made once, those in the store only read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fercore import executors, train
from fercore.data.faces import Faces
from fercore.elsewhere import Elsewhere
from fercore.executors import Task
from fercore.progress import Progress, choose
from fercore.record import RunRecord
from fercore.runs import RunStore
from fercore.spec import RunSpec


def run(
    specs: Iterable[RunSpec],
    faces: Faces | Mapping[str, Faces],
    store: RunStore,
    *,
    executor: str = "serial",
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
    elsewhere: Elsewhere | None = None,
) -> list[RunRecord]:
    """Return the record of each specification, in order; train those that the store lacks.

    faces: those of every specification, or one `Faces` for each spec.data.source. executor: see
    `fercore.executors.place.ALLOWED`; other processes than this one load the faces themselves from
    spec.data.source. It decides nothing about a run: with as many threads, the weights are
    the same bytes. elsewhere: records of these faces, for what the store lacks. Equal
    specifications are trained once. A diverged run does not end the others. Interrupted at any
    time, the store holds what was finished, and the same call goes on from there.

    Raises what `fercore.train.run` raises, `ExecutorError`, `SweepError` where runs in other
    processes failed (the rest being done), KeyError for a source without faces.
    """
    wanted: dict[str, tuple[Task, Faces]] = {}
    names: list[str] = []
    for spec in specs:
        own = faces if isinstance(faces, Faces) else faces[spec.data.source]
        names.append(train.identity(spec, own))
        wanted.setdefault(names[-1], (_task(names[-1], spec, own), own))
    records = {
        name: record
        for name, (task, own) in wanted.items()
        if (record := store.get(name) or _record(elsewhere, task.spec, own))
    }
    progress = progress or choose()
    progress.study(len(wanted), done=len(records))
    missing = [pair for name, pair in wanted.items() if name not in records]
    tasks = [task for task, _ in missing]
    try:
        place = executors.settle(executor, tasks, device, threads)
        if missing and place.kind != "serial":
            from fercore.executors import cluster  # here, as a study that is read needs no Dask

            records |= cluster.train(
                tasks, store, place, device=device, threads=threads, progress=progress
            )
        else:
            for task, own in missing:
                records[task.run_id] = train.run(
                    task.spec, own, store, device=device, threads=threads, progress=progress
                )
    finally:
        progress.close()
    return [records[name] for name in names]


def _record(elsewhere: Elsewhere | None, spec: RunSpec, faces: Faces) -> RunRecord | None:
    return elsewhere.get(spec) if elsewhere and elsewhere.faces is faces else None


def _task(name: str, spec: RunSpec, faces: Faces) -> Task:
    path = Path(spec.data.source)
    source = str(path.absolute()) if path.exists() else spec.data.source
    return Task(name, spec, source, faces.fingerprint, len(faces.labels))
