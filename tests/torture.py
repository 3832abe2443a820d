"""Faults done to real studies: `make torture`, or `python -m tests.torture [fault ...]`.

Each study trains a few tiny runs in processes of its own, is disturbed, and is asked for again
until it is done. It has survived if all weights are the bytes of a study that nothing disturbed,
and another request trains nothing. Lost work is epochs (or batches) begun more than once.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch

from fercore.store.runs import RunStore
from fercore.training.checkpoint import MINUTES
from tests.ground import (
    DEADLY,
    EPOCHS,
    RUNS,
    SMALL,
    STEPS,
    WORKERS,
    Ground,
    a_cluster,
    as_nobody,
    lock,
    small_disk,
    small_files,
    workers_of,
)
from tests.kernel import kernel_killed
from tests.outcome import Outcome, total

Fault = Callable[[Ground], Outcome]
# Processes that die


def run_killed(ground: Ground) -> Outcome:
    """At any moment of training; the last epochs are left out, as it must not end before."""
    store = ground.store()
    ground.kill(ground.start(store), store, random.randrange(1, STEPS * (RUNS * EPOCHS - 3)))
    return ground.judge(store, allowed=1)


def killed_again_and_again(ground: Ground) -> Outcome:
    """Twelve times in one study, each time within the first two or three epochs that it makes."""
    store = ground.store()
    for _ in range(12):
        ground.kill(ground.start(store), store, random.randint(1, STEPS))
    return ground.judge(store, allowed=12)


def killed_within_an_epoch(ground: Ground) -> Outcome:
    """At any batch but an epoch's first, with a save after each: one batch of work is lost."""
    store = ground.store()
    os.environ[MINUTES] = "0"
    child = ground.start(store)
    del os.environ[MINUTES]
    epochs, within = random.randrange(RUNS * EPOCHS), random.randint(2, STEPS)
    ground.wait(child, store, STEPS * epochs + within, "_step")
    ground.strike(child, store, child.kill)
    child.join()
    return ground.judge(store, allowed=1, what="_step")


def worker_killed(ground: Ground) -> Outcome:
    """One of two; the study goes on by itself."""
    store = ground.store()
    child = ground.start(store, f"local:{WORKERS}")
    ground.wait(child, store, random.randint(2, EPOCHS))
    ground.strike(child, store, random.choice(workers_of(child)).kill)
    child.join()
    done = child.exitcode == 0 and len(store.ids()) == RUNS
    return ground.judge(store, allowed=1).only_if(done)


def deadly_run(ground: Ground) -> Outcome:
    """A run that kills every worker that begins it: it is named, and the others are finished."""
    store = ground.store()
    os.environ[DEADLY] = "1"
    child = ground.start(store, f"local:{WORKERS}")
    del os.environ[DEADLY]
    child.join()
    named = re.search(r"1 run failed.*\n.* seed 1: .*died again and again", ground.error(store))
    done = len(store.ids()) == RUNS - 1
    return ground.judge(store, allowed=0).only_if(bool(named) and done)


def study_killed(ground: Ground, kill: Callable[[int, int], None] = os.kill) -> Outcome:
    """The study's own process; its workers must not outlive it."""
    store = ground.store()
    child = ground.start(store, f"local:{WORKERS}")
    ground.wait(child, store, random.randint(2, EPOCHS))
    workers = workers_of(child)
    ground.strike(child, store, partial(kill, child.pid, signal.SIGKILL))
    child.join()
    _, alive = psutil.wait_procs(workers, timeout=10)
    return ground.judge(store, allowed=WORKERS).only_if(not alive)


def group_killed(ground: Ground) -> Outcome:
    """Study and workers at once."""
    return study_killed(ground, os.killpg)


def scheduler_killed(ground: Ground) -> Outcome:
    """Of a cluster, which the study reaches by its file; the study must say so, and end."""
    store = ground.store()
    with a_cluster(ground.folder) as (scheduler, file):
        child = ground.start(store, f"file:{file}")
        ground.wait(child, store, random.randint(2, EPOCHS))
        ground.strike(child, store, scheduler.kill)
        child.join(60)
        child.kill()
    told = "scheduler cannot be reached any more" in ground.error(store)
    return ground.judge(store, allowed=WORKERS).only_if(told)


def two_at_once(ground: Ground) -> Outcome:
    """Two studies on one store: each run is trained once, and both end well."""
    store = ground.store()
    children = [ground.start(store) for _ in range(2)]
    for child in children:
        child.join()
    return ground.judge(store, allowed=0).only_if(all(child.exitcode == 0 for child in children))


# Files that are not whole, as after a power cut


def half_done(ground: Ground) -> RunStore:
    """One run finished, one under way, nobody at work."""
    store = ground.store()
    child = ground.start(store)
    ground.wait(child, store, EPOCHS + EPOCHS // 2)
    ground.strike(child, store, child.kill)
    child.join()
    return store


def damaged(pattern: str, change: Callable[[Path], Any], allowed: int) -> Fault:
    """A fault done to the files that fit `pattern` in a half-finished store."""

    def fault(ground: Ground) -> Outcome:
        store = half_done(ground)
        found = list(store.root.glob(pattern))
        for path in found:
            change(path)
        most = 1 + allowed  # 1: half_done's kill
        return ground.judge(store, allowed=most, each=most).only_if(bool(found))

    return fault


def cut(path: Path) -> None:
    """At a random place."""
    path.write_bytes(path.read_bytes()[: random.randrange(1, path.stat().st_size)])


def empty(path: Path) -> None:
    """Nothing but a name."""
    path.write_bytes(b"")


def leftovers(ground: Ground) -> Outcome:
    """What a process leaves that dies while it writes, and locks that nobody holds."""
    store = half_done(ground)
    new = store.root / ".new-0123456789ab-01234567"
    new.mkdir()
    (new / "record.json").write_text("{")
    (store.root / ".checkpoints" / "0123456789ab.pt.1.new").write_bytes(b"PK")
    return ground.judge(store, allowed=1).only_if(any(store.root.glob(".locks/*")))


# Disks that take no more


def told(ground: Ground, store: RunStore, first: Callable[[], Any], says: str) -> bool:
    """Does a study on this store end with a message that names it, and says that?"""
    child = ground.start(store, first=first)
    child.join()
    message = ground.error(store)
    named = message.startswith("StoreError") and str(store.root) in message
    return named and bool(re.search(says, message))


def files_refused(ground: Ground) -> Outcome:
    """Checkpoint, predictions or weights: whichever is the first to be too large."""
    store, limit = ground.store(), small_files(random.randrange(1_000, 12_000))
    good = told(ground, store, limit, r"too large; [\d,]+ bytes are needed, [\d,]+ are free")
    return ground.judge(store, allowed=1).only_if(good)


def disk_full(ground: Ground) -> Outcome:
    """A file system in memory with little room; where there may be none, files of limited size."""
    with small_disk(ground.folder / "disk") as disk:
        if disk is None:
            return files_refused(ground)
        store, ballast = ground.store(disk), disk / "ballast"
        ballast.write_bytes(bytes(SMALL - random.randrange(4_096, 60_000)))
        good = told(ground, store, time.monotonic, r"No space left on device; [\d,]+ bytes")
        ballast.unlink()
        return ground.judge(store, allowed=1).only_if(good)


def read_only(ground: Ground) -> Outcome:
    """A store that only somebody else may write to."""
    store = half_done(ground)
    lock(store.root, 0o555, 0o444)
    ground.folder.chmod(0o777)
    good = told(ground, store, as_nobody, "Permission denied")
    lock(store.root, 0o755, 0o644)
    return ground.judge(store, allowed=1).only_if(good)


class Case(NamedTuple):
    """A fault, how often `make torture` tries it, and how often the tests do."""

    fault: Fault
    times: int
    tested: int = 0


CASES = {
    "run killed, at a random moment": Case(run_killed, 20, 3),
    "run killed twelve times over": Case(killed_again_and_again, 2),
    "killed within an epoch (batches)": Case(killed_within_an_epoch, 20, 2),
    "worker killed": Case(worker_killed, 5),
    "run that kills its workers": Case(deadly_run, 2),
    "study's own process killed": Case(study_killed, 3),
    "notebook's kernel killed": Case(kernel_killed, 3),
    "whole process group killed": Case(group_killed, 3),
    "scheduler of a cluster killed": Case(scheduler_killed, 3),
    "two studies at once": Case(two_at_once, 5, 1),
    "checkpoint cut short": Case(damaged(".checkpoints/*.pt", cut, 1), 5, 1),
    "checkpoint empty": Case(damaged(".checkpoints/*.pt", empty, 1), 3),
    "all checkpoints cut short": Case(damaged(".checkpoints/*", cut, EPOCHS), 3),
    "record cut short": Case(damaged("*/record.json", cut, EPOCHS), 5, 1),
    "record empty": Case(damaged("*/record.json", empty, EPOCHS), 3),
    "weights cut short": Case(damaged("*/weights.safetensors", cut, EPOCHS), 3),
    "predictions cut short": Case(damaged("*/predictions.npz", cut, EPOCHS), 3),
    "stale locks, files left behind": Case(leftovers, 3, 1),
    "files of limited size": Case(files_refused, 5, 1),
    "disk full": Case(disk_full, 5),
    "store read-only": Case(read_only, 3, 1),
}
"""Where a finished run's file is damaged, the run is made anew: that is all of its epochs."""

HEAD = f"{'fault':34}{'tried':>7}{'survived':>10}{'kills':>7}{'lost':>13}"


def main() -> None:
    """Do the faults asked for, or all; exit code 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", help=", ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="what the tests do")
    parser.add_argument("--times", type=int, help="of each fault, instead of its own number")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    given = parser.parse_args()
    random.seed(given.seed)
    torch.set_num_threads(1)  # forks are made of this process: it must have no other threads
    logging.disable()  # a study warns of what is damaged
    print(f"{HEAD}  seconds (seed {given.seed})")
    cases = {name: CASES[name] for name in given.faults} or CASES
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder))
        good = [
            _row(name, case.fault, ground, times)
            for name, case in cases.items()
            if (times := case.tested if given.quick else given.times or case.times)
        ]
    sys.exit(0 if all(good) else 1)


def _row(name: str, fault: Fault, ground: Ground, times: int) -> bool:
    began = time.monotonic()
    outcome = total(fault(ground) for _ in range(times))
    lost, seconds = f"{outcome.lost} of {outcome.allowed}", time.monotonic() - began
    row = f"{name:34}{outcome.tried:>7}{outcome.survived:>10}{outcome.kills:>7}{lost:>13}"
    print(f"{row}{seconds:>9.0f}" + ("" if outcome.good else "   BROKEN"), flush=True)
    return outcome.good


if __name__ == "__main__":
    from tests.torture import main as run  # so that nothing here belongs to a module __main__

    run()
