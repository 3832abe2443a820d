"""`fercore runs`: what the run store holds, and keeping it in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fercore import upkeep
from fercore.progress import duration
from fercore.record import RunRecord
from fercore.runs import RunStore, StoreError

app = typer.Typer(
    help="Look at finished runs, and keep their store in order.", no_args_is_help=True
)

Root = Annotated[
    Path | None,
    typer.Option("--store", help="The store's folder.", envvar="FERCORE_RUNS", show_default="runs"),
]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Name = Annotated[str, typer.Argument(metavar="ID", help="A run id, or its first few digits.")]

Names = Annotated[list[str], typer.Argument(metavar="ID...", help="Run ids, or their beginnings.")]


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


@app.command()
def verify(store: Root = None, as_json: Json = False) -> None:
    """Read every file of every run and say which runs cannot be used, and why; exit code 1 then."""
    runs = RunStore(store)
    faults = {name: fault for name in runs.names() if (fault := upkeep.fault(runs, name))}
    if as_json:
        rows = [{"run_id": name, "fault": faults.get(name)} for name in runs.names()]
        typer.echo(json.dumps(rows, indent=1))
    else:
        for name, fault in faults.items():
            typer.echo(f"{name}  {fault}")
        typer.echo(f"{len(runs.names())} runs, {len(faults)} of them cannot be used")
    if faults:
        raise typer.Exit(1)


@app.command()
def remove(names: Names, store: Root = None) -> None:
    """Delete runs, be they readable or not; they are trained again when asked for."""
    runs = RunStore(store)
    chosen = dict.fromkeys(_one(runs, name) for name in names)
    for run in chosen:
        runs.remove(run)
        typer.echo(f"removed {run}")


@app.command()
def gc(
    store: Root = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be deleted.")] = False,
    as_json: Json = False,
) -> None:
    """Delete checkpoints of finished runs, stale locks and what killed processes left."""
    runs = RunStore(store)
    found = list(upkeep.leftovers(runs))
    names = [str(path.relative_to(runs.root)) for path in found]
    freed = 0 if dry_run else upkeep.delete(found)
    if as_json:
        typer.echo(json.dumps({"deleted": not dry_run, "paths": names, "bytes": freed}, indent=1))
        return
    for name in names:
        typer.echo(name)
    typer.echo(f"{len(names)} to delete" if dry_run else f"{len(names)} deleted, {freed:,} bytes")


def _one(store: RunStore, start: str) -> str:
    found = [name for name in store.names() if name.startswith(start)]
    if len(found) != 1 or not start:
        names = f": {', '.join(found)}" if found else ""
        raise StoreError(
            f"{store.root.absolute()}: expected one run whose id begins with {start!r}, "
            f"found {len(found)}{names}"
        )
    return found[0]


def _find(store: RunStore, start: str) -> RunRecord:
    name = _one(store, start)
    try:
        return store.check(name)
    except StoreError as error:
        raise StoreError(f"{store.folder(name).absolute()} is no readable run: {error}") from None


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
