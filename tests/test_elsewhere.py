"""Records that come with fercore: read where they fit, marked, and never more than they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercore import analysis, figures, inside, study, tables
from fercore.data import Faces
from fercore.display import Figure, Table, Text
from fercore.store import elsewhere
from fercore.store.elsewhere import Elsewhere
from fercore.store.runs import RunStore
from tests.tables_of_runs import pairs, runs

TINY = {"TRAIN_IMAGES": 140, "BUDGETS": [10_000], "SEEDS": [0], "EPOCHS": 1}


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both families' records of a study, in a checkout whose own store is empty."""
    this = study.begin(TINY)
    this.train(this.family("mobilenet") + this.family("cnn"))
    folder = tmp_path / "reports" / "tiny" / "records"
    folder.mkdir(parents=True)
    for run in this.records:
        text = (this.store.folder(run) / "record.json").read_bytes()
        (folder / f"{run}.json").write_bytes(text)
    monkeypatch.setenv("FERCORE_RUNS", str(tmp_path / "empty"))
    monkeypatch.setattr(elsewhere, "root", lambda: tmp_path)
    return folder


def test_a_study_reads_them_says_so_and_does_without_predictions(records: Path) -> None:
    this = study.begin(TINY)
    table = this.train(this.family("mobilenet") + this.family("cnn"))
    assert set(this.records) == {path.stem for path in records.iterdir()}
    assert RunStore().names() == []
    assert all(run["elsewhere"] for run in this.provenance("q4").content["runs"])
    split = analysis.headline_split(table)
    means = analysis.bootstrap(table, split, this.random())
    matched = analysis.matched_pairs(table, split, means)
    over = this.over_images(table, matched, split)  # each record says what it read rightly
    assert over["image_low"].notna().all()
    empty = tables.calibration(this.confidences(table, split), split)
    assert isinstance(empty, Text)
    assert "RECORDS = False makes them here" in empty.markdown
    none = figures.reliability(*this.reliabilities(table, matched, split), split, note="")
    assert none == Text("")  # once is enough


def test_what_needs_weights_says_that_there_are_none(records: Path) -> None:
    this = study.begin(TINY)
    runs = this.train(this.family("mobilenet") + this.family("cnn"))
    assert inside.looks(this, runs, "valid").reason == inside.NO_WEIGHTS


def test_without_them_all_runs_are_made_here(records: Path) -> None:
    this = study.begin({**TINY, "RECORDS": False})
    this.train(this.family("cnn"))
    assert len(RunStore().names()) == 1
    assert not any(run["elsewhere"] for run in this.provenance("q3").content["runs"])


def test_a_damaged_run_of_the_store_gives_way_to_its_record(records: Path) -> None:
    this = study.begin(TINY)
    for path in records.iterdir():
        folder = this.store.folder(path.stem)
        folder.mkdir(parents=True)
        (folder / "predictions.npz").write_bytes(b"cut short")
    runs = this.train(this.family("cnn"))
    assert this.confidences(runs, "valid").empty
    assert all(run["elsewhere"] for run in this.provenance("q3").content["runs"])


def test_records_are_for_their_faces_alone(records: Path) -> None:
    this = study.begin(TINY)
    spec = this._spec(this.family("cnn")[0], 0)
    others = replace(this.faces, images=255 - this.faces.images)
    assert Elsewhere(this.faces).get(spec) is not None
    assert Elsewhere(others).get(spec) is None


def test_another_recipe_or_a_damaged_record_does_not_count(
    records: Path, caplog: pytest.LogCaptureFixture
) -> None:
    this = study.begin(TINY)
    (network,) = this.family("cnn")
    known = this.elsewhere
    assert known is not None
    assert known.get(this._spec(network, 0)) is not None
    assert known.get(this._spec(network, 1)) is None
    for path in records.iterdir():
        path.write_text(path.read_text().replace('"epochs": 1', '"epochs": 2'))
    assert known.get(this._spec(network, 0)) is None
    assert "is no usable record and counts as absent" in caplog.text


def test_data_with_private_test_rows_finds_what_was_made_without_them(records: Path) -> None:
    this = study.begin(TINY)
    spec = this._spec(this.family("cnn")[0], 0)
    assert (this.faces.splits == elsewhere.HIDDEN).any()
    assert Elsewhere(this.faces)._shapes == [this.faces]  # drawn faces never lack theirs
    faces = replace(this.faces, synthetic=False)
    kept = faces.splits != elsewhere.HIDDEN
    fewer = Faces(faces.images[kept], faces.labels[kept], faces.splits[kept], "without")
    record = Elsewhere(faces, records.parents[1]).get(spec)
    assert record is not None
    # As if it had been made on the data without the hidden rows: another fingerprint and id.
    from fercore.store.identity import identity

    moved = record.model_copy(
        update={
            "run_id": identity(spec, fewer),
            "data": record.data.model_copy(update={"fingerprint": fewer.fingerprint}),
        }
    )
    for path in records.iterdir():
        path.unlink()
    (records / f"{moved.run_id}.json").write_text(moved.model_dump_json())
    assert Elsewhere(faces, records.parents[1]).get(spec) == moved
    other = Faces(255 - fewer.images, fewer.labels, fewer.splits, "other")
    assert Elsewhere(other, records.parents[1]).get(spec) is None


def test_a_pair_of_which_one_is_known_has_no_interval_over_images() -> None:
    matched = pairs(runs(("m", "mobilenet", 20_000, [0.6]), ("c", "cnn", 20_000, [0.7])))
    found = analysis.over_images(matched, {"m": np.ones((1, 4), bool)}, np.random.default_rng(0))
    assert found["image_verdict"][0] == "not recorded"
    shown = tables.pairs(found, "PublicTest")
    assert isinstance(shown, Table)
    assert "± images, points" not in shown.frame
    assert "older than that measurement" in shown.caption
    leads = figures.leads(found, "PublicTest")
    assert isinstance(leads, Figure)
    assert "over test images" not in leads.caption
