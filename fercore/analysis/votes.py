"""Labels against ten annotators: how networks fare where people agree, and where they do not.

What annotators say of an image is its *panel*: the label (0..6) that they chose, or one of
`fercore.data.ferplus.DISPUTED` and `OTHER`; see `fercore.data.ferplus.majority`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.ferplus import DISPUTED

AGAINST = ("own", "own_chosen", "chosen", "disputed")
"""Columns that `against` adds to a run."""


@dataclass(frozen=True)
class Voted:
    """What annotators say of a split's images, and of its networks.

    runs: rows of the runs table, each with the figures of `against`; none of runs whose
    predictions are not here. images: of the split. chosen: of these, with a majority for one of
    the seven expressions; disputed: without a majority; the others have a majority for something
    else. agree: share of the chosen images whose FER2013 label is the majority's (NaN without any).
    """

    runs: pd.DataFrame = field(default_factory=pd.DataFrame)
    images: int = 0
    chosen: int = 0
    disputed: int = 0
    agree: float = np.nan


def voted(labels: NDArray[np.int64], panel: NDArray[np.int64], runs: pd.DataFrame) -> Voted:
    """Count a split's images. labels: FER2013's; panel: what annotators say; both (N,)."""
    chosen = panel >= 0
    return Voted(
        runs,
        images=len(panel),
        chosen=int(chosen.sum()),
        disputed=int((panel == DISPUTED).sum()),
        agree=_share((labels == panel)[chosen]),
    )


def against(
    said: NDArray[np.int64], labels: NDArray[np.int64], panel: NDArray[np.int64]
) -> dict[str, float]:
    """How a network fares against both (fractions; NaN where there are no such images).

    said: its answers, 0..6; labels: FER2013's; panel: what annotators say; all (N,). ``own``:
    accuracy against FER2013's labels; ``own_chosen``: the same on images for which annotators chose
    an expression; ``chosen``: accuracy against that one; ``disputed``: of its errors (against
    FER2013's labels) the share on images without a majority.
    """
    right, chosen = said == labels, panel >= 0
    return {
        "own": _share(right),
        "own_chosen": _share(right[chosen]),
        "chosen": _share((said == panel)[chosen]),
        "disputed": _share((panel == DISPUTED)[~right]),
    }


def _share(hits: NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else np.nan
