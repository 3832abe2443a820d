"""What notebooks ask of runs, whether those are made here (`study`) or only read (`archive`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore import models
from fercore.analysis import SEED, over_images
from fercore.setting import Setting, StudyError
from fercore.spec import ModelSpec
from fercore.store import measured
from fercore.store.record import RunRecord


class Question:
    """One setting, its networks, and the runs that were asked for so far, by id."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.records: dict[str, RunRecord] = {}

    def networks(self) -> list[ModelSpec]:
        """The reports' networks that NETWORKS names."""
        if not self.setting.NETWORKS:
            raise StudyError("NETWORKS: expected one name or more; `fercore models` lists them")
        return [ModelSpec(name=name) for name in self.setting.NETWORKS]

    def family(self, name: str) -> list[ModelSpec]:
        """The family member nearest to each of BUDGETS; with REPORTED the reports' own as well."""
        members = self.setting.members(name)
        theirs = [
            ModelSpec(name=network.name)
            for network in models.REPORTED.values()
            if self.setting.REPORTED and network.family == name
        ]
        if not members + theirs:
            raise StudyError(f"no {name} to train: BUDGETS is empty and REPORTED is False")
        return members + theirs

    def published(self, *questions: str, family: str | None = None) -> pd.DataFrame:
        """The reports' own figures for these questions, one row each."""
        table = measured.published(*questions)
        return table[table["family"] == family] if family else table

    def random(self) -> np.random.Generator:
        """A generator for the intervals: always the same, so that a notebook repeats itself."""
        return np.random.default_rng(SEED)

    def over_images(self, runs: pd.DataFrame, pairs: pd.DataFrame, split: str) -> pd.DataFrame:
        """Pairs with their intervals over test images, by each run's answers to them."""
        names = [*pairs["mobilenet"], *pairs["cnn"]]
        correct = measured.correct(self.records, runs, names, split)
        return over_images(pairs, correct, self.random())

    def specs(self, runs: pd.DataFrame) -> dict[str, ModelSpec]:
        """By name: the networks of some runs, smallest first."""
        ordered = runs.sort_values("params_trainable", kind="stable")
        named = tuples(ordered, "network", "run_id")
        return {network: self.records[run].spec.model for network, run in named}

    def costs(self, runs: pd.DataFrame) -> pd.DataFrame:
        """What each network costs, smallest first: all that follows from its layers."""
        return pd.DataFrame([measured.costs(spec) for spec in self.specs(runs).values()])

    def latencies(self, runs: pd.DataFrame) -> pd.DataFrame:
        """Each network with its ``latency_ms``, measured here and now (`models.latencies`)."""
        found = self.specs(runs)
        times = models.latencies(list(found.values()))
        return pd.DataFrame({"network": list(found), "latency_ms": times})

    def confusion(self, runs: pd.DataFrame, network: str, split: str) -> NDArray[np.int64]:
        """Confusion counts (7, 7) of one network, rows true, summed over its finished seeds."""
        chosen = measured.finished(runs, network)
        matrices = [np.array(self.records[run].splits[split].confusion) for run in chosen]
        total: NDArray[np.int64] = np.stack(matrices).sum(0)
        return total

    def confusions(
        self, runs: pd.DataFrame, pairs: pd.DataFrame, split: str
    ) -> dict[str, NDArray[np.int64]]:
        """Confusion counts of the two networks of the smallest matched pair, MobileNet first."""
        smallest = tuples(pairs[:1], "mobilenet", "cnn")
        return {name: self.confusion(runs, name, split) for pair in smallest for name in pair}

    def traces(self, here: Collection[str]) -> list[dict[str, Any]]:
        """What the appendix says of each run; here: ids of the runs in the store."""
        recipe = self.setting.recipe(self.setting.passes)
        return [measured.trace(record, here, recipe) for record in self.records.values()]


def tuples(table: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Rows as plain tuples of some columns."""
    return list(table[list(columns)].itertuples(index=False, name=None))
