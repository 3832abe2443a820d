"""The command line: one module per subcommand, and one way to report a user's mistake."""

from __future__ import annotations

import sys

import typer

from fercore.cli.data import app as data
from fercore.cli.models import models
from fercore.cli.report import parameters, report
from fercore.cli.runs import app as runs
from fercore.data import DataError
from fercore.device import DeviceError
from fercore.models import ModelError
from fercore.progress import ProgressError
from fercore.report import NotebookError, ReportError
from fercore.runs import StoreError
from fercore.setting import StudyError

app = typer.Typer(
    name="fercore",
    help="How few parameters does it take to read a facial expression?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(data, name="data")
app.add_typer(runs, name="runs")
for command in (models, report, parameters):
    app.command()(command)

MISTAKES = (DataError, DeviceError, ModelError, ProgressError, ReportError, StoreError, StudyError)
"""Errors whose message says all that a user needs; anything else is a fault of fercore."""


def main() -> None:
    """Run the command line; a user's mistake is one message and exit code 2, a failed cell 1."""
    try:
        app()
    except MISTAKES as mistake:
        print(f"fercore: {mistake}", file=sys.stderr)
        sys.exit(2)
    except NotebookError as failure:
        print(f"\n{failure}", file=sys.stderr)
        sys.exit(1)
