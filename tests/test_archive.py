"""Records that come with fercore, asked without the data that they were made on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fercore import analysis, archive, study, verdicts
from fercore.archive import Archive
from fercore.setting import StudyError, check

TINY = {
    "TRAIN_IMAGES": 140,
    "BUDGETS": [10_000],
    "SIZES": [10_000],
    "LARGE": [],
    "HYPOTHESES": ["head", "depth"],
    "NETWORKS": ["b-mobilenet-46k"],
    "EPOCHS": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of both families with two seeds and of one network by another recipe.

    They say that they were made on photographs, which is no part of their identity.
    """
    store = tmp_path_factory.mktemp("store")
    folder = tmp_path_factory.mktemp("records")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_RUNS", str(store))
        this = study.begin({**TINY, "SEEDS": [1, 0]})
        this.train(this.family("mobilenet") + this.family("cnn"))
        head = study.begin({**TINY, "HYPOTHESES": ["head"], "SEEDS": [0]})
        head.experiments()
        other = study.begin({**TINY, "SEEDS": [2], "RATE": 0.01})
        other.train(other.family("cnn"))
    for path in store.glob("*/record.json"):
        record = json.loads(path.read_text())
        record["data"]["synthetic"] = False
        (folder / f"{record['run_id']}.json").write_text(json.dumps(record))
    return folder


def test_runs_are_those_of_the_recipe_by_network_and_seed(folder: Path) -> None:
    this = Archive(check(TINY), folder)
    runs = this.runs(this.family("mobilenet") + this.family("cnn") + this.networks())
    assert [*zip(runs["network"], runs["seed"], strict=True)] == [
        (name, seed) for name in ("mobilenet-10k", "cnn-10k") for seed in (0, 1)
    ]
    split = analysis.headline_split(runs)
    assert split == "PublicTest"
    means = analysis.bootstrap(runs, split, this.random())
    assert len(analysis.matched_pairs(runs, split, means)) == 1


def test_experiments_have_the_seeds_that_both_sides_have(folder: Path) -> None:
    this = Archive(check(TINY), folder)
    trials = this.experiments()
    tried = trials[trials["untried"] == ""]
    assert set(tried["hypothesis"]) == {"head"}
    assert set(tried["seed"]) == {0}
    judged = verdicts.judge(trials, "PublicTest").set_index("hypothesis")["verdict"]
    assert set(judged["head"]) == {"too few seeds"}
    assert judged["depth"] == "not tried"
    used = {run["run_id"] for run in this.provenance("photographs").content["runs"]}
    assert len(used) == 4  # two families, head and dense head


def test_what_is_no_record_is_left_out_and_named(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "0123456789ab.json").write_text("{}")
    this = Archive(check(TINY), tmp_path)
    assert this.records == []
    assert "0123456789ab" in caplog.text
    assert this.provenance("photographs").content["runs"] == []


def test_drawn_faces_are_no_photographs(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        record = json.loads(path.read_text())
        record["data"]["synthetic"] = True
        (tmp_path / path.name).write_text(json.dumps(record))
    assert Archive(check(TINY), tmp_path).records == []


def test_the_records_that_come_with_fercore_fit_their_preset() -> None:
    this = archive.begin({"LANG": "en"})
    runs = this.runs(this.family("mobilenet") + this.family("cnn"))
    assert {"mobilenet-10k", "cnn-10k", "mobilenet-100k", "cnn-100k"} <= set(runs["network"])
    assert runs["PublicTest"].between(0.5, 0.8).all()


def test_parameters_are_checked() -> None:
    with pytest.raises(StudyError, match="LANG"):
        archive.begin({"LANG": "fr"})
