"""What `make` refuses, and where it installs: asked of the Makefile in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OUTER = {"VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "MAKEFLAGS", "MAKELEVEL"}
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
OTHERS = [target for target in TARGETS if target != "report"]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


def make(
    folder: Path, *words: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run make with the project's Makefile; no Python can be found, so nothing is installed."""
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).touch()
    settings = {name: value for name, value in os.environ.items() if name not in OUTER}
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "PYTHON=no-python"]
    return subprocess.run(
        [*command, *words], cwd=folder, env=settings | (env or {}), capture_output=True, text=True
    )


def installs(printed: str) -> list[tuple[str, str]]:
    """Which Python installs what, in the commands that `make -n` prints."""
    return re.findall(r"^(\S+) -m pip install (.*)$", printed, re.MULTILINE)


@pytest.mark.parametrize("target", ["", *OTHERS, "lint test", "report test"])
@pytest.mark.parametrize("given", ["EPOCHS=3", "FOO=", "PRESET=fer2013"])
def test_only_a_report_takes_parameters(tmp_path: Path, target: str, given: str) -> None:
    done = make(tmp_path, *target.split(), given)
    name, others = given.split("=")[0], target.removeprefix("report ") or "help"
    assert done.returncode == 2
    assert not done.stdout  # nothing was begun
    (line,) = done.stderr.splitlines()
    assert f"make {others} takes no {name}; allowed there: PYTHON. " in line


def test_all_that_is_wrong_is_in_one_message(tmp_path: Path) -> None:
    assert "takes no BAR FOO;" in make(tmp_path, "clean", "FOO=1", "BAR=2").stderr


@pytest.mark.parametrize("target", ["report", "q1", "q6"])
def test_a_report_passes_its_parameters_on(tmp_path: Path, target: str) -> None:
    printed = make(tmp_path, "-n", target, "PRESET=fer2013", "EPOCHS=3").stdout
    assert "--preset 'fer2013' --set 'EPOCHS=3'" in printed


def test_a_variable_of_the_environment_is_no_parameter(tmp_path: Path) -> None:
    assert make(tmp_path, "help", env={"EPOCHS": "3", "PRESET": "fer2013"}).returncode == 0


CONDA = {"CONDA_PREFIX": "/conda/envs/study", "CONDA_DEFAULT_ENV": "study"}
BASE = {"CONDA_PREFIX": "/conda", "CONDA_DEFAULT_ENV": "base"}
VIRTUAL = {"VIRTUAL_ENV": "/virtual"}


@pytest.mark.parametrize(
    ("active", "place", "pinned"),
    [
        ({}, ".venv", True),
        (VIRTUAL, "/virtual", True),
        (CONDA, "/conda/envs/study", False),  # what conda installed is not replaced
        (BASE, ".venv", True),
        (VIRTUAL | CONDA, "/virtual", True),
        (VIRTUAL | BASE, "/virtual", True),
    ],
)
def test_the_active_environment_is_used(
    tmp_path: Path, active: dict[str, str], place: str, pinned: bool
) -> None:
    printed = make(tmp_path, "-n", "setup", env=active).stdout
    assert printed.splitlines()[-1] == f'echo "Ready in {place}"'
    installed = installs(printed)
    assert {python for python, _ in installed} == {f"{place}/bin/python"}
    assert {"-c constraints.txt" in what for _, what in installed} == {pinned}


@pytest.mark.parametrize(
    ("target", "extras"),
    [("report", ["download"]), ("lab", ["download"]), ("test", ["download", "dev,docs"])],
)
def test_tools_of_development_are_for_developers(
    tmp_path: Path, target: str, extras: list[str]
) -> None:
    printed = make(tmp_path, "-n", target).stdout
    assert [re.findall(r"-e '\.\[(.*)\]'", what) for _, what in installs(printed)] == [
        [each] for each in extras
    ]


def test_an_environment_with_a_space_in_its_path_is_refused(tmp_path: Path) -> None:
    done = make(tmp_path, "-n", "setup", env={"VIRTUAL_ENV": "/my environment"})
    assert done.returncode == 2
    assert "has a space" in done.stderr
