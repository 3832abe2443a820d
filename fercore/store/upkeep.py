"""Looking after a run store: what in it is of no more use."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from fercore.store.runs import CHECKPOINTS, LOCKS, RunStore, StoreError


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
