"""`python -m tests.commands FILE`: the file's commands, one a line, all in this one process.

Importing fercore costs some seconds each time, and a page of docs/extend has four commands.
"""

from __future__ import annotations

import runpy
import shlex
import sys
from pathlib import Path

import pytest

from tests.here import without_kernels


def do(words: list[str]) -> None:
    """What the shell would do. Raises `SystemExit` with the command's code where it has one."""
    match words:
        case ["python", "-m", "pytest", *given]:
            sys.exit(pytest.main([*given, "-p", "no:cacheprovider"]))
        case ["python", script]:
            runpy.run_path(script, run_name="__main__")
        case ["fercore", *_]:
            from fercore.cli import main

            sys.argv = words
            with without_kernels():
                main()
        case _:
            raise ValueError(words)


if __name__ == "__main__":
    for line in Path(sys.argv[1]).read_text().splitlines():
        try:
            do(shlex.split(line))
        except SystemExit as left:
            if left.code:
                sys.exit(f"{line}: {left.code}")
