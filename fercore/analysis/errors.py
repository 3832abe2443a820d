"""What the errors look like: by class, and how far a network's confidence can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BINS = 15
"""Bins of confidence, as in Guo et al. 2017."""


def per_class(confusion: NDArray[np.int64]) -> pd.DataFrame:
    """Recall, precision and F1 of each class.

    confusion: (7, 7) counts, rows true, columns predicted. A class without rows (or without
    predictions) has NaN recall (precision). Index 0..6.
    """
    matrix = np.asarray(confusion, dtype=float)
    hits = np.diag(matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision = hits / matrix.sum(1), hits / matrix.sum(0)
        f1 = 2 * hits / (matrix.sum(0) + matrix.sum(1))
    return pd.DataFrame({"recall": recall, "precision": precision, "f1": f1})


def class_table(matrices: Mapping[str, NDArray[np.int64]], classes: Sequence[str]) -> pd.DataFrame:
    """Recall and F1 of each class in percent, one pair of columns per network.

    matrices: network to confusion counts (7, 7). Columns ``expression``, ``images`` (summed over
    seeds; not there where networks differ in it), then "NETWORK recall" and "NETWORK F1"; of two
    networks also "recall lead" and "F1 lead" of the first over the second, in points.
    """
    table = pd.DataFrame({"expression": list(classes)})
    images = [matrix.sum(1) for matrix in matrices.values()]
    if images and all((other == images[0]).all() for other in images):
        table["images"] = images[0]
    for network, matrix in matrices.items():
        figures = 100 * per_class(matrix)
        table[f"{network} recall"], table[f"{network} F1"] = figures["recall"], figures["f1"]
    if len(matrices) == 2:
        first, second = matrices
        for figure in ("recall", "F1"):
            table[f"{figure} lead"] = table[f"{first} {figure}"] - table[f"{second} {figure}"]
    return table


def reliability(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], bins: int = BINS
) -> pd.DataFrame:
    """How often a network is right, by how sure it says it is.

    probabilities: (N, 7); labels: (N,), the truth. Confidence is the largest probability; bins are
    of equal width from 0 to 1, their upper end included. Columns ``confidence`` (mean),
    ``accuracy`` (share right) and ``images``, one row per bin that has any.
    """
    sure = probabilities.max(1).astype(float)
    table = pd.DataFrame({"confidence": sure, "right": probabilities.argmax(1) == labels})
    grouped = table.groupby(np.clip(np.ceil(sure * bins), 1, bins))
    return grouped.agg(
        confidence=("confidence", "mean"), accuracy=("right", "mean"), images=("right", "size")
    ).reset_index(drop=True)


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error: how far confidence lies off accuracy, mean over images (0..1).

    table: from `reliability`. Naeini et al. 2015; with 15 bins Guo et al. 2017 (arXiv:1706.04599,
    equation 3). Few images make it too large.
    """
    gaps = (table["accuracy"] - table["confidence"]).abs()
    return float((gaps * table["images"]).sum() / table["images"].sum())
