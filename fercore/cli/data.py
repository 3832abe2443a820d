"""`fercore data`: look into a data set, or fetch FER2013."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercore.cli.terminal import group, say, table

if TYPE_CHECKING:
    from fercore.data import summary

app = group(help="Look into a data set, or fetch FER2013.")


@app.command(epilog="Example: fercore data inspect fer2013.csv")
def inspect(
    path: Annotated[str, typer.Argument(help="A file or folder of faces, or 'synthetic'.")],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,
) -> None:
    """Show what a data set holds.

    Form, classes, blank images, exact duplicates, fingerprint.
    """
    from fercore.data import summary

    found = summary.inspect(path)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    say(f"{found.source}: {found.form}, {found.rows:,} rows", style="bold")
    _counts(found)
    say(_duplicates(found.duplicates), f"Fingerprint {found.fingerprint}")


@app.command(epilog="Example: fercore data fetch --to data")
def fetch(
    to: Annotated[Path, typer.Option(help="Folder that gets the data.")] = Path("data"),
) -> None:
    """Download FER2013 (60 MB) from Kaggle.

    Where that fails, say what to download by hand.
    """
    from fercore.data import download

    print(f"FER2013 is in {download.fetch(to)}")


def _counts(found: summary.Summary) -> None:
    """Images by class and split."""
    from fercore.data import EMOTIONS

    rows = {name: {s: found.classes[s][name] for s in found.splits} for name in EMOTIONS}
    rows |= {"unlabelled": found.unlabelled, "all": found.splits, "of these blank": found.blank}
    cells = [(n, *(f"{counts[s]:,}" for s in found.splits)) for n, counts in rows.items()]
    table(["images", *found.splits], cells, bold=len(cells) - 2)


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
