"""One function per table: a frame in, a `fercore.display.Table` out.

Accuracies are fractions going in and percent coming out. An interval is printed as "61.2 ± 1.3";
without a second seed there is none, and only the mean is printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
            "channels": table["network"].map(runs.groupby("network")["channels"].first()),
            "trainable": table["params_trainable"],
            "Keras total": table["params_keras_total"],
            "MMACs": table["macs"] / 1e6,
            "file kB": table["network"].map(runs.groupby("network")["file_bytes"].max()) / 1000,
            "seeds": table["seeds"],
        }
    )
    if table["failed"].any():
        shown["failed"] = table["failed"]
    if not shown["channels"].any():
        shown = shown.drop(columns="channels")
    for split in splits:
        each = summarise(runs, split)
        shown[f"{split} %"] = [
            percent(m, h) for m, h in zip(each["mean"], each["high"], strict=True)
        ]
    caption += " ± is the 95 % interval over seeds. MMACs: million multiply-adds per image."
    if not {*TEST_SPLITS} <= {*splits}:
        caption += " A test split that is not shown has no labelled rows, or no run was finished."
    return Table(
        shown, name=name, caption=caption, note=note, formats={"MMACs": ".1f", "file kB": ".0f"}
    )


def architectures(reports: Mapping[str, Mapping[str, Sequence[Any]]]) -> list[Table]:
    """One table per report: its networks side by side, from input to output.

    reports: report to network to rows with ``layer``, ``output`` and ``trainable``.
    """
    return [_side_by_side(report, networks) for report, networks in reports.items()]


def _side_by_side(report: str, described: Mapping[str, Sequence[Any]]) -> Table:
    columns: dict[tuple[str, str], pd.Series[Any]] = {}
    for network, parts in described.items():
        for key, title in (("layer", "layer"), ("output", "out"), ("trainable", "parameters")):
            columns[network, title] = pd.Series([getattr(p, key) for p in parts], dtype=object)
    return Table(
        pd.DataFrame(columns).fillna(""),
        name=f"architecture-{report.lower()}",
        caption=f"Report {report}, layer by layer: {' beside '.join(described)}. Normalisation "
        "and activation are counted with their convolution; parameters are trainable ones.",
    )


def published(figures: pd.DataFrame, summary: pd.DataFrame, split: str, *, note: str = "") -> Table:
    """The reports' own figures, beside what the same networks reached here where they were trained.

    figures: columns ``network``, ``report``, ``epochs``, ``split``, ``accuracy``, ``note``.
    """
    ours = 100 * figures["network"].map(summary.set_index("network")["mean"])
    shown = pd.DataFrame(
        {
            "network": figures["network"],
            "report": figures["report"],
            "its epochs": figures["epochs"].astype("Int64"),
            "its split": figures["split"],
            "its %": 100 * figures["accuracy"],
        }
    )
    formats = {"its %": ".1f"}
    caption = "What the reports published."
    if ours.notna().any():
        shown[f"here, {split} %"] = ours
        formats |= {f"here, {split} %": ".1f"}
        caption = (
            "What the reports published, on photographs, beside what the same networks reach "
            "here. Splits, epochs and recipes differ: a comparison at a glance, not a verdict."
        )
    shown["its protocol"] = figures["note"]
    return Table(
        shown.reset_index(drop=True), name="published", note=note, caption=caption, formats=formats
    )


def pairs(matched: pd.DataFrame, split: str, *, note: str = "") -> Table:
    """Matched sizes: both accuracies, the lead of MobileNet and what its interval allows."""
    spread = matched["high"] - matched["lead"]
    shown = pd.DataFrame(
        {
            "size": [short(size) for size in matched["size"]],
            "from": matched["report"],
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


def claims(judged: pd.DataFrame, *, note: str = "") -> Table:
    """The reports' conclusions beside what this run says of them; see `sentences.claims`."""
    return Table(
        judged,
        name="claims",
        caption="What each report concluded, and what the matched sizes of this run say of it.",
        note=note,
    )


def classes(rows: pd.DataFrame, *, note: str = "") -> Table:
    """Recall and F1 by class: columns ``expression``, then one per network and figure (percent)."""
    return Table(
        rows,
        name="classes",
        caption="Recall and F1 by expression, in percent, summed over seeds.",
        formats={
            column: ".0f" for column in rows.columns if column not in ("expression", "images")
        },
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


def facts(rows: Mapping[str, object], *, name: str, caption: str, note: str = "") -> Table:
    """Two columns of names and values."""
    values = [f"{value:,}" if type(value) is int else str(value) for value in rows.values()]
    frame = pd.DataFrame({"what": list(rows), "value": values})
    return Table(frame, name=name, caption=caption, note=note)


def counts(faces: pd.DataFrame, *, note: str = "") -> Table:
    """Images per class and split; index ``expression``, columns one per split."""
    return Table(
        faces, name="counts", caption="Labelled images by expression and split.", note=note
    )
