"""What the store holds of runs, as arrays."""

from __future__ import annotations

import numpy as np

from fercore import analysis
from fercore.spec import AugmentSpec, TrainSpec
from fercore.store import measured
from fercore.store.record import bits
from tests.tables_of_runs import pairs, runs
from tests.test_runs import record, score

RIGHT = np.arange(22) > 0
"""Of the 22 images of `score`, all but the first."""


def test_a_lead_over_images_is_of_all_seeds_or_of_none() -> None:
    """An older record does not say its answers; the other seeds' mean is another network's lead."""
    table = runs(("m", "mobilenet", 20_000, [0.64, 0.60]), ("c", "cnn", 20_000, [0.62, 0.62]))
    known = record(splits={"PublicTest": score(right=bits(RIGHT))})
    records = dict.fromkeys(table["run_id"], known) | {"m-0": record()}
    right = measured.correct(records, table, ["m", "c"], "PublicTest")
    assert right.keys() == {"c"}
    assert (right["c"] == RIGHT).all()
    found = analysis.over_images(pairs(table), right, np.random.default_rng(0))
    assert found["image_verdict"].tolist() == ["not recorded"]
    records["m-0"] = known
    both = measured.correct(records, table, ["m", "c"], "PublicTest")
    assert {name: array.shape for name, array in both.items()} == {"m": (2, 22), "c": (2, 22)}


def test_a_recipe_is_told_by_what_it_changes_of_most() -> None:
    plain = TrainSpec(epochs=3)
    bare = plain.model_copy(update={"augment": AugmentSpec(flip=False, shear=2.0), "batch": 8})
    longer = plain.model_copy(update={"epochs": 9})
    made = record()
    trained = [
        made.model_copy(update={"spec": made.spec.model_copy(update={"train": train})})
        for train in (bare, plain, longer, bare)
    ]
    assert measured.departures(longer, plain) == ""
    assert measured.departures(bare, longer) == "batch 8, flip False, shear 2.0"
    assert measured.departures(plain, bare) == "batch 32, flip True, shear 0.0"
    assert measured.usual(trained[:3]).batch == 32
    assert measured.usual([*trained, *trained[3:]]).batch == 8
    assert measured.usual([]) == TrainSpec()
