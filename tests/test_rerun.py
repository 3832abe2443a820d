"""The four ways of docs/rerun.md to rerun a question ask for the same runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fercore.report.front import provenance
from fercore.report.notebooks import read, write
from fercore.store.runs import RunStore

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
NAME = "q2_mobilenet"
ASKED = {"TRAIN_IMAGES": "140", "BUDGETS": "10000,20000", "SEEDS": "0", "EPOCHS": "1"}
TEXTS = [f"{name}={value}" for name, value in ASKED.items()]


def say(folder: Path, *command: str | Path) -> str:
    """Run a command in the folder, in this very environment; what it prints."""
    settings = os.environ | {"VIRTUAL_ENV": sys.prefix}
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def by_fercore(folder: Path) -> Path:
    """fercore report --only q2 --set NAME=VALUE ..."""
    say(folder, *fercore())
    return folder / "reports" / "quick" / "q2" / "notebooks" / f"{NAME}.ipynb"


def fercore() -> list[str]:
    values = [word for text in TEXTS for word in ("--set", text)]
    return [str(BIN / "fercore"), "report", "--preset", "quick", *values, "--only", "q2"]


def by_papermill(folder: Path) -> Path:
    """papermill notebooks/q2_mobilenet.ipynb out.ipynb -p NAME VALUE ..."""
    values = [word for name in ("TRAIN_IMAGES", "EPOCHS") for word in ("-p", name, ASKED[name])]
    values += [f"-y{name}: [{ASKED[name]}]" for name in ("BUDGETS", "SEEDS")]
    notebook = f"notebooks/{NAME}.ipynb"
    say(folder, BIN / "papermill", notebook, "out.ipynb", *values, "--cwd", "notebooks")
    return folder / "out.ipynb"


def by_hand(folder: Path) -> Path:
    """Edit the parameters cell and run all cells, as in JupyterLab."""
    path = folder / "notebooks" / f"{NAME}.ipynb"
    notebook = read(path)
    (cell,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    for name, value in ASKED.items():
        text = f"[{value}]" if name in ("BUDGETS", "SEEDS") else value
        cell.source, changed = re.subn(rf"(?m)^{name} = .*$", f"{name} = {text}", cell.source)
        assert changed == 1
    write(notebook, path)
    execute = ("nbconvert", "--to", "notebook", "--execute", "--output", "edited")
    say(folder, BIN / "jupyter", *execute, path)
    return path.with_name("edited.ipynb")


WAYS: dict[str, Callable[[Path], Path]] = {
    "fercore": by_fercore,
    "papermill": by_papermill,
    "JupyterLab": by_hand,
}


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_asks_by_the_command_line(tmp_path: Path) -> None:
    ready = Path(sys.prefix) / ".fercore-ready"  # nobody looks whether it is up to date
    printed = say(
        tmp_path,
        "make",
        "-n",
        "--no-print-directory",
        "-f",
        ROOT / "Makefile",
        "-o",
        ready,
        "q2",
        *TEXTS,
    )
    asked = shlex.split(printed)
    assert sorted(asked) == sorted(fercore())
    assert asked[:4] == fercore()[:4]


@pytest.mark.long
def test_all_ways_ask_for_the_same_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    monkeypatch.setenv("FERCORE_RUNS", str(tmp_path / "runs"))
    asked, stored = {}, {}
    for way, ask in WAYS.items():
        found = provenance(read(ask(tmp_path)))
        assert found is not None, way
        asked[way] = sorted(run["run_id"] for run in found["runs"])
        stored[way] = RunStore(tmp_path / "runs").names()
    assert len(asked["fercore"]) == 2
    assert all(runs == asked["fercore"] for runs in [*asked.values(), *stored.values()]), asked
