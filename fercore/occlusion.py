"""What a network looks at: what it makes of a face when a part of it is covered.

Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2: a grey patch slides over the image, and the
probability of the true class is watched. Where covering takes most from it, the network looked.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fercore.training.evaluate import scores

PATCH, STRIDE = 12, 4
"""Side of the patch and step between two of its places, in pixels: 100 places on 48x48."""

GREY = 128
"""What a patch is filled with: next to 0 for a network, and FER2013's mean."""


def drops(
    network: nn.Module,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    patch: int = PATCH,
    stride: int = STRIDE,
) -> NDArray[np.float64]:
    """Maps (N, H, W): what the patches over a pixel take from the true class, on average.

    In probability, -1 to 1: above 0 where the network needs what is covered, below 0 where it is
    better off without. images: (N, H, W); labels: (N,), of the classes whose probability is
    watched. No gradients; N * (places + 1) images pass through the network, 101 each by default.
    """
    masks = patches(images.shape[1], patch, stride)
    covered = np.where(masks, np.uint8(GREY), images[:, None])
    every = np.concatenate([images[:, None], covered], 1)
    logits = scores(network, torch.from_numpy(every.reshape(-1, *images.shape[1:])))
    said = logits.double().softmax(1).numpy().reshape(len(images), len(masks) + 1, -1)
    true = np.take_along_axis(said, labels[:, None, None], axis=2)[:, :, 0]
    lost = true[:, :1] - true[:, 1:]
    maps: NDArray[np.float64] = np.tensordot(lost, masks.astype(float), 1) / masks.sum(0)
    return maps


def patches(side: int, patch: int = PATCH, stride: int = STRIDE) -> NDArray[np.bool_]:
    """Masks (places, side, side), True under the patch; row by row, the last at the far edge.

    Every pixel is covered at least once. ValueError unless 1 <= stride <= patch <= side.
    """
    if not 1 <= stride <= patch <= side:
        raise ValueError(f"expected 1 <= stride {stride} <= patch {patch} <= side {side}")
    starts = sorted({*range(0, side - patch, stride), side - patch})
    pixels = np.arange(side)
    lines = np.array([(pixels >= start) & (pixels < start + patch) for start in starts])
    masks: NDArray[np.bool_] = lines[:, None, :, None] & lines[None, :, None, :]
    return masks.reshape(-1, side, side)
