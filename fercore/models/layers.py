"""Layers as plain descriptions: what comes out, what it costs, and the torch module.

A network is a tuple of layers. The same tuple is counted and built, so the parameters and
multiply-adds of a network are known before it exists. Shapes are (channels, height, width) or
(features,), without the batch.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor, nn

Shape: TypeAlias = tuple[int, ...]


class ModelError(ValueError):
    """A network was asked for that does not exist: the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a layer or a network costs; adds up over layers.

    trainable: weights and biases, BatchNorm's scale and shift included.
    running: BatchNorm's running mean and variance (torch's batch counter is never counted).
    macs: multiply-adds per image of convolutions and dense layers; biases, normalisation,
        activations and pooling count nothing, as in most papers.
    """

    trainable: int = 0
    running: int = 0
    macs: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.trainable + other.trainable,
            self.running + other.running,
            self.macs + other.macs,
        )

    @property
    def keras_total(self) -> int:
        """What Keras' ``count_params`` gives: trainable parameters and running statistics."""
        return self.trainable + self.running


@dataclass(frozen=True)
class Layer:
    """One step of a network. By default it keeps the shape and costs nothing."""

    def out(self, shape: Shape) -> Shape:
        """Shape of the output for an input of this shape."""
        return shape

    def cost(self, shape: Shape) -> Cost:
        """Parameters, and multiply-adds for one image of this shape."""
        return Cost()

    def alive(self, shape: Shape) -> int:
        """Values that must be held at once while one image passes: the input and the output."""
        return math.prod(shape) + math.prod(self.out(shape))

    def module(self, shape: Shape) -> nn.Module:
        """The torch module for inputs of this shape."""
        raise NotImplementedError


class InPlace(Layer):
    """A layer that an inference engine computes where its input lies, or folds into the one before.

    Normalisation, activation, dropout and a change of shape.
    """

    def alive(self, shape: Shape) -> int:
        """The input alone."""
        return math.prod(shape)


def _slide(shape: Shape, k: int, stride: int, pad: int) -> tuple[int, int]:
    """Height and width after a window of side k went over the image."""
    _, height, width = shape
    if min(height, width) + 2 * pad < k:
        raise ModelError(f"a {k}x{k} window does not fit a {height}x{width} image")
    return (height + 2 * pad - k) // stride + 1, (width + 2 * pad - k) // stride + 1


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution with all input channels; with k=1 it is MobileNet's pointwise convolution."""

    k: int
    out_channels: int
    stride: int = 1
    pad: int = 0
    bias: bool = False

    def out(self, shape: Shape) -> Shape:
        """(out_channels, height', width')."""
        return self.out_channels, *_slide(shape, self.k, self.stride, self.pad)

    def cost(self, shape: Shape) -> Cost:
        """k*k*in*out weights, each used once per output pixel."""
        channels, height, width = self.out(shape)
        weights = self.k**2 * shape[0] * channels
        return Cost(weights + self.bias * channels, macs=weights * height * width)

    def module(self, shape: Shape) -> nn.Module:
        """``nn.Conv2d``."""
        return nn.Conv2d(shape[0], self.out_channels, self.k, self.stride, self.pad, bias=self.bias)


@dataclass(frozen=True)
class Depthwise(Layer):
    """Convolution of each channel by itself (groups = channels)."""

    k: int
    stride: int = 1
    pad: int = 0
    bias: bool = False

    def out(self, shape: Shape) -> Shape:
        """(channels, height', width')."""
        return shape[0], *_slide(shape, self.k, self.stride, self.pad)

    def cost(self, shape: Shape) -> Cost:
        """k*k*channels weights, each used once per output pixel."""
        channels, height, width = self.out(shape)
        weights = self.k**2 * channels
        return Cost(weights + self.bias * channels, macs=weights * height * width)

    def module(self, shape: Shape) -> nn.Module:
        """``nn.Conv2d`` with groups."""
        n = shape[0]
        return nn.Conv2d(n, n, self.k, self.stride, self.pad, groups=n, bias=self.bias)


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected layer with bias."""

    features: int

    def out(self, shape: Shape) -> Shape:
        """(features,)."""
        return (self.features,)

    def cost(self, shape: Shape) -> Cost:
        """in*out weights, each used once, and out biases."""
        (inputs,) = shape
        weights = inputs * self.features
        return Cost(weights + self.features, macs=weights)

    def module(self, shape: Shape) -> nn.Module:
        """``nn.Linear``."""
        return nn.Linear(shape[0], self.features)


@dataclass(frozen=True)
class BatchNorm(InPlace):
    """Batch normalisation with scale and shift; torch's momentum (0.1) and epsilon (1e-5)."""

    def cost(self, shape: Shape) -> Cost:
        """Scale and shift are trained, mean and variance are kept: 2 + 2 per channel."""
        return Cost(trainable=2 * shape[0], running=2 * shape[0])

    def module(self, shape: Shape) -> nn.Module:
        """``nn.BatchNorm2d``, or ``nn.BatchNorm1d`` on features."""
        return nn.BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])


@dataclass(frozen=True)
class ReLU(InPlace):
    """max(0, x), or slope * x below 0."""

    slope: float = 0.0

    def module(self, shape: Shape) -> nn.Module:
        """``nn.ReLU`` or ``nn.LeakyReLU``."""
        return nn.LeakyReLU(self.slope, inplace=True) if self.slope else nn.ReLU(inplace=True)


@dataclass(frozen=True)
class MaxPool(Layer):
    """Maximum over k x k windows side by side; a rest at the border is dropped."""

    k: int = 2

    def out(self, shape: Shape) -> Shape:
        """(channels, height // k, width // k)."""
        return shape[0], *_slide(shape, self.k, self.k, 0)

    def module(self, shape: Shape) -> nn.Module:
        """``nn.MaxPool2d``."""
        return nn.MaxPool2d(self.k)


@dataclass(frozen=True)
class GlobalPool(Layer):
    """Mean over the whole image: one number per channel."""

    def out(self, shape: Shape) -> Shape:
        """(channels, 1, 1)."""
        return shape[0], 1, 1

    def module(self, shape: Shape) -> nn.Module:
        """``nn.AdaptiveAvgPool2d``."""
        return nn.AdaptiveAvgPool2d(1)


@dataclass(frozen=True)
class Dropout(InPlace):
    """Zeroes single values (not whole channels) with probability p while training."""

    p: float

    def module(self, shape: Shape) -> nn.Module:
        """``nn.Dropout``."""
        return nn.Dropout(self.p)


@dataclass(frozen=True)
class Flatten(InPlace):
    """Image to features."""

    def out(self, shape: Shape) -> Shape:
        """(channels * height * width,)."""
        channels, height, width = shape
        return (channels * height * width,)

    def module(self, shape: Shape) -> nn.Module:
        """``nn.Flatten``."""
        return nn.Flatten()


Layers: TypeAlias = tuple[Layer, ...]


@dataclass(frozen=True)
class Residual(Layer):
    """A branch of layers that keep the shape; their output is added to their input."""

    branch: Layers

    def out(self, shape: Shape) -> Shape:
        """The shape itself; `ModelError` if the branch gives another."""
        *_, (last, seen) = walk(self.branch, shape)
        if last.out(seen) != shape:
            raise ModelError(f"a residual branch turns {shape} into {last.out(seen)}: no sum")
        return shape

    def cost(self, shape: Shape) -> Cost:
        """That of the branch; the sum counts nothing."""
        return total(self.branch, shape)

    def alive(self, shape: Shape) -> int:
        """That of the branch; from its second layer on the input is kept for the sum as well."""
        first, *later = (layer.alive(seen) for layer, seen in walk(self.branch, shape))
        return max(first, *(math.prod(shape) + alive for alive in later))

    def module(self, shape: Shape) -> nn.Module:
        """The branch as ``nn.Sequential``, and the sum."""
        return _Sum(sequential(self.branch, shape))


class _Sum(nn.Module):
    def __init__(self, branch: nn.Sequential) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, images: Tensor) -> Tensor:
        summed: Tensor = images + self.branch(images)
        return summed


def sequential(layers: Layers, shape: Shape) -> nn.Sequential:
    """The layers as torch modules for inputs of this shape, named conv1, batchnorm1, ..."""
    named: OrderedDict[str, nn.Module] = OrderedDict()
    seen: Counter[str] = Counter()
    for layer, received in walk(layers, shape):
        kind = type(layer).__name__.lower()
        seen[kind] += 1
        named[f"{kind}{seen[kind]}"] = layer.module(received)
    return nn.Sequential(named)


def walk(layers: Layers, shape: Shape) -> Iterator[tuple[Layer, Shape]]:
    """Each layer with the shape that it receives."""
    for layer in layers:
        yield layer, shape
        shape = layer.out(shape)


def total(layers: Layers, shape: Shape) -> Cost:
    """Cost of a whole network for one image of this shape."""
    return sum((layer.cost(seen) for layer, seen in walk(layers, shape)), Cost())
