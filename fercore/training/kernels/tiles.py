"""Between images and the tiles in which a 3x3 convolution is a product, number by number.

Winograd's F(4x4, 3x3): a tile of 4x4 pixels of the output needs 6x6 of the input. Transformed,
these 36 numbers are multiplied by 36 of the transformed kernel, where the convolution itself takes
144 products. Transforms and their points: Lavin and Gray, Fast Algorithms for Convolutional Neural
Networks (arXiv:1509.09308), section 4.3.

Images are float32 (N, height, width, channels), tiles float32 (36, at least N * down * across,
channels), all contiguous, with at least 8 channels; down and across are the output's sides in tiles
of 4. Rows of tiles beyond those are left alone. pad: zeros around the input, 0 or 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercore.training.kernels import compiled
from fercore.training.kernels.simd import LANES, all_of, load, memory, room, store

Floats = NDArray[np.float32]

OUT, IN = 4, 6
"""Sides of a tile in the output and in the input."""

BUILT_ON = "79773e800cf0"
"""Of `fercore.training.kernels`, whose docstring says why."""

# Read from the middle or before it: 0 for channels that the block before has added already, else 1.
_ONCE = np.repeat(np.array([0, 1], np.float32), LANES)

_room = room(IN * IN)  # between the two dimensions of a transform


@compiled
def input_transform(images: Floats, tiles: Floats, pad: int) -> None:
    """The input's tiles: B'dB of each 6x6 pixels d. They overlap by 2."""
    shape, plane = images.shape, tiles.shape[1] * tiles.shape[2]
    down, across = _grid(shape, pad)
    below, above = memory(images), memory(tiles)
    held = _room()
    for tile in range(shape[0] * down * across):
        image, top, left = _corner(tile, down, across, pad)
        for block in range(_blocks(shape)):
            channel = _channel(shape, block)
            for j in range(IN):
                column = _column(below, shape, image, top, left + j, channel)
                _put6(held, j * LANES, IN * LANES, _input(column))
            at = tile * shape[3] + channel
            for i in range(IN):
                row = _get6(held, i * IN * LANES, LANES)
                _put6(above, at + i * IN * plane, plane, _input(row))


@compiled
def input_adjoint(tiles: Floats, images: Floats, pad: int) -> None:
    """From the gradient of the input's tiles to that of the input, which is added to images."""
    shape, plane = images.shape, tiles.shape[1] * tiles.shape[2]
    down, across = _grid(shape, pad)
    below, above = memory(images), memory(tiles)
    held = _room()
    for tile in range(shape[0] * down * across):
        image, top, left = _corner(tile, down, across, pad)
        for block in range(_blocks(shape)):
            channel = _channel(shape, block)
            new = load(memory(_ONCE), LANES - (block * LANES - channel))
            at = tile * shape[3] + channel
            for j in range(IN):
                column = _get6(above, at + j * plane, IN * plane)
                _put6(held, j * LANES, IN * LANES, _input_back(column))
            for i in range(IN):
                row = _input_back(_get6(held, i * IN * LANES, LANES))
                _add6(below, shape, image, top + i, left, channel, row, new)


@compiled
def output_transform(tiles: Floats, images: Floats, bias: Floats) -> None:
    """The output: A'mA of each tile m, plus the bias (channels,)."""
    shape, plane = images.shape, tiles.shape[1] * tiles.shape[2]
    down, across = _grid(shape, 1)
    below, above = memory(tiles), memory(images)
    held = _room()
    for tile in range(shape[0] * down * across):
        image, top, left = _corner(tile, down, across, 0)
        for block in range(_blocks(shape)):
            channel = _channel(shape, block)
            at, more = tile * shape[3] + channel, load(memory(bias), channel)
            for j in range(IN):
                column = _get6(below, at + j * plane, IN * plane)
                _put4(held, j * LANES, IN * LANES, _output(column), OUT)
            for i in range(min(OUT, shape[1] - top)):
                a, b, c, d = _output(_get6(held, i * IN * LANES, LANES))
                row = _address(shape, image, top + i, left, channel)
                four = (a + more, b + more, c + more, d + more)
                _put4(above, row, shape[3], four, min(OUT, shape[2] - left))


@compiled
def output_adjoint(images: Floats, tiles: Floats) -> None:
    """From the gradient of the output to that of its tiles.

    Number 7 of 36 is the sum of a tile's 4x4 gradients: summed over tiles, the bias's gradient.
    """
    shape, plane = images.shape, tiles.shape[1] * tiles.shape[2]
    down, across = _grid(shape, 1)
    below, above = memory(tiles), memory(images)
    held = _room()
    for tile in range(shape[0] * down * across):
        image, top, left = _corner(tile, down, across, 0)
        for block in range(_blocks(shape)):
            channel = _channel(shape, block)
            for j in range(OUT):
                a, b, c, d, _, _ = _column(above, shape, image, top, left + j, channel)
                _put6(held, j * LANES, OUT * LANES, _output_back(a, b, c, d))
            at = tile * shape[3] + channel
            for i in range(IN):
                a, b, c, d = _get4(held, i * OUT * LANES, LANES)
                _put6(below, at + i * IN * plane, plane, _output_back(a, b, c, d))


# The transforms in one dimension: B', B, A' and A, with sums used twice.


@compiled
def _input(six: Any) -> Any:
    a, b, c, d, e, f = six
    s, t = e - 4 * c, d - 4 * b
    u, v = e - c, 2 * (d - b)
    return 4 * a - 5 * c + e, s + t, s - t, u + v, u - v, 4 * b - 5 * d + f


@compiled
def _input_back(six: Any) -> Any:
    a, b, c, d, e, f = six
    s, t, u, v = b + c, b - c, d + e, d - e
    return 4 * a, 4 * (f - t) - 2 * v, -5 * a - 4 * s - u, t + 2 * v - 5 * f, a + s + u, f


@compiled
def _output(six: Any) -> Any:
    a, b, c, d, e, f = six
    s, t, u, v = b + c, b - c, d + e, d - e
    return a + s + u, t + 2 * v, s + 4 * u, t + 8 * v + f


@compiled
def _output_back(a: Any, b: Any, c: Any, d: Any) -> Any:
    s, t = a + c, b + d
    u, v = a + 4 * c, 2 * b + 8 * d
    return a, s + t, s - t, u + v, u - v, d


# Where things lie. shape: of the images.


@compiled
def _grid(shape: Any, pad: int) -> tuple[int, int]:
    """Down and across, from the input; from the output by pad=1, which keeps the size."""
    height, width = shape[1] + 2 * pad - 2, shape[2] + 2 * pad - 2
    return (height + OUT - 1) // OUT, (width + OUT - 1) // OUT


@compiled
def _corner(tile: int, down: int, across: int, pad: int) -> tuple[int, int, int]:
    """A tile's image, and the row and column of its first pixel."""
    rest, column = divmod(tile, across)
    image, row = divmod(rest, down)
    return image, OUT * row - pad, OUT * column - pad


@compiled
def _blocks(shape: Any) -> Any:
    return (shape[3] + LANES - 1) // LANES


@compiled
def _channel(shape: Any, block: int) -> Any:
    """The first channel of a block. The last block shares some with the one before."""
    return min(block * LANES, shape[3] - LANES)


@compiled
def _address(shape: Any, image: int, row: int, column: int, channel: int) -> Any:
    return ((image * shape[1] + row) * shape[2] + column) * shape[3] + channel


@compiled
def _column(images: Any, shape: Any, image: int, top: int, column: int, channel: int) -> Any:
    """Six pixels from `top` down; zeros outside the image."""
    height, inside = shape[1], 0 <= column < shape[2]
    at, step = _address(shape, image, top, column, channel), shape[2] * shape[3]
    if inside and top >= 0 and top + IN <= height:
        return _get6(images, at, step)
    return (
        load(images, at) if inside and 0 <= top < height else all_of(0),
        load(images, at + step) if inside and -1 <= top < height - 1 else all_of(0),
        load(images, at + 2 * step) if inside and -2 <= top < height - 2 else all_of(0),
        load(images, at + 3 * step) if inside and -3 <= top < height - 3 else all_of(0),
        load(images, at + 4 * step) if inside and -4 <= top < height - 4 else all_of(0),
        load(images, at + 5 * step) if inside and -5 <= top < height - 5 else all_of(0),
    )


@compiled
def _add6(
    images: Any, shape: Any, image: int, row: int, left: int, channel: int, six: Any, new: Any
) -> None:
    """Add to six pixels of a row from `left` on, where they are inside the image."""
    if not 0 <= row < shape[1]:
        return
    at, step = _address(shape, image, row, left, channel), shape[3]
    if left >= 0 and left + IN <= shape[2]:
        for j in range(IN):
            _add(images, at + j * step, six[j] * new)
        return
    for j in range(max(0, -left), min(IN, shape[2] - left)):
        _add(images, at + j * step, six[j] * new)


@compiled
def _add(start: Any, at: int, lanes: Any) -> None:
    store(start, at, load(start, at) + lanes)


@compiled
def _get4(start: Any, at: int, step: int) -> Any:
    return (
        load(start, at),
        load(start, at + step),
        load(start, at + 2 * step),
        load(start, at + 3 * step),
    )


@compiled
def _get6(start: Any, at: int, step: int) -> Any:
    a, b, c, d = _get4(start, at, step)
    return a, b, c, d, load(start, at + 4 * step), load(start, at + 5 * step)


@compiled
def _put6(start: Any, at: int, step: int, six: Any) -> None:
    for j in range(IN):
        store(start, at + j * step, six[j])


@compiled
def _put4(start: Any, at: int, step: int, four: Any, count: int) -> None:
    for j in range(count):
        store(start, at + j * step, four[j])
