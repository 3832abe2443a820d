"""From finished runs to the trials table that `fercore.experiments.verdicts` judges."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from fercore import models
from fercore.analysis import MEASURED
from fercore.experiments.hypotheses import HYPOTHESES, Arm, Contrast
from fercore.experiments.verdicts import CHANGE, COSTS
from fercore.language import mark
from fercore.store.record import RunRecord

COLUMNS = [*CHANGE, "untried", "size", "seed", *COSTS]
COLUMNS += [f"{split}{side}" for split in MEASURED for side in ("_treatment", "_control", "")]


def table(
    contrasts: Sequence[Contrast],
    seeds: Sequence[int],
    records: Mapping[tuple[Arm, int], RunRecord],
    untried: Mapping[str, str],
) -> pd.DataFrame:
    """One row per contrast and seed; see `fercore.experiments.verdicts` for the columns.

    records: by arm and seed. untried: why a hypothesis of no contrast has none, by its name; it
    gets a row without figures.
    """
    tried = [_trial(contrast, seed, records) for contrast in contrasts for seed in seeds]
    missing = [_about(name, reason) for name, reason in untried.items()]
    return ordered(pd.DataFrame(tried + missing, columns=COLUMNS))


def without(contrasts: Sequence[Contrast], reason: str) -> pd.DataFrame:
    """One row per change of these contrasts, which has no runs for that reason."""
    rows = [_compared(contrast, reason) for contrast in contrasts]
    return pd.DataFrame(rows, columns=COLUMNS).drop_duplicates(CHANGE)


def ordered(trials: pd.DataFrame) -> pd.DataFrame:
    """In the order of `HYPOTHESES`, otherwise as they come."""
    order = {name: place for place, name in enumerate(HYPOTHESES)}
    return trials.sort_values(
        "hypothesis", key=lambda names: names.map(order), kind="stable", ignore_index=True
    )


def reasons(
    names: Collection[str], sizes: Collection[int], large: Collection[int]
) -> dict[str, str]:
    """Why each hypothesis that `hypotheses.contrasts` leaves out is not tried."""
    found = {}
    for name, hypothesis in HYPOTHESES.items():
        if name not in names:
            found[name] = mark("HYPOTHESES does not name it")
        elif not (large if hypothesis.large else sizes):
            found[name] = mark("LARGE is empty") if hypothesis.large else mark("SIZES is empty")
    return found


def _about(name: str, untried: str = "") -> dict[str, Any]:
    row = {"hypothesis": name, "claim": HYPOTHESES[name].claim, "untried": untried}
    return {**row, "subject": "", "change": "", "directed": True}


def _compared(contrast: Contrast, untried: str = "") -> dict[str, Any]:
    change = contrast.change
    named = {"subject": change.subject, "change": change.words}
    return {**_about(contrast.hypothesis.name, untried), **named, "directed": change.directed}


def _trial(
    contrast: Contrast, seed: int, records: Mapping[tuple[Arm, int], RunRecord]
) -> dict[str, Any]:
    sides = {"treatment": contrast.treatment, "control": contrast.control}
    row: dict[str, Any] = {
        **_compared(contrast),
        "size": contrast.size,
        "seed": seed,
    }
    for side, arms in sides.items():
        row[f"{side}_params"] = max(models.cost(arm.model).trainable for arm in arms)
        for split in MEASURED:
            reached = [_reached(records[arm, seed], arm, split) for arm in arms]
            row[f"{split}_{side}"] = reached[0] - sum(reached[1:])
    for split in MEASURED:
        row[split] = row[f"{split}_treatment"] - row[f"{split}_control"]
    return row


def _reached(record: RunRecord, arm: Arm, split: str) -> float:
    """The accuracy that an arm is about; NaN where the run has none."""
    score = record.seen if arm.seen else record.splits.get(split)
    return score.accuracy if score else math.nan
