"""What a notebook cell returns: a figure, a chart, a table, a text or where its numbers come from.

Each shows itself in Jupyter and, a text apart, carries in the output's metadata under "fercore"
what the report needs to number it, to write it as a file and to describe it to who cannot see it.
"""

from fercore.display.common import MISSING, NO_PAIR, NO_PREDICTIONS, DisplayError, Text
from fercore.display.drawing import CHART_MIME, Chart, Figure, fonts
from fercore.display.numbers import (
    all_signed,
    in_percent,
    number,
    percent,
    signed,
    spread,
    text_of,
    times,
)
from fercore.display.origin import PROVENANCE_MIME, Provenance, run_table
from fercore.display.table import Table, html_table

__all__ = [
    "CHART_MIME",
    "MISSING",
    "NO_PAIR",
    "NO_PREDICTIONS",
    "PROVENANCE_MIME",
    "Chart",
    "DisplayError",
    "Figure",
    "Provenance",
    "Table",
    "Text",
    "all_signed",
    "fonts",
    "html_table",
    "in_percent",
    "number",
    "percent",
    "run_table",
    "signed",
    "spread",
    "text_of",
    "times",
]
