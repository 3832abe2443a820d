"""Notebooks without kernels: nbclient's cells run in this very process.

A kernel costs five seconds of a core, most of it for imports that a test process has long made.
Papermill, nbconvert and `fercore report` all run cells by nbclient, so all of them can be had so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from jupyter_client.client import KernelClient
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets.config import Config

from fercore import language

_shown: Any = new_output
INFO = {"content": {"language_info": {"name": "python"}}}


@contextmanager
def setup_kernel(client: NotebookClient, cwd: str | None = None, **_: Any) -> Iterator[None]:
    """A shell with a namespace of its own, in the folder that a kernel would have."""
    folder = cwd or client.resources.get("metadata", {}).get("path") or os.curdir
    client.kc = cast(KernelClient, SimpleNamespace(kernel_info=lambda: ""))
    InteractiveShell.clear_instance()
    InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}), user_ns={})
    with chdir(folder), language.speaking(language.current()):
        yield
    InteractiveShell.clear_instance()


def execute_cell(_: NotebookClient, cell: NotebookNode, *__: Any, **___: Any) -> NotebookNode:
    """Run the cell and keep what it shows."""
    if cell.cell_type != "code":
        return cell
    shell = InteractiveShell.instance()
    with capture_output(stderr=False) as shown:
        shell.display_trap.hook = sys.displayhook  # the capturing one, also for a cell's last line
        ran = shell.run_cell(cell.source)  # type: ignore[no-untyped-call]
    cell.outputs = [
        _shown("display_data", one.data, metadata=one.metadata) for one in shown.outputs
    ]
    if shown.stdout:
        cell.outputs.append(_shown("stream", name="stdout", text=shown.stdout))
    if error := ran.error_before_exec or ran.error_in_exec:
        raise CellExecutionError(shown.stdout, type(error).__name__, str(error))
    return cell


@contextmanager
def without_kernels() -> Iterator[None]:
    """Whatever nbclient executes meanwhile is executed here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NotebookClient, "setup_kernel", setup_kernel)
        patch.setattr(NotebookClient, "execute_cell", execute_cell)
        patch.setattr(NotebookClient, "wait_for_reply", lambda *_: INFO)
        yield
