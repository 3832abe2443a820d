"""Do drawn faces rank networks as photographs do? Spearman's rank correlation, with an interval.

Trains the networks of question 6 (from 28,000 parameters on) on SynthFER by the quick preset's
recipe, two seeds, or reads them from the run store. About 20 minutes on two cores.
Usage: python benchmarks/rank_correlation.py [--smallest 28000]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy import stats

from fercore import archive, models, presets, study
from fercore.spec import ModelSpec

SPLIT = "PublicTest"
REPLICATES = 10_000


def photographs(smallest: int) -> tuple[list[ModelSpec], pd.Series]:
    """Networks no smaller than that, and the accuracy of each, the mean over its seeds."""
    records = archive.begin({})
    families = [member for name in models.FAMILIES for member in records.family(name)]
    asked = [m for m in families + records.networks() if models.cost(m).trainable >= smallest]
    reached = records.runs(asked).groupby("network")[SPLIT].mean()
    return [model for model in asked if models.label(model) in reached], reached


def drawn(networks: list[ModelSpec]) -> pd.Series:
    """The same networks on drawn faces, by the quick preset."""
    this = study.begin({**presets.read(presets.find("quick")), "NETWORKS": ["a-cnn-1333k"]})
    runs = this.train(networks)
    return runs.groupby("network")[SPLIT].mean()


def interval(table: pd.DataFrame) -> tuple[float, float]:
    """95 % by bootstrap over networks: other networks might have been chosen."""
    generator = np.random.default_rng(0)
    places = generator.integers(len(table), size=(REPLICATES, len(table)))
    found = [_spearman(table.iloc[drawn]) for drawn in places if len(set(drawn)) > 2]
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)


def _spearman(table: pd.DataFrame) -> float:
    return float(stats.spearmanr(table["photographs"], table["drawn"]).statistic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smallest", type=int, default=28_000)
    asked = parser.parse_args()
    networks, reached = photographs(asked.smallest)
    table = pd.DataFrame({"photographs": reached, "drawn": drawn(networks)})
    print((100 * table).round(1).sort_values("photographs").to_string())
    low, high = interval(table)
    print(f"\nSpearman {_spearman(table):.2f} ({low:.2f} to {high:.2f}), {len(table)} networks")


if __name__ == "__main__":
    main()
