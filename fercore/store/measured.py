"""What the store holds of runs, as rows, arrays and tables for `fercore.analysis`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore import analysis, models, reprs
from fercore.analysis import AGAINST, MEASURED, calibration_error, reliability
from fercore.display import Table
from fercore.spec import ModelSpec, TrainSpec
from fercore.store.record import Counts, RunRecord
from fercore.store.runs import Predictions, RunStore

SHOWN = 20
"""Runs that a store shows of itself."""


def departures(train: TrainSpec, recipe: TrainSpec) -> str:
    """In what a run's recipe differs from another, epochs apart, as "flip False, shift 0.0"."""
    mine, theirs = ({**dict(t), **dict(t.augment), "epochs": 0} for t in (train, recipe))
    differing = [name for name in mine if name != "augment" and mine[name] != theirs[name]]
    return ", ".join(f"{name} {_plain(mine[name])}" for name in differing)


def _plain(value: Any) -> str:
    return " + ".join(value) if isinstance(value, tuple) else str(value)


def usual(records: Iterable[RunRecord]) -> TrainSpec:
    """The recipe of most of these runs, whatever their epochs."""
    counted = Counter(record.spec.train.model_copy(update={"epochs": 1}) for record in records)
    return max(counted, key=counted.__getitem__, default=TrainSpec())


def run_row(record: RunRecord, recipe: TrainSpec | None = None) -> dict[str, Any]:
    """One row of the runs table; against a recipe with its ``departures`` from that."""
    spec = record.spec.model
    reported = models.REPORTED.get(spec.name)
    row = {
        "run_id": record.run_id,
        "network": models.label(spec),
        "family": reported.family if reported else spec.name,
        "report": reported.report if reported else "sweep",
        "channels": "-".join(map(str, spec.widths or ())),
        "seed": record.spec.seed,
        "epochs": record.spec.train.epochs,
        "params_trainable": record.params_trainable,
        "params_keras_total": record.params_keras_total,
        "macs": record.macs,
        "file_bytes": record.file_bytes,
        "status": record.status,
        "seconds": record.seconds,
    }
    for name in MEASURED:
        measured = record.splits.get(name)
        row[name] = measured.accuracy if measured else np.nan
        row[f"{name}_unseen"] = measured.accuracy_unseen if measured else np.nan
        row[f"{name}_repeated"] = measured.repeated if measured else 0
        row[f"{name}_largest"] = _largest(measured.confusion) if measured else np.nan
    if recipe:
        row["departures"] = departures(record.spec.train, recipe)
    return row


def overview(store: RunStore) -> Table:
    """The runs of a store that finished last, up to `SHOWN`."""
    records = sorted(store.records(), key=lambda record: record.finished, reverse=True)
    recipe = usual(records)
    rows = [run_row(record, recipe) for record in records[:SHOWN]]
    count = f"runs: {len(records):,}" + (f", the latest {SHOWN}" if len(records) > SHOWN else "")
    return reprs.runs(pd.DataFrame(rows), f"RunStore {store.root}: {count}.")


def _largest(confusion: Counts) -> float:
    """Share of the images that the largest class has."""
    images = np.array(confusion).sum(1)
    return float(images.max() / images.sum())


def trace(record: RunRecord, here: Collection[str], recipe: TrainSpec) -> dict[str, Any]:
    """What the appendix says of one run.

    here: ids of the runs in the store; recipe: that of whoever asked for the run.
    """
    row = run_row(record, recipe)
    kept = ["run_id", "network", "family", "seed", "epochs", "params_trainable"]
    return {name: row[name] for name in [*kept, "params_keras_total", "seconds", "departures"]} | {
        "accuracy": {name: measured.accuracy for name, measured in record.splits.items()},
        "failure": record.message if record.status != "done" else None,
        "elsewhere": record.run_id not in here,
        "device": record.device,
        "dtype": record.dtype,
        "commit": record.commit,
    }


def finished(runs: pd.DataFrame, network: str) -> list[str]:
    """Ids of a network's finished runs."""
    return list(runs.loc[(runs["network"] == network) & (runs["status"] == "done"), "run_id"])


def said(
    store: RunStore, runs: pd.DataFrame, networks: Iterable[str], split: str
) -> dict[str, list[Predictions]]:
    """By network: what its finished runs said of a split; without networks of which none is kept.

    The store has no predictions of runs that were made elsewhere.
    """
    kept = {
        network: [run for run in finished(runs, network) if store.has_predictions(run)]
        for network in networks
    }
    return {
        network: [store.predictions(run)[split] for run in names]
        for network, names in kept.items()
        if names
    }


def correct(
    records: Mapping[str, RunRecord], runs: pd.DataFrame, networks: Iterable[str], split: str
) -> dict[str, NDArray[np.bool_]]:
    """By network: (seeds, images), True where a finished run read the image correctly.

    Without networks of which an older record does not say it: the mean of some of its seeds is
    not the mean that is shown of it.
    """
    found = {
        network: [records[run].splits[split].correct() for run in finished(runs, network)]
        for network in networks
    }
    known = {network: [c for c in each if c is not None] for network, each in found.items()}
    return {n: np.stack(each) for n, each in known.items() if each and len(each) == len(found[n])}


def _kept(
    store: RunStore, runs: pd.DataFrame, split: str
) -> tuple[pd.DataFrame, list[Predictions]]:
    """The runs whose predictions are kept, and what they said of a split."""
    done = runs[[store.has_predictions(run) for run in runs["run_id"]]]
    return done, [store.predictions(run)[split] for run in done["run_id"]]


def confidences(store: RunStore, runs: pd.DataFrame, split: str) -> pd.DataFrame:
    """Runs whose predictions are kept, with ``confidence`` (mean of the answer) and ``ece``."""
    done, said = _kept(store, runs, split)
    errors = [calibration_error(reliability(p.probabilities, p.labels)) for p in said]
    sure = [float(p.probabilities.max(1).mean(dtype=float)) for p in said]
    return done.assign(confidence=sure, ece=errors)


def against(
    store: RunStore, runs: pd.DataFrame, panel: NDArray[np.int64], split: str
) -> pd.DataFrame:
    """Runs whose predictions are kept, with the figures of `analysis.against`.

    panel: what annotators say of each row of the faces.
    """
    done, said = _kept(store, runs, split)
    rows = [analysis.against(p.probabilities.argmax(1), p.labels, panel[p.rows]) for p in said]
    figures = pd.DataFrame(rows, index=done.index, columns=list(AGAINST))
    return done.join(figures)


def reliabilities(
    store: RunStore, runs: pd.DataFrame, networks: Iterable[str], split: str
) -> dict[str, pd.DataFrame]:
    """By network: its table of `analysis.reliability`, all that is in `said` together."""
    return {
        network: reliability(
            np.concatenate([one.probabilities for one in each]),
            np.concatenate([one.labels for one in each]),
        )
        for network, each in said(store, runs, networks, split).items()
    }


def costs(spec: ModelSpec) -> dict[str, Any]:
    """One row of the table of costs."""
    found = models.cost(spec)
    return {
        "network": models.label(spec),
        **models.groups(spec),
        "macs": found.macs,
        "activation_bytes": models.activation_bytes(spec),
        **{f"{form}_bytes": size for form, size in models.weight_bytes(spec).items()},
    }


def published(*questions: str) -> pd.DataFrame:
    """The reports' own figures for these questions (all without any), beside the networks' cost.

    Where a report gives the two halves of its test set alone, their mean is added.
    """
    costs = {f.network: models.cost(ModelSpec(name=f.network)) for f in models.PUBLISHED}
    rows = [
        {
            **figure._asdict(),
            "params_trainable": costs[figure.network].trainable,
            "params_keras_total": costs[figure.network].keras_total,
            "macs": costs[figure.network].macs,
        }
        for figure in _with_means()
    ]
    table = pd.DataFrame(rows)
    return table[table["question"].isin(questions)] if questions else table


def _with_means() -> Iterator[models.PublishedFigure]:
    given = {figure.network for figure in models.PUBLISHED if figure.split == "testing"}
    for figure in models.PUBLISHED:
        yield figure
        if figure.split == "private" and figure.network not in given:
            mean = models.claimed(figure.network)
            note = models.MEAN_OF_BOTH if figure.note == "Kaggle" else figure.note
            yield figure._replace(split="testing", accuracy=mean, note=note)
