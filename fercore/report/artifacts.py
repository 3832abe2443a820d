"""Tables and figures of executed notebooks as files: CSV, SVG and PNG."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

from nbformat import NotebookNode

from fercore.report.notebooks import write_text

FOLDERS = {"table": "tables", "figure": "figures"}
FORMS = {"text/csv": ".csv", "image/svg+xml": ".svg", "image/png": ".png"}


def write_artifacts(notebooks: Mapping[str, NotebookNode], out: Path) -> None:
    """Write each table and figure to out/tables and out/figures, named KEY-NAME.

    notebooks: executed, by key. What an earlier run of the same notebooks left there and this one
    did not make is removed.
    """
    written = set()
    for key, notebook in notebooks.items():
        for kind, name, output in _shown(notebook):
            for mime in FORMS.keys() & output.data.keys():
                target = out / FOLDERS[kind] / f"{key}-{name}{FORMS[mime]}"
                write_text(_content(output.data[mime], mime), target)
                written.add(target)
    for key in notebooks:
        for folder in FOLDERS.values():
            for old in set((out / folder).glob(f"{key}-*")) - written:
                old.unlink(missing_ok=True)  # another report may clear the same folder


def _shown(notebook: NotebookNode) -> Iterator[tuple[str, str, NotebookNode]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            about = output.get("metadata", {}).get("fercore", {})
            if about.get("kind") in FOLDERS:
                yield about["kind"], about["name"], output


def _content(data: str, mime: str) -> str | bytes:
    return base64.b64decode(data) if mime == "image/png" else data
