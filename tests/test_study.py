"""A study's parameters, networks and runs, on drawn faces and networks of seconds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from fercore import analysis, figures, models, sentences, study, tables
from fercore.data import EMOTIONS
from fercore.setting import StudyError, check
from fercore.spec import ModelSpec
from fercore.training.device import DeviceError

TINY = {"TRAIN_IMAGES": 140, "BUDGETS": [10_000], "SEEDS": [0], "EPOCHS": 1}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"EPOCHS": -1}, "EPOCHS: expected 1 or more, found -1"),
        ({"EPOCHS": "many"}, "EPOCHS: .* found 'many'"),
        ({"SEEDS": []}, "SEEDS: expected a list of 1 or more"),
        ({"SEEDS": [1, 1]}, "SEEDS: each value once"),
        ({"TRAIN_IMAGES": 10}, "TRAIN_IMAGES: expected 70 or more"),
        ({"RATE": 0.0}, "RATE: expected more than 0"),
        ({"OPTIMIZER": "adagrad"}, "OPTIMIZER: .*'adam'"),
        ({"BUDGTES": [1]}, "BUDGTES: no such parameter; there are DATA"),
        ({"BUDGETS": [10]}, "BUDGETS.0: expected 1,000 or more"),
        ({"BUDGETS": [20_000, 20_000]}, "BUDGETS: each value once"),
        ({"BUDGETS": []}, "BUDGETS: expected one number or more, or REPORTED = True, found none"),
        ({"NETWORKS": []}, "NETWORKS: expected one name or more"),
        ({"NETWORKS": ["a-cnn-1"]}, "NETWORKS: .*a-cnn-1"),
        ({"TEACHERS": ["a-cnn-1"]}, "TEACHERS: .*a-cnn-1"),
        ({"TEACHERS": ["a-cnn-29k"] * 2}, "TEACHERS: each value once"),
        ({"SEEDS": [-1]}, r"^SEEDS\.0: expected 0 or more, found -1$"),
        ({"SEEDS": [2**40]}, r"SEEDS\.0: .*less than"),
        ({"SEEDS": [True]}, "SEEDS: expected no True or False"),
        ({"EPOCHS": True}, "EPOCHS: expected no True or False, found True"),
        ({"DEPTH": 10**7}, "DEPTH: expected 20 or less"),
        ({"THREADS": 10**6}, "THREADS: expected 1,024 or less"),
        ({"DEVICE": "gpu"}, "DEVICE: .*auto|cpu|mps|cuda"),
        ({"DATA": "~nobody-at-all/x.csv"}, "DATA: no such file or folder"),
        ({"DATA": "x" * 5000}, "DATA: no such file or folder"),
        ({"DATA": ""}, "DATA: expected a text"),
    ],
)
def test_a_wrong_parameter_is_one_message(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        check(parameters)


def test_what_is_no_parameter_is_let_alone() -> None:
    assert check({"this": 1, "X": 2, "SEEDS": [3]}).SEEDS == (3,)


def test_a_relative_path_is_found_below_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check({"DATA": "tests"}).source.endswith("tests")
    monkeypatch.chdir(tmp_path)
    assert check({"DATA": "docs"}).source == str(Path(__file__).parents[1] / "docs")
    assert check({"DATA": "Synthetic"}).source == "synthetic"


def test_nothing_to_train_and_too_close_are_said() -> None:
    empty = study.begin({})
    with pytest.raises(StudyError, match="BUDGETS is empty and REPORTED is False"):
        empty.family("cnn")
    with pytest.raises(StudyError, match="NETWORKS: expected one name or more"):
        empty.networks()
    close = study.begin({**TINY, "BUDGETS": [20_000, 20_300]})
    with pytest.raises(StudyError, match="too close, both would be mobilenet-20k"):
        close.train(close.family("mobilenet"))


def test_networks_that_the_report_could_not_tell_apart_are_refused() -> None:
    this = study.begin(TINY)
    twins = [ModelSpec(name="cnn", widths=(4, 8, 16, width)) for width in (32, 33)]
    assert len({models.label(twin) for twin in twins}) == 1
    with pytest.raises(StudyError, match="of different names, found 2 named cnn-"):
        this.train([*twins, *twins])


def test_epochs_none_means_those_of_the_report() -> None:
    this = study.begin({"EPOCHS": None, "NETWORKS": ["a-cnn-1333k", "b-cnn-1875k", "b-cnn-48k"]})
    assert [this._epochs(network) for network in this.networks()] == [220, 100, 150]


def test_budgets_that_name_one_network_train_it_once() -> None:
    this = study.begin({**TINY, "BUDGETS": [10_000, 10_010]})
    assert len(this.train(this.family("cnn"))) == 1


def test_runs_that_did_not_stay_finite_are_shown_as_a_gap() -> None:
    this = study.begin({**TINY, "SEEDS": [0, 1], "OPTIMIZER": "sgd", "RATE": 1e30})
    runs = this.train(this.family("mobilenet") + this.family("cnn"))
    assert set(runs["status"]) == {"diverged"}
    split = analysis.headline_split(runs)
    means = analysis.bootstrap(runs, split, this.random())
    summary = analysis.summarise(runs, split, means)
    pairs = this.over_images(runs, analysis.matched_pairs(runs, split, means), split)
    curves = analysis.compare(summary, means)
    text = sentences.comparison(summary, pairs, curves, split).markdown
    assert "nothing to compare" in text
    assert "did not stay finite" in text
    assert "no epoch was finished" in figures.learning_curves(this.history(runs)).alt
    figures.size_against_accuracy(runs, summary, split, curves)._repr_mimebundle_()
    assert "failed" in str(tables.networks(runs, name="n", caption="N.").frame)
    small = this.confusions(runs, pairs, split)
    figures.confusions(small, EMOTIONS, split, note="")
    figures.confusion_difference(small, EMOTIONS, split, note="")
    figures.reliability(*this.reliabilities(runs, pairs, split), split, note="")
    tables.calibration(this.confidences(runs, split), split)
    assert "No matched pair" in sentences.channels(runs, pairs).markdown
    content = this.provenance("q4")._repr_mimebundle_()[0]
    (name,) = [key for key in content if "provenance" in key]
    assert all(run["failure"] for run in content[name]["runs"])


def test_what_a_cluster_made_needs_no_device_here() -> None:
    this = study.begin({**TINY, "DEVICE": "cuda:99", "EXECUTOR": "tcp://127.0.0.1:1"})
    assert this.provenance("q2").content["hardware"]["device"]
    with pytest.raises(DeviceError, match="found 'cuda:99'"):
        study.begin({**TINY, "DEVICE": "cuda:99"}).provenance("q2")


def test_published_figures_stand_at_trainable_parameters() -> None:
    this = study.begin(TINY)
    theirs = this.published("Q2", family="mobilenet").set_index("network")
    assert theirs.loc["a-mobilenet-29k", "params_trainable"] == 27_799
    assert set(theirs["family"]) == {"mobilenet"}


def test_channels_are_read_from_the_networks() -> None:
    this = study.begin(TINY)
    runs = this.train(this.family("mobilenet") + this.family("cnn"))
    means = analysis.bootstrap(runs, "valid", this.random())
    pairs = analysis.matched_pairs(runs, "valid", means)
    wide = models.nearest("mobilenet", 10_000).widths or ()
    assert f"({wide[-1]} against" in sentences.channels(runs, pairs).markdown


def test_predictions_agree_with_the_records() -> None:
    this = study.begin(TINY)
    runs = this.train(this.family("mobilenet") + this.family("cnn"))
    split = analysis.headline_split(runs)
    means = analysis.bootstrap(runs, split, this.random())
    pairs = this.over_images(runs, analysis.matched_pairs(runs, split, means), split)
    row = pairs.iloc[0]
    assert (row["image_low"] + row["image_high"]) / 2 == pytest.approx(row["image_lead"])
    assert row["image_lead"] == pytest.approx(row["lead"])
    assert row["verdict"] in ("one seed", "nothing learned")
    reliabilities, families = this.reliabilities(runs, pairs, split)
    for network, accuracy in runs.set_index("network")[split].items():
        table = reliabilities[str(network)]
        right = (table["accuracy"] * table["images"]).sum() / table["images"].sum()
        assert right == pytest.approx(accuracy, abs=0.05)  # of 100 images; float16 has ties
    assert set(families.values()) == {"mobilenet", "cnn"}
    sure = this.confidences(runs, split)
    assert sure["confidence"].between(1 / 7, 1).all()
    assert sure["ece"].between(0, 1).all()


def test_costs_add_up_and_latency_stands_beside_them() -> None:
    this = study.begin(TINY)
    runs = this.train(this.family("mobilenet") + this.family("cnn"))
    costs = this.costs(runs)
    assert costs["network"].tolist() == runs.sort_values("params_trainable")["network"].tolist()
    parts = costs[list(models.GROUPS)].sum(axis=1).tolist()
    assert parts == sorted(runs["params_trainable"])
    shown = tables.costs(costs)
    assert {"activations kB", "int8 kB"} <= set(shown.frame.columns)
    assert "ms per image" not in shown.caption
    timed = costs.merge(this.latencies(runs))
    assert len(timed) == len(costs)
    assert (timed["latency_ms"] > 0).all()
    shown = tables.costs(timed)
    assert "ms per image" in shown.frame.columns
    assert "ms per image" in shown.caption


def test_teachers_are_trained_first_each_for_its_seed() -> None:
    this = study.begin({**TINY, "SEEDS": [0, 1], "TEACHERS": ["a-cnn-29k"]})
    runs = this.train(this.family("cnn"))
    assert list(runs["network"]) == ["cnn-10k"] * 2
    for run in runs["run_id"]:
        (name,) = this.records[run].spec.train.teachers
        teacher = this.records[name].spec
        assert (teacher.model.name, teacher.seed) == ("a-cnn-29k", this.records[run].spec.seed)
        assert teacher.train.teachers == ()
    assert "Taught by a-cnn-29k, not by labels." in this.note
    assert this.recipe()["teachers"] == "a-cnn-29k"
    traces = {trace["run_id"]: trace["departures"] for trace in this.traces(set())}
    assert (traces[name], traces[run]) == ("", f"teachers {name}")


def test_students_that_are_there_need_no_teacher() -> None:
    asked = {**TINY, "SEEDS": [2], "TEACHERS": ["a-cnn-29k"]}
    first = study.begin(asked)
    runs = first.train(first.family("cnn"))
    (student,) = runs["run_id"]
    (teacher,) = first.records[student].spec.train.teachers
    shutil.rmtree(first.store.folder(teacher))
    again = study.begin(asked)
    again.train(again.family("cnn"))
    assert set(again.records) == {student}


def test_a_teacher_that_diverged_is_named() -> None:
    this = study.begin({**TINY, "TEACHERS": ["a-cnn-29k"], "OPTIMIZER": "sgd", "RATE": 1e30})
    with pytest.raises(StudyError, match=r"TEACHERS: a-cnn-29k, seed 0, cannot teach: .* finite"):
        this.train(this.family("cnn"))
