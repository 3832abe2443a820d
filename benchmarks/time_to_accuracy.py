"""Passes and seconds until a report's network holds its report's accuracy on FER2013.

report   the report's own recipe (its author's public code: Adam, constant rate, dropout), its
         passes counted here until validation reaches the target for the first time, which favours
         it; a pass takes what benchmarks/textbook.py takes with its batch on all cores, the better
         of 0 and 2 loader workers. Where it never gets there, its whole schedule is a lower bound
fercore  the preset fer2013's recipe, one run for each of --epochs; those count whose validation
         accuracy stands at the target at the end of their schedule; one run on one core

Runs are kept in the run store and may be stopped and started at will; seconds per pass are
measured anew. Hours on two cores for b-mobilenet-46k, a night for a-cnn-1333k. Usage:
python benchmarks/time_to_accuracy.py path/to/fer2013.csv [--network b-mobilenet-46k]
    [--epochs 12,24,40]
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import throughput
from ablation import records, setting
from rich.console import Console
from rich.table import Table

from fercore.experiments.hypotheses import AUGMENT_A, AUGMENT_B
from fercore.spec import ModelSpec, RunSpec, TrainSpec
from fercore.store.record import RunRecord


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


def seconds_per_pass(theirs: RunSpec, ours: RunSpec) -> tuple[float, float]:
    """The textbook pipeline's and fercore's, ways in turn, the best of each."""
    rounds = [
        (
            throughput.by_the_book(theirs, workers=0),
            throughput.by_the_book(theirs, workers=2),
            throughput.one_run(ours),
        )
        for _ in range(throughput.ROUNDS)
    ]
    zero, two, fast = map(max, zip(*rounds, strict=True))
    return throughput.EPOCH / max(zero, two), throughput.EPOCH / fast


def measure(path: str, name: str, epochs: list[int]) -> list[Found]:
    goal, model, asked = GOALS[name], ModelSpec(name=name), setting(path)
    recipes = [asked.recipe(count) for count in epochs] + [goal.recipe]
    specs = [RunSpec(data=asked.data, model=model, train=recipe) for recipe in recipes]
    *ours, theirs = records(specs, asked)
    textbook, fast = seconds_per_pass(specs[-1], specs[0])
    target = goal.accuracy
    return [
        found("report's recipe, textbook", theirs, reached(theirs, target), textbook),
        *(found("fercore", record, held(record, target), fast) for record in ours),
    ]


def shown(row: Found, theirs: Found, schedule: int) -> list[str]:
    """A row of the table; without passes there is nothing to compare."""
    figures = [f"{100 * row.valid:.1f}", f"{100 * row.public:.1f}", f"{row.per_pass:.0f}"]
    if not row.passes:
        return [row.way, "not reached", *figures, "-", "-"]
    seconds = row.passes * row.per_pass
    ratio = (theirs.passes or schedule) * theirs.per_pass / seconds
    sign = "" if theirs.passes else "over "
    return [row.way, str(row.passes), *figures, f"{seconds / 3600:.2f}", f"{sign}{ratio:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("--network", choices=GOALS, default="b-mobilenet-46k")
    parser.add_argument("--epochs", default="12,24,40")
    given = parser.parse_args()
    epochs = [int(count) for count in given.epochs.split(",")]
    rows = measure(given.data, given.network, epochs)
    goal = GOALS[given.network]
    table = Table("way", "passes", "valid %", "PublicTest %", "s per pass", "hours", "ratio")
    for row in rows:
        table.add_row(*shown(row, rows[0], goal.recipe.epochs))
    Console(width=110).print(f"{given.network} at {goal.accuracy:.1%}", table)


if __name__ == "__main__":
    main()
