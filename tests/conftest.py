"""Tests leave the user's caches and runs alone, show no progress, and use one CPU thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("FERCORE_RUNS", str(tmp_path_factory.mktemp("runs")))
        patch.setenv("FERCORE_PROGRESS", "off")
        # A second thread gains nothing on networks this small, and waits badly for a busy core.
        torch.set_num_threads(1)
        yield


@pytest.fixture(scope="session")
def tiny_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the report of all notebooks on the tiny preset, made once for all tests."""
    from fercore.report import Job, build  # heavy, and most tests need none of it

    out = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_RUNS", str(out / "runs"))
        preset = ROOT / "tests" / "presets" / "tiny.yaml"
        build(Job(ROOT / "notebooks", out, preset=str(preset)), say=lambda text: None)
    return out / "tiny"
