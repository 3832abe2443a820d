"""Do drawn faces rank networks as photographs do? Spearman's rank correlation, with an interval.

Trains the networks of reports/fer2013/records (those of one recipe, from 28,000 parameters on) on
SynthFER by the quick preset's recipe, two seeds, or reads them from the run store. About 20
minutes on two cores. Usage: python benchmarks/rank_correlation.py [--epochs 12] [--smallest 28000]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import yaml
from scipy import stats

from fercore import models, study
from fercore.provenance import root
from fercore.record import RunRecord, parse

SPLIT = "PublicTest"
REPLICATES = 10_000


def photographs(epochs: int, smallest: int) -> list[RunRecord]:
    """The records of that many passes and of networks no smaller than that."""
    paths = sorted((root() / "reports" / "fer2013" / "records").glob("*.json"))
    records = [parse(path.read_bytes(), path.stem) for path in paths]
    return [
        record
        for record in records
        if record.spec.train.epochs == epochs and record.params_trainable >= smallest
    ]


def means(records: list[RunRecord]) -> pd.Series:
    """Accuracy by network, the mean over its seeds."""
    rows = [(models.label(record.spec.model), record.accuracy(SPLIT)) for record in records]
    table = pd.DataFrame(rows, columns=["network", "accuracy"])
    return table.groupby("network")["accuracy"].mean()


def drawn(networks: list[RunRecord]) -> pd.Series:
    """The same networks on drawn faces, by the quick preset."""
    preset = yaml.safe_load((root() / "notebooks" / "presets" / "quick.yaml").read_text())
    this = study.begin({**preset, "NETWORKS": ["a-cnn-1333k"]})
    runs = this.train(record.spec.model for record in networks)
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
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--smallest", type=int, default=28_000)
    asked = parser.parse_args()
    records = photographs(asked.epochs, asked.smallest)
    table = pd.DataFrame({"photographs": means(records), "drawn": drawn(records)})
    print((100 * table).round(1).sort_values("photographs").to_string())
    low, high = interval(table)
    print(f"\nSpearman {_spearman(table):.2f} ({low:.2f} to {high:.2f}), {len(table)} networks")


if __name__ == "__main__":
    main()
