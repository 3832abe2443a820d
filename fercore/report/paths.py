"""Parameters that name a file: found before anything runs, and shown without their folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from fercore.plain import cut, plain
from fercore.report.notebooks import ParameterError

PATHS = {
    "DATA": "Give DATA=path/to/fer2013.csv, or fetch FER2013 into data/ by: make data",
    "FERPLUS": "Give FERPLUS=path/to/fer2013new.csv, from github.com/microsoft/FERPlus",
}
"""Parameters that name a file: made absolute, since a notebook runs in its own folder; and what
to do where there is none."""


def absolute(settings: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Paths made absolute against `base`; one that does not exist ends it before anything runs."""
    result = dict(settings)
    for name, advice in PATHS.items():
        value = result.get(name)
        nothing = ("synthetic", "") if name == "DATA" else ("none", "null", "")
        if not isinstance(value, str) or value.lower() in nothing:
            continue
        path = _existing(base, value)
        if path is None:
            raise ParameterError(
                f"{name}={plain(cut(value, 300))}: no such file or folder "
                f"({plain(cut(str(base / value), 300))}). {advice}"
            )
        result[name] = str(path)
    return result


def name_of(file: object) -> str:
    """A file by its name only: folders are of no use to another reader."""
    return PurePath(str(file)).name


def _existing(base: Path, value: str) -> Path | None:
    try:
        path = (base / Path(value).expanduser()).resolve()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # too long, a loop, ~somebody unknown, a NUL
        return None
