"""Networks held against each other, and the shape of the tables."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from fercore import analysis
from tests.tables_of_runs import pairs, runs, summary


def test_headline_is_the_first_measured_test_split() -> None:
    table = runs(("m", "mobilenet", 100, [0.5]))
    assert analysis.headline_split(table) == "PublicTest"
    table["PublicTest"] = math.nan
    assert analysis.headline_split(table) == "valid"


def test_a_failed_seed_is_counted_and_left_out_of_the_mean() -> None:
    found = summary(runs(("m", "mobilenet", 100, [0.5, math.nan, 0.6])))
    assert found[["seeds", "failed"]].to_numpy().tolist() == [[2, 1]]
    assert found["mean"].item() == pytest.approx(0.55)
    assert found["file_bytes"].item() == 400


def test_pairs_take_the_nearest_size_once_and_respect_the_tolerance() -> None:
    table = runs(
        ("m1", "mobilenet", 1000, [0.5]),
        ("m2", "mobilenet", 1030, [0.5]),
        ("c1", "cnn", 1035, [0.4]),
        ("c2", "cnn", 5000, [0.6]),
    )
    assert pairs(table)[["mobilenet", "cnn"]].to_numpy().tolist() == [["m2", "c1"]]
    assert pairs(table, tolerance=0.001).empty


def test_networks_of_different_reports_are_no_pair() -> None:
    table = pd.concat(
        [
            runs(("m", "mobilenet", 1000, [0.5]), report="A"),
            runs(("c", "cnn", 1000, [0.4]), report="B"),
        ]
    )
    assert pairs(table).empty


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 0.2, "ahead"),
        (-0.2, -0.1, "behind"),
        (-0.1, 0.1, "undecided"),
        (0.1, 0.1, "undecided"),
        (math.nan, math.nan, "one seed"),
    ],
)
def test_who_leads(low: float, high: float, expected: str) -> None:
    assert analysis.who_leads(low, high) == expected


def test_smallest_within_a_loss_of_the_best() -> None:
    found = analysis.smallest_within(
        summary(
            runs(
                ("s", "mobilenet", 10_000, [0.5]),
                ("m", "mobilenet", 100_000, [0.69]),
                ("l", "mobilenet", 1_000_000, [0.70]),
            )
        ),
        0.02,
    )
    assert found is not None
    assert found["network"] == "m"
