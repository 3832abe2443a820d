"""Intervals over test images."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fercore import analysis
from tests.tables_of_runs import pairs, runs


def test_coverage_on_images_drawn_from_a_known_law() -> None:
    random = np.random.default_rng(0)
    trials, hits = 400, 0
    for _ in range(trials):
        hard = random.random(300)  # both networks find the same images hard
        first = random.random((2, 300)) < 0.3 + 0.5 * hard
        second = random.random((3, 300)) < 0.25 + 0.5 * hard
        row = analysis.image_lead(first, second, random, 500)
        hits += row["low"] <= 0.05 <= row["high"]
    error = math.sqrt(0.95 * 0.05 / trials)
    assert hits / trials == pytest.approx(0.95, abs=3 * error)


def test_pairing_takes_out_what_is_hard_for_both() -> None:
    random = np.random.default_rng(0)
    hard = random.random((1, 1000)) < 0.5
    other = hard ^ (random.random((1, 1000)) < 0.02)
    paired = analysis.image_lead(hard, other, random)
    shuffled = analysis.image_lead(hard, random.permuted(other, axis=1), random)
    assert paired["high"] - paired["low"] < 0.3 * (shuffled["high"] - shuffled["low"])


def test_the_same_network_leads_itself_by_nothing() -> None:
    right = np.random.default_rng(0).random((2, 50)) < 0.5
    row = analysis.image_lead(right, right, np.random.default_rng(0))
    assert (row["low"], row["lead"], row["high"]) == (0, 0, 0)
    assert row["verdict"] == "undecided"


def test_one_seed_is_enough_for_an_interval_over_images() -> None:
    found = analysis.over_images(
        pairs(runs(("m", "mobilenet", 100, [0.9]), ("c", "cnn", 100, [0.1]))),
        {"m": np.arange(100)[None] < 90, "c": np.arange(100)[None] < 10},
        np.random.default_rng(0),
    )
    assert found[["verdict", "image_verdict"]].to_numpy().tolist() == [["one seed", "ahead"]]


def test_different_images_are_refused() -> None:
    with pytest.raises(ValueError, match="same images, found 3 and 4"):
        analysis.image_lead(np.ones((1, 3), bool), np.ones((1, 4), bool), np.random.default_rng(0))
