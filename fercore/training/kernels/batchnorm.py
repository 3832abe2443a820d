"""BatchNorm with the activation after it.

torch 2.13 goes over images in channels-last layout pixel by pixel, in steps of a few channels: with
14 channels it reaches a tenth of the memory's speed, and goes over them again for the activation.
Here several pixels make a row, whatever their channels, and forward and backward go over all rows
twice each.

Pixels are flat arrays (pixels * channels), channel by channel of the first pixel, then of the next:
float32, or uint16 that hold bfloat16. They are computed with in float32; long sums, and what there
is one of per channel, are float64. The activation multiplies what is below 0 by a slope: 0 is ReLU,
1 none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from fercore.training.kernels import compiled

Floats = NDArray[np.float32]
Pixels = NDArray[Any]

BUILT_ON = "79773e800cf0"
"""Of `fercore.training.kernels`, whose docstring says why."""

ROW = 512
"""Values in a row, about: enough to make a loop's start cheap, few enough for the nearest cache."""

BLOCK = 64
"""Rows that are added up in float32 before float64 takes over."""


def _read(value: Any) -> Any:
    """A pixel's value as float32."""


@overload(_read, inline="always")
def _read_as(value: Any) -> Any:
    def float32(value: Any) -> Any:
        return value

    def bfloat16(value: Any) -> Any:
        return np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)

    return bfloat16 if value == types.uint16 else float32


def _write(value: Any, like: Any) -> Any:
    """A float32 as a pixel's value: the nearest, of two equally near the even one."""


@overload(_write, inline="always")
def _write_as(value: Any, like: Any) -> Any:
    def float32(value: Any, like: Any) -> Any:
        return value

    def bfloat16(value: Any, like: Any) -> Any:
        bits = np.float32(value).view(np.uint32)
        half = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
        return np.uint16((bits + half) >> np.uint32(16))

    return bfloat16 if like == types.uint16 else float32


@compiled
def _together(size: int, channels: int) -> int:
    """How many pixels make a row, so that all rows are full."""
    pixels = 1
    while pixels * channels < ROW and size % (2 * pixels * channels) == 0:
        pixels *= 2
    return pixels


@compiled
def _tiled(values: Floats, times: int) -> Floats:
    row = np.empty(times * values.size, np.float32)
    for place in range(times):
        row[place * values.size : (place + 1) * values.size] = values
    return row


@compiled
def _untiled(row: NDArray[np.float64], channels: int) -> NDArray[np.float64]:
    total = np.zeros(channels, np.float64)
    for place in range(row.size):
        total[place % channels] += row[place]
    return total


@compiled
def _moments(x: Pixels, about: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per place in a row: the sum of what x is above `about`, and of its square."""
    width = about.size
    firsts, seconds = np.zeros(width, np.float64), np.zeros(width, np.float64)
    first, second = np.empty(width, np.float32), np.empty(width, np.float32)
    for start in range(0, x.size, BLOCK * width):
        first[:], second[:] = 0, 0
        for at in range(start, min(start + BLOCK * width, x.size), width):
            row = x[at : at + width]
            for j in range(width):
                value = _read(row[j]) - about[j]
                first[j] += value
                second[j] += value * value
        firsts += first
        seconds += second
    return firsts, seconds


@compiled
def forward(
    x: Pixels,
    y: Pixels,
    weight: Floats,
    bias: Floats,
    running: tuple[Floats, Floats],
    momentum: float,
    eps: float,
    slope: float,
) -> Floats:
    """Normalise x into y, and have the running mean and variance follow.

    Returns rows for `backward`, a column per channel: mean, variance (divided by n), and scale and
    shift, by which y is scale * x + shift before the activation.
    """
    channels, pixels, n = weight.size, _together(x.size, weight.size), x.size // weight.size
    # Sums of what lies above the first pixel keep their precision where the mean is far from 0.
    about = np.empty(channels, np.float32)
    for channel in range(channels):
        about[channel] = _read(x[channel])
    firsts, seconds = _moments(x, _tiled(about, pixels))
    above = _untiled(firsts, channels) / n
    variance = np.maximum(_untiled(seconds, channels) / n - above * above, 0)
    mean, scale = about + above, weight / np.sqrt(variance + eps)
    numbers = np.empty((4, channels), np.float32)
    numbers[0], numbers[1], numbers[2], numbers[3] = mean, variance, scale, bias - mean * scale
    running[0][:] += momentum * (mean - running[0])
    running[1][:] += momentum * (variance * n / (n - 1) - running[1])
    _line(x, y, _tiled(numbers[2], pixels), _tiled(numbers[3], pixels), np.float32(slope))
    return numbers


@compiled
def _line(x: Pixels, y: Pixels, scale: Floats, shift: Floats, slope: np.float32) -> None:
    width = scale.size
    for at in range(0, x.size, width):
        row, out = x[at : at + width], y[at : at + width]
        for j in range(width):
            value = _read(row[j]) * scale[j] + shift[j]
            out[j] = _write(value if value > 0 else value * slope, out[j])


@compiled
def backward(
    x: Pixels, upper: Pixels, lower: Pixels, numbers: Floats, eps: float, slope: float
) -> tuple[Floats, Floats]:
    """From the gradient of y (upper) to that of x (lower), and of weight and bias (returned).

    numbers: what `forward` returned.
    """
    mean, variance, scale, shift = numbers
    channels, pixels, n = mean.size, _together(x.size, mean.size), x.size // mean.size
    scales, shifts = _tiled(scale, pixels), _tiled(shift, pixels)
    sums, products = _sums(x, upper, _tiled(mean, pixels), scales, shifts, np.float32(slope))
    inverse = 1 / np.sqrt(variance + eps)
    by_bias = _untiled(sums, channels)
    by_weight = _untiled(products, channels) * inverse
    # scale * (upper - mean of upper - normalised * mean of upper * normalised), as a line in x
    tilt = -scale * by_weight * inverse / n
    start = -scale * by_bias / n - tilt * mean
    tilts = _tiled(tilt.astype(np.float32), pixels)
    starts = _tiled(start.astype(np.float32), pixels)
    _lower(x, upper, lower, scales, shifts, tilts, starts, np.float32(slope))
    return by_weight.astype(np.float32), by_bias.astype(np.float32)


@compiled
def _sums(
    x: Pixels, upper: Pixels, about: Floats, scale: Floats, shift: Floats, slope: np.float32
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per place in a row: the sum of the gradient below the activation, and times x - about."""
    width = about.size
    firsts, seconds = np.zeros(width, np.float64), np.zeros(width, np.float64)
    first, second = np.empty(width, np.float32), np.empty(width, np.float32)
    for start in range(0, x.size, BLOCK * width):
        first[:], second[:] = 0, 0
        for at in range(start, min(start + BLOCK * width, x.size), width):
            row, above = x[at : at + width], upper[at : at + width]
            for j in range(width):
                value, gradient = _read(row[j]), _read(above[j])
                gradient = gradient if value * scale[j] + shift[j] > 0 else gradient * slope
                first[j] += gradient
                second[j] += gradient * (value - about[j])
        firsts += first
        seconds += second
    return firsts, seconds


@compiled
def _lower(
    x: Pixels,
    upper: Pixels,
    lower: Pixels,
    scale: Floats,
    shift: Floats,
    tilt: Floats,
    start: Floats,
    slope: np.float32,
) -> None:
    width = scale.size
    for at in range(0, x.size, width):
        row, above, out = x[at : at + width], upper[at : at + width], lower[at : at + width]
        for j in range(width):
            value, gradient = _read(row[j]), _read(above[j])
            gradient = gradient if value * scale[j] + shift[j] > 0 else gradient * slope
            out[j] = _write(gradient * scale[j] + value * tilt[j] + start[j], out[j])
