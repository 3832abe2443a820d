"""Intervals over seeds, held against laws whose answers are known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fercore import analysis
from tests.tables_of_runs import means, pairs, runs, summary

TRIALS = 250
ERROR = math.sqrt(0.95 * 0.05 / TRIALS)
"""Standard error of a coverage of 95 %, measured in `TRIALS` trials."""


def trained(random: np.random.Generator, seeds: int, law: str = "normal") -> pd.DataFrame:
    """Two sizes of both families; every true mean 0, MobileNets scatter five times as far."""
    laws: dict[str, Callable[[int], NDArray[np.float64]]] = {
        "normal": random.standard_normal,
        "laplace": lambda size: random.laplace(size=size),
        "uniform": lambda size: random.uniform(-1, 1, size),
    }
    draw = laws[law]
    return runs(
        *[
            (f"{family}{size}", family, size, list(spread * draw(seeds)))
            for family, spread in (("mobilenet", 0.05), ("cnn", 0.01))
            for size in (1_000, 10_000)
        ]
    )


def coverage(seeds: int, law: str) -> tuple[float, float]:
    """Share of trials whose intervals hold the true mean (0), and the true lead (0)."""
    random = np.random.default_rng(7)
    held, led = 0, 0
    for _ in range(TRIALS):
        table = trained(random, seeds, law)
        drawn = analysis.bootstrap(table, "valid", random, 400)
        of = table.groupby("network")["valid"].mean()
        mean = analysis.with_interval(of["mobilenet1000"], drawn["mobilenet1000"])
        lead = analysis.difference(table, "valid", drawn, "mobilenet1000", "cnn1000")
        held += mean["low"] <= 0 <= mean["high"]
        led += lead["low"] <= 0 <= lead["high"]
    return held / TRIALS, led / TRIALS


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_interval_of_a_mean_covers_it_in_95_of_100_cases(seeds: int) -> None:
    mean, lead = coverage(seeds, "normal")
    assert mean == pytest.approx(0.95, abs=3 * ERROR)
    assert lead >= 0.95 - 3 * ERROR  # with two unknown deviations it is known to cover more


def test_networks_of_a_family_narrow_each_others_intervals() -> None:
    def half(networks: int) -> float:
        table = runs(*[(f"c{n}", "cnn", 1_000 + n, [-0.01, 0.01]) for n in range(networks)])
        drawn = analysis.bootstrap(table, "valid", np.random.default_rng(0), 4_000)
        return float(analysis.with_interval(0.0, drawn["c0"])["high"])

    assert half(4) < half(1) / 2  # alone, Student's interval with one degree of freedom


@pytest.mark.parametrize("law", ["laplace", "uniform"])
def test_coverage_hardly_depends_on_the_law(law: str) -> None:
    mean, lead = coverage(3, law)
    assert mean == pytest.approx(0.95, abs=0.02 + 3 * ERROR)
    assert lead >= 0.93 - 3 * ERROR


def test_one_network_with_two_seeds_gets_students_interval() -> None:
    found = summary(runs(("m", "mobilenet", 100, [0.5, 0.52])))
    student = 12.706 * 0.02 / math.sqrt(2) / math.sqrt(2)
    assert (found["high"] - found["mean"]).item() == pytest.approx(student, rel=0.2)


def test_one_seed_gives_no_interval_and_borrows_none() -> None:
    table = runs(("m", "mobilenet", 100, [0.5, 0.6]), ("n", "mobilenet", 101, [0.4]))
    assert summary(table).set_index("network")["low"].isna().to_dict() == {"m": False, "n": True}
    alone = runs(("m", "mobilenet", 100, [0.5]), ("c", "cnn", 101, [0.4, 0.5]))
    assert pairs(alone)[["low", "high"]].isna().all(axis=None)
    assert pairs(alone)["verdict"].tolist() == ["one seed"]


def wide(last: list[float]) -> pd.Series[float]:
    """Width of each interval, when one of five networks has these seeds."""
    steady = [(f"m{k}", "mobilenet", 1000 * k, [0.60, 0.61]) for k in range(1, 5)]
    found = summary(runs(*steady, ("last", "mobilenet", 9000, last))).set_index("network")
    return found["high"] - found["low"]


def test_a_stuck_run_widens_its_own_interval_and_no_other() -> None:
    usual, stuck = wide([0.60, 0.61]), wide([0.60, 0.25])
    assert stuck["last"] > 10 * usual["last"]
    assert stuck["m1"] == pytest.approx(usual["m1"], rel=0.05)


def test_families_do_not_share_their_scatter() -> None:
    table = runs(
        ("m", "mobilenet", 1000, [0.4, 0.6]),
        ("m2", "mobilenet", 9000, [0.4, 0.6]),
        ("c", "cnn", 1000, [0.500, 0.502]),
        ("c2", "cnn", 9000, [0.600, 0.602]),
    )
    found = summary(table).set_index("network")
    width = found["high"] - found["low"]
    assert width["m"] == pytest.approx(100 * width["c"], rel=0.25)


def test_more_seeds_and_less_scatter_narrow_the_interval() -> None:
    def width(seeds: int, spread: float) -> float:
        values = [0.5 + spread * (-1) ** k for k in range(seeds)]
        found = summary(runs(("m", "mobilenet", 100, values)))
        return float((found["high"] - found["low"]).item())

    assert width(2, 0.01) > width(4, 0.01) > width(8, 0.01)
    assert width(4, 0.02) == pytest.approx(2 * width(4, 0.01))


def test_the_same_generator_gives_the_same_intervals() -> None:
    table = trained(np.random.default_rng(0), 2)
    pd.testing.assert_frame_equal(means(table), means(table))
    other = analysis.bootstrap(table, "PublicTest", np.random.default_rng(1), 2000)
    assert not other.equals(means(table))


def test_the_lead_is_the_difference_of_means_and_turns_with_the_order() -> None:
    table = runs(("m", "mobilenet", 100, [0.5, 0.52]), ("c", "cnn", 100, [0.4, 0.42]))
    there, back = (
        analysis.difference(table, "PublicTest", means(table), *names)
        for names in (("m", "c"), ("c", "m"))
    )
    assert there["lead"] == pytest.approx(0.1)
    assert (back["low"], back["high"]) == pytest.approx((-there["high"], -there["low"]))
