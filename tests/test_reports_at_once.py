"""Two reports at once, on one store and in one folder: each run is trained once, both are right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook

from fercore.report.artifacts import write_artifacts
from fercore.store.runs import RunStore

COMMAND = "from fercore.cli import main; main()"
GIVEN = ("BUDGETS=10000", "SEEDS=0,1,2", "EPOCHS=4", "TRAIN_IMAGES=140", "EXECUTOR=serial")


def begin(out: Path, store: Path) -> subprocess.Popen[str]:
    words = ["report", "--only", "q2", "--out", str(out)]
    words += [word for value in GIVEN for word in ("--set", value)]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        env={**os.environ, "FERCORE_RUNS": str(store), "FERCORE_PROGRESS": "lines"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_reports_clear_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one clears it between this one's look at what is old and its removal."""
    notebook = new_notebook()  # type: ignore[no-untyped-call]
    old = tmp_path / "tables" / "q2-old.csv"
    old.parent.mkdir()
    old.write_text("old")
    look, others = Path.glob, iter([True])

    def glob(folder: Path, pattern: str) -> list[Path]:
        found = list(look(folder, pattern))
        if next(others, False):
            write_artifacts({"q2": notebook}, tmp_path)
        return found

    monkeypatch.setattr(Path, "glob", glob)
    write_artifacts({"q2": notebook}, tmp_path)
    assert not old.exists()


@pytest.mark.long
@pytest.mark.parametrize("names", ["ab", "aa"])
def test_each_run_is_trained_once_and_both_are_right(tmp_path: Path, names: str) -> None:
    store = RunStore(tmp_path / "runs")
    outs = [tmp_path / name for name in names]
    both = [begin(out, store.root) for out in outs]
    said = [report.communicate()[0] for report in both]
    assert [report.returncode for report in both] == [0, 0], "\n".join(said)
    trained = re.findall(r"(mobilenet-\d+k seed \d)  done", "\n".join(said))
    assert sorted(trained) == [f"mobilenet-10k seed {seed}" for seed in range(3)]
    assert len(store.ids()) == 3
    folders = [out / "quick" / "q2" for out in outs]
    first, second = ((folder / "tables" / "q2-networks.csv").read_bytes() for folder in folders)
    assert first == second
    assert all((folder / "q2_mobilenet.html").exists() for folder in folders)
