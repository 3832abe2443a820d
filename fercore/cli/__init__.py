"""The command line: one module per subcommand, and one way to report a user's mistake."""

from __future__ import annotations

import sys

import typer

from fercore.cli import data, models, report, runs
from fercore.data import DataError
from fercore.models import ModelError
from fercore.report import ReportError
from fercore.runs import StoreError

app = typer.Typer(
    name="fercore",
    help="How few parameters does it take to read a facial expression?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.command()(models.models)
app.command()(report.report)
app.command()(report.parameters)

MISTAKES = (DataError, ModelError, ReportError, StoreError)
"""Errors whose message says all that a user needs; anything else is a fault of fercore."""


def main() -> None:
    """Run the command line; a user's mistake is one message on stderr and exit code 2."""
    try:
        app()
    except MISTAKES as mistake:
        print(f"fercore: {mistake}", file=sys.stderr)
        sys.exit(2)
