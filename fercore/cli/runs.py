"""`fercore runs`: what the run store holds, and keeping it in order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercore.cli import complete
from fercore.cli.terminal import group, say, table

if TYPE_CHECKING:
    from fercore.store.record import RunRecord
    from fercore.store.runs import RunStore

app = group(help="Look at finished runs, and keep their store in order.")

Root = Annotated[
    Path | None,
    typer.Option(
        "--store", help="The store's folder.", show_default="FERCORE_RUNS, else the project's runs/"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Name = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="A run id, or its first few digits.", autocompletion=complete.runs
    ),
]
Names = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...", help="Run ids, or their beginnings.", autocompletion=complete.runs
    ),
]


def _store(root: Path | None) -> RunStore:
    from fercore.store.runs import RunStore

    return RunStore(root)


@app.command("list", epilog="Example: fercore runs list --json")
def list_runs(store: Root = None, as_json: Json = False) -> None:
    """List all runs, by network and seed."""
    records = _store(store).records()
    if as_json:
        typer.echo(json.dumps([_row(record) for record in records], indent=1))
    else:
        _print(records)


@app.command(epilog="Example: fercore runs show 084c --json")
def show(run: Name, store: Root = None, as_json: Json = False) -> None:
    """Show one run; --json gives its whole record."""
    from fercore.store.verify import version

    record = _find(_store(store), run)
    if as_json:
        typer.echo(record.model_dump_json(indent=1))
        return
    row = _row(record) | {"other_version": version(record)}
    cells = ((name, "-" if value is None else str(value)) for name, value in row.items())
    table([], cells, left=(0, 1))


@app.command(epilog="Example: fercore runs path 084c")
def path(run: Name, store: Root = None) -> None:
    """Print the folder of a run.

    It holds the record, the predictions and the weights.
    """
    runs = _store(store)
    typer.echo(runs.folder(_find(runs, run).run_id).absolute())


@app.command(epilog="Example: fercore runs verify")
def verify(store: Root = None, as_json: Json = False) -> None:
    """Read every file of every run, for faults.

    Say which runs cannot be used, and why; exit code 1 then. Of the others it says what could not
    be checked, and which another version made.
    """
    from fercore.store import verify as library

    runs = _store(store)
    found = [library.verify(runs, name) for name in runs.names()]
    faults = [one for one in found if one.fault]
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found], indent=1))
    else:
        for one in faults:
            say(f"{one.run_id}  {one.fault}")
        typer.echo(f"{len(found)} runs, {len(faults)} of them cannot be used")
        _count("not checked for", (one.unchecked for one in found))
        _count("made by another version:", (one.version for one in found))
    if faults:
        raise typer.Exit(1)


def _count(words: str, found: Iterable[str | None]) -> None:
    for text, runs in Counter(filter(None, found)).items():
        say(f"{runs} {words} {text}")


@app.command(epilog="Example: fercore runs remove 084c 0dea")
def remove(names: Names, store: Root = None) -> None:
    """Delete runs, be they readable or not.

    They are trained again when asked for.
    """
    runs = _store(store)
    chosen = dict.fromkeys(_one(runs, name) for name in names)
    for run in chosen:
        runs.remove(run)
        say(f"removed {run}")


@app.command(epilog="Example: fercore runs gc --dry-run")
def gc(
    store: Root = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be deleted.")] = False,
    as_json: Json = False,
) -> None:
    """Delete what no run needs.

    Checkpoints of finished runs, stale locks and what killed processes left.
    """
    from fercore.store import upkeep

    runs = _store(store)
    found = list(upkeep.leftovers(runs))
    names = [str(path.relative_to(runs.root)) for path in found]
    freed = 0 if dry_run else upkeep.delete(found)
    if as_json:
        typer.echo(json.dumps({"deleted": not dry_run, "paths": names, "bytes": freed}, indent=1))
        return
    say(*names)
    typer.echo(f"{len(names)} to delete" if dry_run else f"{len(names)} deleted, {freed:,} bytes")


@app.command(epilog="Example: fercore runs export 084c small-cnn --to weights")
def export(
    run: Name,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call them.")],
    to: Annotated[
        Path | None, typer.Option(help="Folder that gets them.", show_default="fercore/weights")
    ] = None,
    store: Root = None,
) -> None:
    """Copy a run's weights for `fercore predict`.

    With its record, without the machine's paths.
    """
    from fercore import weights

    runs = _store(store)
    found = weights.find(_one(runs, run), runs)
    made = weights.export(found, name, to)
    say(f"{made.path} and {made.path.stem}.json", str(made))


def _one(store: RunStore, start: str) -> str:
    from fercore.store.runs import StoreError

    found = store.starting(start)
    if len(found) != 1 or not start:
        names = f": {', '.join(found)}" if found else ""
        raise StoreError(
            f"{store.root.absolute()}: expected one run whose id begins with {start!r}, "
            f"found {len(found)}{names}"
        )
    return found[0]


def _find(store: RunStore, start: str) -> RunRecord:
    from fercore.store.runs import StoreError

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


def _print(records: list[RunRecord]) -> None:
    from fercore.progress import duration

    ordered = sorted(records, key=lambda r: (r.params_trainable, r.spec.model.name, r.spec.seed))
    cells = (
        (
            record.run_id,
            record.spec.model.name,
            f"{record.params_trainable:,}",
            str(record.spec.seed),
            str(record.spec.train.epochs),
            *(_percent(record, split) for split in ("valid", "PublicTest", "PrivateTest")),
            duration(record.seconds) if record.status == "done" else record.status,
        )
        for record in ordered
    )
    splits = ["valid", "public", "private"]
    if records:
        heads = ["run", "network", "trainable", "seed", "epochs", *splits, "time"]
        table(heads, cells, left=(0, 1))
    say("valid, public, private: accuracy in percent" if records else "no runs", style="dim")


def _percent(record: RunRecord, split: str) -> str:
    accuracy = record.accuracy(split)
    return "" if accuracy is None else f"{100 * accuracy:.1f}"
