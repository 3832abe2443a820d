"""What all exhibits share: texts that are checked, captions, metadata for the report."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from fercore.language import mark

MISSING = "–"

Bundle = tuple[dict[str, Any], dict[str, Any]]
"""Data by MIME type, and metadata, as IPython's `_repr_mimebundle_` may return them."""


class DisplayError(ValueError):
    """A figure, table or provenance that cannot be shown, with the reason."""


@dataclass(frozen=True)
class Text:
    """Markdown that a notebook shows as text: an answer, or why there is nothing to show."""

    markdown: str

    def _repr_markdown_(self) -> str:
        return self.markdown


NO_PREDICTIONS = mark(
    "Not shown here: of no run are the predictions in the store. Runs that came with fercore come "
    "without theirs; RECORDS = False makes them here."
)
NO_PAIR = mark("Not shown here: no MobileNet and plain CNN of equal size finished.")


def check_texts(name: str, **texts: str) -> None:
    """Raise `DisplayError` for a name that makes no anchor, or an empty text."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise DisplayError(
            f"name {name!r}: expected lower case letters, digits and single hyphens, as 'q2-curve'"
        )
    for key, text in texts.items():
        if not text.strip():
            raise DisplayError(f"{name}: {key} is empty")


def figcaption(caption: str, note: str) -> str:
    """The caption as HTML."""
    tail = f' <span class="fercore-note">{escape(note)}</span>' if note else ""
    return f"<figcaption>{escape(caption)}{tail}</figcaption>"


def sentence(caption: str, note: str) -> str:
    """The caption as plain text."""
    return f"{caption} {note}".strip()


def metadata(shown: Any, kind: str, **more: str) -> dict[str, Any]:
    """What the report needs to number a figure, chart or table and to write it as a file."""
    texts = {"name": shown.name, "caption": shown.caption, "note": shown.note}
    return {"fercore": {"kind": kind, **texts, **more}}


def jsonable(value: Any) -> Any:
    """Plain JSON: numpy scalars as Python's, tuples as lists, NaN and infinities as null."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    try:
        json.dumps(value)
    except TypeError:
        return str(value)
    return value
