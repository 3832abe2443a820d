"""From notebooks to one HTML file and one PDF."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from nbformat import NotebookNode

from fercore import presets
from fercore.language import speaking
from fercore.report.artifacts import write_artifacts
from fercore.report.execute import NotebookError, execute
from fercore.report.front import MAIN, PHOTOGRAPHS, Front, Request, answer, provenance
from fercore.report.html import page
from fercore.report.notebooks import (
    ParameterError,
    ReportError,
    find,
    key,
    select,
    title,
    translated,
    write,
    write_text,
)
from fercore.report.parameters import assignments, declared, resolve
from fercore.report.pdf import pdf

__all__ = ["Job", "NotebookError", "ParameterError", "ReportError", "build"]


@dataclass(frozen=True)
class Job:
    """What to build: which notebooks, with which parameters, and where to."""

    notebooks: Path
    """Folder of the notebooks, with the presets in presets/."""
    reports: Path
    """Everything is written below this folder; see `out`."""
    preset: str = "quick"
    overrides: Sequence[str] = ()
    """NAME=VALUE texts, as typed."""
    only: Sequence[str] = ()
    """Keys ("q2") or names of the notebooks asked for; none means the whole report."""

    @property
    def out(self) -> Path:
        """Where the report goes; single notebooks have a folder of their own within."""
        whole = self.reports / presets.find(self.preset, self.notebooks).stem
        return whole / "-".join(self.only) if self.only else whole

    def parameters(self) -> dict[Path, dict[str, Any]]:
        """What each notebook asked for is given.

        Raises `ReportError`, or `PresetError` or `StudyError` for a preset or a value.
        """
        available = find(self.notebooks)
        asked = select(available, self.only)
        preset = presets.find(self.preset, self.notebooks)
        return resolve(asked, available, preset, assignments(self.overrides))


def build(job: Job, say: Callable[[str], None] = print) -> list[Path]:
    """Execute the notebooks and write the report; returns the pages written.

    The whole report is report.html and report.pdf; notebooks asked for by name get a page each.
    If a notebook fails, the others still run, all go to failed/, and no report is written.

    Raises as `Job.parameters` before anything runs if the request does not fit the notebooks, and
    `NotebookError`, one screen per notebook, if cells failed.
    """
    parameters, out = job.parameters(), job.out
    executed = _execute_all(parameters, out, say)
    request = Request(job.preset, assignments(job.overrides), tuple(job.only))
    try:
        with speaking(_language(parameters)):
            spoken = {path: translated(notebook) for path, notebook in executed.items()}
            if job.only:
                pages = [_single(path, nb, request, parameters, out) for path, nb in spoken.items()]
            else:
                pages = _whole(spoken, request, parameters, out, say)
    except BaseException:
        _set_aside(executed, out)
        raise
    for path, notebook in executed.items():  # with the pages that show them, not before
        write(notebook, out / "notebooks" / path.name)
        (out / "failed" / path.name).unlink(missing_ok=True)
    return pages


def _language(parameters: Mapping[Path, Mapping[str, Any]]) -> str:
    """The language that the notebooks' outputs are in: LANG of the first that has it."""
    known = {path: found["LANG"] for path in parameters if "LANG" in (found := declared(path))}
    given = (parameters[path].get("LANG", found.default) for path, found in known.items())
    return str(next(given, "en"))


def _execute_all(
    parameters: Mapping[Path, dict[str, Any]], out: Path, say: Callable[[str], None]
) -> dict[Path, NotebookNode]:
    """Run every notebook, also after one has failed; then raise for all that failed."""
    executed, screens = {}, []
    for path, values in parameters.items():
        say(f"{path.name} ...")
        began = time.monotonic()
        try:
            executed[path] = _execute(path, values, out)
        except NotebookError as error:
            screens.append(f"{error}\n\nWhat was run until then: {out / 'failed' / path.name}")
            say(f"{path.name} FAILED")
        else:
            say(f"{path.name} done in {time.monotonic() - began:.0f} s")
    if screens:
        _set_aside(executed, out)
        raise NotebookError("\n\n".join(screens))
    return executed


def _set_aside(executed: Mapping[Path, NotebookNode], out: Path) -> None:
    """Keep what was executed for looking, where no report shows it."""
    for path, notebook in executed.items():
        write(notebook, out / "failed" / path.name)


def _execute(path: Path, values: Mapping[str, Any], out: Path) -> NotebookNode:
    """Run aside, where no other report runs it; what failed is kept as far as it came."""
    with _aside(out) as aside:
        running = aside / path.name
        try:
            return execute(path, running, values)
        except NotebookError:
            _keep(running, out / "failed")
            raise


@contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """A folder of our own, locked while we live; those of killed reports are cleared away."""
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(".running-*"):
        with suppress(Timeout), FileLock(left / ".lock", timeout=0):
            shutil.rmtree(left, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(
            dir=out, prefix=".running-", ignore_cleanup_errors=True
        ) as made,
        FileLock(Path(made) / ".lock"),
    ):
        yield Path(made)


def _keep(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if file.exists():
        shutil.move(file, folder / file.name)


def _front(
    executed: Mapping[Path, NotebookNode],
    request: Request,
    parameters: Mapping[Path, Mapping[str, Any]],
    **more: Any,
) -> Front:
    return Front(
        request=request,
        date=datetime.now().astimezone(),
        sources=[found for nb in executed.values() if (found := provenance(nb))],
        settings=_settings(executed, request, parameters),
        parameters={key(path): declared(path) for path in executed},
        **more,
    )


def _settings(
    executed: Mapping[Path, NotebookNode],
    request: Request,
    parameters: Mapping[Path, Mapping[str, Any]],
) -> dict[str, Any]:
    """What was set, by name; what was typed stands as it was typed, not as an absolute path."""
    passed = {name: value for path in executed for name, value in parameters[path].items()}
    return passed | {name: v for name, v in request.overrides.items() if name in passed}


def _single(
    path: Path,
    executed: NotebookNode,
    request: Request,
    parameters: Mapping[Path, Mapping[str, Any]],
    out: Path,
) -> Path:
    front = _front({path: executed}, request, parameters, title=title(executed), subtitle="")
    html = page({key(path): executed}, path.parent, front)
    write_artifacts({key(path): executed}, out)
    target = out / f"{path.stem}.html"
    write_text(html, target)
    return target


def _whole(
    executed: Mapping[Path, NotebookNode],
    request: Request,
    parameters: Mapping[Path, Mapping[str, Any]],
    out: Path,
    say: Callable[[str], None],
) -> list[Path]:
    by_key = {key(path): notebook for path, notebook in executed.items()}
    found = {key: answer(by_key[key]) for key in (MAIN, PHOTOGRAPHS) if key in by_key}
    front = _front(executed, request, parameters, answer=found.get(MAIN))
    if front.synthetic:
        front = replace(front, photographs=found.get(PHOTOGRAPHS))
    html = page(by_key, next(iter(executed)).parent, front)
    say("typesetting the PDF ...")
    typeset = pdf(html, front)
    write_artifacts(by_key, out)  # nothing is replaced before all of it is there
    write_text(html, out / "report.html")
    write_text(typeset, out / "report.pdf")
    return [out / "report.html", out / "report.pdf"]
