"""Runs of the store to browse and to compare: tables, charts and figures of plain records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from fercore import figures, interactive, models
from fercore.analysis import MEASURED, headline_split
from fercore.data import EMOTIONS
from fercore.data.faces import SYNTHETIC_NOTE
from fercore.display import Chart, Figure
from fercore.store import measured
from fercore.store.record import Epoch, RunRecord
from fercore.tables.networks import summary

__all__ = [
    "ALL",
    "AXES",
    "MEASURED",
    "comparison",
    "matching",
    "options",
    "rows",
    "scatter",
    "title",
]

ALL = "all"
AXES = [(name, column) for column, name in interactive.AXES.items() if column != "latency_ms"]
"""What x can be, for a dropdown; how long a network takes is no part of a run."""


def rows(records: Iterable[RunRecord]) -> pd.DataFrame:
    """A runs table, latest run first, with more columns.

    ``data``: the faces' name; ``departures``: in what the recipe differs from most; ``group``: what
    is comparable, the same faces and recipe; ``curve``: all of the network but its size;
    ``synthetic``.
    """
    ordered = _latest_first(records)
    if not ordered:
        return pd.DataFrame(columns=["run_id", "family", "status", "data", "group"])
    usual = measured.usual(ordered)
    table = pd.DataFrame([measured.run_row(record, usual) for record in ordered])
    recipes = [
        (": ".join(filter(None, [_conditions(record), departures])), _recipe(record))
        for record, departures in zip(ordered, table["departures"], strict=True)
    ]
    return table.assign(
        data=_distinct([(r.data.source, r.data.fingerprint) for r in ordered]),
        group=_distinct(recipes),
        curve=[r.spec.model.model_dump_json(exclude={"widths"}) for r in ordered],
        synthetic=[record.data.synthetic for record in ordered],
    )


def matching(table: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """Rows whose columns have these values; `ALL` matches every value."""
    for column, value in wanted.items():
        if value != ALL:
            table = table[table[column] == value]
    return table


def title(record: RunRecord) -> str:
    """A run's name for people, unlike every other run's."""
    epochs = record.spec.train.epochs
    network = models.label(record.spec.model)
    return f"{network}, seed {record.spec.seed}, epochs {epochs} ({record.run_id[:6]})"


def options(records: Iterable[RunRecord]) -> list[tuple[str, str]]:
    """For a dropdown: titles and ids, the latest run first."""
    return [(title(record), record.run_id) for record in _latest_first(records)]


def scatter(
    table: pd.DataFrame,
    axis: str = "params_trainable",
    published: bool = True,
    family: str = ALL,
    ring: str | None = None,
) -> tuple[Chart, dict[str, dict[str, str]]]:
    """Size against accuracy for runs of one ``group``: equal networks differ only in their seed.

    axis: what x is, one of `AXES`; published: the reports' own figures beside; family: the one
    shown; ring: the name of a mark that gets one. All are set, not offered: the chart's own
    controls are out of the keyboard's reach in JupyterLab.

    With it, by name, the marks that it shows and what the pointer is told of each.
    """
    split = headline_split(table)
    note = SYNTHETIC_NOTE if table["synthetic"].any() else ""
    theirs = measured.published() if published else None
    families = tuple(figures.NAMES) if family == ALL else (family,)
    found, view = summary(table, split), interactive.View(axis, families, ring)
    chart = interactive.size_against_accuracy(
        table, found, split, published=theirs, view=view, note=note
    )
    return chart, interactive.marks(table, found, theirs, view)


def comparison(records: Sequence[RunRecord], split: str) -> list[Figure]:
    """Learning curves, and of runs that measured `split` their confusions there.

    Two that did are also subtracted, the second from the first.
    """
    note = SYNTHETIC_NOTE if any(record.data.synthetic for record in records) else ""
    named = [measured.run_row(record) | {"network": title(record)} for record in records]
    history = [
        {**who, **epoch.model_dump()}
        for record, who in zip(records, named, strict=True)
        for epoch in record.history
    ]
    columns = ["network", "family", "seed", *Epoch.model_fields]
    shown = [figures.learning_curves(pd.DataFrame(history, columns=columns), note=note)]
    matrices = {
        title(record): np.array(record.splits[split].confusion)
        for record in records
        if split in record.splits
    }
    both = figures.confusions(matrices, EMOTIONS, split, note=note)
    if isinstance(both, Figure):  # else no run measured the split
        caption = f"Confusion matrices on {split}; each row adds up to 100 % of its class."
        shown.append(replace(both, caption=caption))
    difference = figures.confusion_difference(matrices, EMOTIONS, split, note=note)
    if isinstance(difference, Figure):
        caption = f"{' less '.join(matrices)} on {split}, in percentage points of each class."
        shown.append(replace(difference, caption=f"{caption} Red: the first says it more often."))
    return shown


def _latest_first(records: Iterable[RunRecord]) -> list[RunRecord]:
    return sorted(records, key=lambda record: (record.finished, record.run_id), reverse=True)


def _conditions(record: RunRecord) -> str:
    train = record.spec.train
    return f"{record.data.source}, {record.data.train_images:,} images, epochs {train.epochs}"


def _recipe(record: RunRecord) -> str:
    """Everything but network and seed, as hexadecimal digits."""
    data = record.spec.data.model_dump(mode="json", exclude={"source"})
    whole = [record.data.fingerprint, data, record.spec.train.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _distinct(named: Sequence[tuple[str, str]]) -> list[str]:
    """Names; those that stand for several identities get their first digits."""
    meanings: dict[str, set[str]] = {}
    for name, identity in named:
        meanings.setdefault(name, set()).add(identity)
    return [
        name if len(meanings[name]) == 1 else f"{name} ({identity[:6]})" for name, identity in named
    ]
