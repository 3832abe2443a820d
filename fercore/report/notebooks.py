"""Notebook files: found, read and written whole."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from fercore.language import say


class ReportError(ValueError):
    """A request that no report can be made of: notebooks or parameters do not fit."""


class ParameterError(ReportError):
    """A parameter that the notebooks do not have, or a path that leads nowhere."""


def find(folder: Path) -> list[Path]:
    """The folder's notebooks: questions (q1, q2, ...) first, then the others, each by name.

    One whose name begins with "explore" is for JupyterLab alone.
    """
    paths = (path for path in folder.glob("*.ipynb") if not path.stem.startswith("explore"))
    found = sorted(paths, key=lambda path: (not _is_question(path), path.name))
    if not found:
        raise ReportError(
            f"{folder}: no notebooks (*.ipynb) there; "
            "go to the project's folder, or name theirs: --notebooks"
        )
    return found


def select(available: Sequence[Path], only: Sequence[str]) -> list[Path]:
    """Those asked for, by whole name or by key ("q2" for q2_mobilenet.ipynb); all if none is."""
    for name in only:
        if not any(name in (key(path), path.stem) for path in available):
            known = ", ".join(key(path) for path in available)
            raise ReportError(f"no notebook {name!r}; there are: {known}")
    return [path for path in available if not only or {key(path), path.stem} & set(only)]


def key(path: Path) -> str:
    """Short name, up to the first underscore: "q2" for q2_mobilenet.ipynb."""
    return path.stem.partition("_")[0]


def _is_question(path: Path) -> bool:
    return re.match(r"q\d", path.stem) is not None


def title(notebook: NotebookNode) -> str:
    """The notebook's first heading; its absence is a ReportError."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := re.match(r"# (.+)", cell.source)):
            return found[1]
    raise ReportError("a notebook without a title: expected a Markdown cell that begins with '# '")


def translated(notebook: NotebookNode) -> NotebookNode:
    """A copy whose Markdown is in the report's language, cell by cell as far as it is known."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = say(cell.source)
    return notebook


def read(path: Path) -> NotebookNode:
    """A notebook as nbformat 4; ReportError where the file is none."""
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (ValueError, nbformat.ValidationError) as error:
        raise ReportError(f"{path}: no valid notebook: {str(error)[:200]}") from None
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Write it whole or not at all."""
    write_text(nbformat.writes(notebook), path)  # type: ignore[no-untyped-call]


def write_text(content: str | bytes, path: Path) -> None:
    """Write a file by way of a temporary one in the same folder, made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
