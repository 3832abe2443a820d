"""`fercore models`: the networks and what they cost."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from fercore.cli import complete
from fercore.cli.terminal import say, table


def models(
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON list, one object per network.")
    ] = False,
    family: Annotated[
        str | None,
        typer.Option(
            help=f"Only one family: {' or '.join(complete.FAMILIES)}.",
            autocompletion=complete.families,
        ),
    ] = None,
    budget: Annotated[
        list[int] | None,
        typer.Option(help="Show the families' members nearest to so many parameters; repeatable."),
    ] = None,
) -> None:
    """List the reports' networks, or family members.

    Each with its parameters and multiply-adds.
    """
    from fercore.models import FAMILIES, REPORTED, ModelError, listing, nearest
    from fercore.spec import ModelSpec

    if family is not None and family not in FAMILIES:
        raise ModelError(f"--family: expected {' or '.join(FAMILIES)}, found {family!r}")
    families = [family] if family else list(FAMILIES)
    specs = [nearest(name, size) for size in budget or () for name in families]
    if not budget:
        chosen = (network for network in REPORTED.values() if network.family in families)
        specs = [ModelSpec(name=network.name) for network in chosen]
    rows = listing(specs)
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        _print(rows)


_COLUMNS = {
    "network": "name",
    "Q": "question",
    "trainable": "params_trainable",
    "Keras": "params_keras_total",
    "reported": "reported_params",
    "exact": "exact",
    "MMACs": "macs",
    "layers": "layers",
}
_NOTES = {
    "Keras": "trainable and BatchNorm's running statistics",
    "exact": "one of both counts is the reported one, by its convention",
    "MMACs": "million multiply-adds per image",
    "layers": "published, or how sure their reconstruction is",
}
_WORDS = ("name", "question", "exact", "layers")


def _print(rows: list[dict[str, Any]]) -> None:
    """The rows in 80 columns, without keys that no row has; `--json` gives all."""
    shown = {name: key for name, key in _COLUMNS.items() if any(row[key] for row in rows)}
    left = [place for place, key in enumerate(shown.values()) if key in _WORDS]
    cells = ([_cell(key, row[key]) for key in shown.values()] for row in rows)
    table(list(shown), cells, left=left)
    say(*(f"{name}: {_NOTES[name]}" for name in shown if name in _NOTES), style="dim")


def _cell(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value / 1e6:.1f}" if key == "macs" else f"{value:,}"
    return value or ""
