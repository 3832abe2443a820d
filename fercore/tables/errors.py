"""What the errors look like."""

from __future__ import annotations

import pandas as pd

from fercore.display import Table


def classes(rows: pd.DataFrame, *, note: str = "") -> Table:
    """Recall and F1 by class; see `analysis.class_table`."""
    figures = [column for column in rows.columns if column not in ("expression", "images")]
    leads = [column for column in figures if column.endswith(" lead")]
    return Table(
        rows,
        name="classes",
        caption="Recall and F1 by expression, in percent, summed over seeds"
        + ("; leads are the first network's over the second, in points." if leads else "."),
        formats=dict.fromkeys(figures, ".0f") | dict.fromkeys(leads, "+.0f"),
        note=note,
    )


def calibration(runs: pd.DataFrame, split: str, *, note: str = "") -> Table:
    """Confidence against accuracy; runs with ``confidence`` and ``ece`` beside the split."""
    shown = runs.groupby("network", sort=False)[[split, "confidence", "ece"]].mean().mul(100)
    shown.insert(2, "too sure by", shown["confidence"] - shown[split])
    shown.columns = pd.Index([f"{split} %", "confidence %", "too sure by", "ECE"])
    return Table(
        shown.reset_index(),
        name="calibration",
        caption=f"How far each network's confidence can be believed on {split}: accuracy, mean "
        "probability of its answer, their difference in points, and the expected calibration "
        "error (15 bins, in points; 0 is best). Each run by itself, then the mean over seeds."
        + (" Empty: no run has its predictions here." if runs.empty else ""),
        formats=dict.fromkeys(shown.columns, ".1f") | {"too sure by": "+.1f"},
        note=note,
    )


def unseen(runs: pd.DataFrame, split: str, *, note: str = "") -> Table:
    """Accuracy with and without the test images that repeat a Training image."""
    fresh = f"{split}_unseen"
    kept = runs.groupby("network", sort=False)[[split, fresh]].mean().mul(100).reset_index()
    kept["difference"] = kept[fresh] - kept[split]
    kept.columns = pd.Index(["network", f"{split} %", "without repeats %", "difference"])
    repeats = int(runs[f"{split}_repeated"].max())
    return Table(
        kept,
        name="unseen",
        note=note,
        caption=f"{repeats:,} images of {split} equal, byte by byte, an image that Training holds; "
        "accuracy with and without them, mean over seeds.",
        formats=dict.fromkeys(kept.columns[1:], ".1f"),
    )
