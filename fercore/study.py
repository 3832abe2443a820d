"""What a notebook calls: from its parameters to the runs of a question, as one table.

A notebook says `this = study.begin(globals())` after its parameters cell, then
`runs = this.train(this.family("mobilenet"))`. Runs that the store has are read, the others are
trained; asking twice trains nothing.
"""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from fercore import language, models, reprs, sweep
from fercore.analysis import Voted, voted
from fercore.data import EMOTIONS, SPLITS, Faces, load
from fercore.data.faces import SYNTHETIC_NOTE
from fercore.data.ferplus import majority
from fercore.data.split import divide
from fercore.display import Provenance
from fercore.executors import parse
from fercore.experiments import trials
from fercore.language import mark, paragraph, say
from fercore.provenance import commit, versions
from fercore.question import Question, tuples
from fercore.setting import EPOCHS_UNSTATED, Setting, StudyError, check
from fercore.spec import AugmentSpec, ModelSpec, RunSpec
from fercore.store import measured
from fercore.store.elsewhere import Elsewhere
from fercore.store.identity import identity
from fercore.store.record import Epoch
from fercore.store.runs import RunRecord, RunStore
from fercore.training import device as devices

__all__ = ["EMOTIONS", "Study", "StudyError", "begin"]


def begin(parameters: Mapping[str, Any]) -> Study:
    """Open the study that a notebook's parameters describe; reads the data, trains nothing.

    parameters: usually `globals()`; only upper-case names are read. Raises `StudyError` for
    parameters, `fercore.data.DataError` for data that cannot be used.
    """
    setting = check(parameters)
    language.use(setting.LANG)
    return Study(setting)


class Study(Question):
    """One question's networks on one data set with one recipe."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.source = setting.source
        self.faces: Faces = load(self.source, ferplus=setting.ferplus)
        self.store = RunStore()
        self.elsewhere = Elsewhere(self.faces) if setting.RECORDS else None

    def __repr__(self) -> str:
        return f"Study({self.faces!r}, runs so far: {len(self.records)})"

    def _repr_html_(self) -> str:
        runs = pd.DataFrame([measured.run_row(record) for record in self.records.values()])
        return reprs.study(self.faces.source, self.recipe(), runs)

    @property
    def note(self) -> str:
        """What every caption must say: of drawn faces, and of networks that had teachers."""
        drawn = say(SYNTHETIC_NOTE) if self.faces.synthetic else ""
        names = ", ".join(self.setting.TEACHERS)
        taught = say("Taught by {teachers}, not by labels.", teachers=names) if names else ""
        return paragraph(drawn, taught)

    def train(self, networks: Iterable[ModelSpec]) -> pd.DataFrame:
        """Train each network once per seed, or read it, and return the runs table.

        Columns are those `fercore.analysis` expects, with cost, duration and provenance beside.
        """
        networks = list(dict.fromkeys(networks))
        for name, count in Counter(map(models.label, networks)).items():
            if count > 1:
                raise StudyError(
                    f"expected networks of different names, found {count} named {name}"
                )
        specs = [self._spec(network, seed) for network in networks for seed in self.setting.SEEDS]
        return pd.DataFrame([measured.run_row(record) for record in self._run(specs)])

    def experiments(self) -> pd.DataFrame:
        """Train what HYPOTHESES compare at SIZES and LARGE, or read it: the trials table.

        See `fercore.experiments.verdicts` for its columns. A hypothesis that is not tried has one
        row that says why.
        """
        setting, contrasts = self.setting, self.setting.contrasts()
        wanted = {
            (arm, seed): self._spec(arm.model, seed, arm.augment)
            for contrast in contrasts
            for arm in contrast.arms
            for seed in setting.SEEDS
        }
        records = dict(zip(wanted, self._run(list(wanted.values())), strict=True))
        untried = trials.reasons(setting.HYPOTHESES, setting.SIZES, setting.LARGE)
        return trials.table(contrasts, setting.SEEDS, records, untried)

    def _spec(self, network: ModelSpec, seed: int, augment: AugmentSpec | None = None) -> RunSpec:
        recipe = self.setting.recipe(self._epochs(network))
        teachers = tuple(identity(teacher, self.faces) for teacher in self._teachers(seed))
        given: dict[str, Any] = {"teachers": teachers} | ({"augment": augment} if augment else {})
        recipe = recipe.model_copy(update=given)
        return RunSpec(data=self.setting.data, model=network, train=recipe, seed=seed)

    def _teachers(self, seed: int) -> list[RunSpec]:
        """TEACHERS' own runs, which learn from labels: one for each seed of their students."""
        return [
            RunSpec(
                data=self.setting.data,
                model=(network := ModelSpec(name=name)),
                train=self.setting.recipe(self._epochs(network)),
                seed=seed,
            )
            for name in self.setting.TEACHERS
        ]

    def _run(self, specs: list[RunSpec]) -> list[RunRecord]:
        """Train or read the runs, the teachers of what is to be trained before it."""
        known = self.elsewhere.get if self.elsewhere else lambda spec: None
        missing = [s for s in specs if not self.store.get(identity(s, self.faces)) and not known(s)]
        seeds = sorted({spec.seed for spec in missing})
        # From records teachers would come without weights.
        for made in self._sweep([teacher for seed in seeds for teacher in self._teachers(seed)]):
            if made.status != "done":
                name, seed = models.label(made.spec.model), made.spec.seed
                raise StudyError(f"TEACHERS: {name}, seed {seed}, cannot teach: {made.message}")
        return self._sweep(specs, known)

    def _sweep(
        self, specs: list[RunSpec], known: Callable[[RunSpec], RunRecord | None] | None = None
    ) -> list[RunRecord]:
        if not specs:
            return []
        records = sweep.run(
            specs,
            self.faces,
            self.store,
            executor=self.setting.EXECUTOR,
            device=self.setting.DEVICE,
            threads=self.setting.THREADS,
            known=known,
        )
        self.records |= {record.run_id: record for record in records}
        return records

    def _epochs(self, network: ModelSpec) -> int:
        """EPOCHS, or with None those of the network's report."""
        if self.setting.EPOCHS is not None:
            return self.setting.EPOCHS
        stated = [
            f.epochs * models.PASSES.get(f.network, 1)
            for f in models.PUBLISHED
            if f.network == network.name and f.epochs
        ]
        return max(stated, default=EPOCHS_UNSTATED)

    def history(self, runs: pd.DataFrame) -> pd.DataFrame:
        """One row per run and epoch: loss, accuracy, rate and seconds."""
        keys = ["run_id", "network", "family", "seed"]
        rows = [
            {**dict(zip(keys, run, strict=True)), **epoch.model_dump()}
            for run in tuples(runs, *keys)
            for epoch in self.records[run[0]].history
        ]
        return pd.DataFrame(rows, columns=[*keys, *Epoch.model_fields])

    def confidences(self, runs: pd.DataFrame, split: str) -> pd.DataFrame:
        """Finished runs with ``confidence`` and ``ece`` (expected calibration error) beside."""
        return measured.confidences(self.store, runs, split)

    def reliabilities(
        self, runs: pd.DataFrame, pairs: pd.DataFrame, split: str
    ) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
        """For the smallest matched pair: by network its reliability table, and its family."""
        names = [name for pair in tuples(pairs[:1], "mobilenet", "cnn") for name in pair]
        families = dict(zip(names, ("mobilenet", "cnn"), strict=False))
        return measured.reliabilities(self.store, runs, names, split), families

    def voted(self, runs: pd.DataFrame, split: str) -> Voted | None:
        """What FER+ annotators say of a split and of the runs; None without their votes."""
        if self.faces.votes is None:
            return None
        panel, parts = majority(self.faces.votes), divide(self.faces, self.setting.data)
        rows = parts.tests.get(split, parts.valid)
        return voted(
            self.faces.labels[rows], panel[rows], measured.against(self.store, runs, panel, split)
        )

    def recipe(self) -> dict[str, object]:
        """Every setting of the recipe, by name."""
        recipe = self.setting.recipe(self.setting.passes).model_dump()
        augment = {
            say("augmentation: {change}", change=say(key)): value
            for key, value in recipe.pop("augment").items()
        }
        if self.setting.EPOCHS is None:
            own = mark("each network's own, else {epochs}")
            recipe["epochs"] = say(own, epochs=EPOCHS_UNSTATED)
        if self.setting.TEACHERS:
            recipe["teachers"] = ", ".join(self.setting.TEACHERS)
        return {"seeds": ", ".join(map(str, self.setting.SEEDS)), **recipe, **augment}

    def provenance(self, notebook: str) -> Provenance:
        """Everything that the numbers of this notebook rest on."""
        # A cluster's workers have devices of their own, which their runs name.
        cluster = parse(self.setting.EXECUTOR).kind == "cluster"
        device = devices.choose("auto" if cluster else self.setting.DEVICE)
        here = {run for run in self.records if self.store.get(run)}
        return Provenance(
            {
                "notebook": notebook,
                "commit": commit(),
                "data": {
                    "source": self.faces.source,
                    "synthetic": self.faces.synthetic,
                    "fingerprint": self.faces.fingerprint,
                    "counts": {s: self.faces.count(s) for s in SPLITS},
                },
                "runs": self.traces(here),
                "versions": versions(),
                "hardware": {
                    "device": devices.describe(device),
                    "processors": say("{count} CPU cores", count=os.cpu_count()),
                    "system": platform.platform(terse=True),
                },
                "parameters": self.setting.model_dump(exclude_unset=True),
            }
        )
