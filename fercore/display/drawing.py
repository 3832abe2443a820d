"""Figures and charts: what is drawn, with its caption."""

from __future__ import annotations

import base64
import io
import re
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import Any

import matplotlib as mpl
import matplotlib.figure
import matplotlib.text
from matplotlib import font_manager

from fercore.display.common import Bundle, check_texts, figcaption, jsonable, metadata, sentence
from fercore.language import FONTS, current

CHART_MIME = "application/vnd.vegalite.v5+json"
"""Vega-Lite 5, which JupyterLab draws by itself; it knows no version 6."""
DPI = 200


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
        check_texts(name=self.name, caption=self.caption, alt=self.alt)
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
            f"{figcaption(self.caption, self.note)}</figure>"
        )
        data["text/plain"] = f"[Figure] {sentence(self.caption, self.note)}\n{self.alt}"
        return data, metadata(self, "figure", alt=self.alt)


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
        check_texts(name=self.name, caption=self.caption, alt=self.alt)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        # No text/html: JupyterLab would prefer it to the chart.
        text = f"[Chart] {sentence(self.caption, self.note)}\n{self.alt}"
        data = {CHART_MIME: jsonable(self.spec), "text/plain": text}
        return data, metadata(self, "chart", alt=self.alt)


def _close(figure: matplotlib.figure.Figure) -> None:
    """Take the figure from pyplot's list, else Jupyter shows it a second time, bare."""
    pyplot = sys.modules.get("matplotlib.pyplot")  # where nobody has imported it, there is no list
    if pyplot is not None:
        pyplot.close(figure)


def _draw(figure: matplotlib.figure.Figure, form: str, name: str = "") -> bytes:
    """The same figure gives the same bytes: no date, and ids salted by the name."""
    _use_fonts(figure)
    buffer = io.BytesIO()
    undated = {"Date": None} if form == "svg" else {"Software": None}
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        figure.savefig(
            buffer, format=form, dpi=DPI, metadata=undated, bbox_inches="tight", pad_inches=0.05
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
