"""Randomness and brushes: what every part of the renderer draws with.

Images are rendered in chunks of exactly `CHUNK`, each with a generator of its own, so an image
depends on the seed and its index alone, never on how many others were asked for.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fercore.data.faces import SIDE

CHUNK = 32
"""Images rendered together: large enough to hide the cost of a call, small enough for the cache."""

PIXEL = 2 / SIDE
"""Width of a pixel. All lengths are in half image sides: the image spans -1..1, y down."""


class Dice:
    """Random draws for one chunk; scalars per image have shape (CHUNK, 1, 1)."""

    def __init__(self, seed: int, chunk: int) -> None:
        state = np.random.SeedSequence([seed, chunk]).generate_state(1, np.uint64)[0]
        self.generator = torch.Generator().manual_seed(int(state >> np.uint64(1)))

    def uniform(self, low: float, high: float) -> Tensor:
        """Uniform between low and high."""
        return torch.rand(CHUNK, 1, 1, generator=self.generator) * (high - low) + low

    def normal(self, mean: float, deviation: float) -> Tensor:
        """Normal, cut at 2.5 deviations so that no face falls apart."""
        drawn = torch.randn(CHUNK, 1, 1, generator=self.generator).clamp(-2.5, 2.5)
        return drawn * deviation + mean

    def chance(self, probability: float) -> Tensor:
        """1.0 with the given probability, else 0.0."""
        return (torch.rand(CHUNK, 1, 1, generator=self.generator) < probability).float()

    def mottle(self, cells: int) -> Tensor:
        """Smooth noise (CHUNK, SIDE, SIDE) around 0, about `cells` blotches to a side."""
        coarse = torch.rand(CHUNK, 1, cells, cells, generator=self.generator) * 2 - 1
        return functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear")[:, 0]

    def grain(self) -> Tensor:
        """Standard normal noise, independent per pixel, (CHUNK, SIDE, SIDE)."""
        return torch.randn(CHUNK, SIDE, SIDE, generator=self.generator)


def fill(distance: Tensor, soft: float = PIXEL) -> Tensor:
    """Coverage 0..1 of a shape with this signed distance (negative inside), soft at the edge."""
    return (0.5 - distance / soft).clamp(0, 1)


def hill(u: Tensor, v: Tensor) -> Tensor:
    """Gaussian bump: 1 at the origin of the scaled coordinates u, v."""
    return torch.exp(-(u * u + v * v))


def over(under: Tensor, colour: Tensor, alpha: Tensor) -> Tensor:
    """Paint a colour over an image."""
    return under + (colour - under) * alpha
