"""What docs/reliability.md promises, held by `tests.torture` on a few of its faults."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.outcome import Outcome, losses, total

ROOT = Path(__file__).parents[1]


def test_each_fault_is_held_to_its_own_bound() -> None:
    """Three epochs lost at once are too many, though three kills might have cost one each."""
    assert total([Outcome(1, 1, 1, 1)] * 3).good
    assert not total([Outcome(1, 1, 3, 1), Outcome(1, 1, 0, 1), Outcome(1, 1, 0, 1)]).good


def test_what_each_kill_cost() -> None:
    """Two runs at once, of which one begins an epoch again and the other three."""
    lines = ["0 0", "1 0", "0 1", "0 1", "1 1", "1 2", "1 0", "0 2", "1 1", "1 2", "2 0"]
    assert losses(f"epoch {line}" for line in lines) == [1, 3]
    assert losses(f"epoch {line}" for line in lines[:3]) == []


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
