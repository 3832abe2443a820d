"""EXECUTOR in words: auto, serial, local:2, tcp://host:8786, file:scheduler.json."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from fercore import models
from fercore.provenance import root
from fercore.spec import RunSpec
from fercore.training import device as devices

ALLOWED = (
    "auto, serial, local:N with N workers (local:2), a Dask scheduler's address "
    "(tcp://host:8786 or tls://host:8786) or its file (file:scheduler.json)"
)
WORTHWHILE = 30.0
"""Seconds of work, by estimate, below which starting workers (about 5 s) gains next to nothing."""


class ExecutorError(ValueError):
    """An executor that there is not: the message says what there is."""


class Place(NamedTuple):
    """A checked executor. address: of a scheduler, or the path of its file after "file:"."""

    kind: Literal["auto", "serial", "local", "cluster"]
    workers: int = 1
    address: str = ""


@dataclass(frozen=True)
class Task:
    """A run to be made.

    source: spec.data.source as a path that does not depend on the working directory.
    fingerprint: of the faces found there; images: how many of them.
    """

    run_id: str
    spec: RunSpec
    source: str
    fingerprint: str
    images: int

    @cached_property
    def title(self) -> str:
        """For people."""
        return f"{models.label(self.spec.model)} seed {self.spec.seed}"

    @cached_property
    def work(self) -> float:
        """About how many seconds one core of 2024 takes; good for an order, not for a promise.

        Fitted by eye to images per second of networks from 10,000 to 1.3M parameters, bfloat16.
        """
        images = min(self.spec.data.train_images or self.images, self.images)
        each = 2.5e-4 + 2.5e-11 * models.cost(self.spec.model).macs
        return images * self.spec.train.epochs * each


def parse(text: str) -> Place:
    """Read an executor; looks at nothing but the text. Raises `ExecutorError`."""
    if text in ("auto", "serial"):
        return Place("auto" if text == "auto" else "serial")
    if found := re.fullmatch(r"local:([1-9]\d{0,3})", text):
        return Place("local", int(found[1]))
    if re.fullmatch(r"(tcp|tls)://[^/\s:]+:\d{1,5}", text) or re.fullmatch(r"file:.*\S", text):
        return Place("cluster", address=text)
    raise ExecutorError(f"expected {ALLOWED}, found {text[:100]!r}")


def scheduler_file(address: str) -> Path | None:
    """The file after "file:": below the working directory, else below the project."""
    kind, _, name = address.partition("file:")
    if kind or not name:
        return None
    path = Path(name).expanduser()
    return path if path.is_absolute() or path.exists() else root() / path


def settle(text: str, tasks: Collection[Task], device: str, threads: int | None) -> Place:
    """Where these runs are made: for auto, a worker per core that this process may use, or per GPU.

    auto is serial with one GPU, for a single run, and for little work.
    Raises `ExecutorError`, and `DeviceError` where the runs are to be made on this machine.
    """
    place = parse(text)
    if place.kind == "cluster":
        return place
    found = devices.several(device)
    if place.kind == "auto":
        each = threads or torch.get_num_threads()
        slots = cores() // each if found == ("cpu",) else min(cores() // each, len(found))
        workers = min(slots, len(tasks))
        worthwhile = sum(task.work for task in tasks) >= WORTHWHILE
        return Place("local", workers) if workers > 1 and worthwhile else Place("serial")
    return place._replace(workers=min(place.workers, max(1, len(tasks))))


def cores() -> int:
    """Physical cores that this process may use, by affinity, container limits and hardware."""
    import psutil  # here, as Dask takes half a second, and what is read needs neither
    from dask.system import cpu_count

    return int(min(cpu_count(), psutil.cpu_count(logical=False) or cpu_count()))
