"""What a worker does: load the faces once, make the run, say how far it is."""

from __future__ import annotations

import socket
import time
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from distributed import get_worker

from fercore.data import DataError, Faces, load
from fercore.executors.place import Task
from fercore.progress import Progress
from fercore.store.identity import identity
from fercore.store.runs import RunStore, StoreError
from fercore.training import train

PAUSE = 1.0
"""Seconds between two messages of one run, at least."""


class Job(NamedTuple):
    """What all runs of a sweep share. store: absolute; seal: of it; topic: of Dask's events.

    devices: of several, the workers of this machine take turns.
    """

    store: str
    seal: str
    devices: tuple[str, ...]
    threads: int | None
    topic: str


def make(task: Task, job: Job) -> None:
    """Make a run, if no other process was faster; its record is in the store then."""
    where = f"worker on {socket.gethostname()}"
    if not (Path(job.store) / job.seal).exists():
        raise StoreError(
            f"{where}: the run store {job.store} is not the one of the study; all machines of a "
            "cluster must see one shared folder under the same path"
        )
    faces = _faces(task.source, task.fingerprint, where)
    if (name := identity(task.spec, faces)) != task.run_id:
        raise StoreError(
            f"{where}: expected run {task.run_id}, found {name}: its fercore is not the study's"
        )
    told, store = _Told(task.run_id, job.topic), RunStore(job.store)
    train.run(task.spec, faces, store, device=_device(job), threads=job.threads, progress=told)


def _device(job: Job) -> str:
    """Dask numbers the workers of a local cluster from 0; one started anew keeps its number."""
    if len(job.devices) == 1:
        return job.devices[0]
    return job.devices[int(get_worker().name) % len(job.devices)]


@lru_cache(maxsize=2)
def _faces(source: str, fingerprint: str, where: str) -> Faces:
    """Once per process: faces are far too large to travel with every run."""
    faces = load(source)
    if faces.fingerprint != fingerprint:
        raise DataError(
            f"{where}: {source}: expected the study's faces with fingerprint {fingerprint}, "
            f"found {faces.fingerprint}"
        )
    return faces


class _Told(Progress):
    """Passes on what share of the run is done."""

    def __init__(self, run_id: str, topic: str) -> None:
        self._run_id, self._topic = run_id, topic
        self._spoke = 0.0

    def run(self, title: str, epochs: int, steps: int, done: int = 0) -> None:
        self._all, self._done = epochs * steps, done
        self._say()

    def step(self) -> None:
        self._done += 1
        if time.monotonic() - self._spoke > PAUSE:
            self._say()

    def _say(self) -> None:
        self._spoke = time.monotonic()
        get_worker().log_event(self._topic, (self._run_id, self._done / self._all))
