"""Which part of a face networks need, as maps over its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Looks:
    """Occlusion maps of some networks on the same images, or the reason why there are none.

    images: uint8 (N, H, W), read correctly by all the networks; expressions: their N classes.
    maps: by network, float (N, H, W): what covering a place takes from the true class's
    probability. unread: expressions of which no image was read correctly by all of them.
    synthetic: whether the images were drawn by a program. reason: empty where there are maps.
    """

    images: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 48, 48), np.uint8))
    expressions: tuple[str, ...] = ()
    maps: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    synthetic: bool = True
    reason: str = ""


def lower_share(maps: NDArray[np.float64]) -> float:
    """Share of all that covering takes away which lies in the lower half of the image; 0 to 1.

    maps: (N, H, W); only what is above zero counts. NaN if nothing is.
    """
    taken = np.maximum(maps, 0)
    total = taken.sum()
    return float(taken[:, maps.shape[1] // 2 :].sum() / total) if total > 0 else float("nan")
