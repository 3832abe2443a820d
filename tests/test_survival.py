"""What docs/reliability.md promises, held by `tests.torture` on a few of its faults."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the faults are done to forked processes")
def test_studies_survive() -> None:
    # In a process of its own: forks must be made of one that has no other threads.
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "run killed, at a random moment" in done.stdout
    assert "BROKEN" not in done.stdout
