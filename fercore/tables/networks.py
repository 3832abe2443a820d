"""What networks are, cost and reach."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fercore.analysis import MEASURED, SEED, bootstrap, summarise
from fercore.data import TEST_SPLITS
from fercore.display import Table, Text, all_signed, percent
from fercore.language import mark, paragraph, say
from fercore.tables.words import GAINS


def networks(runs: pd.DataFrame, *, name: str, caption: str, note: str = "") -> Table:
    """What each network costs and reaches: one row per network, one column per split."""
    splits = [split for split in MEASURED if split in runs and runs[split].notna().any()]
    each = {split: summary(runs, split) for split in splits or ["valid"]}
    table = next(iter(each.values()))
    shown = pd.DataFrame(
        {
            "network": table["network"],
            "channels": table["network"].map(runs.groupby("network")["channels"].first()),
            "trainable": table["params_trainable"],
            "Keras total": table["params_keras_total"],
            "MMACs": table["macs"] / 1e6,
            "file kB": table["file_bytes"] / 1000,
            "seeds": table["seeds"],
        }
    )
    if table["failed"].any():
        shown["failed"] = table["failed"]
    if not shown["channels"].any():
        shown = shown.drop(columns="channels")
    for split in splits:
        shown[f"{split} %"] = _reached(each[split], table["seeds"])
    absent = mark("A test split that is not shown has no labelled rows, or no run measured it.")
    return Table(
        shown,
        name=name,
        caption=paragraph(
            say(caption),
            say("± is half the 95 % interval over seeds. MMACs: million multiply-adds per image."),
            "" if {*TEST_SPLITS} <= {*splits} else say(absent),
            *(_without(each[split], table["seeds"], split) for split in splits),
        ),
        note=note,
        formats={"MMACs": ".1f", "file kB": ",.0f"},
    )


def _reached(found: pd.DataFrame, seeds: pd.Series[int]) -> list[str | None]:
    """Means with their intervals; None where runs finished, of which none measured this split."""
    rows = zip(found["mean"], found["high"], seeds, strict=True)
    return [None if pd.isna(mean) and done else percent(mean, high) for mean, high, done in rows]


def _without(found: pd.DataFrame, seeds: pd.Series[int], split: str) -> str:
    """Which networks have finished runs that did not measure this split; empty if none has."""
    lacking = found["network"][found["seeds"] < seeds]
    return say(WITHOUT, split=split, networks=say(", ").join(lacking)) if len(lacking) else ""


WITHOUT = mark(
    "Not in the column of {split}: those runs of {networks} that were made elsewhere, on data "
    "without it."
)


def summary(runs: pd.DataFrame, split: str) -> pd.DataFrame:
    """Means with their intervals."""
    return summarise(runs, split, bootstrap(runs, split, np.random.default_rng(SEED)))


def longer(runs: pd.DataFrame, split: str, *, note: str = "") -> Table | Text:
    """Runs that took more passes than the others, one row each."""
    if runs.empty:
        return Text(say("Not shown here: no run of more passes comes with fercore."))
    shown = pd.DataFrame(
        {
            "network": runs["network"],
            "trainable": runs["params_trainable"],
            "epochs": runs["epochs"],
            **{f"{name} %": [percent(value) for value in runs[name]] for name in ("valid", split)},
            "its report %": 100 * runs["reported"],
            "differs in": runs["departures"],
            "run": runs["run_id"],
        }
    )
    return Table(
        shown,
        name="longer",
        caption=say(
            "Runs of more passes, and in what else they differ from the recipe: single runs, "
            "without intervals. Beside them what the network's report says: the mean of its public "
            "and private score where it has both, else its validation accuracy."
        ),
        formats={"its report %": ".1f"},
        note=note,
    )


def taught(gains: pd.DataFrame, split: str, *, note: str = "") -> Table | Text:
    """What networks gain by teachers; gains as `fercore.analysis.gains` has them."""
    if gains.empty:
        return Text(say("Not shown here: no run that had teachers comes with fercore."))
    shown = pd.DataFrame(
        {
            "network": gains["network"],
            "trainable": gains["params_trainable"],
            "taught by": gains["teachers"],
            "labels %": 100 * gains["labels"],
            "teachers %": 100 * gains["taught"],
            "gain, points": all_signed(gains["lead"], gains["high"]),
            "over seeds": gains["verdict"].map(GAINS).map(say),
        }
    )
    return Table(
        shown,
        name="taught",
        caption=say(
            "Learned from labels, and from what the teachers say on average of each image as it is "
            "moved: {split}, gain ± 95 % over seeds. Teachers learned from labels.",
            split=split,
        ),
        formats={"labels %": ".1f", "teachers %": ".1f"},
        note=note,
    )


COSTS = mark(
    "Costs. Trainable parameters by kind of layer (stem: the first convolution); MMACs: million "
    "multiply-adds per image; activations: peak for one image in float32, when each layer holds "
    "its input and its output, and normalisation and activation work in place; all weights and "
    "running statistics at three number formats."
)
LATENCY = mark(
    "ms per image: one image in float32 on one CPU thread, in torch, on the machine that made "
    "this report; all networks in turn, the median of the quickest round."
)


def costs(measured: pd.DataFrame, *, note: str = "") -> Table:
    """What each network costs; columns as `Study.costs` gives them, and ``latency_ms`` if it is."""
    shown = measured.copy()
    named = {"latency_ms": "ms per image", "activation_bytes": "activations kB"}
    for column in shown.columns[shown.columns.str.endswith("_bytes")]:
        shown[column] /= 1000
    named |= {f"{form}_bytes": f"{form} kB" for form in ("fp32", "fp16", "int8")}
    shown["macs"] /= 1e6
    shown = shown.rename(columns=named | {"macs": "MMACs"})
    kilobytes = [column for column in shown.columns if column.endswith(" kB")]
    formats = dict.fromkeys(kilobytes, ",.0f") | {"MMACs": ".1f", "ms per image": ".2f"}
    return Table(
        shown,
        name="costs",
        caption=paragraph(say(COSTS), say(LATENCY) if "latency_ms" in measured else ""),
        formats={column: form for column, form in formats.items() if column in shown},
        note=note,
    )


def architectures(parts: pd.DataFrame) -> list[Table]:
    """One table per ``report``: its networks side by side, from input to output.

    parts: as `fercore.inside.architectures` gives them.
    """
    return [_side_by_side(str(report), part) for report, part in parts.groupby("report")]


def _side_by_side(report: str, parts: pd.DataFrame) -> Table:
    heads = {"layer": say("layer"), "output": say("out"), "trainable": say("parameters")}
    networks = {
        str(network): part[[*heads]].astype(object).reset_index(drop=True)
        for network, part in parts.groupby("network", sort=False)
    }
    return Table(
        pd.concat(networks, axis="columns").fillna("").rename(columns=heads, level=1),
        name=f"architecture-{report.lower()}",
        caption=say(
            "Report {report}, layer by layer: {networks}. Normalisation and activation are counted "
            "with their convolution; parameters are trainable ones.",
            report=report,
            networks=say(" beside ").join(networks),
        ),
    )
