"""Passes and seconds until a report's network holds its report's accuracy on FER2013.

report   the report's own recipe (its author's public code: Adam, constant rate, dropout), its
         passes counted here until validation reaches the target; a second of it is one of
         benchmarks/textbook.py on all cores, the better of 0 and 2 loader workers
fercore  the preset fer2013's recipe, one run for each of --epochs; the shortest whose validation
         accuracy at the end of its schedule reaches the target counts; one run on one core

Runs are kept in the run store and may be stopped and started at will; seconds per pass are
measured anew. Hours on two cores for b-mobilenet-46k, a night for a-cnn-1333k. Usage:
python benchmarks/time_to_accuracy.py path/to/fer2013.csv [--network b-mobilenet-46k]
    [--epochs 12,24,40]
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import throughput
from ablation import setting
from rich.console import Console
from rich.table import Table

from fercore import sweep
from fercore.data import load
from fercore.elsewhere import Elsewhere
from fercore.hypotheses import AUGMENT_A, AUGMENT_B
from fercore.record import RunRecord
from fercore.runs import RunStore
from fercore.spec import ModelSpec, RunSpec, TrainSpec


class Goal(NamedTuple):
    """What a report's network is to hold, and how its report trained it."""

    accuracy: float
    recipe: TrainSpec


ADAM = TrainSpec(optimizer="adam", schedule="constant", dropout=1)
GOALS = {
    "b-mobilenet-46k": Goal(
        0.631,
        ADAM.model_copy(update={"rate": 5e-4, "batch": 128, "epochs": 150, "augment": AUGMENT_B}),
    ),
    "a-cnn-1333k": Goal(
        0.68,
        ADAM.model_copy(update={"rate": 1e-3, "batch": 100, "epochs": 220, "augment": AUGMENT_A}),
    ),
}


class Found(NamedTuple):
    """Passes until the target (0: not reached) and accuracies at the end of the schedule."""

    way: str
    passes: int
    valid: float
    public: float
    per_pass: float


def reached(record: RunRecord, target: float) -> int:
    """The first pass after which validation stood at the target; 0 if none did."""
    passes = (epoch.epoch for epoch in record.history if epoch.valid_accuracy >= target)
    return next(passes, 0)


def held(record: RunRecord, target: float) -> int:
    """All passes of the schedule if validation stood at the target at its end, else 0."""
    last = record.history[-1]
    return last.epoch if last.valid_accuracy >= target else 0


def found(way: str, record: RunRecord, passes: int, per_pass: float) -> Found:
    public = record.accuracy("PublicTest")
    valid = record.history[-1].valid_accuracy
    return Found(way, passes, valid, float("nan") if public is None else public, per_pass)


def seconds_per_pass(model: ModelSpec) -> tuple[float, float]:
    """The textbook pipeline's and fercore's, ways in turn, the best of each."""
    rounds = [
        (
            throughput.by_the_book(model, workers=0),
            throughput.by_the_book(model, workers=2),
            throughput.one_run(model),
        )
        for _ in range(throughput.ROUNDS)
    ]
    zero, two, ours = map(max, zip(*rounds, strict=True))
    return throughput.EPOCH / max(zero, two), throughput.EPOCH / ours


def measure(path: str, name: str, epochs: list[int]) -> list[Found]:
    goal, model, asked = GOALS[name], ModelSpec(name=name), setting(path)
    recipes = [asked.recipe(count) for count in epochs] + [goal.recipe]
    faces = load(asked.source)
    *ours, theirs = sweep.run(
        [RunSpec(data=asked.data, model=model, train=recipe) for recipe in recipes],
        faces,
        RunStore(),
        executor=asked.EXECUTOR,
        threads=1,
        elsewhere=Elsewhere(faces),
    )
    textbook, fast = seconds_per_pass(model)
    target = goal.accuracy
    return [
        found("report's recipe, textbook", theirs, reached(theirs, target), textbook),
        *(found("fercore", record, held(record, target), fast) for record in ours),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("--network", choices=GOALS, default="b-mobilenet-46k")
    parser.add_argument("--epochs", default="12,24,40")
    given = parser.parse_args()
    epochs = [int(count) for count in given.epochs.split(",")]
    rows = measure(given.data, given.network, epochs)
    table = Table("way", "passes", "valid %", "PublicTest %", "s per pass", "hours", "ratio")
    baseline = rows[0].passes * rows[0].per_pass
    for row in rows:
        hours = row.passes * row.per_pass / 3600
        cells = (f"{100 * row.valid:.1f}", f"{100 * row.public:.1f}", f"{row.per_pass:.0f}")
        time = (f"{hours:.2f}", f"{baseline / 3600 / hours:.1f}") if hours else ("-", "-")
        table.add_row(row.way, str(row.passes or "not reached"), *cells, *time)
    Console(width=110).print(f"{given.network} at {GOALS[given.network].accuracy:.1%}", table)


if __name__ == "__main__":
    main()
