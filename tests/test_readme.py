"""Figures of the README and of two pages are those of the records that come with fercore."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from PIL import Image

from fercore import analysis, archive
from fercore.display import signed
from fercore.experiments import verdicts

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
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


def test_pictures(this: archive.Archive) -> None:
    pictures = runpy.run_path(str(ROOT / "docs" / "pictures.py"))
    for name, expected in pictures["numbers"](this).fingerprints().items():
        with Image.open(pictures["IMAGES"] / f"{name}.png") as image:
            found = image.info.get(pictures["KEY"])
        assert found == expected, f"{name}.png shows other records: run python docs/pictures.py"


def test_rank_correlation(this: archive.Archive) -> None:
    """The networks that benchmarks/rank_correlation.py asks for, and what they reached."""
    text = (ROOT / "docs" / "synthfer.md").read_text()
    rows = this.runs(this.family("mobilenet") + this.family("cnn") + this.networks())
    reached = rows[rows["params_trainable"] >= 28_000].groupby("network")[SPLIT].mean()
    missing = [
        f"| {n} | {100 * a:.1f} |"
        for n, a in reached.items()
        if f"| {n} | {100 * a:.1f} |" not in text
    ]
    assert not missing, "\n".join(missing)


def test_longer_runs(this: archive.Archive) -> None:
    """Those of 40 passes; the table's last column is what the network's report says."""
    text = (ROOT / "docs" / "recipes.md").read_text()
    runs = this.longer().query("epochs == 40 and network != 'b-mobilenet-46k'")
    expected = [
        f"| {row['network']} | {row['params_trainable']:,} | {100 * row['valid']:.1f} "
        f"| {100 * row[SPLIT]:.1f} | {100 * row['reported']:.1f} |"
        for row in runs.to_dict("records")
    ]
    assert expected
    missing = [line for line in expected if line not in text]
    assert not missing, "\n".join(missing)
