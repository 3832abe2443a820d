"""Notebooks that fail: what is said, what is kept, and what is left alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.exceptions import PapermillExecutionError

from fercore.cli import main
from fercore.report import Job, NotebookError, build
from fercore.report.execute import PROGRESS, ThisPython, execute
from tests.face_files import random_faces

GOOD = ("report.html", "report.pdf", "tables/q2-runs.csv", "notebooks/q2_good.ipynb")
"""What an earlier report has left."""


def write(folder: Path, name: str, *sources: str) -> None:
    cells = [new_markdown_cell(f"# {name}")]  # type: ignore[no-untyped-call]
    cells += [new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")  # type: ignore[no-untyped-call]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    notebooks = tmp_path / "notebooks"
    (notebooks / "presets").mkdir(parents=True)
    (notebooks / "presets" / "quick.yaml").write_text("")
    for name in GOOD:
        file = tmp_path / "reports" / "quick" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"a good {name}")
    return notebooks


def unchanged(out: Path) -> bool:
    return all((out / name).read_text() == f"a good {name}" for name in GOOD)


@pytest.mark.slow
def test_a_failing_cell_and_a_dead_kernel_end_the_command_not_the_other_notebooks(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write(folder, "q1_bad", "print('before')", f"x = '{'long ' * 99}'\nraise ValueError(x * 99)")
    write(folder, "q2_good", "print('fine')")
    write(folder, "q3_dead", "print('alive')", "import os\nos._exit(1)")
    reports = folder.parent / "reports"
    words = ["report", "--notebooks", str(folder), "--out", str(reports)]
    monkeypatch.setattr(sys, "argv", ["fercore", *words])
    monkeypatch.setattr("fercore.data.load", lambda _, **__: random_faces(200))
    with pytest.raises(SystemExit) as left:
        main()
    out = reports / "quick"
    said = capfd.readouterr().err
    assert left.value.code == 1
    assert "q1_bad.ipynb stopped at cell 3 (In [2]):" in said
    assert "→   2 │ raise ValueError(x * 99)" in said
    assert "ValueError: long long" in said
    assert "q3_dead.ipynb: its Python process ended without a word" in said
    assert len(said.splitlines()) < 40
    assert max(map(len, said.splitlines())) <= 1020
    for name, text in (("q1_bad", "before"), ("q3_dead", "alive")):
        assert f"What was run until then: {out / 'failed' / name}.ipynb" in said
        assert f'"{text}\\n"' in (out / "failed" / f"{name}.ipynb").read_text()
    assert '"fine\\n"' in (out / "failed" / "q2_good.ipynb").read_text()
    assert unchanged(out)
    assert not list(out.glob(".running-*"))


@pytest.mark.parametrize("executor", ["auto", "tcp://127.0.0.1:1"])
def test_a_device_that_is_not_here_is_refused_before_a_kernel_starts(
    executor: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """But not for a cluster, whose workers may have it."""
    reports: list[Job] = []

    def instead(job: Job, say: Callable[[str], None]) -> list[Path]:
        reports.append(job)
        return [tmp_path / "page"]

    settings = ("DEVICE=cuda:99", f"EXECUTOR={executor}", "TRAIN_IMAGES=70")
    words = [word for setting in settings for word in ("--set", setting)]
    monkeypatch.setattr(sys, "argv", ["fercore", "report", "--only", "q2", *words])
    monkeypatch.setattr("fercore.report.build", instead)
    monkeypatch.setattr("fercore.data.load", lambda _, **__: random_faces(200))
    with pytest.raises(SystemExit) as left:
        main()
    cluster = executor.startswith("tcp")
    assert (left.value.code or 0, len(reports)) == ((0, 1) if cluster else (2, 0))
    assert ("found 'cuda:99'" in capsys.readouterr().err) is not cluster


@pytest.mark.parametrize(
    ("size", "form", "columns"), [((30, 110), "bars", "110"), ((0, 0), "lines", "100")]
)
def test_bars_go_to_the_terminal_on_stderr_wherever_stdout_goes(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], form: str, columns: str
) -> None:
    """Stdout is a file here, as in `fercore report > log`; some terminals have no size."""
    termios = pytest.importorskip("termios")
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, size)
    monkeypatch.delenv(PROGRESS, raising=False)
    with os.fdopen(ours, "rb"), os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        given = ThisPython().kernel_spec.env
        monkeypatch.undo()
    assert (given[PROGRESS], given["COLUMNS"]) == (form, columns)


def test_a_folder_that_cannot_be_written_is_one_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.parent / "file").write_text("in the way")
    write(folder, "q1_any", "1")
    words = ["report", "--notebooks", str(folder), "--out", str(folder.parent / "file")]
    monkeypatch.setattr(sys, "argv", ["fercore", *words])
    monkeypatch.setattr("fercore.data.load", lambda _, **__: random_faces(200))
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"fercore: cannot make the report {folder.parent}/file/quick: [Errno")


@pytest.mark.slow
def test_a_notebook_that_is_mended_is_no_longer_kept_as_failed(folder: Path) -> None:
    job = Job(folder, folder.parent / "reports", only=("q1",))
    write(folder, "q1_bad", "1 / 0")
    with pytest.raises(NotebookError, match="ZeroDivisionError"):
        build(job, say=lambda text: None)
    assert (job.out / "failed" / "q1_bad.ipynb").exists()
    assert not (job.out / "q1_bad.html").exists()
    write(folder, "q1_bad", "1 / 1")
    build(job, say=lambda text: None)
    assert not (job.out / "failed" / "q1_bad.ipynb").exists()
    assert (job.out / "q1_bad.html").exists()
    assert (job.out / "notebooks" / "q1_bad.ipynb").exists()


@pytest.mark.slow
def test_what_fails_after_the_notebooks_replaces_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bytes:
        raise ValueError("no typesetting today")

    write(folder, "q2_good", "print('fine')")
    monkeypatch.setattr("fercore.report.pdf", fails)
    with pytest.raises(ValueError, match="no typesetting today"):
        build(Job(folder, folder.parent / "reports"), say=lambda text: None)
    assert unchanged(folder.parent / "reports" / "quick")


def test_the_screen_is_one_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = "\n".join(f"line{number} = {'x' * 300!r}" for number in range(1, 101))
    fault = PapermillExecutionError(
        cell_index=6,
        exec_count=4,
        source=source,
        ename="ValueError",
        evalue="\x1b[31mred\x1b[0m\n" * 500 + "y" * 5000,
        traceback=["\x1b[0mCell \x1b[32mIn[4], line 57\x1b[0m"],
    )

    def fails(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("papermill.execute_notebook", fails)
    with pytest.raises(NotebookError) as caught:
        execute(tmp_path / "q1_a.ipynb", tmp_path / "out.ipynb", {})
    screen = str(caught.value)
    assert screen.startswith("q1_a.ipynb stopped at cell 7 (In [4]):")
    assert "→  57 │ line57 = 'xxx" in screen
    assert "\x1b" not in screen
    assert len(screen.splitlines()) <= 24
    assert max(map(len, screen.splitlines())) <= 100
