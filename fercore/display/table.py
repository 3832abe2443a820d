"""Tables: numbers as people read them, in HTML, as plain text and as CSV."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import pandas as pd

from fercore.display.common import (
    MISSING,
    Bundle,
    DisplayError,
    check_texts,
    figcaption,
    metadata,
    sentence,
)
from fercore.display.numbers import text_of
from fercore.language import mark, say

HEADS = mark(
    (
        *("network", "report", "channels", "trainable", "Keras total", "MMACs", "file kB"),
        *("seeds", "failed", "valid %", "what", "value", "size", "from", "plain CNN"),
        *("lead, points", "over seeds", "± images, points", "over images", "budget", "to"),
        *("smallest: lead, points", "cross at", "largest: lead, points", "by the means"),
        *("never or more than once %", "its conclusion", "found here", "sizes tested"),
        *("its split", "its %", "its report %", "difference, points", "its protocol"),
        *("expression", "images", "recall lead, points", "F1 lead, points", "confidence %"),
        *("too sure by, points", "ECE, points", "without repeats %", "ms per image"),
        *("activations kB", "macs", "hypothesis", "of", "compared", "sizes", "verdict"),
        *("parameters", "control's parameters", "treatment %", "control %", "run", "seed"),
        *("device", "commit", "used", "name", "set by", "meaning", "notebooks", "stem"),
        *("depthwise", "pointwise", "plain convolution", "normalisation", "dense head", "yes"),
        *("no", "differs in", "epochs", "its epochs", "taught by", "labels %", "teachers %"),
        "gain, points",
    )
)
"""What stands at the head of tables; `html_table` says it in the report's language."""
BAR = "rgba(1, 115, 178, 0.3)"
"""Seen on light and on dark paper; numbers can be read on it."""
LONGEST_NAME = 32
"""Bytes of a name that is never broken over two lines."""
_NUMBER = re.compile(r"[-+−±]?\d[\d\s.,+\-−±–×%()/]*")


@dataclass(frozen=True, repr=False)
class Table:
    """A table with its caption; numbers right-aligned, missing values as a dash.

    The frame's index becomes the first column(s), unless it merely counts rows. `formats` gives
    format specifications by column name (`{"accuracy": ".1%"}`); else integers get separators of
    thousands and floats four significant digits. The CSV holds unformatted values.
    """

    frame: pd.DataFrame
    caption: str = field(kw_only=True)
    name: str = field(kw_only=True)
    note: str = field(default="", kw_only=True)
    formats: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        check_texts(name=self.name, caption=self.caption)
        unknown = [column for column in self.formats if column not in _flat(self.frame).columns]
        if unknown:
            columns = ", ".join(_flat(self.frame).columns)
            raise DisplayError(f"table {self.name}: formats for {unknown}, but it has {columns}")

    def __repr__(self) -> str:
        texts = _texts(_flat(self.frame), self.formats)
        rows = texts.to_string(index=False) if len(texts) else "(no rows)"
        return f"[Table] {sentence(self.caption, self.note)}\n{rows}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        flat = _flat(self.frame)
        texts = _texts(flat, self.formats)
        data = {
            "text/html": (
                f'<figure id="tab-{self.name}" class="fercore-table">'
                f"{figcaption(self.caption, self.note)}{html_table(texts, numeric(flat, texts))}"
                "</figure>"
            ),
            "text/plain": repr(self),
            "text/csv": flat.to_csv(index=False),
        }
        return data, metadata(self, "table")


def html_table(
    texts: pd.DataFrame, numeric: Sequence[bool], bars: Mapping[str, Sequence[float]] | None = None
) -> str:
    """A semantic HTML table of texts (escaped here); the first column heads its row.

    bars: shares from 0 to 1 by column, drawn behind its texts. Alignment stands in each cell, since
    Jupyter brings no style sheet of ours, and pandoc reads it.
    """
    sides = ["right" if number else "left" for number in numeric]
    head = "".join(
        f'<th scope="col" style="text-align: {side}">{escape(say(str(column)))}</th>'
        for side, column in zip(sides, texts.columns, strict=True)
    )
    none: Sequence[float] = [math.nan] * len(texts)
    behind = zip(*((bars or {}).get(str(column), none) for column in texts.columns), strict=True)
    rows = "".join(
        f"<tr>{_html_row(row, sides, shares)}</tr>"
        for row, shares in zip(texts.itertuples(index=False, name=None), behind, strict=True)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _html_row(row: tuple[object, ...], sides: Sequence[str], shares: Sequence[float]) -> str:
    tags = ['th scope="row"'] + ["td"] * (len(row) - 1)
    return "".join(
        f'<{tag} style="text-align: {side}{_width(side, str(text))}{_bar(share)}">'
        f"{escape(str(text))}</{tag.split()[0]}>"
        for tag, side, text, share in zip(tags, sides, row, shares, strict=True)
    )


def _width(side: str, text: str) -> str:
    """Numbers (61.2 ± 1.3) and names (mobilenet-30k) stay on one line; prose gets some room."""
    length = len(text.encode())  # Chinese has no blanks, and wide characters of three bytes
    if side == "right" or (" " not in text and length <= LONGEST_NAME):
        return "; white-space: nowrap"
    return "; min-width: 10em" if length > LONGEST_NAME else ""


def _bar(share: float) -> str:
    if math.isnan(share):
        return ""
    return f"; background: linear-gradient(to right, {BAR} {share:.1%}, transparent {share:.1%})"


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Index as columns unless it merely counts rows; column levels joined to one text."""
    flat = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    names = [
        " ".join(str(part) for part in column if part != "")
        if isinstance(column, tuple)
        else str(column)
        for column in flat.columns
    ]
    return flat.set_axis(names, axis="columns")


def _texts(flat: pd.DataFrame, formats: Mapping[str, str]) -> pd.DataFrame:
    columns = {
        place: [text_of(value, formats.get(str(name))) for value in column]
        for place, (name, column) in enumerate(flat.items())
    }
    return pd.DataFrame(columns, dtype=object).set_axis(list(flat.columns), axis="columns")


def numeric(flat: pd.DataFrame, texts: pd.DataFrame) -> list[bool]:
    """Per column: numbers, or texts that all read as numbers (as "65.2 ± 0.4 %")."""
    kinds = [dtype.kind in "iuf" for dtype in flat.dtypes]
    return [
        number or _all_numbers(texts.iloc[:, place].tolist()) for place, number in enumerate(kinds)
    ]


def _all_numbers(texts: list[str]) -> bool:
    given = [text for text in texts if text not in (MISSING, "")]
    return bool(given) and all(_NUMBER.fullmatch(text) for text in given)
