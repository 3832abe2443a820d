"""The four ways of docs/rerun.md to rerun a question give the same results."""

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
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat import NotebookNode
from papermill.cli import papermill

from fercore.cli import main
from fercore.report.artifacts import write_artifacts
from fercore.report.front import provenance
from fercore.report.notebooks import read
from fercore.store.runs import RunStore
from tests.here import without_kernels

ROOT = Path(__file__).parents[1]
NAME = "q2_mobilenet"
ASKED = {"TRAIN_IMAGES": "140", "BUDGETS": "10000,20000", "SEEDS": "0", "EPOCHS": "1"}
TEXTS = [f"{name}={value}" for name, value in ASKED.items()]
FERCORE = ["report", "--preset", "quick", *(w for text in TEXTS for w in ("--set", text))]


def fercore(words: list[str]) -> NotebookNode:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["fercore", *words])
        with pytest.raises(SystemExit) as left:
            main()
    assert left.value.code == 0
    return read(Path("reports", "quick", "q2", "notebooks", f"{NAME}.ipynb"))


def by_fercore() -> NotebookNode:
    """fercore report --only q2 --set NAME=VALUE ..."""
    return fercore([*FERCORE, "--only", "q2"])


def by_make() -> NotebookNode:
    """make q2 NAME=VALUE ..., which calls fercore; what it calls is done here."""
    ready = Path(sys.prefix) / ".fercore-ready"  # nobody looks whether it is up to date
    command: list[str | Path] = [
        "make",
        "-n",
        "--no-print-directory",
        "-f",
        ROOT / "Makefile",
        "-o",
        ready,
    ]
    here = os.environ | {"VIRTUAL_ENV": sys.prefix}
    done = subprocess.run(
        [*command, "q2", *TEXTS], env=here, capture_output=True, text=True, check=True
    )
    program, *words = shlex.split(done.stdout)
    assert program == str(Path(sys.executable).with_name("fercore"))
    return fercore(words)


def by_papermill() -> NotebookNode:
    """papermill notebooks/q2_mobilenet.ipynb out.ipynb -p NAME VALUE ..."""
    values = [word for name in ("TRAIN_IMAGES", "EPOCHS") for word in ("-p", name, ASKED[name])]
    values += [f"-y{name}: [{ASKED[name]}]" for name in ("BUDGETS", "SEEDS")]
    words = [f"notebooks/{NAME}.ipynb", "out.ipynb", *values, "--cwd", "notebooks"]
    papermill.main(words, standalone_mode=False)
    return read(Path("out.ipynb"))


def by_hand() -> NotebookNode:
    """Edit the parameters cell and run all cells, as in JupyterLab."""
    notebook = read(Path("notebooks", f"{NAME}.ipynb"))
    (cell,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    for name, value in ASKED.items():
        text = f"[{value}]" if name in ("BUDGETS", "SEEDS") else value
        cell.source, changed = re.subn(rf"(?m)^{name} = .*$", f"{name} = {text}", cell.source)
        assert changed == 1
    run_all = ExecutePreprocessor()  # type: ignore[no-untyped-call]
    ran, _ = run_all.preprocess(notebook, {"metadata": {"path": "notebooks"}})
    return ran


WAYS: dict[str, Callable[[], NotebookNode]] = {
    "fercore": by_fercore,
    "make": by_make,
    "papermill": by_papermill,
    "JupyterLab": by_hand,
}


def results(notebook: NotebookNode, out: Path) -> dict[str, str]:
    """The tables that a notebook shows, by name: accuracies, confidences, costs."""
    write_artifacts({"q2": notebook}, out)
    return {file.name: file.read_text() for file in (out / "tables").iterdir()}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_all_ways_give_the_same_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each trains for itself, but make, which finds the runs of `fercore` and trains nothing."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "notebooks", "notebooks")
    found, asked, stored = {}, {}, {}
    with without_kernels():
        for way, ask in WAYS.items():
            store = tmp_path / ("fercore" if way == "make" else way)
            monkeypatch.setenv("FERCORE_RUNS", str(store))
            notebook = ask()
            found[way] = results(notebook, tmp_path / "results" / way)
            told = provenance(notebook)
            assert told is not None, way
            asked[way] = sorted(run["run_id"] for run in told["runs"])
            stored[way] = {file: file.stat().st_mtime_ns for file in store.rglob("*.safetensors")}
            assert RunStore(store).names() == asked[way]
    assert {"q2-networks.csv", "q2-calibration.csv"} <= found["fercore"].keys()
    assert len(asked["fercore"]) == len(stored["fercore"]) == 2
    assert stored["make"] == stored["fercore"]
    for way in WAYS:
        assert asked[way] == asked["fercore"]
        assert found[way] == found["fercore"], way
