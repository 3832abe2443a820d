"""`fercore data`: look into a data set, or fetch FER2013."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from fercore.data import EMOTIONS, download, summary

app = typer.Typer(help="Look into a data set, or fetch FER2013.", no_args_is_help=True)


@app.command()
def inspect(
    path: Annotated[str, typer.Argument(help="A file or folder of faces, or 'synthetic'.")],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,
) -> None:
    """Show what a data set holds: form, classes, blank images, exact duplicates, fingerprint."""
    found = summary.inspect(path)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{found.source}: {found.form}, {found.rows:,} rows")
    console.print(_counts(found, lines=console.is_terminal))
    console.print(_duplicates(found.duplicates))
    console.print(f"Fingerprint {found.fingerprint}")


@app.command()
def fetch(
    to: Annotated[Path, typer.Option(help="Folder that gets the data.")] = Path("data"),
) -> None:
    """Download FER2013 (60 MB) from Kaggle, or say what to download by hand."""
    print(f"FER2013 is in {download.fetch(to)}")


def _counts(found: summary.Summary, *, lines: bool) -> Table:
    """Images by class and split; plain columns where the output is no terminal."""
    table = Table(box=SIMPLE if lines else None, pad_edge=False)
    table.add_column("images")
    for split in found.splits:
        table.add_column(split, justify="right")
    rows = {name: {s: found.classes[s][name] for s in found.splits} for name in EMOTIONS}
    rows |= {"unlabelled": found.unlabelled, "all": found.splits, "of these blank": found.blank}
    for name, counts in rows.items():
        table.add_row(name, *(f"{counts[split]:,}" for split in found.splits))
    return table


def _duplicates(found: summary.Duplicates) -> str:
    within = ", ".join(f"{count:,} in {split}" for split, count in found.surplus_within.items())
    shared = ", ".join(f"{count:,} in {split}" for split, count in found.in_training.items())
    return (
        f"Exact duplicates: {found.surplus:,} surplus copies in {found.groups:,} groups "
        f"(within splits: {within}); {found.groups_across_splits:,} groups span splits\n"
        f"Conflicting labels: {found.conflicting_groups:,} groups, "
        f"{found.conflicting_images:,} images\n"
        f"Test images that are also in Training: {shared or 'no test images'}"
    )
