"""A study in a cell of a notebook, whose kernel is killed: for `tests.torture`."""

from __future__ import annotations

import os
import random
from functools import partial
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook

from fercore import data
from fercore.store.runs import RunStore
from tests.ground import EPOCHS, ROOT, WORKERS, Ground, specs, study, workers_of
from tests.outcome import Outcome

CELLS = (
    "import sys\nsys.path.insert(0, ROOT)",
    "from tests.kernel import train\ntrain(SOURCE, STORE)",
)


def train(source: str, store: str) -> None:
    """What the second cell does."""
    study(specs(Path(source)), data.load(source), RunStore(store), f"local:{WORKERS}")


def execute(ground: Ground, store: RunStore) -> None:
    """The notebook as `make report` executes notebooks, in an ipykernel."""
    from fercore.report.execute import execute as run  # here: the parent is to have no threads

    cells = [new_code_cell(source) for source in CELLS]  # type: ignore[no-untyped-call]
    notebook = ground.folder / f"{store.root.name}.ipynb"
    nbformat.write(new_notebook(cells=cells), notebook)  # type: ignore[no-untyped-call]
    given = {"ROOT": str(ROOT), "SOURCE": str(ground.source), "STORE": str(store.root)}
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        run(notebook, notebook.with_suffix(".executed.ipynb"), given, nowhere)


def kernel_killed(ground: Ground) -> Outcome:
    """While a cell trains: that is told, no worker outlives it, and the notebook goes on."""
    store = ground.store()
    child = ground.fork(store, partial(execute, ground, store))
    ground.wait(child, store, random.randint(2, EPOCHS))
    family = psutil.Process(child.pid).children(recursive=True)
    (kernel,) = (one for one in family if "ipykernel_launcher" in one.cmdline())
    workers = workers_of(kernel)
    ground.strike(child, store, kernel.kill)
    _, alive = psutil.wait_procs(workers, timeout=10)
    child.join()
    told = "its Python process ended without a word" in ground.error(store)
    again = ground.fork(store, partial(execute, ground, store))
    again.join()
    good = bool(workers) and not alive and told and again.exitcode == 0
    return ground.judge(store, allowed=WORKERS).only_if(good)
