"""The few patterns of layers of which every network here is made."""

from __future__ import annotations

from typing import Literal, TypeAlias

from fercore.models.layers import (
    BatchNorm,
    Conv,
    Dense,
    Depthwise,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    Layers,
    ReLU,
    Residual,
)

CLASSES = 7

Norm: TypeAlias = Literal["before", "after", "none"]
"""BatchNorm before the activation, after it, or nowhere."""


def conv_bn(
    out: int,
    k: int = 3,
    stride: int = 1,
    pad: int = 1,
    bias: bool = False,
    act: Layer | None = None,
    norm: Norm = "before",
) -> Layers:
    """Ordinary convolution, BatchNorm, activation (ReLU if none is given).

    Without BatchNorm, which shifts, the convolution has a bias in any case.
    """
    return Conv(k, out, stride, pad, bias or norm == "none"), *_finish(norm, act)


def separable(
    out: int,
    k: int = 3,
    stride: int = 1,
    pad: int = 1,
    bias: bool = False,
    act: Layer | None = None,
    norm: Norm = "before",
) -> Layers:
    """Depthwise, then pointwise convolution, each with BatchNorm and activation.

    The block of MobileNetV1 (Howard et al. 2017, arXiv:1704.04861, figure 3).
    """
    depthwise = Depthwise(k, stride, pad, bias or norm == "none")
    return depthwise, *_finish(norm, act), *conv_bn(out, 1, 1, 0, bias, act, norm)


def _finish(norm: Norm, act: Layer | None = None) -> Layers:
    """What follows a convolution or dense layer."""
    after: dict[Norm, Layers] = {
        "before": (BatchNorm(), act or ReLU()),
        "after": (act or ReLU(), BatchNorm()),
        "none": (act or ReLU(),),
    }
    return after[norm]


def residual(block: Layers) -> Layers:
    """Add the block's input to its output, before its last activation if it ends with one.

    He et al. 2016, arXiv:1512.03385, figure 2. The block must keep the shape.
    """
    *branch, last = block
    return (Residual(tuple(branch)), last) if isinstance(last, ReLU) else (Residual(block),)


def pooled(dropout: float = 0.0) -> Layers:
    """Mean over the image, dropout if any, class scores."""
    dropped = (Dropout(dropout),) if dropout else ()
    return GlobalPool(), *dropped, Flatten(), Dense(CLASSES)


def flattened(hidden: int, norm: Norm = "before") -> Layers:
    """The image as it is, one hidden dense layer, class scores: report A's head, no dropout."""
    return Flatten(), Dense(hidden), *_finish(norm), Dense(CLASSES)
