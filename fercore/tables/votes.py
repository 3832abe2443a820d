"""Networks against FER+ votes."""

from __future__ import annotations

import pandas as pd

from fercore.analysis import Voted
from fercore.display import MISSING, Table, Text, percent
from fercore.language import mark, say
from fercore.tables.networks import summary

COLUMNS = mark(
    {
        "own": "FER2013 %",
        "own_chosen": "FER2013, with majority %",
        "chosen": "majority of ten %",
        "disputed": "disputed, of errors %",
    }
)
"""Figures of `analysis.against`, as they are headed."""
OF_ALL = mark("disputed, of images %")


def votes(found: Voted | None, split: str, *, note: str = "") -> Table | Text:
    """Accuracy against FER2013's label and against the majority of ten; where the errors lie.

    found: None without votes, which gives an empty text, as runs without predictions do.
    """
    if found is None or found.runs.empty:
        return Text("")
    columns = {name: _column(found.runs, key) for key, name in COLUMNS.items()}
    shown = pd.DataFrame(columns).rename_axis("network").reset_index()
    shown[OF_ALL] = 100 * found.disputed / found.images
    return Table(
        shown,
        name="votes",
        caption=say(
            CAPTION,
            split=split,
            images=found.images,
            chosen=found.chosen,
            disputed=found.disputed,
            other=found.images - found.chosen - found.disputed,
        ),
        formats={OF_ALL: ".1f"},
        note=note,
    )


CAPTION = mark(
    "{split} against the votes of ten annotators (FER+), ± 95 % over seeds. FER2013: accuracy "
    "against FER2013's labels, of all {images:,} images, then of the {chosen:,} for which a "
    "majority chose one of the seven expressions; majority of ten: accuracy against that one on "
    "these. A majority has more than half of the votes when answers of a single annotator are "
    "dropped (Barsoum et al. 2016, arXiv:1608.01041). Left out there: {disputed:,} disputed "
    "images, which have no majority, ties included, and {other:,} with a majority for contempt, "
    "unknown or no face. Last, which share of the network's errors (against FER2013's labels) and "
    "of all images the disputed ones are."
)


def _column(runs: pd.DataFrame, key: str) -> pd.Series[str]:
    """A figure's mean over seeds with its interval, by network, smallest first."""
    found = summary(runs, key)
    values = zip(found["mean"], found["high"], strict=True)
    texts = [MISSING if pd.isna(mean) else percent(mean, high) for mean, high in values]
    return pd.Series(texts, index=found["network"])
