"""The few patterns of layers of which every network here is made."""

from __future__ import annotations

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
)

CLASSES = 7


def conv_bn(
    out: int,
    k: int = 3,
    stride: int = 1,
    pad: int = 1,
    bias: bool = False,
    act: Layer | None = None,
) -> Layers:
    """Ordinary convolution, BatchNorm, activation (ReLU if none is given)."""
    return Conv(k, out, stride, pad, bias), BatchNorm(), act or ReLU()


def separable(
    out: int,
    k: int = 3,
    stride: int = 1,
    pad: int = 1,
    bias: bool = False,
    act: Layer | None = None,
) -> Layers:
    """Depthwise, then pointwise convolution, each with BatchNorm and activation.

    The block of MobileNetV1 (Howard et al. 2017, arXiv:1704.04861, figure 3).
    """
    depthwise = (Depthwise(k, stride, pad, bias), BatchNorm(), act or ReLU())
    return depthwise + conv_bn(out, 1, 1, 0, bias, act)


def pooled(dropout: float = 0.0) -> Layers:
    """Mean over the image, dropout if any, class scores."""
    dropped = (Dropout(dropout),) if dropout else ()
    return GlobalPool(), *dropped, Flatten(), Dense(CLASSES)
