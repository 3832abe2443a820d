"""What the errors look like."""

from __future__ import annotations

import pandas as pd

from fercore.display import NO_PREDICTIONS, Table, Text
from fercore.language import paragraph, say


def classes(rows: pd.DataFrame, *, note: str = "") -> Table | Text:
    """Recall and F1 by class; see `analysis.class_table`. Of no network: an empty text."""
    if len(rows.columns) == 1:
        return Text("")
    figures = [column for column in rows.columns if column not in ("expression", "images")]
    leads = [column for column in figures if column.endswith(" lead")]
    forms = dict.fromkeys(figures, ".0f") | dict.fromkeys(leads, "+.0f")
    rows = rows.assign(expression=rows["expression"].map(say)).rename(columns=_head)
    return Table(
        rows,
        name="classes",
        caption=say(
            "Recall and F1 by expression, in percent, summed over seeds: each image counts once "
            "for every seed. Leads are the first network's over the second, in points, without "
            "intervals."
        )
        if leads
        else say(
            "Recall and F1 by expression, in percent, summed over seeds: each image counts once "
            "for every seed."
        ),
        formats={_head(column): form for column, form in forms.items()},
        note=note,
    )


def _head(column: str) -> str:
    """With its unit, what `analysis.class_table` calls "NETWORK recall", "F1 lead" and so on."""
    network, _, figure = column.rpartition(" ")
    match figure:
        case "lead":
            return f"{column}, points"
        case "recall":
            return say("{network} recall %", network=network)
        case "F1":
            return say("{network} F1 %", network=network)
    return column


def calibration(runs: pd.DataFrame, split: str, *, note: str = "") -> Table | Text:
    """Confidence against accuracy; runs with ``confidence`` and ``ece`` beside the split.

    A sentence where there is no such run.
    """
    if runs.empty:
        return Text(say(NO_PREDICTIONS))
    shown = runs.groupby("network", sort=False)[[split, "confidence", "ece"]].mean().mul(100)
    shown.insert(2, "too sure by, points", shown["confidence"] - shown[split])
    shown.columns = pd.Index([f"{split} %", "confidence %", "too sure by, points", "ECE, points"])
    return Table(
        shown.reset_index(),
        name="calibration",
        caption=say(
            "How far each network's confidence can be believed on {split}: accuracy, mean "
            "probability of its answer, their difference in points, and the expected calibration "
            "error (15 bins, in points; 0 is best). Each run by itself, then the mean over seeds; "
            "runs without predictions in the store are left out.",
            split=split,
        ),
        formats=dict.fromkeys(shown.columns, ".1f") | {"too sure by, points": "+.1f"},
        note=note,
    )


def unseen(runs: pd.DataFrame, split: str, *, note: str = "") -> Table | Text:
    """Accuracy with and without the test images that repeat a Training image; or that none does."""
    repeats = int(runs[f"{split}_repeated"].max())
    if not repeats:
        none = say("No image of {split} equals, byte by byte, one of Training.", split=split)
        return Text(paragraph(none, note))
    fresh = f"{split}_unseen"
    kept = runs.groupby("network", sort=False)[[split, fresh]].mean().mul(100).reset_index()
    kept["difference, points"] = kept[fresh] - kept[split]
    kept.columns = pd.Index(["network", f"{split} %", "without repeats %", "difference, points"])
    return Table(
        kept,
        name="unseen",
        note=note,
        caption=say(
            "{repeats:,} images of {split} equal, byte by byte, an image that Training holds; "
            "accuracy with and without them, mean over seeds.",
            repeats=repeats,
            split=split,
        ),
        formats=dict.fromkeys(kept.columns[1:], ".1f"),
    )
