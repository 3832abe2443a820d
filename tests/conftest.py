"""Tests leave the user's caches and runs alone, show no progress, and use one CPU thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("FERCORE_RUNS", str(tmp_path_factory.mktemp("runs")))
        patch.setenv("FERCORE_PROGRESS", "off")
        # A second thread gains nothing on networks this small, and waits badly for a busy core.
        torch.set_num_threads(1)
        yield
