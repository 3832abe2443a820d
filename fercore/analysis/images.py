"""What another draw of test images would change: the paired bootstrap over images.

The networks stay as they were trained. Both are asked the same images, so that what makes an
image hard for both of them drops out of their difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.analysis.seeds import REPLICATES, Row, with_interval

UNKNOWN = "not recorded"
"""Verdict on a pair of which not every run's answer to each image is known."""


def image_lead(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    generator: np.random.Generator,
    replicates: int = REPLICATES,
) -> Row:
    """How far `first` leads `second`, with an interval over test images; see `with_interval`.

    first, second: (seeds, images), True where a run read the image correctly; both have the same
    images, but may have different seeds, over which they are averaged. Images are drawn
    independently: that FER2013 holds some faces several times is not allowed for. Raises
    ValueError for different images.
    """
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"expected the same images, found {first.shape[1]} and {second.shape[1]}")
    leads = first.mean(0) - second.mean(0)
    # An image's lead takes few values, so that drawing images is drawing how often each occurs.
    values, counts = np.unique(leads, return_counts=True)
    drawn = generator.multinomial(len(leads), counts / len(leads), size=replicates)
    return with_interval(float(leads.mean()), drawn @ values / len(leads))


def over_images(
    pairs: pd.DataFrame, correct: Mapping[str, NDArray[np.bool_]], generator: np.random.Generator
) -> pd.DataFrame:
    """Add each pair's lead over test images, ``image_lead``, ``_low``, ``_high``, ``_verdict``.

    pairs: from `matched_pairs`; correct: by network, (seeds, images) as in `image_lead`. A pair of
    which one network is not in it has NaN, and the verdict `UNKNOWN`.
    """
    rows: list[Row] = [
        image_lead(correct[row["mobilenet"]], correct[row["cnn"]], generator)
        if {row["mobilenet"], row["cnn"]} <= correct.keys()
        else {"lead": nan, "low": nan, "high": nan, "verdict": UNKNOWN}
        for row in pairs.to_dict("records")
    ]
    names = ("lead", "low", "high", "verdict")
    return pairs.assign(**{f"image_{name}": [row[name] for row in rows] for name in names})
