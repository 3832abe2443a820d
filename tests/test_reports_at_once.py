"""Two reports at once on one store: each run is trained once, and both are right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.long
def test_each_run_is_trained_once_and_both_are_right(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    outs = [tmp_path / name for name in "ab"]
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
