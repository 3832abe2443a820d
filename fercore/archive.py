"""What photographs say, without the photographs: the runs on FER2013 that come with fercore.

reports/fer2013/records/ holds their records: what they measured, no weights and no images. They
are asked as a study is, and only those of one recipe: that of the preset which made them.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fercore import models, presets
from fercore.data import TEST_SPLITS
from fercore.display import Provenance
from fercore.experiments import trials
from fercore.experiments.hypotheses import HYPOTHESES, Arm, Contrast
from fercore.language import mark, say, use
from fercore.provenance import commit, root
from fercore.question import Question
from fercore.setting import Setting, StudyError, check, named
from fercore.spec import DataSpec, ModelSpec
from fercore.store import measured
from fercore.store.elsewhere import usable
from fercore.store.record import RunRecord
from fercore.store.runs import StoreError
from fercore.store.verify import check_layers

PRESET = "fer2013"
MISSING = mark("no run of it comes with fercore")
NOTE = mark("Photographs: FER2013, by runs that come with fercore.")

log = logging.getLogger(__name__)


def begin(parameters: Mapping[str, Any]) -> Archive:
    """Open the records. parameters: usually `globals()`; LANG is the only one there is.

    Raises `fercore.setting.StudyError` for others, and where no record fits.
    """
    recipe, names = presets.read(presets.find(PRESET)), named(parameters)
    if others := sorted(names.keys() - {"LANG"}):
        listed = ", ".join(others)
        raise StudyError(f"{listed}: the records follow one recipe; expected LANG alone")
    # Question 5's ordinary networks are members of the sweep as well.
    sizes = sorted({*recipe["BUDGETS"], *recipe["SIZES"]})
    setting = check(recipe | {"BUDGETS": sizes} | names)
    use(setting.LANG)
    return Archive(setting, root() / "reports" / PRESET / "records")


class Archive(Question):
    """The records of one folder that fit the setting's data and networks as they are now.

    They are of one data set: that of the most records. What does not fit is left out, with a logged
    warning that says why. Raises `StudyError` where none fits.
    """

    def __init__(self, setting: Setting, folder: Path) -> None:
        super().__init__(setting)
        self.folder = folder
        found = filter(None, map(usable, sorted(folder.glob("*.json"))))
        photographs = [record for record in found if not record.data.synthetic]
        counts = Counter(record.data.fingerprint for record in photographs)
        self.fingerprint = max(counts, key=lambda name: counts[name], default="")
        self.kept = [record for record in photographs if self._fits(record)]
        if not self.kept:
            raise StudyError(f"{folder}: expected records of runs on photographs, found none")

    def _fits(self, record: RunRecord) -> bool:
        try:
            check_layers(record)
        except StoreError as error:
            log.warning("record %s is left out: %s", record.run_id, error)
            return False
        if record.data.fingerprint != self.fingerprint:
            data = record.data
            log.warning("record %s is left out: other data, %s", record.run_id, data.fingerprint)
            return False
        return _nowhere(record.spec.data) == _nowhere(self.setting.data)

    @property
    def note(self) -> str:
        """What every caption says of the data."""
        return say(NOTE)

    def runs(self, networks: Iterable[ModelSpec]) -> pd.DataFrame:
        """The runs table of all records of these networks; see `fercore.study.Study.train`.

        Raises `StudyError` where there is none.
        """
        networks = list(networks)
        found = [r for network in networks for r in self._of(Arm(network)).values()]
        if not found:
            names = ", ".join(map(models.label, networks))
            raise StudyError(f"{self.folder}: expected records of {names}, found none")
        return pd.DataFrame([measured.run_row(record) for record in self._use(found)])

    def longer(self) -> pd.DataFrame:
        """The runs table of what took more passes than the recipe, fewest parameters first.

        ``reported``: what the network's report says that it reaches (`fercore.models.claimed`).
        """
        usual = self.setting.passes
        found = [record for record in self.kept if record.spec.train.epochs > usual]
        order = ["params_trainable", "epochs", "run_id"]
        if not found:
            return pd.DataFrame(columns=order)
        recipe = self.setting.recipe(usual)
        runs = pd.DataFrame([measured.run_row(record, recipe) for record in self._use(found)])
        return runs.assign(reported=runs["network"].map(models.claimed)).sort_values(
            order, ignore_index=True
        )

    def taught(self) -> pd.DataFrame:
        """The runs table of what had teachers, by the recipe otherwise, and of the same without.

        ``learned``: "labels", or the networks that taught, as "a-cnn-219k + a-mobilenet-213k".
        """
        recipe = self.setting.recipe(self.setting.passes)
        pupils = [
            record
            for record in self.kept
            if record.spec.train.teachers
            and record.spec.train.model_copy(update={"teachers": ()}) == recipe
        ]
        networks = dict.fromkeys(record.spec.model for record in pupils)
        found = pupils + [r for network in networks for r in self._of(Arm(network)).values()]
        names = {record.run_id: models.label(record.spec.model) for record in self.kept}
        taught = [" + ".join(names.get(i, i) for i in r.spec.train.teachers) for r in found]
        rows = pd.DataFrame([measured.run_row(record) for record in self._use(found)])
        return rows.assign(learned=[each or "labels" for each in taught])

    def experiments(self) -> pd.DataFrame:
        """The trials table of question 5: each change with the seeds that both sides have."""
        contrasts = self.setting.contrasts()
        arms = {arm: self._of(arm) for contrast in contrasts for arm in contrast.arms}
        records = {(arm, seed): r for arm, of in arms.items() for seed, r in of.items()}
        tables = []
        for seed in sorted({seed for _, seed in records}):
            whole = [c for c in contrasts if all((arm, seed) in records for arm in c.arms)]
            self._use(records[arm, seed] for contrast in whole for arm in contrast.arms)
            tables.append(trials.table(whole, [seed], records, {}))
        return trials.ordered(pd.concat([*tables, *_untried(contrasts, tables)]))

    def provenance(self, notebook: str) -> Provenance:
        """The runs that were used, and the data that they were made on."""
        first = next(record for record in self.kept if record.splits)
        tests = {name: first.splits[name].n for name in TEST_SPLITS if name in first.splits}
        training = first.data.train_images + first.splits["valid"].n
        data = {**first.data.model_dump(), "counts": {"Training": training, **tests}}
        return Provenance(
            {
                "notebook": notebook,
                "commit": commit(),
                "data": data,
                "runs": self.traces(()),
            }
        )

    def _of(self, arm: Arm) -> dict[int, RunRecord]:
        """By seed: the runs of one network by the recipe."""
        recipe = self.setting.recipe(self.setting.passes)
        if arm.augment:
            recipe = recipe.model_copy(update={"augment": arm.augment})
        found = {
            record.spec.seed: record
            for record in self.kept
            if (record.spec.model, record.spec.train) == (arm.model, recipe)
            and (record.seen or record.status != "done" or not arm.seen)
        }
        return dict(sorted(found.items()))

    def _use(self, records: Iterable[RunRecord]) -> list[RunRecord]:
        """Note records for `provenance`."""
        found = list(records)
        self.records |= {record.run_id: record for record in found}
        return found


def _untried(contrasts: list[Contrast], tables: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Rows for the hypotheses, and for the changes of the others, that no runs tried."""
    tried = {row for t in tables for row in _named(t)}
    names = {name for name, _, _ in tried}
    missing = [
        one
        for one in contrasts
        if one.hypothesis.name in names
        and (one.hypothesis.name, one.change.subject, one.change.words) not in tried
    ]
    untried = {name: MISSING for name in HYPOTHESES if name not in names}
    return [trials.without(missing, MISSING), trials.table([], [], {}, untried)]


def _named(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(table[["hypothesis", "subject", "change"]].itertuples(index=False, name=None))


def _nowhere(data: DataSpec) -> DataSpec:
    """What is asked of the data, wherever they lie."""
    return data.model_copy(update={"source": ""})
