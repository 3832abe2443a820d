"""The state of a run under way, in one file that is there whole or not at all.

The one before is kept beside it: should the newest be damaged, what was done between the two saves
is lost, not all.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
from pathlib import Path
from typing import Any

import torch

from fercore.store.runs import StoreError, flush_folder, unwritable

log = logging.getLogger(__name__)

MINUTES = "FERCORE_CHECKPOINT_MINUTES"
"""Environment variable: the state is saved at the end of each epoch, and whenever the last save is
so long ago; 5 unless it says otherwise."""

LAYOUT = 2
"""Raised when what a state holds is named or ordered otherwise: older ones are left out."""

DIGEST = 32
"""Bytes of SHA-256 before what torch writes."""


def pause() -> float:
    """Seconds from one save to the next within an epoch. Raises `StoreError` for no such number."""
    text = os.environ.get(MINUTES) or "5"
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1
    if not minutes >= 0:  # NaN neither
        raise StoreError(f"{MINUTES}: expected a number of minutes, 0 or more, found {text!r}")
    return 60 * minutes


def save(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values; what was there is kept as `before(path)`.

    On disk when it returns, so that a power cut costs what a killed process does. Raises
    `StoreError` naming the path and the bytes needed; what was there then stays.
    """
    buffer = io.BytesIO()
    torch.save({"layout": LAYOUT, **state}, buffer)
    content = buffer.getbuffer()
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(hashlib.sha256(content).digest())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            path.replace(before(path))
        new.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error, len(content)) from error
    finally:
        new.unlink(missing_ok=True)


def before(path: Path) -> Path:
    """Where the state before the last one is kept."""
    return path.with_name(f"{path.name}.before")


def load(path: Path, about: dict[str, Any]) -> dict[str, Any] | None:
    """What was last saved with state["about"] equal to `about`; None if there is no such thing.

    A file that cannot be read, or comes from another machine or version, is left out with a logged
    warning: what went on from it would not be what the record says.
    """
    states = (_read(file, about) for file in (path, before(path)) if file.exists())
    return next((state for state in states if state), None)


def _read(path: Path, about: dict[str, Any]) -> dict[str, Any] | None:
    try:
        content = path.read_bytes()
        digest, content = content[:DIGEST], content[DIGEST:]
        if hashlib.sha256(content).digest() != digest:  # torch would take a changed bit as it is
            raise ValueError("not as it was written")
        state: dict[str, Any] = torch.load(io.BytesIO(content), "cpu", weights_only=True)
        if state.pop("layout", None) != LAYOUT:
            raise ValueError("written by another version")
        found = state["about"]
    except Exception as error:  # torch raises what it likes on a file from elsewhere
        log.warning("%s cannot be read and is left out: %s", path, error)
        return None
    if found != about:
        log.warning("%s was made under %s and is left out under %s", path, found, about)
        return None
    return state
