"""What networks of one size learn from larger ones in place of labels, on FER2013.

Trains a MobileNet and a plain CNN by the preset fer2013's recipe, from labels and from what two
networks of report A say, or reads the runs from the run store and from reports/fer2013/records.
The teachers' 40 passes take a quarter of an hour each on a core with bfloat16, on others up to an
hour or two: they are trained only where a run needs them.
Usage: python benchmarks/teachers.py path/to/fer2013.csv [--size 30000] [--seeds 0,1,2]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from ablation import records, setting

from fercore import analysis, models
from fercore.analysis.curves import FAMILIES
from fercore.data import load
from fercore.display import all_signed
from fercore.setting import Setting
from fercore.spec import ModelSpec, RunSpec
from fercore.store import measured
from fercore.store.elsewhere import Elsewhere
from fercore.store.identity import identity
from fercore.store.runs import RunStore

TEACHERS, PASSES = ("a-cnn-219k", "a-mobilenet-213k"), 40
LABELS, TAUGHT = "labels", "teachers"


def teachers(asked: Setting) -> list[RunSpec]:
    """Their own runs, which learn from labels."""
    recipe = asked.recipe(PASSES)
    return [RunSpec(data=asked.data, model=ModelSpec(name=n), train=recipe) for n in TEACHERS]


def specs(
    asked: Setting, ids: tuple[str, ...], size: int, seeds: list[int]
) -> dict[str, list[RunSpec]]:
    """By what is learned: a run of each family for each seed. ids: of the teachers' runs."""
    base = asked.recipe(asked.passes)
    recipes = {LABELS: base, TAUGHT: base.model_copy(update={"teachers": ids})}
    return {
        learned: [
            RunSpec(data=asked.data, model=models.nearest(family, size), train=recipe, seed=seed)
            for family in FAMILIES
            for seed in seeds
        ]
        for learned, recipe in recipes.items()
    }


def table(runs: pd.DataFrame, split: str) -> pd.DataFrame:
    """By network: accuracy from labels and from teachers, and the difference, in points.

    runs: as `fercore.analysis.gains` takes them.
    """
    gains = analysis.gains(runs, split, np.random.default_rng(analysis.SEED))
    return pd.DataFrame(
        {
            "labels %": 100 * gains["labels"],
            "teachers %": 100 * gains["taught"],
            "difference, points": all_signed(gains["lead"], gains["high"]),
            "verdict": gains["verdict"],
        }
    ).set_axis(gains["network"])


def train(asked: Setting, size: int, seeds: list[int]) -> pd.DataFrame:
    """The runs table, with what each learned from."""
    faces, store = load(asked.source), RunStore()
    ids = tuple(identity(teacher, faces) for teacher in teachers(asked))
    wanted = specs(asked, ids, size, seeds)
    known = Elsewhere(faces)
    if not all(store.get(identity(s, faces)) or known.get(s) for s in wanted[TAUGHT]):
        records(teachers(asked), asked, known=False)  # from records they have no weights
    made = records([spec for own in wanted.values() for spec in own], asked)
    learned = [each for each, own in wanted.items() for _ in own]
    return pd.DataFrame([measured.run_row(record) for record in made]).assign(learned=learned)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("--size", type=int, default=30_000)
    parser.add_argument("--seeds", default="0,1,2")
    given = parser.parse_args()
    asked, seeds = setting(given.data), [int(seed) for seed in given.seeds.split(",")]
    runs = train(asked, given.size, seeds)
    print(f"{given.size:,} parameters, {asked.EPOCHS} passes, {len(seeds)} seeds")
    for split in ("valid", "PublicTest"):
        print(f"\n{split}\n{table(runs, split).round(1).to_string()}")


if __name__ == "__main__":
    main()
