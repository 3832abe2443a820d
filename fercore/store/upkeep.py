"""Looking after a run store: what cannot be used and why, and what is of no more use."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import safetensors
from filelock import FileLock, Timeout

from fercore import models
from fercore.store.record import RunRecord
from fercore.store.runs import CHECKPOINTS, LOCKS, RunStore, StoreError


def fault(store: RunStore, run: str) -> str | None:
    """Why a run is not used, or should not be; None if all of it fits together.

    Reads all of its files, which the store itself does not do each time.
    """
    try:
        record = store.check(run)
        check_layers(record)
        if record.status == "done":
            _predictions(store, record)
            _weights(store.folder(run) / "weights.safetensors", record)
    except StoreError as error:
        return str(error).removeprefix(f"{store.folder(run)}/")
    return None


def check_layers(record: RunRecord) -> None:
    """Raise `StoreError` unless the network of that name is still the one that was trained."""
    try:
        found = models.fingerprint(record.spec.model)
    except models.ModelError as error:
        raise StoreError(f"this version knows no such network: {error}") from None
    if found != record.model_fingerprint:
        raise StoreError(
            f"{models.label(record.spec.model)} has other layers in this version: "
            f"fingerprint {record.model_fingerprint} then, {found} now"
        )


def _predictions(store: RunStore, record: RunRecord) -> None:
    kept = store.predictions(record.run_id)
    found = {split: len(parts.labels) for split, parts in kept.items()}
    expected = {split: score.n for split, score in record.splits.items()}
    if found != expected:
        raise StoreError(f"predictions.npz: expected images {expected}, found {found}")


def _weights(path: Path, record: RunRecord) -> None:
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            sizes = [file.get_tensor(name).size for name in file.keys()]  # noqa: SIM118
    except (OSError, safetensors.SafetensorError) as error:
        raise StoreError(f"{path.name}: {error}") from None
    if sum(sizes) < record.params_trainable:
        raise StoreError(
            f"{path.name}: expected {record.params_trainable:,} weights, found {sum(sizes):,}"
        )


def leftovers(store: RunStore) -> Iterator[Path]:
    """Files and folders that nobody needs: of finished runs, and of processes that are dead.

    A run that is being trained is let alone, and so is the checkpoint of one that is to go on.
    """
    for path in sorted(store.root.glob(".new-*")):
        if _free(store, path.name.split("-")[1]):
            yield path
    for path in sorted((store.root / CHECKPOINTS).glob("*")):
        run = path.name.split(".")[0]
        unfinished = path.name.endswith((".pt", ".before")) and not _finished(store, run)
        if not unfinished and _free(store, run):
            yield path
    for path in sorted((store.root / LOCKS).glob("*.lock")):
        if _free(store, path.stem):
            yield path


def _finished(store: RunStore, run: str) -> bool:
    try:
        store.check(run)
    except StoreError:
        return False
    return True


def _free(store: RunStore, run: str) -> bool:
    """Does no process hold the run's lock?"""
    path = store.root / LOCKS / f"{run}.lock"
    if not path.exists():
        return True
    try:
        with FileLock(path, timeout=0):
            return True
    except Timeout:
        return False


def delete(paths: Iterable[Path]) -> int:
    """Delete files and folders; returns how many bytes they took. Raises `StoreError`."""
    freed = 0
    for path in paths:
        files = [file for file in (path, *path.rglob("*")) if file.is_file()]
        freed += sum(file.stat().st_size for file in files)
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot delete {path}: {error.strerror}") from error
    return freed
