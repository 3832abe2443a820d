"""What a notebook cell returns: a figure, a chart, a table, a text or where its numbers come from.

Each shows itself in Jupyter and, a text apart, carries in the output's metadata under "fercore"
what the report needs to number it, to write it as a file and to describe it to who cannot see it.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import Any

import matplotlib as mpl
import matplotlib.figure
import matplotlib.text
import numpy as np
import pandas as pd
from matplotlib import font_manager

from fercore.language import FONTS, current, mark, say

PROVENANCE_MIME = "application/vnd.fercore.provenance+json"
HEADS = mark(
    (
        *("network", "report", "channels", "trainable", "Keras total", "MMACs", "file kB", "seeds"),
        *("failed", "valid %", "what", "value", "size", "from", "plain CNN", "lead", "± seeds"),
        *("over seeds", "± images", "over images", "budget", "to", "lead, smallest", "cross at"),
        *("lead, largest", "by the means", "do not cross once %", "its conclusion", "this run"),
        *("sizes tested", "its epochs", "its split", "its %", "difference", "its protocol"),
        *("expression", "images", "recall lead", "F1 lead", "confidence %", "too sure by"),
        *("without repeats %", "ms per image", "activations kB", "macs", "hypothesis", "of"),
        *("compared", "sizes", "verdict", "parameters", "of control", "treatment %", "control %"),
        *("run", "seed", "epochs", "device", "commit", "used", "name", "set by", "meaning"),
        *("notebooks", "stem", "depthwise", "pointwise", "plain convolution", "normalisation"),
        *("dense head", "yes", "no"),
    )
)
"""What stands at the head of tables; `html_table` says it in the report's language."""
CHART_MIME = "application/vnd.vegalite.v5+json"
"""Vega-Lite 5, which JupyterLab draws by itself; it knows no version 6."""
DPI = 200
MISSING = "–"

Bundle = tuple[dict[str, Any], dict[str, Any]]
"""Data by MIME type, and metadata, as IPython's `_repr_mimebundle_` may return them."""

_NUMBER = re.compile(r"[-+−±]?\d[\d\s.,+\-−±–×%()/]*")


class DisplayError(ValueError):
    """A figure, table or provenance that cannot be shown, with the reason."""


@dataclass(frozen=True)
class Figure:
    """A figure with its caption; SVG with text as paths, or only PNG (200 dpi) where `raster`.

    `name` is unique in its notebook (lower case letters, digits, hyphens): anchor `#fig-NAME` and
    file name in the report. `alt` says what is seen for who cannot see it. `note` (as "Synthetic
    data (SynthFER)") closes the caption. All texts are plain text.
    """

    figure: matplotlib.figure.Figure
    caption: str = field(kw_only=True)
    alt: str = field(kw_only=True)
    name: str = field(kw_only=True)
    note: str = field(default="", kw_only=True)
    raster: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        _check_texts(name=self.name, caption=self.caption, alt=self.alt)
        _close(self.figure)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        png = _draw(self.figure, "png")
        data: dict[str, Any] = {"image/png": base64.b64encode(png).decode()}
        if self.raster:
            source, width = _data_uri("image/png", png), _png_width(png)
        else:
            svg = _draw(self.figure, "svg", name=self.name)
            data["image/svg+xml"] = svg.decode()
            source, width = _data_uri("image/svg+xml", svg), _svg_width(svg)
        data["text/html"] = (
            f'<figure id="fig-{self.name}" class="fercore-figure">'
            f'<img src="{source}" alt="{escape(self.alt)}" width="{width}">'
            f"{_figcaption(self.caption, self.note)}</figure>"
        )
        data["text/plain"] = f"[Figure] {_sentence(self.caption, self.note)}\n{self.alt}"
        return data, _metadata(self, "figure", alt=self.alt)


@dataclass(frozen=True)
class Chart:
    """An interactive chart with its caption: a Vega-Lite 5 specification, data included.

    JupyterLab draws it, and so does the report's page (anchor `#chart-NAME`). Paper cannot: a
    chart stands beside a `Figure` that shows the same. Texts as in `Figure`.
    """

    spec: Mapping[str, Any]
    caption: str = field(kw_only=True)
    alt: str = field(kw_only=True)
    name: str = field(kw_only=True)
    note: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        _check_texts(name=self.name, caption=self.caption, alt=self.alt)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        # No text/html: JupyterLab would prefer it to the chart.
        text = f"[Chart] {_sentence(self.caption, self.note)}\n{self.alt}"
        data = {CHART_MIME: _jsonable(self.spec), "text/plain": text}
        return data, _metadata(self, "chart", alt=self.alt)


@dataclass(frozen=True)
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
        _check_texts(name=self.name, caption=self.caption)
        unknown = [column for column in self.formats if column not in _flat(self.frame).columns]
        if unknown:
            columns = ", ".join(_flat(self.frame).columns)
            raise DisplayError(f"table {self.name}: formats for {unknown}, but it has {columns}")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        flat = _flat(self.frame)
        texts = _texts(flat, self.formats)
        data = {
            "text/html": (
                f'<figure id="tab-{self.name}" class="fercore-table">'
                f"{_figcaption(self.caption, self.note)}{html_table(texts, _numeric(flat, texts))}"
                "</figure>"
            ),
            "text/plain": f"[Table] {_sentence(self.caption, self.note)}\n"
            + texts.to_string(index=False),
            "text/csv": flat.to_csv(index=False),
        }
        return data, _metadata(self, "table")


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


@dataclass(frozen=True)
class Provenance:
    """Where a notebook's numbers come from: its data, runs, versions, hardware and parameters.

    Keys of `content` (all JSON; NaN becomes null; those not known may be left out):
    "notebook": its name; "data": {"source", "synthetic", "fingerprint", "counts": {split: n}};
    "runs": [{"run_id", "network", "family", "seed", "epochs", "params_trainable",
    "params_keras_total", "accuracy": {split: share}, "seconds", "device", "dtype", "commit",
    "failure": why there is no result, "reused": whether it was there before, "elsewhere": whether
    it was made on another machine and came as a record}];
    "versions", "hardware" and "parameters": {name: value}; "commit": of the running code.
    """

    content: Mapping[str, Any]

    def __post_init__(self) -> None:
        absent = [key for key in ("notebook", "data", "runs") if key not in self.content]
        if absent:
            raise DisplayError(f"provenance lacks {', '.join(absent)}")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        content = _jsonable(self.content)
        runs, data = content["runs"], content["data"]
        summary = (
            f"Provenance: {len(runs)} {'run' if len(runs) == 1 else 'runs'}, "
            f"data {data.get('source', MISSING)} ({data.get('fingerprint', MISSING)})"
        )
        html = (
            '<details class="fercore-provenance">'
            f"<summary>{escape(summary)}</summary>{_provenance_tables(content)}</details>"
        )
        bundle = {PROVENANCE_MIME: content, "text/html": html, "text/plain": summary}
        return bundle, {"fercore": {"kind": "provenance", "name": str(content["notebook"])}}


def html_table(texts: pd.DataFrame, numeric: Sequence[bool]) -> str:
    """A semantic HTML table of texts (escaped here); the first column heads its row.

    Alignment stands in each cell, since Jupyter brings no style sheet of ours, and pandoc reads it.
    """
    sides = ["right" if number else "left" for number in numeric]
    head = "".join(
        f'<th scope="col" style="text-align: {side}">{escape(say(str(column)))}</th>'
        for side, column in zip(sides, texts.columns, strict=True)
    )
    rows = "".join(
        f"<tr>{_html_row(row, sides)}</tr>" for row in texts.itertuples(index=False, name=None)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _html_row(row: tuple[object, ...], sides: Sequence[str]) -> str:
    tags = ['th scope="row"'] + ["td"] * (len(row) - 1)
    return "".join(
        f'<{tag} style="text-align: {side}">{escape(str(text))}</{tag.split()[0]}>'
        for tag, side, text in zip(tags, sides, row, strict=True)
    )


def _check_texts(name: str, **texts: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise DisplayError(
            f"name {name!r}: expected lower case letters, digits and single hyphens, as 'q2-curve'"
        )
    for key, text in texts.items():
        if not text.strip():
            raise DisplayError(f"{name}: {key} is empty")


def _close(figure: matplotlib.figure.Figure) -> None:
    """Take the figure from pyplot's list, else Jupyter shows it a second time, bare."""
    import matplotlib.pyplot as plt

    plt.close(figure)


def _draw(figure: matplotlib.figure.Figure, form: str, name: str = "") -> bytes:
    """The same figure gives the same bytes: no date, and ids salted by the name."""
    _use_fonts(figure)
    buffer = io.BytesIO()
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        figure.savefig(
            buffer, format=form, dpi=DPI, metadata=metadata, bbox_inches="tight", pad_inches=0.05
        )
    return buffer.getvalue()


def fonts() -> list[str]:
    """What stands behind the font of a drawing's texts, for the letters that it lacks."""
    return [_font(current())] if current() in FONTS else []


def _use_fonts(figure: matplotlib.figure.Figure) -> None:
    for text in figure.findobj(matplotlib.text.Text) if fonts() else ():
        text.set_fontfamily(list(dict.fromkeys([*text.get_fontfamily(), *fonts()])))


@cache
def _font(language: str) -> str:
    """The family of the language's font, which matplotlib knows from now on."""
    for path in FONTS[language][1:]:
        font_manager.fontManager.addfont(path)
    return FONTS[language].family


def _data_uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def _png_width(png: bytes) -> int:
    """Natural width in CSS pixels (96 per inch); width stands at byte 16 of every PNG."""
    return round(int(struct.unpack(">I", png[16:20])[0]) * 96 / DPI)


def _svg_width(svg: bytes) -> int:
    """Natural width in CSS pixels of matplotlib's SVG, which gives it in points."""
    found = re.search(rb'<svg[^>]*? width="([\d.]+)pt"', svg)
    return round(float(found[1]) * 96 / 72) if found else 640


def _figcaption(caption: str, note: str) -> str:
    tail = f' <span class="fercore-note">{escape(note)}</span>' if note else ""
    return f"<figcaption>{escape(caption)}{tail}</figcaption>"


def _sentence(caption: str, note: str) -> str:
    return f"{caption} {note}".strip()


def _metadata(shown: Figure | Chart | Table, kind: str, **more: str) -> dict[str, Any]:
    texts = {"name": shown.name, "caption": shown.caption, "note": shown.note}
    return {"fercore": {"kind": kind, **texts, **more}}


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
        place: [_text(value, formats.get(str(name))) for value in column]
        for place, (name, column) in enumerate(flat.items())
    }
    return pd.DataFrame(columns, dtype=object).set_axis(list(flat.columns), axis="columns")


def _text(value: Any, form: str | None) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return MISSING
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool):
        return say("yes") if value else say("no")
    if form is None:
        form = _default_form(value)
    return format(value, form).replace("-", "−") if form else str(value)


def _default_form(value: Any) -> str:
    if hasattr(value, "__index__"):
        return ",d"
    if hasattr(value, "__float__"):
        return ",.0f" if abs(value) >= 1000 else ".4g"
    return ""


def _numeric(flat: pd.DataFrame, texts: pd.DataFrame) -> list[bool]:
    """Per column: numbers, or texts that all read as numbers (as "65.2 ± 0.4 %")."""
    kinds = [dtype.kind in "iuf" for dtype in flat.dtypes]
    return [
        number or _all_numbers(texts.iloc[:, place].tolist()) for place, number in enumerate(kinds)
    ]


def _all_numbers(texts: list[str]) -> bool:
    given = [text for text in texts if text not in (MISSING, "")]
    return bool(given) and all(_NUMBER.fullmatch(text) for text in given)


def _jsonable(value: Any) -> Any:
    """Plain JSON: numpy scalars as Python's, tuples as lists, NaN and infinities as null."""
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    try:
        json.dumps(value)
    except TypeError:
        return str(value)
    return value


def _provenance_tables(content: Mapping[str, Any]) -> str:
    pairs = {
        **{f"data: {key}": value for key, value in content["data"].items()},
        **{f"version: {key}": value for key, value in content.get("versions", {}).items()},
        **{f"hardware: {key}": value for key, value in content.get("hardware", {}).items()},
    }
    facts = pd.DataFrame({"what": list(pairs), "value": [str(value) for value in pairs.values()]})
    runs = run_table(content["runs"])
    shown = html_table(runs, _numeric(runs, runs)) if len(runs) else "<p>No runs.</p>"
    return html_table(facts, [False, False]) + shown


def run_table(runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Runs as a table of texts: one row per run, one column per split's accuracy (percent)."""
    splits = list(dict.fromkeys(split for run in runs for split in run.get("accuracy") or {}))
    return pd.DataFrame([_run_row(run, splits) for run in runs], dtype=object)


def _run_row(run: Mapping[str, Any], splits: Sequence[str]) -> dict[str, str]:
    accuracy = run.get("accuracy") or {}
    plain = {
        "run": "run_id",
        "network": "network",
        "seed": "seed",
        "epochs": "epochs",
        "trainable": "params_trainable",
        "Keras total": "params_keras_total",
    }
    texts = {column: _text(run.get(key), None) for column, key in plain.items()}
    for split in splits:
        texts[f"{split} %"] = (
            say("failed")
            if run.get("failure")
            else _text(accuracy.get(split), ".1%").removesuffix("%")
        )
    formats = {"bfloat16": "bf16", "float32": "fp32"}
    dtype = run.get("dtype")
    where = say("(elsewhere)") if run.get("elsewhere") else None
    parts = (run.get("device"), formats.get(str(dtype), dtype), where)
    texts["device"] = " ".join(str(part) for part in parts if part is not None)
    texts["commit"] = str(run.get("commit") or MISSING)[:9]
    return texts
