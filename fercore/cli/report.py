"""`fercore report` and `fercore parameters`: notebooks in, report out."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercore.cli import complete

if TYPE_CHECKING:
    from fercore.report import Job

NOTEBOOKS = Annotated[Path, typer.Option(help="Folder of the notebooks and of presets/.")]


def report(
    preset: Annotated[
        str,
        typer.Option(help="Name in presets/, or a YAML file.", autocompletion=complete.presets),
    ] = "quick",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change a parameter (`fercore parameters q2` lists q2's); repeatable.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NOTEBOOK",
            help="One notebook alone, as q2; repeatable.",
            autocompletion=complete.notebooks,
        ),
    ] = None,
    notebooks: NOTEBOOKS = Path("notebooks"),
    out: Annotated[Path, typer.Option(help="Folder of all reports.")] = Path("reports"),
) -> None:
    """Execute the notebooks, and write HTML and PDF.

    What is missing is trained; finished runs are read.
    """
    from fercore.report import Job, ReportError, build

    began = time.monotonic()
    job = Job(notebooks, out, preset, settings or (), only or ())
    _check(job)
    try:
        pages = build(job, say=lambda text: typer.echo(text, err=True))
    except OSError as error:
        raise ReportError(f"cannot make the report {job.out.absolute()}: {error}") from error
    typer.echo(f"Written in {time.monotonic() - began:.0f} s:")
    for path in pages:
        typer.echo(f"  {path}")
    typer.echo(f"  {pages[0].parent / 'notebooks'}/, tables/ and figures/ beside it")


def _check(job: Job) -> None:
    """Find a user's mistake before a kernel starts: parameters, device and data, once for all."""
    from fercore.data import load
    from fercore.data.split import divide
    from fercore.executors import parse
    from fercore.models import FAMILIES
    from fercore.report.notebooks import read
    from fercore.report.parameters import declared
    from fercore.setting import check
    from fercore.training.device import choose

    data = set()
    for path, values in job.parameters().items():
        defaults = {name: found.default for name, found in declared(path).items()}
        setting = check(defaults | values)
        data.add((setting.source, setting.ferplus, setting.data))
        setting.contrasts()
        if parse(setting.EXECUTOR).kind != "cluster":  # whose workers have devices of their own
            choose(setting.DEVICE)
        source = "\n".join(cell.source for cell in read(path).cells)
        for family in filter(lambda name: f'family("{name}")' in source, FAMILIES):
            setting.members(family)
    for source, ferplus, spec in data:
        divide(load(source, ferplus=ferplus), spec)


def parameters(
    notebook: Annotated[
        str, typer.Argument(help="Key or name, as q2.", autocompletion=complete.notebooks)
    ],
    notebooks: NOTEBOOKS = Path("notebooks"),
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """List a notebook's parameters with defaults and meaning."""
    from fercore.report.notebooks import find, select
    from fercore.report.parameters import declared, listing

    (path,) = select(find(notebooks), [notebook])
    found = declared(path)
    if as_json:
        typer.echo(json.dumps([asdict(parameter) for parameter in found.values()], indent=1))
    else:
        typer.echo(f"{path.stem}\n{listing(found)}")
