from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from fercore import analysis
from tests.tables_of_runs import runs


def test_headline_is_the_first_measured_test_split() -> None:
    table = runs(("m", "mobilenet", 100, [0.5]))
    assert analysis.headline_split(table) == "PublicTest"
    table["PublicTest"] = math.nan
    assert analysis.headline_split(table) == "valid"


def test_pooled_deviation_is_the_residual_of_an_anova() -> None:
    table = runs(("m", "mobilenet", 100, [0.50, 0.52]), ("c", "cnn", 100, [0.40, 0.44]))
    deviation, freedom = analysis.pooled_deviation(table, "valid")
    assert freedom == 2
    assert deviation == pytest.approx(math.sqrt((0.0002 + 0.0008) / 2))


def test_one_seed_gives_no_interval() -> None:
    table = runs(("m", "mobilenet", 100, [0.5]), ("c", "cnn", 101, [0.4]))
    assert analysis.summarise(table, "valid")[["low", "high"]].isna().all(axis=None)
    assert analysis.matched_pairs(table, "valid")["verdict"].tolist() == ["one seed"]


def test_a_failed_seed_is_counted_and_left_out_of_the_mean() -> None:
    summary = analysis.summarise(runs(("m", "mobilenet", 100, [0.5, math.nan, 0.6])), "valid")
    assert summary[["seeds", "failed"]].to_numpy().tolist() == [[2, 1]]
    assert summary["mean"].item() == pytest.approx(0.55)


def test_interval_covers_the_true_mean_at_its_level() -> None:
    random = np.random.default_rng(0)
    trials, hits = 150, 0
    for _ in range(trials):
        table = runs(
            ("m", "mobilenet", 100, list(random.normal(0.6, 0.01, 2))),
            ("c", "cnn", 100, list(random.normal(0.5, 0.01, 2))),
            ("d", "cnn", 300, list(random.normal(0.7, 0.01, 3))),
        )
        pair = analysis.matched_pairs(table, "valid").iloc[0]
        hits += bool(pair["low"] <= 0.1 <= pair["high"])
    error = 3 * math.sqrt(0.95 * 0.05 / trials)
    assert hits / trials == pytest.approx(0.95, abs=error)


def test_pairs_take_the_nearest_size_once_and_respect_the_tolerance() -> None:
    table = runs(
        ("m1", "mobilenet", 1000, [0.5]),
        ("m2", "mobilenet", 1030, [0.5]),
        ("c1", "cnn", 1035, [0.4]),
        ("c2", "cnn", 5000, [0.6]),
    )
    pairs = analysis.matched_pairs(table, "valid")
    assert pairs[["mobilenet", "cnn"]].to_numpy().tolist() == [["m2", "c1"]]
    assert analysis.matched_pairs(table, "valid", tolerance=0.001).empty


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 0.2, "ahead"),
        (-0.2, -0.1, "behind"),
        (-0.1, 0.1, "undecided"),
        (math.nan, math.nan, "one seed"),
    ],
)
def test_verdict(low: float, high: float, expected: str) -> None:
    assert analysis.verdict(low, high) == expected


def curves(mobilenet: list[float], cnn: list[float]) -> pd.DataFrame:
    sizes = [10**k for k in range(4, 4 + len(mobilenet))]
    table = runs(
        *[(f"m{s}", "mobilenet", s, [a]) for s, a in zip(sizes, mobilenet, strict=True)],
        *[(f"c{s}", "cnn", s, [a]) for s, a in zip(sizes, cnn, strict=True)],
    )
    return analysis.summarise(table, "valid")


def test_crossing_is_found_on_the_log_axis() -> None:
    assert analysis.crossings(curves([0.5, 0.6], [0.4, 0.7])) == pytest.approx([10**4.5])


def test_a_touch_is_no_crossing_and_two_are_two() -> None:
    assert analysis.crossings(curves([0.5, 0.6, 0.7], [0.4, 0.6, 0.6])) == []
    assert len(analysis.crossings(curves([0.5, 0.5, 0.7], [0.4, 0.6, 0.6]))) == 2


def test_a_shared_stretch_crosses_in_its_middle() -> None:
    found = analysis.crossings(curves([0.5, 0.6, 0.7], [0.4, 0.6, 0.8]))
    assert found == pytest.approx([10**5])


def test_no_crossing_is_assumed_without_overlap_or_without_a_family() -> None:
    apart = runs(("m", "mobilenet", 100, [0.5]), ("c", "cnn", 900, [0.4]))
    assert analysis.crossings(analysis.summarise(apart, "valid")) == []
    alone = runs(("m", "mobilenet", 100, [0.5]))
    assert analysis.crossings(analysis.summarise(alone, "valid")) == []


def test_smallest_within_a_loss_of_the_best() -> None:
    summary = curves([0.5, 0.69, 0.70], [0.4, 0.5, 0.6])
    found = analysis.smallest_within(summary, 0.02)
    assert found is not None
    assert found["network"] == "m100000"


def test_per_class_against_hand_counts() -> None:
    matrix = np.zeros((7, 7), int)
    matrix[0, 0], matrix[0, 1], matrix[1, 1] = 3, 1, 1
    table = analysis.per_class(matrix)
    assert table.loc[0, "recall"] == pytest.approx(0.75)
    assert table.loc[1, "precision"] == pytest.approx(0.5)
    assert table.loc[1, "f1"] == pytest.approx(2 / 3)
    assert math.isnan(table["recall"][6])


def test_networks_of_different_reports_are_no_pair() -> None:
    table = pd.concat(
        [
            runs(("m", "mobilenet", 1000, [0.5]), report="A"),
            runs(("c", "cnn", 1000, [0.4]), report="B"),
        ]
    )
    assert analysis.matched_pairs(table, "valid").empty


def test_the_reports_networks_are_on_no_curve() -> None:
    sweep = runs(
        ("m1", "mobilenet", 10_000, [0.5]),
        ("m2", "mobilenet", 100_000, [0.6]),
        ("c1", "cnn", 10_000, [0.4]),
        ("c2", "cnn", 100_000, [0.5]),
    )
    theirs = runs(("x", "cnn", 30_000, [0.9]), report="A")
    summary = analysis.summarise(pd.concat([sweep, theirs]), "valid")
    assert analysis.crossings(summary) == []


def test_a_single_seed_gets_no_interval_from_the_others() -> None:
    table = runs(("m", "mobilenet", 100, [0.5, 0.6]), ("c", "cnn", 100, [0.4]))
    summary = analysis.summarise(table, "valid").set_index("network")
    assert summary["low"].isna().to_dict() == {"m": False, "c": True}
    assert analysis.matched_pairs(table, "valid")["verdict"].tolist() == ["one seed"]
