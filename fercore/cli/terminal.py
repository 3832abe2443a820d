"""How the command line looks: colour, lines and bars in a terminal, plain text elsewhere.

rich leaves colour out where NO_COLOR is set or TERM is dumb; modules that take seconds to import
are imported by the command that needs them, so that --help and the shell's completion are quick.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fercore.plain import plain

WIDE = 10_000
"""Columns of what is no terminal: nothing is cut or wrapped there."""


def group(**settings: Any) -> typer.Typer:
    """A command with subcommands; alone it shows its help."""
    return typer.Typer(
        no_args_is_help=True,
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        **settings,
    )


def console() -> Console:
    """Where output goes; texts are taken as they are, without markup."""
    width = None if sys.stdout.isatty() else WIDE
    return Console(width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(*lines: str, style: str | None = None) -> None:
    """Print lines; a style (as rich knows it) where there is colour."""
    for line in lines:
        console().print(safe(line), style=style)


def safe(text: str) -> str:
    """Lines as they are, without what a name from elsewhere could do to a terminal."""
    return "\n".join(map(plain, text.split("\n")))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    left: Iterable[int] = (0,),
    bold: int | None = None,
) -> None:
    """Print aligned columns, with lines in a terminal.

    left: columns of words; the others are numbers and stand to the right. bold: a row that counts.
    """
    shown = console()
    box = SIMPLE_HEAD if shown.is_terminal else None
    made = Table(box=box, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.show_header = any(columns)
    for place, heading in enumerate(columns):
        side: Literal["left", "right"] = "left" if place in left else "right"
        made.add_column(plain(heading), justify=side, no_wrap=side == "right", overflow="fold")
    for place, row in enumerate(rows):
        made.add_row(*map(plain, row), style="bold" if place == bold else None)
    shown.print(made)
