"""From "70 80 82 ..." to bytes: many rows of text at once, in numpy, without a Python loop."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from fercore.data.faces import SIDE

PIXELS = SIDE * SIDE
SPACE = ord(" ")
PIXEL = re.compile(rb"\d{1,3}")
AT_ONCE = 64
"""Rows parsed at once, half a megabyte of text; twice as many take half as long again."""


def parse(cells: list[bytes]) -> NDArray[np.uint8] | None:
    """Images uint8 (N, 48, 48) of N >= 1 cells, or None if `fault` has a word on any.

    A cell is 2,304 whole numbers 0..255 with white space between them.
    """
    parts = []
    for first in range(0, len(cells), AT_ONCE):
        part = cells[first : first + AT_ONCE]
        images = _strict(part)
        if images is None:  # more than one space, perhaps: bring to the strict form, try again
            images = _strict([b" ".join(cell.split()) for cell in part])
        if images is None:
            return None
        parts.append(images)
    return np.concatenate(parts)


def _strict(cells: list[bytes]) -> NDArray[np.uint8] | None:
    """`parse` where single spaces separate the numbers.

    Works on all bytes at once in uint8: at each byte, `tens` is the number before its last digit
    and `value` the number up to it, which is wanted at the byte before each space.
    """
    # Three spaces in front, so that each byte of the body has three neighbours to its left.
    text = np.frombuffer(b" ".join([b"  ", *cells, b""]), np.uint8)
    body = text[3:]
    space = np.flatnonzero(body == SPACE)
    row_ends = np.cumsum([len(cell) + 1 for cell in cells]) - 1
    if len(space) != len(cells) * PIXELS or (space[PIXELS - 1 :: PIXELS] != row_ends).any():
        return None
    gap = np.diff(space)  # a number's digits and its space
    is_digit = (text >= ord("0")).view(np.uint8)
    if body.max() > ord("9") or np.count_nonzero(is_digit) + len(space) != len(body):
        return None
    if not (1 <= space[0] <= 3 and gap.min() >= 2 and gap.max() <= 4):
        return None
    digit = text & np.uint8(15)  # "0".."9" are 0x30..0x39 and the space is 0x20
    tens = digit[:-3] * np.uint8(10)
    tens *= is_digit[1:-2]
    tens += digit[1:-2]
    tens *= is_digit[2:-1]
    value = tens * np.uint8(10)
    value += digit[2:-1]
    if tens.max() > 25 or (value < tens).any():  # 256..259 wrap around to 0..3
        return None
    images: NDArray[np.uint8] = value.take(space).reshape(-1, SIDE, SIDE)
    return images


def fault(cell: bytes) -> tuple[str, str] | None:
    """What was expected of a cell of pixels and what was found, or None if it is right."""
    words = cell.split()
    for place, word in enumerate(words, 1):
        if not PIXEL.fullmatch(word) or int(word) > 255:
            text = word.decode("latin-1")
            return "pixels as whole numbers 0-255", f"{text[:20]!r} as pixel {place}"
    if len(words) != PIXELS:
        return f"{PIXELS:,} pixels ({SIDE}x{SIDE})", f"{len(words):,}"
    return None
