"""The command line: one module per subcommand, and one way to report a user's mistake."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from fercore.cli.data import app as data
from fercore.cli.models import models
from fercore.cli.predict import predict
from fercore.cli.report import parameters, report
from fercore.cli.runs import app as runs
from fercore.cli.terminal import group, safe

COMMANDS: list[tuple[Callable[..., None], str]] = [
    (models, "fercore models --budget 30000 --budget 200000"),
    (predict, "fercore predict face.jpg"),
    (report, "fercore report --only q2 --set BUDGETS=20000,80000 --set EPOCHS=5"),
    (parameters, "fercore parameters q2"),
]
"""Each with an example for its help."""

app = group(
    name="fercore",
    help="How few parameters does it take to read a facial expression?",
    epilog="Example: fercore report --only q2. Completion: fercore --install-completion",
)
for command, example in COMMANDS:
    app.command(epilog=f"Example: {example}")(command)
app.add_typer(data, name="data", epilog="Example: fercore data inspect fer2013.csv")
app.add_typer(runs, name="runs", epilog="Example: fercore runs list")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"fercore {version('fercore')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Say which fercore this is."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; a user's mistake is one message and exit code 2, a failed cell 1.

    A mistake is a ValueError of the project's own: its message says all that a user needs.
    Anything else is a fault of fercore.
    """
    try:
        app()
    except ValueError as mistake:
        if not type(mistake).__module__.startswith("fercore."):
            raise
        print(f"fercore: {safe(str(mistake))}", file=sys.stderr)
        sys.exit(2)
    except RuntimeError as failure:
        from fercore.report import NotebookError

        if not isinstance(failure, NotebookError):
            raise
        print(f"\n{safe(str(failure))}", file=sys.stderr)
        sys.exit(1)
