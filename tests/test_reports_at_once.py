"""Two reports at once, on one store and in one folder: each run is trained once, both are right."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr
from multiprocessing import get_context
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook

from fercore.report import Job, build
from fercore.report.artifacts import write_artifacts
from fercore.store.runs import RunStore
from tests.here import without_kernels

ROOT = Path(__file__).parents[1]
GIVEN = ("BUDGETS=10000", "SEEDS=0,1,2", "EPOCHS=4", "TRAIN_IMAGES=140", "EXECUTOR=serial")


def report(out: Path, store: Path, log: Path) -> None:
    """In a process of its own: question 2, and a log of what was trained for it."""
    os.environ |= {"FERCORE_RUNS": str(store), "FERCORE_PROGRESS": "lines"}
    with log.open("w") as file, redirect_stderr(file), without_kernels():
        build(Job(ROOT / "notebooks", out, overrides=GIVEN, only=["q2"]), say=print)


@pytest.fixture(scope="module")
def two() -> Iterator[ProcessPoolExecutor]:
    """Two processes that import what they need but once."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(2, context) as pool:
        yield pool


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


@pytest.mark.slow
@pytest.mark.parametrize("names", [pytest.param("ab", marks=pytest.mark.long), "aa"])
def test_each_run_is_trained_once_and_both_are_right(
    tmp_path: Path, two: ProcessPoolExecutor, names: str
) -> None:
    store = RunStore(tmp_path / "runs")
    outs, logs = [tmp_path / name for name in names], [tmp_path / "1.log", tmp_path / "2.log"]
    list(two.map(report, outs, [store.root] * 2, logs))  # raises what they raise
    trained = re.findall(
        r"(mobilenet-\d+k seed \d)  done", "\n".join(log.read_text() for log in logs)
    )
    assert sorted(trained) == [f"mobilenet-10k seed {seed}" for seed in range(3)]
    assert len(store.ids()) == 3
    folders = [out / "quick" / "q2" for out in outs]
    first, second = ((folder / "tables" / "q2-networks.csv").read_bytes() for folder in folders)
    assert first == second
    assert all((folder / "q2_mobilenet.html").exists() for folder in folders)
