"""Executes notebooks by papermill, each in a fresh kernel of the very Python that runs this."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import papermill
import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from traitlets import default

from fercore.plain import cut
from fercore.report.notebooks import read, write

PROGRESS = "FERCORE_PROGRESS"
"""Environment variable that tells the kernel whether its bars reach a terminal or a log file."""

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class NotebookError(RuntimeError):
    """A notebook that stopped at a cell; the text is one screen that says where and why."""


class ThisPython(AsyncKernelManager):
    """Starts `sys.executable`, whatever a "python3" in the user's Jupyter folders points to."""

    @default("transport_encryption")
    def _encrypted_where_possible(self) -> str:
        """Else ipykernel >= 7.3 warns at each start that the loopback could be overheard."""
        return "auto" if zmq.has("curve") else "disabled"

    @property
    def kernel_spec(self) -> KernelSpec:
        """The specification that ipykernel gives for the running interpreter."""
        columns = _columns()
        form = os.environ.get(PROGRESS) or ("bars" if columns else "lines")
        env = {PROGRESS: form, "COLUMNS": str(columns or 100)}
        return KernelSpec(**get_kernel_dict(["--log-level=CRITICAL"]), env=env)


def _columns() -> int:
    """Of the terminal on stderr; 0 where there is none, or one without a size, which has no bars.

    Stdout may go elsewhere: `fercore report > log`.
    """
    try:
        columns, lines = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        return 0
    return columns if lines else 0


def execute(
    notebook: Path, target: Path, parameters: Mapping[str, Any], stderr: TextIO | None = None
) -> NotebookNode:
    """Run `notebook` in its own folder, as JupyterLab does, and save it to `target`.

    What its cells write to stderr (bars, warnings) is passed on as it comes (default: to ours), and
    not kept. A cell that raises ends it with NotebookError; `target` then holds what was run.
    """
    try:
        papermill.execute_notebook(
            _literally(notebook),
            _literally(target),
            parameters=dict(parameters),
            cwd=str(notebook.resolve().parent),
            kernel_name="python3",
            language="python",
            kernel_manager_class=ThisPython,
            progress_bar=False,
            stderr_file=stderr or sys.stderr,
        )
    except PapermillExecutionError as error:
        raise NotebookError(_screen(notebook, error)) from None
    except DeadKernelError:
        raise NotebookError(
            f"{notebook.name}: its Python process ended without a word. The usual reason is too "
            "little memory."
        ) from None
    except RuntimeError as error:  # a kernel that does not answer
        raise NotebookError(f"{notebook.name}: no Python process to run it: {error}") from None
    executed = tidy(read(target))
    write(executed, target)
    return executed


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Drop what is of no use to a reader: stderr, bars as widgets, papermill's machine paths."""
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_noise(output)]
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    return notebook


def _is_noise(output: NotebookNode) -> bool:
    if output.output_type == "stream":
        return bool(output.name == "stderr")
    return "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def _literally(path: Path) -> str:
    """Papermill takes a path for a format string; braces in a folder's name are doubled."""
    return str(path.resolve()).replace("{", "{{").replace("}", "}}")


def _screen(notebook: Path, error: PapermillExecutionError) -> str:
    line = _failing_line("\n".join(error.traceback))
    lines = error.source.splitlines()
    first = max(0, min(line - 6, len(lines) - 12)) if line else 0
    shown = "\n".join(
        cut(f"{'→' if number == line else ' '} {number:>3} │ {text}", 100)
        for number, text in enumerate(lines[first : first + 12], start=first + 1)
    )
    message = cut("\n".join(_ANSI.sub("", error.evalue).splitlines()[:8]), 1000)
    return (
        f"{notebook.name} stopped at cell {error.cell_index + 1} (In [{error.exec_count}]):\n\n"
        f"{shown}\n\n{error.ename}: {message}"
    )


def _failing_line(traceback: str) -> int:
    """The cell's own line in IPython's traceback; 0 where it names none (as a syntax error)."""
    found = re.search(r"Cell In\[\d+\], line (\d+)", _ANSI.sub("", traceback))
    return int(found[1]) if found else 0
