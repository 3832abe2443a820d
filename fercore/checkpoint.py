"""The state of a run under way, in one file that is there whole or not at all."""

from __future__ import annotations

import logging
import os
import pickle
from pathlib import Path
from typing import Any

import torch

log = logging.getLogger(__name__)


def save(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values in place of what was there."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        torch.save(state, new)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def load(path: Path, about: dict[str, Any]) -> dict[str, Any] | None:
    """What was saved with state["about"] equal to `about`; None if there is no such thing.

    A file that cannot be read, or comes from another machine or version, is left out with a logged
    warning: what went on from it would not be what the record says.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found = state["about"]
    except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        log.warning("%s cannot be read, so its run begins anew: %s", path, error)
        return None
    if found != about:
        log.warning("%s was made under %s, so its run begins anew under %s", path, found, about)
        return None
    return state
