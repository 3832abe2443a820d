"""What more workers are worth: `python benchmarks/scaling.py [runs | overhead]`.

runs      small networks trained by one process, by one worker and by two; runs per hour with
          starting and stopping the workers, and without. Needs a quiet machine with two cores.
overhead  runs that only sleep, on 1, 16 and 64 workers: what handing out runs and hearing of them
          costs. The workers are threads of one process, so that one core can play them all; each
          speaks to the scheduler as a process would. A real cluster adds its network.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import dask
from distributed import Client, LocalCluster

from fercore import data, sweep
from fercore.executors import Task, settings
from fercore.executors.cluster import Sweep
from fercore.models import nearest
from fercore.progress import Progress
from fercore.spec import DataSpec, RunSpec, TrainSpec
from fercore.store.runs import RunStore

BUDGETS, SEEDS, EPOCHS, IMAGES = (10_000, 20_000), range(4), 4, 1_000
SECONDS = 10.0
"""Of one sleeping run."""
EACH = {1: 6, 16: 80, 64: 2_000}
"""Sleeping runs by number of workers."""


def studies() -> list[RunSpec]:
    """Both families at two sizes with four seeds: 16 runs of some seconds each."""
    return [
        RunSpec(
            data=DataSpec(train_images=IMAGES),
            model=nearest(family, budget),
            train=TrainSpec(epochs=EPOCHS),
            seed=seed,
        )
        for family in ("mobilenet", "cnn")
        for budget in BUDGETS
        for seed in SEEDS
    ]


def runs() -> None:
    """Runs per hour with one process and with workers."""
    specs, faces = studies(), data.load("synthetic")
    print(f"{len(specs)} runs, {len(os.sched_getaffinity(0))} cores")
    print(f"{'executor':10}{'seconds':>9}{'runs/hour':>11}{'in training':>13}")
    for executor in ("serial", "local:1", "local:2"):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            records = sweep.run(
                specs,
                faces,
                RunStore(folder),
                executor=executor,
                device="cpu",
                threads=1,
                progress=Progress(),
            )
            seconds = time.perf_counter() - began
        busy = sum(record.seconds for record in records)
        hourly = 3600 * len(specs) / seconds
        print(f"{executor:10}{seconds:9.1f}{hourly:11.0f}{busy:11.1f} s", flush=True)


class Sleep(NamedTuple):
    """What a sleeping run is told; it says how far it is, as a run does."""

    topic: str
    seconds: float


def sleep(task: Task, job: Sleep) -> None:
    """Stands in for a run: it says once a second how far it is."""
    from distributed import get_worker

    for second in range(int(job.seconds)):
        get_worker().log_event(job.topic, (task.run_id, second / job.seconds))
        time.sleep(1)


def overhead() -> None:
    """Share of the workers' time that is spent in runs, by number of workers."""
    print(f"{'workers':>7}{'runs':>7}{'seconds':>9}{'efficiency':>12}")
    one = RunSpec(model=nearest("cnn", BUDGETS[0]))
    for workers, count in EACH.items():
        tasks = [Task(f"{i:012x}", one, "synthetic", "", 1) for i in range(count)]
        local = settings.local(workers) | {"processes": False, "protocol": "tcp"}
        with (
            dask.config.set(settings.config(1)),
            LocalCluster(**local) as cluster,
            Client(cluster) as client,
        ):
            began = time.perf_counter()
            Sweep(client, tasks, Progress(), "sleep").run(
                sleep, Sleep("sleep", SECONDS), lambda task: (None, "slept")
            )
            seconds = time.perf_counter() - began
        ideal = -(-count // workers) * SECONDS  # the last round may be shared by few
        print(f"{workers:7}{count:7,}{seconds:9.1f}{ideal / seconds:12.1%}", flush=True)


def main() -> None:
    """Both, or the one that is asked for."""
    ways = {"runs": runs, "overhead": overhead}
    os.environ.setdefault("FERCORE_CACHE", str(Path(tempfile.gettempdir()) / "fercore-benchmark"))
    for name in sys.argv[1:] or ways:
        ways[name]()


if __name__ == "__main__":
    main()
