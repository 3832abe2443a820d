"""The run store: one folder per run id, there whole or not at all.

- ``<root>/<run id>/record.json``: the `RunRecord`
- ``<root>/<run id>/predictions.npz``: class probabilities per split
- ``<root>/<run id>/weights.safetensors``: the network
- ``<root>/.locks``, ``.checkpoints``, ``.new-...``: of runs under way; ``.store-...``: its name
"""

from __future__ import annotations

import io
import logging
import os
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from fercore.provenance import root as project
from fercore.store.record import RunRecord, parse, run_id

__all__ = ["Predictions", "RunRecord", "RunStore", "StoreError", "run_id"]

ROOT = "FERCORE_RUNS"
"""Environment variable that names the store's folder: absolute, or below the project's folder, as
the command line and a notebook's kernel work in different ones."""

LOCKS, CHECKPOINTS = ".locks", ".checkpoints"

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

    def right(self) -> NDArray[np.bool_]:
        """(N,): which images were read rightly, but for rare ties of rounded probabilities."""
        right: NDArray[np.bool_] = self.probabilities.argmax(1) == self.labels
        return right


class RunStore:
    """Finished runs in a folder: `root`, else what FERCORE_RUNS names, else the project's runs/."""

    def __init__(self, root: str | Path | None = None) -> None:
        named = Path(os.environ.get(ROOT) or "runs").expanduser()
        self.root = Path(root).expanduser() if root else project() / named

    def __repr__(self) -> str:
        from fercore.store.measured import overview  # here, as it stands above and needs torch

        return repr(overview(self))

    def _repr_html_(self) -> str:
        from fercore.store.measured import overview

        shown: str = overview(self)._repr_mimebundle_()[0]["text/html"]
        return shown

    def folder(self, run: str) -> Path:
        """Where a run's files lie, or would lie."""
        return self.root / run

    def ids(self) -> list[str]:
        """Ids of all runs that can be read, sorted."""
        return [record.run_id for record in self.records()]

    def names(self) -> list[str]:
        """All that lies in the store as a run, readable or not, sorted."""
        with self._writing():
            return sorted(path.name for path in self.root.glob("[!.]*") if path.is_dir())

    def starting(self, start: str) -> list[str]:
        """Those of `names` that begin so."""
        return [name for name in self.names() if name.startswith(start)]

    def records(self) -> list[RunRecord]:
        """All records that can be read, sorted by id; one logged warning if there are others."""
        found, names = [], self.names()
        for name in names:
            with suppress(StoreError):
                found.append(self.check(name))
        if unread := len(names) - len(found):
            hint = "cannot be used; `fercore runs verify` says why"
            log.warning("%s: %d of %d runs %s", self.root, unread, len(names), hint)
        return found

    def get(self, run: str) -> RunRecord | None:
        """The record of a run, or None if it is not there.

        A folder that cannot be read, or was written by another version of the schema, counts as
        absent: a logged warning names it, and the next `put` replaces it.
        """
        with self._writing():  # a folder that may not even be looked into
            if not self.folder(run).exists():
                return None
        try:
            return self.check(run)
        except StoreError as error:
            log.warning("%s is no readable run and counts as absent: %s", self.folder(run), error)
            return None

    def check(self, run: str) -> RunRecord:
        """The record of a run that is there; `StoreError` says why it cannot be used."""
        path = self.folder(run) / "record.json"
        try:
            record = parse(path.read_bytes(), run)
        except (OSError, ValueError) as error:
            raise StoreError(f"{path.name}: {getattr(error, 'strerror', error)}") from None
        if record.status == "done":
            _whole(path.parent, record)
        return record

    def has_predictions(self, run: str) -> bool:
        """Whether the run's predictions are here: not those of a run that was made elsewhere."""
        return zipfile.is_zipfile(self.folder(run) / "predictions.npz")

    def predictions(self, run: str) -> dict[str, Predictions]:
        """By split: what the run's network said. Raises `StoreError` if there is none."""
        path = self.folder(run) / "predictions.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                splits = dict.fromkeys(key.rpartition("_")[0] for key in arrays)
                return {
                    split: Predictions(*(arrays[f"{split}_{part}"] for part in Predictions._fields))
                    for split in splits
                }
        except Exception as error:  # numpy raises what it likes on a damaged file
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
        files = {"record.json": record.content()}
        if predictions is not None:
            files["predictions.npz"] = _packed(predictions)
        if weights is not None:
            files["weights.safetensors"] = weights
        new = self.root / f".new-{record.run_id}-{uuid.uuid4().hex[:8]}"
        with self._writing(sum(map(len, files.values()))):
            try:
                new.mkdir(parents=True)
                for name, content in files.items():
                    (new / name).write_bytes(content)
                _flush(new)
                self._publish(new, record.run_id)
            finally:
                shutil.rmtree(new, ignore_errors=True)
            self._forget(record.run_id)

    def _publish(self, new: Path, run: str) -> None:
        target = self.folder(run)
        with suppress(StoreError):
            self.check(run)
            return
        if target.exists():
            self._discard(target)
        new.rename(target)
        flush_folder(self.root)

    def remove(self, run: str) -> None:
        """Delete a run, readable or not, with its checkpoints; waits for who trains it."""
        with self.lock(run), self._writing():
            if self.folder(run).exists():
                self._discard(self.folder(run))
            self._forget(run)

    def _forget(self, run: str) -> None:
        """A finished run, or one that is gone, needs no checkpoints."""
        for path in (self.root / CHECKPOINTS).glob(f"{run}.*"):
            path.unlink(missing_ok=True)

    def _discard(self, folder: Path) -> None:
        """First out of the way, at once, then deleted: never is half a run there."""
        aside = self.root / f".new-{folder.name}-{uuid.uuid4().hex[:8]}-old"
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    @contextmanager
    def lock(self, run: str, wait: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold a run's lock, so that no other process trains it; waits for whoever holds it.

        wait: called each second meanwhile; what it raises ends the waiting.
        """
        locks = self.root / LOCKS
        with self._writing():
            locks.mkdir(parents=True, exist_ok=True)
            held = FileLock(locks / f"{run}.lock")
            _patiently(held, run, wait)
        try:
            yield
        finally:
            held.release()

    def checkpoint(self, run: str) -> Path:
        """Where a run under way keeps its state; the folder exists. Raises `StoreError`."""
        path = self.root / CHECKPOINTS / f"{run}.pt"
        with self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            flush_folder(self.root)
        return path

    def seal(self) -> str:
        """The name of an empty file in the store: who sees it there sees this very store."""
        with self._writing():
            self.root.mkdir(parents=True, exist_ok=True)
            found = sorted(path.name for path in self.root.glob(".store-*"))
            name = found[0] if found else f".store-{uuid.uuid4().hex}"
            (self.root / name).touch()
        return name

    @contextmanager
    def _writing(self, size: int = 0) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unwritable(self.root, error, size) from error


def unwritable(path: Path, error: OSError, size: int = 0) -> StoreError:
    """What to say when `size` bytes could not be written at `path`."""
    path = path.absolute()
    # Unlike `Path.is_dir`, it takes names that are too long and folders that are closed.
    there = next(folder for folder in path.parents if os.path.isdir(folder))  # noqa: PTH112
    free = shutil.disk_usage(there).free
    needed = f"; {size:,} bytes are needed, {free:,} are free" if size else ""
    return StoreError(
        f"cannot write to the run store {path}: {error.strerror or error}{needed}; "
        f"make room, or name another folder in the environment variable {ROOT}"
    )


def _packed(predictions: Mapping[str, Predictions]) -> bytes:
    arrays: dict[str, Any] = {
        f"{split}_{part}": array
        for split, parts in predictions.items()
        for part, array in parts._asdict().items()
    }
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def pack(weights: Mapping[str, NDArray[Any]]) -> bytes:
    """Weights by name as the bytes of a safetensors file; equal weights give equal bytes."""
    return safetensors.numpy.save(dict(weights))


def _whole(folder: Path, record: RunRecord) -> None:
    """A look at the files, not into them: `fercore.store.verify` reads them."""
    weights, predictions = folder / "weights.safetensors", folder / "predictions.npz"
    for path in (predictions, weights):
        if not path.exists():
            raise StoreError(f"{path.name} is missing")
    if (size := weights.stat().st_size) != record.file_bytes:
        raise StoreError(f"{weights.name}: expected {record.file_bytes} bytes, found {size}")
    if not zipfile.is_zipfile(predictions):
        raise StoreError(f"{predictions.name} is cut short")


def _patiently(lock: FileLock, run: str, wait: Callable[[], None]) -> None:
    with suppress(Timeout):
        lock.acquire(timeout=0)
        return
    log.warning("another process trains run %s; waiting for it", run)
    while not lock.is_locked:
        wait()
        with suppress(Timeout):
            lock.acquire(timeout=1)


def _flush(folder: Path) -> None:
    """Have the files on disk before the rename that makes them a run."""
    for path in folder.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    flush_folder(folder)


def flush_folder(folder: Path) -> None:
    """Have its names on disk; Windows does so by itself, and cannot be asked."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
