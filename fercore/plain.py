"""Texts of unknown origin, such as names of files, for any terminal."""

from __future__ import annotations


def cut(text: str, most: int) -> str:
    """The text, or its beginning and end where it has more characters than `most`."""
    half = (most - 5) // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"


def plain(text: str) -> str:
    r"""The text with what moves a cursor, colours or hides written as an escape (\n, \x1b)."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
