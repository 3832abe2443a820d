"""Records that come with fercore, asked without the data that they were made on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from fercore import analysis, archive, study, tables
from fercore.archive import Archive
from fercore.display import Table, Text
from fercore.experiments import verdicts
from fercore.setting import StudyError, check
from fercore.spec import RunSpec
from fercore.store.record import run_id

Record: TypeAlias = dict[str, Any]

TINY = {
    "TRAIN_IMAGES": 140,
    "BUDGETS": [10_000],
    "SIZES": [10_000],
    "LARGE": [],
    "HYPOTHESES": ["head", "depth", "reports"],
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
        pupils = study.begin({**TINY, "TEACHERS": ["a-mobilenet-29k"], "SEEDS": [0]})
        pupils.train(pupils.family("cnn"))
        other = study.begin({**TINY, "SEEDS": [2], "RATE": 0.01, "EPOCHS": 2})
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
    assert set(tried["hypothesis"]) == {"head", "reports"}
    seen = tried["change"].str.contains("trained on")  # asks the ordinary networks alone
    assert set(tried[~seen]["seed"]) == {0}
    assert set(tried[seen]["seed"]) == {0, 1}
    judged = verdicts.judge(trials, "PublicTest")
    found = judged.groupby("hypothesis")["verdict"].agg(list)
    assert found["head"] == 2 * ["too few seeds"]
    assert found["reports"] == 2 * ["too few seeds"] + 4 * ["not tried"]
    assert found["depth"] == ["not tried"]
    used = {run["run_id"] for run in this.provenance("photographs").content["runs"]}
    assert len(used) == 6  # two families, each with two seeds, and one with a dense head


def test_longer_runs_are_told_apart(folder: Path) -> None:
    this = Archive(check(TINY), folder)
    longer = this.longer()
    assert longer[["network", "seed", "epochs"]].to_numpy().tolist() == [["cnn-10k", 2, 2]]
    shown = tables.longer(longer, "PublicTest")
    assert isinstance(shown, Table)
    assert shown.frame["run"].tolist() == longer["run_id"].tolist()
    shipped = archive.begin({}).longer()
    assert shipped.index.tolist() == [*range(len(shipped))]
    none = Archive(check({**TINY, "EPOCHS": 2}), folder).longer()
    assert isinstance(tables.longer(none, "PublicTest"), Text)


def test_what_had_teachers_stands_beside_the_same_without(folder: Path) -> None:
    this = Archive(check(TINY), folder)
    runs = this.taught()
    assert set(zip(runs["network"], runs["learned"], runs["seed"], strict=True)) == {
        ("cnn-10k", "a-mobilenet-29k", 0),
        ("cnn-10k", "labels", 0),
        ("cnn-10k", "labels", 1),
    }
    assert not set(this.runs(this.family("cnn"))["run_id"]) & set(
        runs.loc[runs["learned"] != "labels", "run_id"]
    )
    gains = analysis.gains(runs, "valid", this.random())
    shown = tables.taught(gains, "valid")
    assert isinstance(shown, Table)
    assert list(shown.frame["over seeds"]) == ["one seed: no interval"]
    assert set(runs["run_id"]) <= {run["run_id"] for run in this.provenance("q").content["runs"]}


def test_without_teachers_a_sentence_says_so(folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("*.json"):
        record = json.loads(path.read_text())
        if not record["spec"]["train"].get("teachers"):
            (tmp_path / path.name).write_text(json.dumps(record))
    this = Archive(check(TINY), tmp_path)
    gains = analysis.gains(this.taught(), "valid", this.random())
    assert isinstance(tables.taught(gains, "valid"), Text)


def copied(folder: Path, target: Path, change: Callable[[Record], None]) -> None:
    for path in sorted(folder.iterdir()):
        record = json.loads(path.read_text())
        change(record)
        (target / path.name).write_text(json.dumps(record))


def test_a_run_that_diverged_is_a_gap(folder: Path, tmp_path: Path) -> None:
    def diverge(record: Record) -> None:
        if record["spec"]["seed"] == 1:
            record |= {"status": "diverged", "splits": {}}

    copied(folder, tmp_path, diverge)
    this = Archive(check(TINY), tmp_path)
    runs = this.runs(this.family("mobilenet"))
    assert runs.set_index("seed")["PublicTest"].isna().to_dict() == {0: False, 1: True}
    assert this.provenance("q6").content["data"]["counts"]["PublicTest"] == 100


def test_other_data_and_other_layers_are_left_out_and_named(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def spoil(record: Record) -> None:
        """Such a record's id is no longer its own; what matters here is that it is left out."""
        spec = record["spec"]
        if spec["model"]["name"] == "cnn":
            record["model_fingerprint"] = "0123456789ab"
        elif spec["seed"] == 1:
            record["data"]["fingerprint"] = "0123456789abcdef"
        data, model = record["data"]["fingerprint"], record["model_fingerprint"]
        record["run_id"] = run_id(RunSpec.model_validate(spec), data, model)

    copied(folder, tmp_path, spoil)
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / f"{json.loads(path.read_text())['run_id']}.json")
    this = Archive(check(TINY), tmp_path)
    runs = this.runs(this.family("mobilenet"))
    assert runs["seed"].tolist() == [0]
    with pytest.raises(StudyError, match="expected records of cnn-10k, found none"):
        this.runs(this.family("cnn"))
    assert "has other layers in this version" in caplog.text
    assert "other data, 0123456789abcdef" in caplog.text


def test_what_is_no_record_is_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "0123456789ab.json").write_text("{}")
    with pytest.raises(StudyError, match="expected records of runs on photographs, found none"):
        Archive(check(TINY), tmp_path)
    assert "0123456789ab" in caplog.text


def test_drawn_faces_are_no_photographs(folder: Path, tmp_path: Path) -> None:
    copied(folder, tmp_path, lambda record: record["data"].update(synthetic=True))
    with pytest.raises(StudyError, match="found none"):
        Archive(check(TINY), tmp_path)


def test_the_records_that_come_with_fercore_fit_their_preset() -> None:
    this = archive.begin({"LANG": "en"})
    runs = this.runs(this.family("mobilenet") + this.family("cnn"))
    assert {"mobilenet-10k", "cnn-10k", "mobilenet-100k", "cnn-100k"} <= set(runs["network"])
    assert runs["PublicTest"].between(0.4, 0.8).all()


def test_parameters_are_checked() -> None:
    with pytest.raises(StudyError, match="EPOCHS: the records follow one recipe"):
        archive.begin({"EPOCHS": 40})
    with pytest.raises(StudyError, match="LANG"):
        archive.begin({"LANG": "fr"})
