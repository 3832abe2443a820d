"""Student's interval with a deviation pooled over groups, for the paired trials of question 5."""

from __future__ import annotations

import math

import pandas as pd
from scipy import special

from fercore.analysis.seeds import LEVEL


def pooled_deviation(runs: pd.DataFrame, split: str) -> tuple[float, int]:
    """Standard deviation between seeds of one network, pooled over all networks of `runs`.

    With two or three seeds a network's own deviation says next to nothing; pooling (the residual
    deviation of a one-way analysis of variance) assumes that seeds scatter alike for all of them.

    Returns the deviation (fraction) and its degrees of freedom; (nan, 0) where no network has
    two finished seeds.
    """
    groups = [part.dropna().to_numpy() for _, part in runs.groupby("network")[split]]
    freedom = sum(max(len(values) - 1, 0) for values in groups)
    if freedom == 0:
        return math.nan, 0
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in groups if len(values))
    return math.sqrt(squares / freedom), freedom


def half_width(deviation: float, freedom: int, *counts: int) -> float:
    """Half the 95 % Student-t interval of a mean, or of the difference of two means.

    deviation, freedom: from `pooled_deviation`; counts: seeds behind each mean.
    Returns nan where there is no deviation to go by: one seed gives no interval.
    """
    if freedom == 0 or min(counts) == 0:
        return math.nan
    quantile = float(special.stdtrit(freedom, (1 + LEVEL) / 2))
    return quantile * deviation * math.sqrt(sum(1 / count for count in counts))
