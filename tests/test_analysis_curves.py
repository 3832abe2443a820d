"""Fits, crossovers and budgets, on curves whose crossing is known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import isotonic_regression

from fercore import analysis
from fercore.analysis.curves import isotonic
from tests.tables_of_runs import compared, runs, summary
from tests.tables_of_runs import means as replicates

CLOSE = (-0.001, 0.001)


def curves(
    mobilenet: list[float], cnn: list[float], spread: tuple[float, ...] = CLOSE
) -> pd.DataFrame:
    """Runs at 10k, 100k, ... with these means, and seeds that lie off by `spread`."""
    return runs(
        *[
            (f"{family}{k}", family, 10 ** (4 + k), [mean + off for off in spread])
            for family, means in (("mobilenet", mobilenet), ("cnn", cnn))
            for k, mean in enumerate(means)
        ]
    )


def test_isotonic_fit_is_scipys() -> None:
    random = np.random.default_rng(0)
    values, weights = random.normal(size=(50, 6)), random.integers(1, 4, 6).astype(float)
    theirs = [isotonic_regression(row, weights=weights).x for row in values]
    assert isotonic(values, weights) == pytest.approx(np.array(theirs))


def test_a_crossing_is_found_on_the_log_axis_and_known_to_be_one() -> None:
    found = compared(curves([0.5, 0.6], [0.4, 0.7]))
    assert found.outcome == found.once == "mobilenet first"
    assert found.crossings == pytest.approx((10**4.5,))
    assert found.low < 10**4.5 < found.high
    assert found.shares["mobilenet first"] > 0.95
    assert sum(found.shares.values()) == pytest.approx(1)


def test_curves_far_apart_do_not_cross_in_any_replicate() -> None:
    found = compared(curves([0.4, 0.5], [0.6, 0.7]))
    assert found.outcome == "cnn"
    assert found.shares["cnn"] > 0.95
    assert found.crossings == ()


def test_a_crossing_within_noise_is_shared_with_those_that_do_not_cross() -> None:
    found = compared(curves([0.51, 0.6], [0.5, 0.61], spread=(-0.05, 0.05)))
    assert found.outcome == "mobilenet first"
    assert found.shares["mobilenet first"] < 0.5
    assert found.shares["mobilenet"] > 0.1
    assert found.shares["cnn"] > 0.1


def test_a_touch_is_no_crossing_and_two_are_two() -> None:
    assert compared(curves([0.5, 0.6, 0.7], [0.4, 0.6, 0.6])).outcome == "mobilenet"
    twice = compared(curves([0.5, 0.5, 0.7], [0.4, 0.6, 0.6]))
    assert (twice.outcome, len(twice.crossings)) == ("several", 2)


def test_a_shared_stretch_crosses_in_its_middle() -> None:
    assert compared(curves([0.5, 0.6, 0.7], [0.4, 0.6, 0.8])).crossings == pytest.approx((10**5,))


def test_equal_curves_are_level() -> None:
    assert compared(curves([0.5, 0.6], [0.5, 0.6])).outcome == "level"


def test_a_dip_is_fitted_flat() -> None:
    found = compared(curves([0.5, 0.7, 0.6], [0.4, 0.5, 0.5])).curves["mobilenet"]
    assert found["accuracy"].tolist() == pytest.approx([0.5, 0.65, 0.65])


def test_one_seed_gives_a_crossing_but_no_interval() -> None:
    found = compared(curves([0.5, 0.6], [0.4, 0.7], spread=(0,)))
    assert found.outcome == "mobilenet first"
    assert found.shares == {}
    assert math.isnan(found.low)
    assert found.first["verdict"] == "one seed"
    assert not found.left_out


def test_nothing_is_assumed_without_overlap_or_without_a_family() -> None:
    apart = runs(("m", "mobilenet", 100, [0.5, 0.6]), ("c", "cnn", 900, [0.4, 0.5]))
    assert compared(apart).outcome == "apart"
    assert compared(runs(("m", "mobilenet", 100, [0.5, 0.6]))).outcome == "apart"


def test_the_reports_networks_are_on_no_curve() -> None:
    theirs = runs(("x", "cnn", 30_000, [0.9, 0.9]), report="A")
    table = pd.concat([curves([0.5, 0.6], [0.4, 0.5]), theirs])
    assert compared(table).outcome == "mobilenet"


def test_a_single_seed_takes_no_other_network_s_interval() -> None:
    random = np.random.default_rng(3)
    table = runs(
        *[
            (f"{f}{k}", f, 10 ** (4 + k), list(0.5 + lead + k / 10 + random.normal(0, 0.004, 3)))
            for f, lead in {"mobilenet": 0.05, "cnn": 0.0}.items()
            for k in range(3)
        ],
        ("alone", "mobilenet", 3 * 10**6, [0.2]),
    )
    found = compared(table)
    assert found.outcome == "mobilenet"
    assert found.shares["mobilenet"] > 0.9
    assert found.first["verdict"] == "ahead"
    assert found.curves["mobilenet"]["low"].notna().all()
    assert 3 * 10**6 not in found.curves["mobilenet"]["size"].tolist()
    assert found.left_out


def test_the_winner_may_depend_on_the_unit() -> None:
    table = curves([0.5, 0.6, 0.7], [0.45, 0.55, 0.65])
    table.loc[table["family"] == "cnn", "macs"] //= 100
    units = {c.unit: c for c in analysis.budgets(summary(table), replicates(table))}
    assert set(units) == {"params_trainable", "macs", "file_bytes"}
    assert units["params_trainable"].outcome == "mobilenet"
    assert units["macs"].outcome == "apart" or units["macs"].first["lead"] < 0


def test_the_interval_of_a_crossover_covers_it() -> None:
    random, trials, hits = np.random.default_rng(3), 100, 0
    lines = {
        "mobilenet": (0.50, 0.05),
        "cnn": (0.45, 0.10),
    }  # at 10k, and per tenfold: cross at 100k
    for _ in range(trials):
        table = runs(
            *[
                (f"{f}{k}", f, 10 ** (4 + k), list(start + k * rise + random.normal(0, 0.004, 3)))
                for f, (start, rise) in lines.items()
                for k in range(3)
            ]
        )
        drawn = analysis.bootstrap(table, "valid", random, 300)
        found = analysis.compare(analysis.summarise(table, "valid", drawn), drawn)
        hits += found.low <= 10**5 <= found.high
    error = math.sqrt(0.95 * 0.05 / trials)
    assert hits / trials >= 0.95 - 3 * error
