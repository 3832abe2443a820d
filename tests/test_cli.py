"""The command line as a whole: help, examples, completion, plain output, quick start."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from fercore import cli, weights
from fercore.cli import complete
from fercore.models import FAMILIES

ROOT = Path(__file__).parents[1]
GROUP: Any = typer.main.get_command(cli.app)


def commands(group: Any = GROUP, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Path of every command and group, as ("runs", "list")."""
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


def found(path: tuple[str, ...]) -> Any:
    command = GROUP
    for name in path:
        command = command.commands[name]
    return command


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_of_every_command_says_what_it_does_and_shows_an_example(
    path: tuple[str, ...],
) -> None:
    for option in ("--help", "-h"):
        result = CliRunner().invoke(cli.app, [*path, option])
        assert result.exit_code == 0
        assert "Example: fercore" in result.stdout
        assert result.stdout.isascii()
    assert found(path).help
    assert "..." not in result.stdout.partition("Commands:")[2]  # a sentence cut off
    for parameter in found(path).params:
        assert parameter.name == "help" or parameter.help, parameter.name


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_each_example_is_one_that_the_command_takes(path: tuple[str, ...]) -> None:
    example = found(path).epilog.removeprefix("Example: ").split(". ")[0]
    words = shlex.split(example)
    assert tuple(words[1 : len(path) + 1]) == path
    command, arguments = GROUP, words[1:]
    while arguments and arguments[0] in getattr(command, "commands", {}):
        command, arguments = command.commands[arguments[0]], arguments[1:]
    command.make_context("fercore", arguments)


def test_without_arguments_there_is_help() -> None:
    result = CliRunner().invoke(cli.app, [])
    assert "Commands:" in result.output


def completed(line: str, folder: Path = ROOT, **more: str) -> list[str]:
    """What bash would offer at the end of a line."""
    words = line.split(" ")
    settings = {
        "_FERCORE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from fercore.cli import app; app(prog_name='fercore')"],
        env=os.environ | settings | more,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


def test_the_shell_completes_commands_options_and_values(tmp_path: Path) -> None:
    for run in ("0a1", "0b2"):
        (tmp_path / run).mkdir()
    assert completed("fercore pre") == ["predict"]
    assert completed("fercore predict --wei") == ["--weights"]
    assert completed("fercore runs show 0", FERCORE_RUNS=str(tmp_path)) == ["0a1", "0b2"]
    assert completed("fercore predict a.jpg --weights 0b", FERCORE_RUNS=str(tmp_path)) == ["0b2"]
    assert completed("fercore report --preset f") == ["fer2013"]
    assert "q2" in completed("fercore parameters q")
    assert completed("fercore models --family m") == ["mobilenet"]


def test_completion_knows_families_and_weights_without_their_modules() -> None:
    assert set(complete.FAMILIES) == set(FAMILIES)
    assert complete.shipped() == weights.names()


def test_help_and_completion_import_nothing_heavy() -> None:
    code = "import sys, fercore.cli; print(*{m.split('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "pandas", "matplotlib", "nbformat", "papermill", "numpy", "pydantic"}
    assert not heavy & set(done.stdout.split())


def in_a_terminal(*arguments: str, **more: str) -> str:
    """What a command writes where stdout is a terminal of 100 columns."""
    import pty  # not on Windows

    ours, theirs = pty.openpty()
    settings = {"TERM": "xterm-256color", "COLUMNS": "100"}
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "CI")}
    with subprocess.Popen(
        [sys.executable, "-c", "from fercore.cli import main; main()", *arguments],
        env=kept | settings | more,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 4096):
                parts.append(part)
        except OSError:  # how Linux says that the other end is closed
            pass
        finally:
            os.close(ours)
        assert process.wait() == 0
    return b"".join(parts).decode()


COLOUR, LINES = re.compile(r"\x1b\[[\d;]*3\d"), "─"


@pytest.mark.skipif(os.name != "posix", reason="no pseudo-terminals there")
def test_colour_and_lines_only_in_a_terminal_and_colour_not_where_it_is_unwanted() -> None:
    arguments = ("runs", "--help")
    seen = in_a_terminal(*arguments)
    assert COLOUR.search(seen)
    assert LINES in seen
    assert not COLOUR.search(in_a_terminal(*arguments, NO_COLOR="1"))
    rows = in_a_terminal("models", "--budget", "30000")
    assert "\x1b[1m" in rows
    assert LINES in rows
    plain = CliRunner().invoke(cli.app, ["models", "--budget", "30000"]).stdout
    assert plain.isascii()
    assert "\x1b" not in plain


def test_parameters_as_json() -> None:
    asked = ["parameters", "q2", "--notebooks", str(ROOT / "notebooks"), "--json"]
    rows = json.loads(CliRunner().invoke(cli.app, asked).stdout)
    assert {"EPOCHS", "BUDGETS", "SEEDS"} <= {row["name"] for row in rows}
    assert all(row.keys() == {"name", "default", "comment"} for row in rows)


def test_version() -> None:
    assert CliRunner().invoke(cli.app, ["--version"]).stdout == f"fercore {version('fercore')}\n"
