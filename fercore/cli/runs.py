"""`fercore runs`: what the run store holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fercore.progress import duration
from fercore.record import RunRecord
from fercore.runs import RunStore, StoreError

app = typer.Typer(help="Look at finished runs.", no_args_is_help=True)

Root = Annotated[
    Path | None,
    typer.Option("--store", help="The store's folder.", envvar="FERCORE_RUNS", show_default="runs"),
]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Name = Annotated[str, typer.Argument(metavar="ID", help="A run id, or its first few digits.")]


@app.command("list")
def list_runs(store: Root = None, as_json: Json = False) -> None:
    """List all runs, by network and seed."""
    records = RunStore(store).records()
    if as_json:
        typer.echo(json.dumps([_row(record) for record in records], indent=1))
    else:
        Console().print(_table(records))


@app.command()
def show(run: Name, store: Root = None, as_json: Json = False) -> None:
    """Show one run; --json gives its whole record."""
    record = _find(RunStore(store), run)
    if as_json:
        typer.echo(record.model_dump_json(indent=1))
        return
    table = Table(box=None, show_header=False)
    for name, value in _row(record).items():
        table.add_row(name, "-" if value is None else str(value))
    Console().print(table)


@app.command()
def path(run: Name, store: Root = None) -> None:
    """Print the folder that holds a run's record, predictions and weights."""
    runs = RunStore(store)
    typer.echo(runs.folder(_find(runs, run).run_id).absolute())


def _find(store: RunStore, start: str) -> RunRecord:
    found = [record for record in store.records() if record.run_id.startswith(start)]
    if len(found) != 1:
        names = f": {', '.join(record.run_id for record in found)}" if found else ""
        raise StoreError(
            f"{store.root.absolute()}: expected one run whose id begins with {start!r}, "
            f"found {len(found)}{names}"
        )
    return found[0]


def _row(record: RunRecord) -> dict[str, str | int | float | None]:
    spec = record.spec
    return {
        "run_id": record.run_id,
        "network": spec.model.name,
        "widths": "-".join(map(str, spec.model.widths or ())) or None,
        "params_trainable": record.params_trainable,
        "seed": spec.seed,
        "epochs": spec.train.epochs,
        "data": record.data.source,
        "status": record.status,
        "message": record.message or None,
        "valid": record.accuracy("valid"),
        "PublicTest": record.accuracy("PublicTest"),
        "PrivateTest": record.accuracy("PrivateTest"),
        "seconds": round(record.seconds, 1),
        "device": record.device,
        "dtype": record.dtype,
        "finished": record.finished,
    }


def _table(records: list[RunRecord]) -> Table:
    caption = "valid, public, private: accuracy in percent" if records else "no runs"
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), caption=caption)
    table.add_column("run", no_wrap=True)
    table.add_column("network", no_wrap=True)
    for heading in ("trainable", "seed", "valid", "public", "private", "time"):
        table.add_column(heading, justify="right", no_wrap=True)
    ordered = sorted(records, key=lambda r: (r.params_trainable, r.spec.model.name, r.spec.seed))
    for record in ordered:
        table.add_row(
            record.run_id,
            record.spec.model.name,
            f"{record.params_trainable:,}",
            str(record.spec.seed),
            *(_percent(record, split) for split in ("valid", "PublicTest", "PrivateTest")),
            duration(record.seconds) if record.status == "done" else record.status,
        )
    return table


def _percent(record: RunRecord, split: str) -> str:
    accuracy = record.accuracy(split)
    return "" if accuracy is None else f"{100 * accuracy:.1f}"
