"""Texts made fit for where they are shown: names of unknown origin, numbers at a line's end."""

from __future__ import annotations

import re

_LOOSE = re.compile(r"(?<=\d) (?=%)|(?<=[\d%]) (?=±)|(?<=±) (?=\d)")


def cut(text: str, most: int) -> str:
    """The text, or its beginning and end where it has more characters than `most`."""
    half = (most - 5) // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"


def plain(text: str) -> str:
    r"""The text with what moves a cursor, colours or hides written as an escape (\n, \x1b)."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def tied(text: str) -> str:
    """The text with no-break spaces between a number, its percent sign and its interval."""
    return _LOOSE.sub("\N{NO-BREAK SPACE}", text)
