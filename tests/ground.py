"""Studies in processes of their own, to be disturbed by `tests.torture`. Needs fork."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from fercore import data, models, sweep
from fercore.data import Faces
from fercore.executors import Task, cluster
from fercore.executors.worker import Job, make
from fercore.progress import Progress
from fercore.spec import DataSpec, RunSpec
from fercore.store.runs import RunStore
from fercore.training.fit import Fit
from fercore.training.recipe import optimizer
from tests.face_files import csv_text
from tests.outcome import Outcome, losses
from tests.toy import bars, spec

RUNS, EPOCHS, STEPS, WORKERS = 3, 6, 6, 2
ROOT = Path(__file__).parents[1]
LOGS = "FERCORE_TORTURE"
"""Environment variable: the folder in which begun epochs and steps are counted."""
KILL = "kill"
SMALL = 4_096_000
"""Bytes of the disk that is filled."""
DEADLY = "FERCORE_TORTURE_DEADLY"
"""Environment variable: seed of the run that kills every worker that begins it."""
FORK = multiprocessing.get_context("fork")


def log_of(store: str | Path) -> Path:
    """A line for each epoch and each step that was begun in this store, and for each kill."""
    return Path(os.environ[LOGS], f"{Path(store).name}.log")


def note(log: Path, line: str) -> None:
    """Add a line."""
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def count(log: Path) -> None:
    """From now on, each epoch and each step that this process begins is a line in `log`."""

    def logged(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def begin(fit: Fit, *given: Any) -> Any:
            note(log, f"{name} {fit.seed} {fit.done if name == '_step' else len(fit.history)}")
            return plain(fit, *given)

        return begin

    for name in ("epoch", "_step"):
        setattr(Fit, name, logged(name, getattr(Fit, name)))


def counted(task: Task, job: Job) -> None:
    """What a worker does, counted."""
    if os.environ.get(DEADLY) == str(task.spec.seed):
        os._exit(1)
    if Fit.epoch.__module__ != __name__:
        count(log_of(job.store))
    make(task, job)


def specs(source: Path) -> list[RunSpec]:
    """The runs of a study on these faces."""
    where = DataSpec(source=str(source))
    return [spec(seed=seed, data=where, epochs=EPOCHS) for seed in range(RUNS)]


def study(runs: list[RunSpec], faces: Faces, store: RunStore, executor: str) -> None:
    """Ask for all of them, counted."""
    count(log_of(store.root))
    cluster.make = counted  # type: ignore[attr-defined]
    how: dict[str, Any] = {"executor": executor, "device": "cpu", "threads": 1}
    sweep.run(runs, faces, store, **how, progress=Progress())


class Ground:
    """A folder with faces, and the weights that undisturbed runs on them end with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        os.environ[LOGS] = str(folder)
        self.source = folder / "fer2013.csv"
        self.source.write_text(csv_text(bars()), "utf-8")
        self.faces = data.load(self.source)
        self.specs = specs(self.source)
        # Here, as it imports for seconds what each child would import else before it trains.
        optimizer(models.build(self.specs[0].model), self.specs[0].train)
        began = time.monotonic()
        self.expected = weights(self.finished(self.store()))
        self.seconds = time.monotonic() - began

    def store(self, below: Path | None = None) -> RunStore:
        """A new one."""
        return RunStore((below or self.folder) / uuid.uuid4().hex)

    def start(
        self, store: RunStore, executor: str = "serial", first: Callable[[], Any] = time.monotonic
    ) -> Any:
        """A study in a process, and a session, of its own, which does `first` before anything."""

        def work() -> None:
            first()
            study(self.specs, self.faces, store, executor)

        return self.fork(store, work)

    def fork(self, store: RunStore, work: Callable[[], Any]) -> Any:
        """Do this in a process of its own; what it ends with is the store's `error`."""

        def child() -> None:
            os.setsid()
            try:
                work()
            except Exception as error:
                said = log_of(store.root).with_suffix(".error")
                said.write_text(f"{type(error).__name__}: {error}")
                sys.exit(1)

        started = FORK.Process(target=child)
        started.start()
        return started

    def error(self, store: RunStore) -> str:
        """What a study on this store ended with; empty if it ended well."""
        path = log_of(store.root).with_suffix(".error")
        return path.read_text() if path.exists() else ""

    def finished(self, store: RunStore) -> RunStore:
        """Ask for all runs again, undisturbed."""
        child = self.start(store)
        child.join()
        assert child.exitcode == 0, self.error(store)
        return store

    def begun(self, store: RunStore, what: str = "epoch") -> int:
        """Epochs, or steps, that were begun in this store so far."""
        return len(self.log(store, what))

    def log(self, store: RunStore, what: str = "") -> list[str]:
        """What has happened in this store so far: all lines, or those of one kind."""
        log = log_of(store.root)
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        return [line for line in lines if line.startswith(what)]

    def wait(self, child: Any, store: RunStore, count: int, what: str = "epoch") -> None:
        """Until so many have been begun."""
        while self.begun(store, what) < count:
            assert child.is_alive(), self.error(store)
            time.sleep(0.01)

    def kill(self, child: Any, store: RunStore, steps: int) -> None:
        """Kill a study at any moment of the epoch's time after it has begun so many steps more."""
        self.wait(child, store, self.begun(store, "_step") + steps, "_step")
        time.sleep(random.uniform(0, self.seconds / RUNS / EPOCHS))
        self.strike(child, store, child.kill)
        child.join()
        assert child.exitcode == -signal.SIGKILL, "the study ended before it was killed"

    def strike(self, child: Any, store: RunStore, kill: Callable[[], Any]) -> None:
        """Do this to a study that trains: has begun an epoch since the last time, and lives."""
        assert child.is_alive(), self.error(store)
        kill()
        assert self.log(store)[-1:] not in ([], [KILL]), "nothing had begun"
        note(log_of(store.root), KILL)

    def judge(self, store: RunStore, allowed: int, what: str = "epoch", each: int = 1) -> Outcome:
        """Finish the study, look at what came out, and ask once more.

        what: is counted as lost. allowed: in all; each: by one run at a time.
        """
        same = weights(self.finished(store)) == self.expected
        begun = self.begun(store, what)
        repeated = self.begun(self.finished(store), what) - begun
        needed = RUNS * EPOCHS * (STEPS if what == "_step" else 1)
        little = max(losses(self.log(store, what)), default=0) <= each
        kept, kills = same and not repeated and little, self.begun(store, KILL)
        return Outcome(1, int(kept), begun - needed, allowed, kills)


def weights(store: RunStore) -> dict[str, str]:
    """By run: a hash of its weights."""
    names = {run: store.folder(run) / "weights.safetensors" for run in store.ids()}
    return {run: hashlib.sha256(path.read_bytes()).hexdigest() for run, path in names.items()}


def workers_of(child: Any) -> list[psutil.Process]:
    """The processes that train for a study."""
    found = []
    for one in psutil.Process(child.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may just have ended
            if "spawn_main" in " ".join(one.cmdline()):
                found.append(one)
    return found


def small_files(size: int) -> Callable[[], None]:
    """Has the system refuse to write more than `size` bytes into a file, as a full disk does."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A little memory as a disk, or None where that is not allowed."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def lock(root: Path, folders: int, others: int) -> None:
    """Give everything in a folder these permissions."""
    for path in (root, *root.rglob("*")):
        path.chmod(folders if path.is_dir() else others)


def as_nobody() -> None:
    """Root may write anywhere."""
    if not os.getuid():
        os.setuid(65534)


@contextlib.contextmanager
def a_cluster(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Scheduler and workers as docs/cluster.md starts them: the scheduler, and its file."""
    file = folder / f"scheduler-{uuid.uuid4().hex[:8]}.json"
    here = {**os.environ, "PYTHONPATH": str(ROOT)}

    here["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    common = ("--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard")

    def start(*command: str) -> subprocess.Popen[bytes]:
        nothing: Any = subprocess.DEVNULL
        return subprocess.Popen([*command, *common], env=here, stdout=nothing, stderr=nothing)

    scheduler = start("bash", str(ROOT / "docs" / "cluster" / "scheduler.sh"), "--port", "0")
    workers = start("dask", "worker", "--nworkers", str(WORKERS), "--nthreads", "1")
    try:
        while not file.exists() or not file.stat().st_size:
            time.sleep(0.1)
        yield scheduler, file
    finally:
        family = psutil.Process(workers.pid).children(recursive=True)
        for process in (scheduler, workers, *family):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        scheduler.wait()
        workers.wait()
