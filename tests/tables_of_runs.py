"""Small runs tables, made by hand, for the tests of everything that reads one."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from fercore import analysis

Network = tuple[str, str, int, list[float]]
"""Name, family, trainable parameters, accuracy per seed."""

LARGEST = 0.25
"""Share of the largest class."""


def runs(*networks: Network, report: str = "sweep") -> pd.DataFrame:
    """Runs table with the columns that `fercore.study` gives."""
    rows = [
        {
            "run_id": f"{name}-{seed}",
            "network": name,
            "family": family,
            "report": report,
            "channels": "1-2-4-8",
            "params_trainable": size,
            "params_keras_total": size + 10,
            "macs": 100 * size,
            "file_bytes": 4 * size,
            "seed": seed,
            "status": "done" if accuracy == accuracy else "diverged",
            "valid": accuracy,
            "PublicTest": accuracy,
            "PublicTest_unseen": accuracy,
            "PublicTest_repeated": 3,
            "PublicTest_largest": LARGEST,
            "PrivateTest": math.nan,
        }
        for name, family, size, accuracies in networks
        for seed, accuracy in enumerate(accuracies)
    ]
    return pd.DataFrame(rows)


def means(table: pd.DataFrame, split: str = "PublicTest", replicates: int = 2000) -> pd.DataFrame:
    """Replicate means, by a generator that is always the same."""
    return analysis.bootstrap(table, split, np.random.default_rng(0), replicates)


def summary(table: pd.DataFrame, split: str = "PublicTest") -> pd.DataFrame:
    """Means with their intervals."""
    return analysis.summarise(table, split, means(table, split))


def pairs(table: pd.DataFrame, split: str = "PublicTest", tolerance: float = 0.1) -> pd.DataFrame:
    """Matched pairs with their intervals over seeds."""
    return analysis.matched_pairs(table, split, means(table, split), tolerance)


def compared(table: pd.DataFrame, split: str = "PublicTest") -> analysis.Comparison:
    """Both families' curves over trainable parameters."""
    return analysis.compare(summary(table, split), means(table, split))
