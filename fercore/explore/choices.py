"""From what the widgets say to a run's specification, and to its neighbours in the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fercore import models
from fercore.setting import Setting, StudyError, check
from fercore.spec import ModelSpec, RunSpec
from fercore.store import measured
from fercore.store.record import RunRecord

KINDS = {"MobileNet": "mobilenet", "plain CNN": "cnn"} | {name: name for name in models.REPORTED}
"""What a network may be, by its name for people: a family, or one of the reports' networks."""


@dataclass(frozen=True)
class Choice:
    """A run as the widgets name it.

    source: "synthetic" or a path. images: of Training, 0 for all. kind: a value of `KINDS`.
    channels: of a family member, as "8, 16, 32, 64". depth: its blocks per stage.
    """

    source: str
    images: int
    kind: str
    channels: str
    depth: int
    epochs: int
    seed: int

    def specification(self, setting: Setting) -> RunSpec:
        """The run, with the recipe of `setting`. Raises `StudyError`, `ModelError`."""
        chosen = {
            "DATA": self.source,
            "TRAIN_IMAGES": self.images or None,
            "EPOCHS": self.epochs,
            "SEEDS": (self.seed,),
        }
        whole = check(setting.model_dump(exclude_unset=True) | chosen)
        network = self.network()
        models.layers(network)  # raises where there is none
        recipe = whole.recipe(self.epochs)
        return RunSpec(data=whole.data, model=network, train=recipe, seed=self.seed)

    def network(self) -> ModelSpec:
        """The network, which may not exist. Raises `StudyError` for channels that are none."""
        if self.kind not in models.FAMILIES:
            return ModelSpec(name=self.kind)
        return ModelSpec(name=self.kind, widths=widths(self.channels), depth=self.depth)


def widths(text: str) -> tuple[int, ...]:
    """Read channels of the stem and of each stage. Raises `StudyError`."""
    try:
        found = tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        expected = "whole numbers from 1, of the stem and of three stages, as 8, 16, 32, 64"
        raise StudyError(f"channels: expected {expected}; found {text!r}")
    return found


def channels(kind: str, budget: int, depth: int) -> str:
    """Channels of the family member nearest to a budget. Raises `ModelError`."""
    found = models.nearest(kind, budget, depth=depth)
    return ", ".join(map(str, found.widths or ()))


def nearest(
    records: Iterable[RunRecord], spec: RunSpec, fingerprint: str, count: int = 5
) -> pd.DataFrame:
    """Finished runs on the same faces whose parameters are nearest, as a runs table.

    Nearest by ratio, those trained for as many epochs first among equals. ``departures``: in what
    the recipe differs from that of `spec`.
    """
    wanted = models.cost(spec.model).trainable

    def distance(record: RunRecord) -> tuple[float, int]:
        ratio = abs(float(np.log(record.params_trainable / wanted)))
        return ratio, abs(record.spec.train.epochs - spec.train.epochs)

    known = [r for r in records if r.status == "done" and r.data.fingerprint == fingerprint]
    found = sorted(known, key=distance)[:count]
    return pd.DataFrame([measured.run_row(record, spec.train) for record in found])
