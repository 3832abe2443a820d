"""Figures of the README and of docs/synthfer.md are those of the records that come with fercore."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercore import analysis, archive
from fercore.display import signed
from fercore.experiments import verdicts

README = (Path(__file__).parents[1] / "README.md").read_text()
SPLIT = "PublicTest"


@pytest.fixture(scope="module")
def this() -> archive.Archive:
    return archive.begin({})


def test_sizes(this: archive.Archive) -> None:
    runs = this.runs(this.family("mobilenet") + this.family("cnn"))
    means = analysis.bootstrap(runs, SPLIT, this.random())
    seeds = runs.groupby("network")["seed"].count()
    found = analysis.matched_pairs(runs, SPLIT, means).to_dict("records")
    expected = [
        f"| {round(row['size'], -3):,.0f} | {100 * row['mobilenet_mean']:.1f} % "
        f"| {100 * row['cnn_mean']:.1f} % | {signed(row['lead'], row['high'])} "
        f"| {seeds[row['mobilenet']]} |"
        for row in found
    ]
    missing = [line for line in expected if line not in README]
    assert not missing, "\n".join(missing)


def test_verdicts(this: archive.Archive) -> None:
    judged = verdicts.judge(this.experiments(), SPLIT)
    rows = judged[judged["verdict"] != "not tried"].to_dict("records")
    expected = [f"| {signed(row['difference'], row['high'])} | {row['verdict']} |" for row in rows]
    missing = [line for line in expected if line not in README]
    assert not missing, "\n".join(missing)


def test_rank_correlation(this: archive.Archive) -> None:
    """The networks that benchmarks/rank_correlation.py asks for, and what they reached."""
    text = (Path(__file__).parents[1] / "docs" / "synthfer.md").read_text()
    rows = this.runs(this.family("mobilenet") + this.family("cnn") + this.networks())
    reached = rows[rows["params_trainable"] >= 28_000].groupby("network")[SPLIT].mean()
    missing = [
        f"| {n} | {100 * a:.1f} |"
        for n, a in reached.items()
        if f"| {n} | {100 * a:.1f} |" not in text
    ]
    assert not missing, "\n".join(missing)
