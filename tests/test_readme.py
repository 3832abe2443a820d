"""Figures of the README and of two pages are those of the records that come with fercore."""

from __future__ import annotations

import importlib
import runpy
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from fercore import analysis, archive, models, presets, sentences, weights
from fercore.display import signed
from fercore.experiments import verdicts
from fercore.experiments.why.words import SUBJECTS
from fercore.language import listed
from fercore.question import Question
from fercore.setting import check
from fercore.store import measured

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SPLIT = "PublicTest"

CLAIMS = {
    "head": "a dense head eats the parameters",
    "depth": "depth helps when parameters are few",
    "width": "a small CNN has too few filters (the same runs, the other way round)",
    "block": "plain convolutions express more",
    "reports": "what the reports did differently",
}


@pytest.fixture(scope="module")
def this() -> archive.Archive:
    return archive.begin({})


@pytest.fixture(scope="module")
def runs(this: archive.Archive) -> pd.DataFrame:
    return this.runs(this.family("mobilenet") + this.family("cnn"))


@pytest.fixture(scope="module")
def pairs(this: archive.Archive, runs: pd.DataFrame) -> pd.DataFrame:
    matched = analysis.matched_pairs(runs, SPLIT, analysis.bootstrap(runs, SPLIT, this.random()))
    return this.over_images(runs, matched, SPLIT)


@pytest.fixture(scope="module")
def judged(this: archive.Archive) -> pd.DataFrame:
    return verdicts.judge(this.experiments(), SPLIT).query("verdict != 'not tried'")


def table(text: str, head: str) -> list[str]:
    """The rows of the table whose head begins so."""
    return text.split(head)[1].split("\n\n")[0].strip().splitlines()[2:]


def size(row: analysis.Row) -> str:
    return f"{float('{:.2g}'.format(row['size'])):,.0f}"


def test_sizes(runs: pd.DataFrame, pairs: pd.DataFrame) -> None:
    count = runs.groupby("network")["seed"].count()
    expected = []
    for row in pairs.to_dict("records"):
        assert count[row["mobilenet"]] == count[row["cnn"]]  # else the column needs both
        expected.append(
            f"| {size(row)} | {100 * row['mobilenet_mean']:.1f} % | {100 * row['cnn_mean']:.1f} % "
            f"| {signed(row['lead'], row['high'])} "
            f"| ± {100 * (row['image_high'] - row['image_lead']):.1f} | {count[row['cnn']]} |"
        )
    assert table(README, "| trainable parameters |") == expected


def test_the_answer(pairs: pd.DataFrame) -> None:
    """Ahead where parameters are few, though not fewest, and no difference at other sizes."""
    rows: list[analysis.Row] = pairs.to_dict("records")
    least, *_, most = rows
    ahead = [row for row in rows if row["verdict"] == "ahead"]
    level = [row for row in rows if row["verdict"] == "undecided"]
    fewest, *many = level
    halves = [row["high"] - row["lead"] for row in level]
    points = listed(str(signed(row["lead"], row["high"]))[1:] for row in ahead)
    for part in (
        f"With {size(least)} parameters a MobileNet reads {100 * least['mobilenet_mean']:.1f} % "
        f"of the test images rightly and an ordinary CNN {100 * least['cnn_mean']:.1f} %; with "
        f"{size(most)} they read {100 * most['mobilenet_mean']:.1f} and "
        f"{100 * most['cnn_mean']:.1f} %",
        f"With {listed(map(size, ahead))} parameters it is ahead by {points} points",
        f"With {size(fewest)}, and from {size(many[0])} to {size(many[-1])}, no difference is "
        f"shown (each size by itself, ± {100 * min(halves):.1f} to {100 * max(halves):.1f})",
    ):
        assert part in README
    assert fewest["size"] < ahead[0]["size"] <= ahead[-1]["size"] < many[0]["size"]
    assert len(ahead) + len(level) == len(pairs)
    said = sentences.claims(pairs)["found here"]
    assert said.str.startswith("decides nothing").all()  # "Neither is confirmed"


def test_the_same_answer_for_every_image(runs: pd.DataFrame) -> None:
    (largest,) = set(runs[f"{SPLIT}_largest"])
    assert f'Always answering "happy" would be right for {100 * largest:.1f} %' in README


def test_verdicts(judged: pd.DataFrame) -> None:
    rows = [
        f"{SUBJECTS[row['subject']]} | {row['change']} "
        f"| {signed(row['difference'], row['high'])} | {row['verdict']} |"
        for row in judged.to_dict("records")
    ]
    names = list(judged["hypothesis"])
    firsts = [
        "the same" if name == before else CLAIMS[name] for before, name in pairwise([None, *names])
    ]
    page = (ROOT / "docs" / "hypotheses.md").read_text()
    assert table(README, "| explanation |") == [
        f"| {a} | {b}" for a, b in zip(firsts, rows, strict=True)
    ]
    assert table(page, "| hypothesis | of |") == [
        f"| `{a}` | {b}" for a, b in zip(names, rows, strict=True)
    ]


def test_why(judged: pd.DataFrame) -> None:
    points = 100 * judged.set_index(["subject", "change"])["difference"]
    a_s_head = "head: mean over the image (B) against dense (A)"
    depth, head = "2 blocks per stage against 1", "mean over the image against dense head"
    for part in (
        f"are worth {points['cnn', depth]:.1f} points to a plain CNN "
        f"and {points['mobilenet', depth]:.1f} to a MobileNet",
        f"moves the lead by {points['lead', a_s_head]:.1f} points towards the CNN",
    ):
        assert part in README
    assert points["mobilenet", head] > points["cnn", head]  # "and MobileNet more"
    sizes = judged.set_index("hypothesis")["sizes"].groupby(level=0).unique().map(list)
    assert sizes.to_dict() == {**{name: [3] for name in CLAIMS}, "depth": [3, 2], "reports": [3, 2]}


def test_halving_early(this: archive.Archive) -> None:
    sizes, families = presets.read(presets.find("fer2013"))["SIZES"], ("mobilenet", "cnn")
    kinds = (False, True)
    pairs = [[models.nearest(f, s, early=e) for e in kinds] for f in families for s in sizes]
    means = this.runs([spec for pair in pairs for spec in pair]).groupby("network")[SPLIT].mean()
    losses = [100 * (means[models.label(a)] - means[models.label(b)]) for a, b in pairs]
    said = f"costs either family {min(losses):.0f} to {max(losses):.0f} points"
    assert said in README
    assert said in (ROOT / "docs" / "hypotheses.md").read_text().replace("\n", " ")
    work = [models.cost(b).macs / models.cost(a).macs for a, b in pairs]
    assert all(0.2 < share < 0.3 for share in work)  # "saves three quarters"


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


def test_the_network_that_comes_along(this: archive.Archive) -> None:
    (shipped,) = weights.shipped()
    (run,) = this.longer().query(f"run_id == '{shipped.record.run_id}'").to_dict("records")
    said = f"{run['params_trainable']:,} parameters (198 kB), trained here for {run['epochs']} "
    assert f"{said}passes: {100 * run[SPLIT]:.1f} % on PublicTest" in README


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


def test_what_is_not_done(this: archive.Archive) -> None:
    long = this.longer().query("epochs >= 40")
    (below,) = long[long[SPLIT] <= long["reported"]].to_dict("records")
    said = f"{100 * below[SPLIT]:.1f} %, its report at {100 * below['reported']:.1f} %"
    assert f"each but {below['network']} is then above what its report says" in README
    assert f"it is at {said}" in README
    done, of = long["network"].nunique(), len(models.REPORTED)
    assert f"Of the reports' {of} networks {done} have been trained for 40 or more" in README
    assert f"The other {of - done} have not" in README
    runs = this.runs(this.networks()).query("network == 'a-cnn-1333k'")
    here, there = 100 * runs[SPLIT].mean(), 100 * models.claimed("a-cnn-1333k")
    assert f"stands at {here:.1f} % after twelve, its report at {there:.1f} %" in README
    assert "a-cnn-1333k" not in set(long["network"])


def test_runs_of_the_preset() -> None:
    asked = Question(check(presets.read(presets.find("fer2013"))))
    members = [*asked.networks(), *asked.family("mobilenet"), *asked.family("cnn")]
    arms = {arm for contrast in asked.setting.contrasts() for arm in contrast.arms}
    made = {(model, None) for model in members} | {(arm.model, arm.augment) for arm in arms}
    assert f"The whole preset is {len(made) * len(asked.setting.SEEDS)} runs" in README


def test_recipe(this: archive.Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each choice alone: the table that benchmarks/ablation.py prints, from the records."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    ablation = importlib.import_module("ablation")
    known = {(r.spec.model, r.spec.train, r.spec.seed): r for r in this.kept}
    specs = ablation.specs(this.setting, models.nearest("mobilenet", 30_000), [0, 1, 2])
    rows = [measured.run_row(known[s.model, s.train, s.seed]) for s in specs.values()]
    runs = pd.DataFrame(rows).assign(network=[variant for variant, _ in specs])
    valid, test = (ablation.table(runs, split) for split in ("valid", SPLIT))
    words = {"": "", "behind": "worse", "undecided": "no difference shown"}
    expected = [
        f"| {'**the recipe**' if name == ablation.BASE else name} | {row['valid %']:.1f} "
        f"| {row['lead']} | {words[row['verdict']]} "
        f"| {test.loc[name, f'{SPLIT} %']:.1f} | {test.loc[name, 'lead']} |"
        for name, row in valid.iterrows()
    ]
    page = (ROOT / "docs" / "recipes.md").read_text()
    assert table(page, "| variant |") == expected
    worth = valid["valid %"][ablation.BASE] - valid["valid %"]
    assert (
        f"Muon instead of Adam {worth['Adam, rate .002']:.0f} points, "
        f"instead of SGD {worth['SGD, rate .1']:.0f}, "
        f"a rate that falls {worth['constant rate']:.0f}, augmentation nothing in twelve passes"
    ) in README
    assert valid["verdict"]["no augmentation"] == "undecided"


def test_teachers(this: archive.Archive) -> None:
    """Labels against teachers: what `python benchmarks/teachers.py fer2013.csv` prints."""
    runs, words = this.taught(), {"ahead": "better", "undecided": "no difference shown"}
    valid, test = (gained(this, runs, split) for split in ("valid", SPLIT))
    expected = [
        f"| {a['network']} | {100 * a['labels']:.1f} | {100 * a['taught']:.1f} "
        f"| {signed(a['lead'], a['high'])} | {words[a['verdict']]} "
        f"| {100 * b['labels']:.1f} | {100 * b['taught']:.1f} | {signed(b['lead'], b['high'])} |"
        for a, b in zip(valid, test, strict=True)
    ]
    assert table((ROOT / "docs" / "recipes.md").read_text(), "| taught |") == expected
    cnn, mobilenet = ((100 * row["taught"], 100 * row["labels"]) for row in test)
    assert (
        f"reads {mobilenet[0]:.1f} % instead of {mobilenet[1]:.1f}, "
        f"a plain CNN {cnn[0]:.1f} instead of {cnn[1]:.1f}"
    ) in README


def gained(this: archive.Archive, runs: pd.DataFrame, split: str) -> list[analysis.Row]:
    rows: list[analysis.Row] = analysis.gains(runs, split, this.random()).to_dict("records")
    return rows
