"""Many runs: each made once, those in the store only read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from fercore import executors
from fercore.data.faces import Faces
from fercore.executors import Task
from fercore.progress import Progress, choose
from fercore.spec import RunSpec
from fercore.store.identity import identity
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore
from fercore.training import train


def run(
    specs: Iterable[RunSpec],
    faces: Faces,
    store: RunStore,
    *,
    executor: str = "serial",
    device: str = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
    known: Callable[[RunSpec], RunRecord | None] | None = None,
) -> list[RunRecord]:
    """Return the record of each specification, in order; train those that the store lacks.

    faces: what spec.data.source names, for every specification. executor: see
    `fercore.executors.place.ALLOWED`; other processes than this one load the faces themselves from
    there. It decides nothing about a run: with as many threads, the weights are the same bytes.
    known: finds records of these faces for what the store lacks. Equal specifications are trained
    once. A diverged run does not end the others. Interrupted at any time, the store holds what was
    finished, and the same call goes on from there.

    Raises what `train.run` raises, `ExecutorError`, `SweepError` where runs in other processes
    failed (the rest being done).
    """
    wanted = [_task(spec, faces) for spec in specs]
    unique = {task.run_id: task for task in wanted}
    records = {
        name: record
        for name, task in unique.items()
        if (record := store.get(name) or (known and known(task.spec)))
    }
    progress = progress or choose()
    progress.study(len(unique), done=len(records))
    tasks = [task for name, task in unique.items() if name not in records]
    try:
        place = executors.settle(executor, tasks, device, threads)
        if tasks and place.kind != "serial":
            from fercore.executors import cluster  # here, as a study that is read needs no Dask

            records |= cluster.train(
                tasks, store, place, device=device, threads=threads, progress=progress
            )
        else:
            for task in tasks:
                records[task.run_id] = train.run(
                    task.spec, faces, store, device=device, threads=threads, progress=progress
                )
    finally:
        progress.close()
    return [records[task.run_id] for task in wanted]


def _task(spec: RunSpec, faces: Faces) -> Task:
    drawn = spec.data.source == "synthetic"  # even where a folder is called so
    source = "synthetic" if drawn else str(Path(spec.data.source).absolute())
    return Task(identity(spec, faces), spec, source, faces.fingerprint, len(faces))
