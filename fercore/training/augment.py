"""From stored bytes to what a network sees: normalised, and in training moved about at random.

All random numbers of an epoch are drawn at once on the CPU, from an explicit generator, so that
every device sees the same images; the images themselves are moved about in batches on the device.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from fercore.spec import AugmentSpec

CENTRE, SPREAD = 127.5, 63.75
"""Fixed for all data: grey 0..255 becomes -2..2; FER2013 then has mean 0.03 and deviation 1.02."""


def normalise(images: Tensor) -> Tensor:
    """uint8 (N, 48, 48) to float32 (N, 1, 48, 48) between -2 and 2."""
    return images.unsqueeze(1).float().sub_(CENTRE).div_(SPREAD)


def draw(spec: AugmentSpec, n: int, generator: torch.Generator) -> Tensor | None:
    """Matrices (n, 2, 3), one per image, for `warp`; None if the specification changes nothing."""
    if spec == AugmentSpec(flip=False, shift=0, rotation=0, zoom=0, shear=0):
        return None
    uniform = torch.rand(n, 6, generator=generator)
    signed = uniform[:, :5] * 2 - 1
    mirrored = (uniform[:, 5] < 0.5) & spec.flip
    return matrices(
        mirror=mirrored,
        angle=signed[:, 0] * math.radians(spec.rotation),
        shear=signed[:, 1] * math.radians(spec.shear),
        scale=1 + signed[:, 2] * spec.zoom,
        shift=signed[:, 3:5] * spec.shift,
    )


def matrices(
    *, mirror: Tensor, angle: Tensor, shear: Tensor, scale: Tensor, shift: Tensor
) -> Tensor:
    """Where each output pixel comes from: (n, 2, 3), in coordinates from -1 to 1, x before y.

    mirror: bool (n,). angle, shear: radians (n,). scale: (n,), above 1 enlarges. shift: (n, 2), in
    sides, along x and y. The output is rotated, sheared and scaled about the centre, then shifted.
    """
    cos, sin = angle.cos(), angle.sin()
    rotation = torch.stack([cos, -sin, sin, cos], 1).view(-1, 2, 2)
    slant = torch.eye(2).repeat(len(angle), 1, 1)
    slant[:, 0, 1] = shear.tan()
    linear = rotation @ slant / scale.view(-1, 1, 1)
    linear[:, 0] *= torch.where(mirror, -1.0, 1.0).unsqueeze(1)
    return torch.cat([linear, 2 * shift.unsqueeze(2)], 2)


def still(n: int) -> Tensor:
    """Matrices (n, 2, 3) for `warp` that move nothing."""
    return torch.eye(2, 3).expand(n, 2, 3)


def warp(images: Tensor, theta: Tensor, side: int) -> Tensor:
    """Move images (n, 1, H, H) as matrices (n, 2, 3) say, to (n, 1, side, side).

    Bilinear, edges continued outwards. With a side of H / 2 and matrices that move nothing, each
    pixel is the mean of four.
    """
    n, _, height, _ = images.shape
    # As functional.affine_grid, but one product for all images: four times as fast on a CPU.
    places = (theta.reshape(2 * n, 3) @ _pixels(side, images.device)).view(n, 2, side, side)
    # The outermost pixels' centres lie at 1 - 1/height. Held within them, no place is outside: the
    # same as border padding, which Apple's MPS had not before torch 2.13.
    grid = places.clamp_(1 / height - 1, 1 - 1 / height).permute(0, 2, 3, 1)
    return functional.grid_sample(images, grid, align_corners=False)


@cache
def _pixels(side: int, device: torch.device) -> Tensor:
    """Centres of all pixels, row by row: x, y, 1, as (3, side * side)."""
    centres = (torch.arange(side, device=device) * 2 + 1) / side - 1
    x, y = centres.repeat(side), centres.repeat_interleave(side)
    return torch.stack([x, y, torch.ones_like(x)])
