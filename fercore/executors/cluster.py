"""Hands runs to Dask's workers and collects their records."""

from __future__ import annotations

import json
import math
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from urllib.request import urlopen

import dask
import psutil
import torch
from distributed import Client, Future, LocalCluster
from distributed.scheduler import KilledWorker

from fercore.executors import settings
from fercore.executors.place import ExecutorError, Place, Task, scheduler_file
from fercore.executors.worker import Job, make
from fercore.progress import Progress
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore
from fercore.training import device as devices

TIMEOUT = 30
"""Seconds to wait for a scheduler."""
LOST = (
    "the Dask scheduler cannot be reached any more; finished runs are in the store, and the others "
    "go on from their last epoch when they are asked for again"
)
DIED = (
    "the process that trained it died again and again. The usual reason is too little memory: try "
    "fewer workers or a smaller BATCH"
)
CLOSING = 15
"""Seconds for a local cluster to close."""
PATIENCE, LIMIT = 10.0, 120.0
"""Seconds without any worker until that is said, and until local ones are given up."""
STRANDED = "no worker process could be started again; finished runs are in the store"


class SweepError(RuntimeError):
    """Some runs could not be made: the message names them; the others are in the store."""


def train(
    tasks: Iterable[Task],
    store: RunStore,
    place: Place,
    *,
    device: str,
    threads: int | None,
    progress: Progress,
) -> dict[str, RunRecord]:
    """Make runs on the workers of `place`, the longest first; by run id.

    A run whose worker died is tried again; one that fails does not end the others. Raises
    `SweepError` at the end for those that failed, `ExecutorError` if no scheduler answers or no
    worker can be started.
    """
    threads = threads or torch.get_num_threads()
    seal = store.seal()
    with connect(place, threads) as client:
        if place.kind == "cluster" and _answers(client.dashboard_link):
            progress.note(f"Dask's dashboard: {client.dashboard_link}")
        topic = f"fercore-{uuid.uuid4().hex}"
        local = place.kind == "local"
        shared = devices.several(device) if local else (device,)
        job = Job(str(store.root.absolute()), seal, shared, threads, topic)
        sweep = Sweep(client, tasks, progress, topic)
        sweep.limit = LIMIT if local else math.inf  # a cluster's may come later
        return sweep.run(make, job, lambda task: _made(store, task))


@contextmanager
def connect(place: Place, threads: int) -> Iterator[Client]:
    """A client of the scheduler at `place`; a local cluster is started and stopped."""
    if place.kind == "cluster":
        with _reach(place.address) as client:
            yield client
        return
    with dask.config.set(settings.config(threads)):
        cluster = _local(place.workers)
        try:
            with Client(cluster) as client:
                yield client
        finally:
            _stop(cluster)


def _local(workers: int) -> LocalCluster:
    try:
        return LocalCluster(**settings.local(workers))
    except RuntimeError as error:
        raise ExecutorError(
            f"EXECUTOR=local:{workers}: the workers ended before they began: {error} In a script, "
            'fercore belongs under `if __name__ == "__main__":`; else try EXECUTOR=serial'
        ) from error


def _stop(cluster: LocalCluster) -> None:
    """In any state: Dask waits without end for a worker that dies while it is started anew."""
    nannies = list(cluster.workers.values())
    with suppress(TimeoutError):
        cluster.close(timeout=CLOSING)
    for nanny in nannies:
        if nanny.pid:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(nanny.pid).kill()


def _reach(text: str) -> Client:
    address = _address(text)
    try:
        return Client(address, timeout=TIMEOUT)
    except Exception as error:  # Dask raises what it likes where TLS is not as it expects
        fault = str(error) or type(error).__name__
        raise ExecutorError(
            f"EXECUTOR={text}: expected a Dask scheduler, none answers: {fault}"
        ) from None


def _address(text: str) -> str:
    """A scheduler's own, or the one in its file."""
    file = scheduler_file(text)
    if not file:
        return text
    if not file.is_file():
        raise ExecutorError(f"EXECUTOR={text}: there is no file {file.absolute()}")
    try:
        return str(json.loads(file.read_bytes())["address"])
    except (OSError, ValueError, LookupError, TypeError):
        raise ExecutorError(
            f"EXECUTOR={text}: expected the file of a Dask scheduler, with its address, "
            f"found another in {file.absolute()}"
        ) from None


def _answers(link: str | None) -> bool:
    """Is there a page? Dask names one even where the dashboard is off, or another answers."""
    if not link:
        return False
    try:
        with urlopen(link, timeout=2):
            return True
    except (OSError, HTTPException, ValueError):
        return False


def _made(store: RunStore, task: Task) -> tuple[RunRecord, str]:
    """From the store, not from the worker, which may be dead by now."""
    record = store.check(task.run_id)
    return record, record.outcome


class _Running(NamedTuple):
    task: Task
    began: float


class Sweep:
    """Runs to do and under way. Everything that happens comes through one queue, to one thread."""

    def __init__(
        self, client: Client, tasks: Iterable[Task], progress: Progress, topic: str
    ) -> None:
        self.client, self.progress, self.topic = client, progress, topic
        self.todo = deque(sorted(tasks, key=lambda task: -task.work))
        self.running: dict[Future[Any], _Running] = {}
        self.shares: dict[str, float] = {}
        self.records: dict[str, Any] = {}
        self.failed: dict[str, str] = {}
        self.limit = math.inf
        self._asked, self._found = -math.inf, 0
        self._seen, self._said = time.monotonic(), False
        self._told: SimpleQueue[Future[Any] | tuple[str, float]] = SimpleQueue()

    def run(
        self,
        work: Callable[[Task, Any], None],
        job: Any,
        collect: Callable[[Task], tuple[Any, str]],
    ) -> dict[str, Any]:
        """Have workers do `work`, and `collect` what came of each task: a record and its outcome.

        Raises `SweepError`.
        """
        self.client.subscribe_topic(self.topic, lambda event: self._told.put(event[1]))
        while self.running or self.todo:
            self._fill(work, job)
            told = self._listen()
            ended = [(one, self.running.pop(one)) for one in told if isinstance(one, Future)]
            self._fill(work, job)  # first: collecting takes a while, and workers wait
            for future, run in ended:
                self._ended(future, run, collect)
            self.shares |= dict(one for one in told if not isinstance(one, Future))
            self._show()
        if self.failed:
            raise SweepError(_failures(self.failed))
        return self.records

    def _fill(self, work: Callable[..., Any], job: Any) -> None:
        """Hand out no more runs than there are workers.

        So the longest of what is left always goes to the first free worker, workers that come
        later get their share, and no run waits on a worker that dies of another.
        """
        free = self._workers() - len(self.running)
        while self.todo and free > 0:
            task = self.todo.popleft()
            # As one group, for which Dask looks for a free worker; else it guesses durations. Never
            # name a worker: the run would wait for that one, should all die at once.
            future = self.client.submit(work, task, job, key=(self.topic, task.run_id))
            self.running[future] = _Running(task, time.monotonic())
            future.add_done_callback(self._told.put)
            free -= 1

    def _workers(self) -> int:
        """How many runs can be under way; says so if that is none for long, and gives up."""
        now = time.monotonic()
        if now - self._asked < 1:
            return self._found
        try:
            self._asked, self._found = now, sum(self.client.nthreads().values())
        except OSError:
            raise SweepError(LOST) from None
        self._seen = now if self._found else self._seen
        if now - self._seen > self.limit:
            raise SweepError(STRANDED)
        if now - self._seen > PATIENCE and not self._said:
            self.progress.note("there are no workers; waiting for them")
            self._said = True
        return self._found

    def _listen(self) -> list[Future[Any] | tuple[str, float]]:
        """Everything that was told since: runs that ended, and shares that are done."""
        told = []
        with suppress(Empty):
            told.append(self._told.get(timeout=1))
            while True:
                told.append(self._told.get_nowait())
        return told

    def _ended(
        self,
        future: Future[Any],
        run: _Running,
        collect: Callable[[Task], tuple[Any, str]],
    ) -> None:
        """A run is made, or its worker died once too often, or the work raised."""
        task, began = run
        if future.status == "cancelled":
            raise SweepError(LOST)
        try:
            if future.status == "error":
                raise future.exception()
            self.records[task.run_id], outcome = collect(task)
        except Exception as error:
            died = isinstance(error, KilledWorker)
            self.failed[task.title] = DIED if died else f"{type(error).__name__}: {error}"
            outcome = f"failed: {self.failed[task.title]}"
        self.progress.ended(task.title, outcome, time.monotonic() - began)

    def _show(self) -> None:
        under_way = (run.task for run in self.running.values())
        shares = {task.title: self.shares.get(task.run_id, 0.0) for task in under_way}
        self.progress.elsewhere(shares)


def _failures(failed: Mapping[str, str]) -> str:
    """One line per reason, with the runs that it ended."""
    lines = [
        f"{', '.join(title for title in failed if failed[title] == reason)}: {reason}"
        for reason in dict.fromkeys(failed.values())
    ]
    count = "1 run" if len(failed) == 1 else f"{len(failed)} runs"
    return f"{count} failed, the others are in the store:\n" + "\n".join(lines)
