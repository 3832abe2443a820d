"""How things show themselves in a notebook and in a terminal."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from PIL import Image

from fercore import models
from fercore.data import EMOTIONS, Faces
from fercore.display import Table
from fercore.models.catalogue import Network
from fercore.spec import ModelSpec
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore
from fercore.study import Study, begin
from fercore.training import train
from tests.face_files import csv_text
from tests.toy import TINY, bars, spec

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    return train.run(spec(epochs=1), bars(), RunStore(tmp_path_factory.mktemp("store")))


def soup(shown: object) -> BeautifulSoup:
    return BeautifulSoup(shown._repr_html_(), "html.parser")  # type: ignore[attr-defined]


def facts(page: BeautifulSoup) -> dict[str, str]:
    found = page.find("table")
    assert isinstance(found, Tag)
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in found("tr")]
    return {row[0]: row[1] for row in rows[1:]}


def test_a_network_shows_its_costs_and_layers() -> None:
    page, cost = soup(TINY), models.cost(TINY)
    assert facts(page)["trainable parameters"] == f"{cost.trainable:,}"
    assert facts(page)["Keras total parameters"] == f"{cost.keras_total:,}"
    assert facts(page)["multiply-adds per image (MACs)"] == f"{cost.macs:,}"
    layers = page.find_all("table")[1].find_all("tr")[1:]
    assert len(layers) == len(models.describe(TINY))
    parameters = [int(row.find_all("td")[1].get_text().replace(",", "")) for row in layers]
    assert sum(parameters) == cost.trainable
    bars = [re.findall(r"([\d.]+)%", str(row.find_all("td")[1]["style"]))[0] for row in layers]
    assert sum(map(float, bars)) == pytest.approx(100, abs=0.5)


def test_a_network_is_a_line_in_a_terminal() -> None:
    cost = models.cost(TINY)
    costs = f"{cost.trainable:,} parameters, {cost.macs:,} MACs"
    assert repr(TINY) == f"ModelSpec({models.label(TINY)}: {costs}, widths (4, 8, 8, 16), depth 1)"
    assert "cnn-30k-residual" in repr(models.nearest("cnn", 30_000, residual=True))
    assert repr(ModelSpec(name="nobody", depth=3)).startswith("ModelSpec(name='nobody', ")


def test_a_table_is_what_it_is_in_plain_text() -> None:
    shown = Table(
        pd.DataFrame({"share": [0.125]}), caption="One.", name="one", formats={"share": ".1%"}
    )
    assert repr(shown).split() == ["[Table]", "One.", "share", "12.5%"]
    assert repr(shown) == shown._repr_mimebundle_()[0]["text/plain"]


def test_a_store_shows_its_latest_runs(
    record: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path / "<b>")
    assert repr(store).endswith("<b>: runs: 0.\n(no rows)")
    assert soup(store).find_all("th", scope="row") == []
    times = {"a" * 12: "2001", "b" * 12: "2003", "c" * 12: "2002"}
    found = [record.model_copy(update={"run_id": run, "finished": t}) for run, t in times.items()]
    monkeypatch.setattr(store, "records", lambda: found)
    monkeypatch.setattr("fercore.store.measured.SHOWN", 2)
    first, head, *rows = repr(store).splitlines()
    assert first.endswith("runs: 3, the latest 2.")
    assert {"run", "network", "status", "PublicTest", "%"} <= set(head.split())
    assert [row.split()[0] for row in rows] == ["b" * 12, "c" * 12]
    assert [cell.get_text() for cell in soup(store).find_all("th", scope="row")] == [
        "b" * 12,
        "c" * 12,
    ]
    assert soup(store).find("b") is None


def test_a_built_network_shows_itself_as_its_specification_does() -> None:
    spec = models.nearest("cnn", 10_000)
    built = models.build(spec)
    assert built._repr_html_() == spec._repr_html_()
    assert repr(built).startswith("Network(\n  (conv1): ")
    part = built[:2]
    assert isinstance(part, Network)
    assert [name for name, _ in part.named_children()] == ["conv1", "batchnorm1"]
    assert part._repr_html_() is None


def test_a_network_that_there_is_not_says_why() -> None:
    html = ModelSpec(name=HOSTILE)._repr_html_()
    assert "no network is called" in html
    assert "<script" not in html


def test_faces_show_their_counts_and_a_face_of_each_class() -> None:
    faces = replace(bars(), synthetic=True, source=HOSTILE)
    page = soup(faces)
    assert facts(page)["Training images"] == "140"
    pictures = page.find_all("img")
    assert [picture["alt"] for picture in pictures] == list(EMOTIONS)
    shown = Image.open(io.BytesIO(b64decode(str(pictures[3]["src"]).partition(",")[2])))
    assert np.array_equal(np.asarray(shown), faces.images[3])
    assert page.find("script") is None


def test_photographs_show_only_their_means() -> None:
    faces = bars()
    (first, *_) = soup(faces).find_all("img")
    shown = np.asarray(Image.open(io.BytesIO(b64decode(str(first["src"]).partition(",")[2]))))
    assert np.array_equal(shown, faces.images[faces.labels == 0].mean(0).round())
    assert not any(np.array_equal(shown, image) for image in faces.images)


def test_a_class_without_a_face_is_left_out() -> None:
    faces = bars()
    none = replace(faces, labels=np.where(faces.labels == 1, -1, faces.labels))
    assert facts(soup(none))["without a label"] == "25"
    assert len(soup(none).find_all("img")) == len(EMOTIONS) - 1
    rows = slice(0, 0)
    empty = Faces(faces.images[rows], faces.labels[rows], faces.splits[rows], "none")
    assert soup(empty).find_all("img") == []


def test_a_record_shows_what_came_out(record: RunRecord) -> None:
    shown = facts(soup(record))
    accuracy = record.splits["PublicTest"].accuracy
    assert shown["accuracy, PublicTest"] == f"{100 * accuracy:.1f} % of 35"
    assert shown["outcome"] == "done"
    assert repr(record) == (
        f"RunRecord({record.run_id}: mobilenet, {record.params_trainable:,} parameters, seed 0, "
        f"epochs 1: {record.outcome})"
    )


def test_a_diverged_record_shows_why_and_escapes_it(record: RunRecord) -> None:
    failed = record.model_copy(update={"status": "diverged", "message": HOSTILE, "splits": {}})
    assert facts(soup(failed))["outcome"] == f"diverged {HOSTILE}"
    assert "<script" not in failed._repr_html_()


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("FERCORE_RUNS", str(tmp_path / "runs"))
    source = tmp_path / "<b>.csv"
    source.write_text(csv_text(bars()), "utf-8")
    return begin({"DATA": str(source), "EPOCHS": 1, "SEEDS": [0]})


def test_a_study_shows_its_recipe_and_its_runs(study: Study) -> None:
    assert "No runs so far." in study._repr_html_()
    study.train([TINY])
    page = soup(study)
    assert facts(page)["optimizer"] == "muon"
    runs = page.find_all("table")[1]
    assert [cell.get_text() for cell in runs.find_all("th", scope="row")] == list(study.records)
    assert page.find("b") is None
    assert repr(study).startswith("Study(Faces(")
    assert repr(study).endswith("runs so far: 1)")
