"""What the store holds of runs, as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercore import analysis
from fercore.store import measured
from fercore.store.runs import Predictions, RunStore
from tests.tables_of_runs import pairs, runs


def test_a_lead_over_images_is_of_all_seeds_or_of_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeds made elsewhere have no predictions; the others' mean is another network's lead."""
    table = runs(("m", "mobilenet", 20_000, [0.64, 0.60]), ("c", "cnn", 20_000, [0.62, 0.62]))
    here = {"m-1", "c-0", "c-1"}
    said = Predictions(np.eye(7, dtype=np.float16), np.zeros(7, int), np.arange(7))
    monkeypatch.setattr(RunStore, "has_predictions", lambda _, run: run in here)
    monkeypatch.setattr(RunStore, "predictions", lambda *_: {"PublicTest": said})
    store, split = RunStore(tmp_path), "PublicTest"
    assert measured.correct(store, table, ["m", "c"], split).keys() == {"c"}
    right = measured.correct(store, table, ["m", "c"], split)
    found = analysis.over_images(pairs(table), right, np.random.default_rng(0))
    assert found["image_verdict"].tolist() == ["no predictions"]
    here.add("m-0")
    both = measured.correct(store, table, ["m", "c"], split)
    assert {name: array.shape for name, array in both.items()} == {"m": (2, 7), "c": (2, 7)}
