"""Tests leave the user's caches and runs alone, show no progress, and use one CPU thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from fercore.data import synthetic

ROOT = Path(__file__).parents[1]
TINY = ROOT / "tests" / "presets" / "tiny.yaml"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the files that read the tiny report one comes first and makes it, the others last.

    Else a second process of pytest-xdist would wait for it.
    """
    reading = {i.path for i in items if "tiny_report" in getattr(i, "fixturenames", ())}
    first = max(reading, key=lambda path: path.name == "test_report_browser.py", default=None)
    items.sort(key=lambda item: (item.path != first) + (item.path in reading - {first}))


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of pytest-xdist share, for what is to be made once."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture(scope="session", autouse=True)
def _own_folders(common: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    outer = Path(os.environ.get("FERCORE_CACHE", ""))
    cache = outer if outer.name == "few-faces" else common / "few-faces"  # a test may run tests
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_CACHE", str(cache))
        patch.setenv("FERCORE_RUNS", str(tmp_path_factory.mktemp("runs")))
        patch.setenv("FERCORE_PROGRESS", "off")
        # A second thread gains nothing on networks this small, and waits badly for a busy core.
        torch.set_num_threads(1)
        with FileLock(common / "cache.lock"):
            _few_faces(cache)
        yield


def _few_faces(cache: Path) -> None:
    """900 drawn faces where the cache would have all 12,000, which cost 15 s and are slow to read.

    Kernels and commands find them as well.
    """
    usual = cache / f"synthfer-{synthetic.VERSION}-0-8000-2000.npz"
    if not usual.exists():
        synthetic.load(train=700, test=100)
        usual.with_name(usual.name.replace("8000-2000", "700-100")).rename(usual)


@pytest.fixture(scope="session")
def tiny_report(common: Path) -> Path:
    """Folder of the report of all notebooks on the tiny preset, made once for all tests."""
    from fercore.report import Job, build  # heavy, and most tests need none of it

    out = common / "reports"
    with FileLock(common / "report.lock"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_RUNS", str(out / "runs"))
        if not (out / "tiny" / "report.pdf").exists():
            build(Job(ROOT / "notebooks", out, preset=str(TINY)), say=lambda text: None)
    return out / "tiny"
