"""The language of the report: English, or one that a catalogue in `fercore/locale/` translates to.

What readers see is an English template with named fields: `say("{count} images", count=7)`. English
fills it as it stands, another language fills its translation; a template without one stays English.
Templates that stand in a table or a constant are wrapped in `mark`, and said where they are shown.
`tests/messages.py` collects both from the code, and the Markdown of the notebooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from babel.messages.pofile import read_po

LANGUAGES = ("en", "zh-TW")
"""As BCP 47 writes them; each but English has its catalogue, zh_TW.po."""

UNSPACED = {"zh-TW"}
"""Languages that put no space between sentences, nor between Chinese characters."""
_GAP = re.compile(r"(?<=[\u3001-\u9fff\uff01-\uff5e]) +(?=[\u3001-\u9fff\uff01-\uff5e])")

CATALOGUES = Path(__file__).parent / "locale"


class Font(NamedTuple):
    """A font that comes with fercore, for paper, drawings and readers who have none."""

    family: str
    regular: Path
    bold: Path


FONTS = {
    "zh-TW": Font(
        "Noto Sans TC", CATALOGUES / "NotoSansTC-Regular.ttf", CATALOGUES / "NotoSansTC-Bold.ttf"
    )
}
"""Fonts by language; English has what matplotlib and Typst bring."""

T = TypeVar("T")
_now = "en"


def use(language: str) -> None:
    """Say everything in this language from now on, in this process: one of `LANGUAGES`."""
    global _now
    if language not in LANGUAGES:
        raise ValueError(f"language: expected one of {', '.join(LANGUAGES)}, found {language!r}")
    _now = language


def current() -> str:
    """The language in use."""
    return _now


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Use a language for a while; then the one before again."""
    before = _now
    use(language)
    try:
        yield
    finally:
        use(before)


def say(template: str, /, **fields: object) -> str:
    """The template in the language in use, filled as `str.format` does; bare without fields."""
    return fill(catalogue(_now).get(template, template), fields)


def fill(text: str, fields: Mapping[str, object]) -> str:
    """A text that is translated already, with its fields; as it stands if there are none."""
    if not fields:
        return text
    filled = text.format(**fields)
    return _GAP.sub("", filled) if _now in UNSPACED else filled


def mark(messages: T) -> T:
    """What it is given, unchanged: a text, or texts in a list or as a mapping's values, to say."""
    return messages


def listed(words: Iterable[str]) -> str:
    """In a row: "", "a", "a and b", "a, b and c"; the words are translated already."""
    row = list(words)
    return say(" and ").join(filter(None, [say(", ").join(row[:-1]), *row[-1:]]))


def paragraph(*sentences: str) -> str:
    """Sentences one after the other; empty ones are left out."""
    return ("" if _now in UNSPACED else " ").join(filter(None, sentences))


@cache
def catalogue(language: str) -> dict[str, str]:
    """Translations by template; none for English."""
    if language == "en":
        return {}
    path = CATALOGUES / f"{language.replace('-', '_')}.po"
    with path.open("rb") as file:
        messages = read_po(file)
    return {str(m.id): str(m.string) for m in messages if m.id and m.string and not m.fuzzy}
