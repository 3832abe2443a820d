"""The run store: one folder per run id, there whole or not at all.

- ``<root>/<run id>/record.json``: the `RunRecord`
- ``<root>/<run id>/predictions.npz``: class probabilities per split
- ``<root>/<run id>/weights.safetensors``: the network
- ``<root>/.locks`` and ``<root>/.checkpoints``: of runs under way
"""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pydantic import ValidationError

from fercore.provenance import root as project
from fercore.record import RunRecord, run_id
from fercore.spec import SCHEMA_VERSION

__all__ = ["Predictions", "RunRecord", "RunStore", "StoreError", "run_id"]

ROOT = "FERCORE_RUNS"
"""Environment variable that names the store's folder."""

log = logging.getLogger(__name__)


class StoreError(ValueError):
    """The run store cannot be read or written: the message names the path."""


class Predictions(NamedTuple):
    """What a network said of one split, in the order of `rows`.

    probabilities: float16 (N, 7). labels: int64 (N,), the truth. rows: int64 (N,), of the Faces.
    """

    probabilities: NDArray[np.float16]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]


class RunStore:
    """Finished runs in a folder: `root`, else what FERCORE_RUNS names, else the project's runs/."""

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root or os.environ.get(ROOT) or project() / "runs").expanduser()

    def __repr__(self) -> str:
        return f"RunStore({str(self.root)!r})"

    def folder(self, run: str) -> Path:
        """Where a run's files lie, or would lie."""
        return self.root / run

    def ids(self) -> list[str]:
        """Ids of all runs that can be read, sorted."""
        return [record.run_id for record in self.records()]

    def records(self) -> list[RunRecord]:
        """All records that can be read, sorted by id."""
        names = sorted(path.name for path in self.root.glob("*") if path.is_dir())
        found = (self.get(name) for name in names if not name.startswith("."))
        return [record for record in found if record]

    def get(self, run: str) -> RunRecord | None:
        """The record of a run, or None if it is not there.

        A folder that cannot be read, or was written by another version of the schema, counts as
        absent: a logged warning names it, and the next `put` replaces it.
        """
        path = self.folder(run) / "record.json"
        if not path.parent.exists():
            return None
        try:
            return _checked(path.read_bytes(), path.parent)
        except (OSError, ValidationError, StoreError) as error:
            log.warning("%s is no readable run and counts as absent: %s", path.parent, error)
            return None

    def predictions(self, run: str) -> dict[str, Predictions]:
        """By split: what the run's network said. Raises `StoreError` if there is none."""
        path = self.folder(run) / "predictions.npz"
        try:
            with np.load(path, allow_pickle=False) as arrays:
                splits = dict.fromkeys(key.rpartition("_")[0] for key in arrays)
                return {
                    split: Predictions(*(arrays[f"{split}_{part}"] for part in Predictions._fields))
                    for split in splits
                }
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(f"{path}: expected the predictions of a run, found {error}") from None

    def put(
        self,
        record: RunRecord,
        predictions: Mapping[str, Predictions] | None = None,
        weights: bytes | None = None,
    ) -> None:
        """Add a finished run; a diverged one has neither predictions nor weights.

        weights: the safetensors file's bytes (`pack`). A folder of that id that cannot be read is
        replaced; a readable one stays, as equal ids mean equal runs. Raises `StoreError`.
        """
        new = self.root / f".new-{record.run_id}-{uuid.uuid4().hex[:8]}"
        with self._writing():
            try:
                new.mkdir(parents=True)
                if predictions is not None:
                    arrays: dict[str, Any] = {
                        f"{split}_{part}": array
                        for split, parts in predictions.items()
                        for part, array in parts._asdict().items()
                    }
                    np.savez(new / "predictions.npz", **arrays)
                if weights is not None:
                    (new / "weights.safetensors").write_bytes(weights)
                (new / "record.json").write_text(record.model_dump_json(indent=1) + "\n", "utf-8")
                _flush(new)
                self._publish(new, record.run_id)
            finally:
                shutil.rmtree(new, ignore_errors=True)

    def _publish(self, new: Path, run: str) -> None:
        target = self.folder(run)
        if self.get(run):
            return
        if target.exists():
            broken = new.with_name(new.name + "-replaced")
            target.rename(broken)
            shutil.rmtree(broken, ignore_errors=True)
        new.rename(target)

    @contextmanager
    def lock(self, run: str) -> Iterator[None]:
        """Hold a run's lock, so that no other process trains it; waits for whoever holds it."""
        locks = self.root / ".locks"
        with self._writing():
            locks.mkdir(parents=True, exist_ok=True)
            held = FileLock(locks / f"{run}.lock")
            _patiently(held, run)
        try:
            yield
        finally:
            held.release()

    def checkpoint(self, run: str) -> Path:
        """Where a run under way keeps its state; the folder exists. Raises `StoreError`."""
        path = self.root / ".checkpoints" / f"{run}.pt"
        with self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def seal(self) -> Iterator[Path]:
        """A file in the store, for as long as it is wanted: who sees it sees this store."""
        path = self.root.absolute() / f".seal-{uuid.uuid4().hex}"
        with self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise StoreError(
                f"cannot write to the run store {self.root.absolute()}: {reason}; "
                f"name another folder in the environment variable {ROOT}"
            ) from error


def pack(weights: Mapping[str, NDArray[Any]]) -> bytes:
    """Weights by name as the bytes of a safetensors file; equal weights give equal bytes."""
    return safetensors.numpy.save(dict(weights))


def _checked(text: bytes, folder: Path) -> RunRecord:
    record = RunRecord.model_validate_json(text)
    if record.schema_version != SCHEMA_VERSION:
        raise StoreError(f"expected schema {SCHEMA_VERSION}, found {record.schema_version}")
    if record.run_id != folder.name:
        raise StoreError(f"expected run {folder.name}, found run {record.run_id}")
    for name in ("predictions.npz", "weights.safetensors"):
        if record.status == "done" and not (folder / name).exists():
            raise StoreError(f"{name} is missing")
    return record


def _patiently(lock: FileLock, run: str) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("another process trains run %s; waiting for it", run)
        lock.acquire()


def _flush(folder: Path) -> None:
    """Have the files on disk before the rename that makes them a run."""
    for path in folder.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
