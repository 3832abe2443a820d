"""Which code ran: versions of what matters, and the commit of this checkout."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path


def root() -> Path:
    """The project's folder if fercore runs from a checkout, else the working directory."""
    checkout = Path(__file__).resolve().parents[1]
    return checkout if (checkout / "pyproject.toml").exists() else Path.cwd()


@cache
def versions() -> dict[str, str]:
    """Of Python and of the packages that decide what a run computes."""
    packages = {name: version(name) for name in ("torch", "numpy", "numba", "fercore")}
    return {"python": platform.python_version(), **packages}


@cache
def commit(package: Path = Path(__file__).parent) -> str | None:
    """Commit of the checkout that holds this code, "-dirty" if the code was changed since.

    None where git does not know the code: without git, or installed from a wheel, be it in a
    virtual environment that lies inside somebody else's checkout.
    """
    try:
        _git(package, "ls-files", "--error-unmatch", "provenance.py")
        changed = _git(package, "status", "--porcelain", "--", ".")
        return _git(package, "rev-parse", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *command: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *command], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
