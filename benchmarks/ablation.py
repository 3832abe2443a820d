"""What each choice of the recipe is worth: each changed alone, several seeds, with intervals.

Trains one network on FER2013 by the preset fer2013's recipe and by each variant of it, or reads
the runs from the run store and from reports/fer2013/records. The variants are judged on the
validation split; PublicTest stands beside it. About two hours on one core for a network of 30,000
parameters; may be stopped and started at will.
Usage: python benchmarks/ablation.py path/to/fer2013.csv [--network mobilenet-30k] [--seeds 0,1,2]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

import numpy as np
import pandas as pd
from throughput import network

from fercore import analysis, presets, sweep
from fercore.data import load
from fercore.display import signed
from fercore.setting import Setting, check
from fercore.spec import AugmentSpec, ModelSpec, RunSpec, TrainSpec
from fercore.store import measured
from fercore.store.elsewhere import Elsewhere
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore

BASE = "recipe"
VARIANTS: dict[str, dict[str, object]] = {
    BASE: {},
    "Adam, rate .002": {"optimizer": "adam", "rate": 0.002},
    "SGD, rate .1": {"optimizer": "sgd"},
    "cosine from the start, no warm-up": {"schedule": "cosine"},
    "constant rate": {"schedule": "constant"},
    "label smoothing .1": {"label_smoothing": 0.1},
    "averaged weights, decay .998": {"average": 0.998},
    "weight decay .01, not on biases and BatchNorm": {"weight_decay": 0.01},
    "weight decay .01 on everything": {"weight_decay": 0.01, "decay_all": True},
    "torch's own initial weights": {"initial": "torch"},
    "24 pixels in the first half": {"first_side": 24},
    "32 pixels in the first half": {"first_side": 32},
    "no augmentation": {"augment": AugmentSpec(flip=False, shift=0, rotation=0, zoom=0)},
    "augmentation twice as strong": {"augment": AugmentSpec(shift=0.2, rotation=20, zoom=0.2)},
}


def setting(path: str) -> Setting:
    """The preset fer2013's, on this file."""
    return check(presets.read(presets.find("fer2013")) | {"DATA": path})


def specs(asked: Setting, model: ModelSpec, seeds: list[int]) -> dict[tuple[str, int], RunSpec]:
    """Every run, seed by seed, so that a study that is stopped has whole seeds."""
    base = asked.recipe(asked.EPOCHS or 12)
    recipes = {
        name: TrainSpec.model_validate(base.model_dump() | change)
        for name, change in VARIANTS.items()
    }
    return {
        (name, seed): RunSpec(data=asked.data, model=model, train=recipe, seed=seed)
        for seed in seeds
        for name, recipe in recipes.items()
    }


def records(specs: Iterable[RunSpec], asked: Setting, *, known: bool = True) -> list[RunRecord]:
    """Of each run, trained here where neither the store nor, if known, fercore has it."""
    faces = load(asked.source)
    return sweep.run(
        specs,
        faces,
        RunStore(),
        executor=asked.EXECUTOR,
        threads=1,
        known=Elsewhere(faces).get if known else None,
    )


def train(wanted: dict[tuple[str, int], RunSpec], asked: Setting) -> pd.DataFrame:
    """The runs table, with the variant in place of the network."""
    rows = [measured.run_row(record) for record in records(wanted.values(), asked)]
    return pd.DataFrame(rows).assign(network=[variant for variant, _ in wanted])


def table(runs: pd.DataFrame, split: str) -> pd.DataFrame:
    """By variant: mean accuracy and how far it leads the recipe, in percentage points."""
    means = analysis.bootstrap(runs, split, np.random.default_rng(analysis.SEED))
    reached = analysis.summarise(runs, split, means).set_index("network")["mean"]
    rows = {
        name: {
            f"{split} %": 100 * float(reached[name]),
            **_lead(analysis.difference(runs, split, means, name, BASE), name),
        }
        for name in VARIANTS
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _lead(row: analysis.Row, name: str) -> dict[str, object]:
    if name == BASE:
        return {"lead": "", "verdict": ""}
    return {"lead": signed(row["lead"], row["high"]), "verdict": row["verdict"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("--network", default="mobilenet-30k")
    parser.add_argument("--seeds", default="0,1,2")
    given = parser.parse_args()
    asked = setting(given.data)
    seeds = [int(seed) for seed in given.seeds.split(",")]
    runs = train(specs(asked, network(given.network), seeds), asked)
    print(f"{given.network}, {asked.EPOCHS} passes, {len(seeds)} seeds")
    for split in ("valid", "PublicTest"):
        print(f"\n{table(runs, split).round(1).to_string()}")


if __name__ == "__main__":
    main()
