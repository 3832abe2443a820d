"""`fercore models`: the networks and what they cost."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fercore.models import FAMILIES, REPORTED, ModelError, listing, nearest
from fercore.spec import ModelSpec


def models(
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON list, one object per network.")
    ] = False,
    family: Annotated[
        str | None, typer.Option(help=f"Only one family: {' or '.join(FAMILIES)}.")
    ] = None,
    budget: Annotated[
        list[int] | None,
        typer.Option(help="Show the families' members nearest to so many parameters; repeatable."),
    ] = None,
) -> None:
    """List the reports' networks (or family members) with parameters and multiply-adds."""
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
        Console().print(_table(rows))


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


def _table(rows: list[dict[str, Any]]) -> Table:
    """The rows in 80 columns, without keys that no row has; `--json` gives all."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), caption_justify="left")
    shown = {name: key for name, key in _COLUMNS.items() if any(row[key] for row in rows)}
    table.caption = "\n".join(f"{name}: {_NOTES[name]}" for name in shown if name in _NOTES)
    for heading, key in shown.items():
        numeric = key in ("macs", "reported_params") or key.startswith("params")
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(_cell(key, row[key]) for key in shown.values()))
    return table


def _cell(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value / 1e6:.1f}" if key == "macs" else f"{value:,}"
    return value or ""
