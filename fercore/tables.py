"""One function per table: a frame in, a `fercore.display.Table` out.

Accuracies are fractions going in and percent coming out. An interval is printed as "61.2 ± 1.3";
without a second seed there is none, and only the mean is printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fercore.analysis import TEST_SPLITS, summarise
from fercore.display import Table
from fercore.figures import short

PRESENT = ("valid", *TEST_SPLITS)
VERDICTS = {
    "ahead": "MobileNet ahead",
    "behind": "plain CNN ahead",
    "undecided": "undecided: interval holds 0",
    "one seed": "one seed: no interval",
}


def percent(mean: float, high: float) -> str:
    """A mean with half its interval in percent, as "61.2 ± 1.3"; "61.2" without an interval."""
    if pd.isna(mean):
        return "failed"
    return f"{100 * mean:.1f}" + ("" if pd.isna(high) else f" ± {100 * (high - mean):.1f}")


def networks(runs: pd.DataFrame, *, name: str, caption: str, note: str = "") -> Table:
    """What each network costs and reaches: one row per network, one column per split."""
    splits = [split for split in PRESENT if split in runs and runs[split].notna().any()]
    table = summarise(runs, (splits or ["valid"])[0])
    shown = pd.DataFrame(
        {
            "network": table["network"],
            "trainable": table["params_trainable"],
            "Keras total": table["params_keras_total"],
            "MMACs": table["macs"] / 1e6,
            "file kB": table["network"].map(runs.groupby("network")["file_bytes"].max()) / 1000,
            "seeds": table["seeds"],
        }
    )
    for split in splits:
        each = summarise(runs, split)
        shown[f"{split} %"] = [
            percent(m, h) for m, h in zip(each["mean"], each["high"], strict=True)
        ]
    absent = [split for split in TEST_SPLITS if split not in splits]
    caption += " ± is the 95 % interval over seeds. MMACs: million multiply-adds per image."
    if absent:
        caption += f" The data has no labelled {' and no '.join(absent)} rows."
    return Table(
        shown, name=name, caption=caption, note=note, formats={"MMACs": ".1f", "file kB": ".0f"}
    )


def architectures(described: Mapping[str, list[dict[str, Any]]], *, name: str) -> Table:
    """Networks side by side, from input to output.

    described: network name to its rows, each with ``layer``, ``output`` and ``trainable``.
    """
    columns: dict[tuple[str, str], pd.Series[Any]] = {}
    for network, rows in described.items():
        for key, title in (("layer", "layer"), ("output", "out"), ("trainable", "parameters")):
            columns[network, title] = pd.Series([row[key] for row in rows], dtype=object)
    frame = pd.DataFrame(columns).fillna("")
    return Table(
        frame,
        name=name,
        caption=f"Layer by layer: {' beside '.join(described)}. "
        "Convolutions are shown with their normalisation and activation; parameters are "
        "trainable ones.",
    )


def published(figures: pd.DataFrame, summary: pd.DataFrame, split: str, *, note: str = "") -> Table:
    """The reports' own figures beside what the same networks reached here.

    figures: columns ``network``, ``report``, ``epochs``, ``split``, ``accuracy``, ``note``.
    """
    ours = summary.set_index("network")["mean"]
    shown = pd.DataFrame(
        {
            "network": figures["network"],
            "report": figures["report"],
            "its epochs": figures["epochs"].astype("Int64"),
            "its split": figures["split"],
            "its accuracy %": 100 * figures["accuracy"],
            f"here, {split} %": 100 * figures["network"].map(ours),
        }
    )
    shown["difference"] = shown[f"here, {split} %"] - shown["its accuracy %"]
    shown["its protocol"] = figures["note"].to_numpy()
    return Table(
        shown.reset_index(drop=True),
        name="published",
        note=note,
        caption="What the reports published beside what the same networks reach here. The splits, "
        "epochs and recipes differ, so the difference is no verdict on either.",
        formats={"its accuracy %": ".1f", f"here, {split} %": ".1f", "difference": "+.1f"},
    )


def pairs(matched: pd.DataFrame, split: str, *, note: str = "") -> Table:
    """Matched sizes: both accuracies, the lead of MobileNet and what its interval allows."""
    spread = matched["high"] - matched["lead"]
    shown = pd.DataFrame(
        {
            "size": [short(size) for size in matched["size"]],
            "MobileNet": matched["mobilenet"],
            "plain CNN": matched["cnn"],
            "MobileNet %": 100 * matched["mobilenet_mean"],
            "CNN %": 100 * matched["cnn_mean"],
            "lead": 100 * matched["lead"],
            "± 95 %": 100 * spread,
            "verdict": matched["verdict"].map(VERDICTS),
        }
    )
    return Table(
        shown,
        name="pairs",
        note=note,
        caption=f"MobileNet against the plain CNN of equal trainable parameters, {split}; lead in "
        "percentage points, interval over seeds.",
        formats={"MobileNet %": ".1f", "CNN %": ".1f", "lead": "+.1f", "± 95 %": ".1f"},
    )


def classes(rows: pd.DataFrame, *, note: str = "") -> Table:
    """Recall and F1 by class: columns ``class``, then one per network and figure (percent)."""
    return Table(
        rows,
        name="classes",
        caption="Recall and F1 by expression, in percent, summed over seeds.",
        formats={column: ".0f" for column in rows.columns if column not in ("class", "images")},
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
        caption=f"{repeats:,} images of {split} are byte for byte images of Training too; "
        "accuracy with and without them, mean over seeds.",
        formats=dict.fromkeys(kept.columns[1:], ".1f"),
    )


def facts(rows: Mapping[str, object], *, name: str, caption: str, note: str = "") -> Table:
    """Two columns of names and values."""
    values = [f"{value:,}" if isinstance(value, int) else str(value) for value in rows.values()]
    frame = pd.DataFrame({"what": list(rows), "value": values})
    return Table(frame, name=name, caption=caption, note=note)


def counts(faces: pd.DataFrame, *, note: str = "") -> Table:
    """Images per class and split; columns ``class`` and one per split."""
    return Table(
        faces, name="counts", caption="Labelled images by expression and split.", note=note
    )
