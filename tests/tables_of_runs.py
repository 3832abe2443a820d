"""Small runs tables, made by hand, for the tests of everything that reads one."""

from __future__ import annotations

import math

import pandas as pd

Network = tuple[str, str, int, list[float]]
"""Name, family, trainable parameters, accuracy per seed."""


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
            "PrivateTest": math.nan,
        }
        for name, family, size, accuracies in networks
        for seed, accuracy in enumerate(accuracies)
    ]
    return pd.DataFrame(rows)
