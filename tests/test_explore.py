"""Exploring by hand: what is shown, and the widgets driven as a hand would drive them."""

from __future__ import annotations

import ast
import gc
import json
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vl_convert
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from fercore import explore, models, reprs
from fercore.data import EMOTIONS, DataError
from fercore.display import Chart
from fercore.explore import choices, runs, tiles
from fercore.explore.diagram import diagram
from fercore.explore.training import Live, Stopped, Training, stop_all
from fercore.figures import GROUP_COLOURS
from fercore.models import ModelError
from fercore.progress import Progress
from fercore.report.execute import ThisPython
from fercore.report.notebooks import find, read
from fercore.report.parameters import declared
from fercore.setting import StudyError, check
from fercore.spec import DataSpec, ModelSpec
from fercore.store.identity import identity
from fercore.store.record import RunRecord
from fercore.store.runs import Predictions, RunStore
from fercore.training import train
from tests.face_files import csv_text
from tests.toy import TINY, bars, spec

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "explore.ipynb"
PATIENCE = 120
CHOICE = choices.Choice("synthetic", 0, "mobilenet", "4, 8, 8, 16", 1, 2, 0)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunRecord]:
    """Two seeds of one recipe, one of another, and one that diverged."""
    store = RunStore(tmp_path_factory.mktemp("store"))
    specs = [spec(), spec(1), spec(epochs=1)]
    made = [train.run(one, bars(), store, progress=Progress()) for one in specs]
    other = {"run_id": "f" * 12, "status": "diverged", "splits": {}, "finished": "2000"}
    return {record.run_id: record for record in [*made, made[0].model_copy(update=other)]}


# -- plain functions


def test_a_choice_is_the_study_s_run() -> None:
    setting = check({"BATCH": 20, "EPOCHS": 7})
    found = CHOICE.specification(setting)
    assert (found.model, found.seed, found.data.train_images) == (TINY, 0, None)
    assert found.train == setting.recipe(2)
    assert replace(CHOICE, images=70).specification(setting).data.train_images == 70
    assert replace(CHOICE, kind="a-cnn-29k").specification(setting).model == ModelSpec(
        name="a-cnn-29k"
    )


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"channels": "4, x"}, StudyError, "channels: expected whole numbers from 1"),
        ({"channels": ""}, StudyError, "channels: expected"),
        ({"channels": "4, 0, 8, 16"}, StudyError, "found '4, 0, 8, 16'"),
        ({"channels": "4, 8"}, ModelError, "expected 4 widths"),
        ({"images": 3}, StudyError, "TRAIN_IMAGES"),
        ({"source": ""}, StudyError, "DATA"),
    ],
)
def test_a_choice_that_makes_no_run_says_why(
    wrong: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        replace(CHOICE, **wrong).specification(check({}))


@pytest.mark.parametrize("kind", models.FAMILIES)
def test_channels_come_from_a_budget(kind: str) -> None:
    found = choices.widths(choices.channels(kind, 30_000, 2))
    assert abs(models.cost(ModelSpec(name=kind, widths=found, depth=2)).trainable / 3e4 - 1) < 0.02


@pytest.mark.parametrize("name", [*models.FAMILIES, *models.REPORTED])
def test_a_network_is_drawn_from_input_to_scores(name: str) -> None:
    family = name in models.FAMILIES
    network = (
        ModelSpec(name=name, widths=(4, 8, 16, 32), depth=1) if family else ModelSpec(name=name)
    )
    weighty = [piece for piece in models.pieces(network) if piece.macs]
    page = BeautifulSoup(diagram(network), "html.parser")
    boxes, labels = page.find_all("rect"), page.find_all("text")
    assert len(boxes) == len(labels) == len(weighty)
    drawn = [(float(str(box["height"])), str(box["fill"])) for box in boxes]
    sides = [piece.output[-1] if len(piece.output) > 1 else 1 for piece in weighty]
    assert [height for height, _ in drawn] == [6 + 1.5 * side for side in sides]
    assert [fill for _, fill in drawn] == [GROUP_COLOURS[piece.group] for piece in weighty]
    assert labels[-1].get_text() == "dense, 7"
    ends = [float(str(box["x"])) + float(str(box["width"])) for box in boxes]
    starts = [float(str(box["x"])) for box in boxes]
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False)), "no overlap"
    assert page.svg is not None
    assert ends[-1] == pytest.approx(float(str(page.svg["width"])), abs=0.6)


def test_the_nearest_runs_are_finished_on_these_faces_and_nearest_by_ratio(
    records: dict[str, RunRecord],
) -> None:
    (known, *_) = records.values()
    sizes = {"a": 100, "b": 2 * known.params_trainable, "c": 3 * known.params_trainable}
    others = [
        known.model_copy(update={"run_id": name, "params_trainable": size})
        for name, size in sizes.items()
    ]
    found = choices.nearest([*others, *records.values()], spec(), known.data.fingerprint, 4)
    assert list(found["status"].unique()) == ["done"]
    assert list(found["run_id"])[3] == "b"
    assert found["epochs"][0] == 2
    assert "differs in" not in reprs.runs(found, "Runs.").frame
    train = spec().train.model_copy(update={"rate": 0.5})
    other = choices.nearest(
        records.values(), spec().model_copy(update={"train": train}), known.data.fingerprint
    )
    assert set(other["departures"]) == {f"rate {spec().train.rate}"}
    assert "differs in" not in reprs.runs(other.drop(columns="departures"), "Runs.").frame
    assert len(choices.nearest(records.values(), spec(), "others")) == 0


def test_runs_are_found_by_family_data_and_status(records: dict[str, RunRecord]) -> None:
    table = runs.rows(records.values())
    assert set(runs.matching(table, family=runs.ALL, status="done")["run_id"]) == set(
        list(records)[:3]
    )
    assert list(runs.matching(table, status="diverged")["run_id"]) == ["f" * 12]
    assert len(runs.matching(table, family="cnn")) == 0
    assert len(runs.matching(table, data="bars")) == 4
    assert len(runs.rows([])) == 0


def test_only_runs_of_one_recipe_on_the_same_faces_are_put_together(
    records: dict[str, RunRecord],
) -> None:
    first, second, shorter, _ = records.values()
    named = runs.rows(records.values()).set_index("run_id")["group"]
    assert named[first.run_id] == named[second.run_id] != named[shorter.run_id]
    data = first.data.model_copy(update={"fingerprint": "others"})
    train_spec = first.spec.train.model_copy(update={"rate": 0.01})
    changed = [
        first.model_copy(update={"run_id": "d", "data": data}),
        first.model_copy(
            update={"run_id": "r", "spec": first.spec.model_copy(update={"train": train_spec})}
        ),
    ]
    groups = runs.rows([first, second, *changed]).set_index("run_id")["group"]
    assert len(set(groups)) == 3
    assert groups[first.run_id] == groups[second.run_id]
    assert groups["r"] == f"{groups[first.run_id].rpartition(' (')[0]}: rate 0.01"


def marks(shown: Chart) -> list[dict[str, Any]]:
    rows = [row for rows in shown.spec["datasets"].values() for row in rows]
    return [row for row in rows if row["kind"] == "ours"]


def test_the_scatter_has_a_mark_for_each_network_and_takes_failed_runs(
    records: dict[str, RunRecord],
) -> None:
    shown, _ = runs.scatter(runs.rows(list(records.values())[:2]))
    ours = marks(shown)
    assert [row["network"] for row in ours] == [models.label(TINY)]
    assert all(run in ours[0]["runs"] for run in list(records)[:2])
    failed, named = runs.scatter(runs.rows([records["f" * 12]]))
    assert (marks(failed), named) == ([], {})


def test_what_the_scatter_shows_is_set_and_asked_for_by_no_control_of_its_own(
    records: dict[str, RunRecord],
) -> None:
    table = runs.rows(list(records.values())[:2])
    for _, axis in runs.AXES:
        shown, _ = runs.scatter(table, axis, published=axis == "macs")
        params = {param["name"]: param for param in shown.spec["params"]}
        assert params["axis"]["value"] == axis
        assert "input" not in json.dumps([param.get("bind", "") for param in params.values()])
        assert f"told {axis}" in marks(shown)[0], "the runs have it"
        kinds = {row["kind"] for rows in shown.spec["datasets"].values() for row in rows}
        assert ("published" in kinds) == (axis == "macs")
        assert len(shown.spec["layer"]) == 5 - (axis != "macs"), "no layer without a mark"


def test_what_the_pointer_is_told_is_had_without_one(records: dict[str, RunRecord]) -> None:
    table = runs.rows(list(records.values())[:2])
    shown, named = runs.scatter(table)
    (name, told), *theirs = named.items()
    assert name.startswith(f"{models.label(TINY)}, measured")
    assert told["runs"] == marks(shown)[0]["runs"]
    assert told["trainable parameters"] == f"{models.cost(TINY).trainable:,}"
    rows = [row for rows in shown.spec["datasets"].values() for row in rows]
    assert len(named) == len(rows) > len(theirs) > 10, "each mark has a name of its own"
    for ring, rings in ((name, 1), (theirs[0][0], 1), ("none of them", 0), (None, 0)):
        spec = dict(runs.scatter(table, ring=ring)[0].spec)
        svg = vl_convert.vegalite_to_svg(spec, vl_version="5.8")
        assert svg.count('stroke-width="3"') == rings
    assert all(", published, " in name for name in runs.scatter(table, family="cnn")[1])
    assert runs.scatter(table, "file_bytes", published=False, family="cnn")[1] == {}


def test_two_runs_are_compared_by_curves_confusions_and_their_difference(
    records: dict[str, RunRecord],
) -> None:
    first, second, _, failed = records.values()
    both = runs.comparison([first, second], "PublicTest")
    assert [figure.name for figure in both] == [
        "learning-curves",
        "confusions",
        "confusion-difference",
    ]
    assert all(runs.title(record) in both[1].alt for record in (first, second))
    assert not any("summed over seeds" in figure.caption for figure in both)  # single runs
    assert len(runs.comparison([first], "PublicTest")) == 2
    assert len(runs.comparison([first, failed], "PublicTest")) == 2
    assert len(runs.comparison([failed], "PublicTest")) == 1
    assert len({title for title, _ in runs.options(records.values())}) == 4


def test_mistakes_are_the_wrong_answers_the_surest_first() -> None:
    rows = np.eye(7)[[0, 1, 2, 3]] * [[0.5], [0.9], [0.6], [0.8]] + 0.01
    said = Predictions(rows.astype(np.float16), np.array([0, 3, 3, 4]), np.array([40, 41, 42, 43]))
    found = tiles.mistakes(said)
    assert [tile.row for tile in found] == [41, 43, 42]
    assert found[0].text == "happy, read as disgust 91%"
    assert [tile.row for tile in tiles.mistakes(said, "happy")] == [41, 42]
    assert tiles.mistakes(said, "fear") == []


def test_the_gallery_shows_the_faces_of_a_split_and_a_class() -> None:
    faces = bars()
    assert [tile.row for tile in tiles.gallery(faces, "PublicTest")] == list(range(140, 175))
    happy = tiles.gallery(faces, "Training", "happy")
    assert {int(faces.labels[tile.row]) for tile in happy} == {EMOTIONS.index("happy")}
    unlabelled = replace(faces, labels=np.full(len(faces), -1))
    assert tiles.gallery(unlabelled, "Training")[0].text == "no label"
    page = BeautifulSoup(tiles.sheet(faces, happy[:3]), "html.parser")
    assert [picture["alt"] for picture in page.find_all("img")] == ["happy"] * 3


def test_what_is_known_of_a_run_under_way() -> None:
    told: list[str] = []
    live = Live(lambda: told.append(live.status()))
    assert live.status() == "preparing"
    live.run("cnn-30k seed 0", epochs=5, steps=10, done=20)
    assert (live.done, live.total) == (20, 50)
    for _ in range(10):
        live.step()
    live.epoch(1.5, 0.25)
    assert told[0] == "cnn-30k seed 0 goes on after epoch 2"
    assert told[-1].endswith("epoch 3 of 5, validation loss 1.50, accuracy 25.0%")
    assert (live.done, live.finished) == (30, 3)
    assert '"accuracy": 25.0' in json.dumps(live.chart().spec)
    live.stop()
    with pytest.raises(Stopped):
        live.step()


def test_runs_in_two_threads_at_once_are_those_made_one_by_one(
    tmp_path: Path, records: dict[str, RunRecord]
) -> None:
    quietly = [Live(lambda: None) for _ in range(2)]
    store = RunStore(tmp_path)
    together = [
        Training(spec(seed), bars(), store, live, lambda: None, device="cpu", threads=1)
        for seed, live in enumerate(quietly)
    ]
    for one in together:
        one.start()
    assert all(one.join(PATIENCE) and not one.running for one in together)
    made = [one.record for one in together]
    assert [one and one.history[-1].train_loss for one in made] == [
        record.history[-1].train_loss for record in list(records.values())[:2]
    ]


# -- widgets


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[explore.Desk]:
    monkeypatch.setenv("FERCORE_RUNS", str(tmp_path / "runs"))
    source = tmp_path / "fer2013.csv"
    source.write_text(csv_text(bars()), "utf-8")
    yield explore.begin({"DATA": str(source), "EPOCHS": 1, "BATCH": 20, "DEVICE": "cpu"})
    stop_all()


def choose_tiny(desk: explore.Desk) -> None:
    desk.networks.depth.value = 1
    desk.networks.channels.value = "4, 8, 8, 16"


def press_train(desk: explore.Desk) -> Training:
    assert not desk.networks.train.disabled
    desk.networks.train.click()
    assert desk.networks.training
    return desk.networks.training


def test_a_network_is_chosen_trained_and_seen_everywhere(desk: explore.Desk) -> None:
    panel = desk.networks
    empty = (desk.runs.table.value, desk.compare.figures.value, desk.mistakes.faces.value)
    assert empty == ("", "", "")
    desk.mistakes.emotion.value = "happy"
    assert "no finished run" in desk.mistakes.message.value
    desk.mistakes.emotion.value = runs.ALL
    panel.kind.value, panel.budget.value = "cnn", 50_000
    assert "cnn-50k" in panel.costs.value
    panel.kind.value = "mobilenet"
    choose_tiny(desk)
    cost = models.cost(TINY)
    assert f"{cost.trainable:,}" in panel.costs.value
    assert f"{cost.keras_total:,}" in panel.costs.value
    assert "separable" in panel.layers.value
    assert panel.diagram.value.count("depthwise 3×3") == 2 * 3, (
        "named in the picture and for who sees none"
    )
    assert "No finished run" in panel.known.value
    assert press_train(desk).join(PATIENCE)
    (record,) = desk.store.records()
    assert record.spec.model == TINY
    assert list(desk.records) == [record.run_id]
    assert f"finished, {record.run_id}" in panel.message.value
    assert record.run_id in panel.known.value
    assert panel.bar.value == panel.bar.max > 1
    assert panel.stop.disabled
    assert panel.curve.outputs[0]["metadata"]["fercore"]["name"] == "live"
    assert record.run_id in desk.runs.table.value
    assert record.run_id in json.dumps(desk.runs.chart.outputs[0]["data"])
    assert "fig-learning-curves" in desk.compare.figures.value
    wrong = 35 - round(35 * record.splits["PublicTest"].accuracy)
    assert f"{wrong} mistakes" in desk.mistakes.message.value
    assert desk.mistakes.faces.value.count("<img") == min(21, wrong)


def test_a_run_is_stopped_and_goes_on(desk: explore.Desk) -> None:
    panel = desk.networks
    choose_tiny(desk)
    panel.epochs.value = 500
    first = press_train(desk)
    while not first.live.history and first.running:
        first.join(0.05)
    assert panel.train.disabled
    panel.train.click()  # a second click that was under way
    assert panel.training is first
    panel.stop.click()
    assert first.join(PATIENCE)
    done = first.live.finished
    assert 0 < done < 500
    assert f"Train goes on after epoch {done}" in panel.message.value
    assert desk.store.records() == []
    second = press_train(desk)
    while not second.live.total and second.running:
        second.join(0.05)
    assert second.live.resumed == done
    explore.begin({"DATA": desk.setting.DATA})  # who opens another desk does not see this one
    assert second.join(PATIENCE)
    assert desk.store.records() == []


def test_a_run_that_another_process_makes_is_waited_for_until_stopped(desk: explore.Desk) -> None:
    choose_tiny(desk)
    run = identity(desk.networks.choice.specification(desk.setting), desk.faces)
    with desk.store.lock(run):
        training = press_train(desk)
        while not training.live.waiting and training.running:
            training.join(0.05)
        assert "another process trains this very run" in training.live.status()
        desk.networks.stop.click()
        assert training.join(PATIENCE)
    assert "stopped" in desk.networks.message.value
    assert press_train(desk).join(PATIENCE)
    assert desk.store.ids() == [run]


def test_what_cannot_be_is_said_and_not_trained(desk: explore.Desk, tmp_path: Path) -> None:
    panel = desk.networks
    panel.channels.value = "none"
    assert 'role="alert"' in panel.message.value
    assert panel.train.disabled
    panel.budget.value = 40_000
    assert not panel.train.disabled
    panel.source.value = "<b>nowhere"
    assert "no such file or folder" in panel.message.value
    assert "<b>" not in panel.message.value
    assert panel.train.disabled
    panel.source.value = desk.setting.DATA
    panel.kind.value = "a-cnn-29k"
    assert panel.channels.disabled
    assert not panel.train.disabled


def test_the_thread_of_a_run_and_a_hand_take_turns(desk: explore.Desk) -> None:
    panel, inside = desk.networks, threading.Event()

    def refresh() -> None:
        with panel.quiet():
            inside.set()
            time.sleep(0.2)

    def turn() -> None:
        with panel.quiet():
            run.join(PATIENCE)

    run = threading.Thread(target=panel.attempt, args=[refresh])
    run.start()
    inside.wait(PATIENCE)
    panel.attempt(turn)
    panel.kind.value = "cnn"
    assert "cnn-30k" in panel.costs.value, "the panel still listens"


def test_the_buttons_beside_a_list_that_is_off_do_nothing(desk: explore.Desk) -> None:
    panel = desk.networks
    (after,) = (
        control
        for row in panel.box.children
        for group in getattr(row, "children", ())
        for control in getattr(group, "children", ())
        if getattr(control, "tooltip", "") == "next parameters"
    )
    before = panel.budget.value
    panel.kind.value = "a-cnn-29k"
    after.click()
    assert panel.budget.value == before
    panel.kind.value = "cnn"
    after.click()
    assert panel.budget.value > before


def test_a_failure_while_training_is_said(
    desk: explore.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_tiny(desk)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(train, "run", fail)
    assert press_train(desk).join(PATIENCE)
    assert "MemoryError: no more" in desk.networks.message.value
    assert not desk.networks.train.disabled


def test_a_desk_that_was_followed_by_another_keeps_no_faces_in_memory(desk: explore.Desk) -> None:
    earlier = explore.begin({"DATA": desk.setting.DATA})
    panels = [earlier.networks, earlier.runs, earlier.compare, earlier.mistakes, earlier.gallery]
    faces = weakref.ref(earlier.faces)
    del panels, earlier
    gc.collect()
    assert faces() is not None
    explore.begin({"DATA": desk.setting.DATA})
    gc.collect()
    assert faces() is None


def test_a_store_that_is_gone_when_a_run_ends_is_said(
    desk: explore.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError("no way in")

    choose_tiny(desk)
    monkeypatch.setattr(RunStore, "records", fail)
    assert press_train(desk).join(PATIENCE)
    assert "no way in" in desk.networks.message.value


def test_runs_are_filtered_compared_and_paged(
    desk: explore.Desk, records: dict[str, RunRecord], tmp_path: Path
) -> None:
    panel = desk.runs
    for seed in (0, 1):
        train.run(spec(seed), desk.faces, desk.store, progress=Progress())
    panel.reread.click()
    assert "1 to 2 of 2 runs, 2 in the store" in panel.message.value
    panel.family.value = "cnn"
    assert "0 runs, 2 in the store" in panel.message.value
    assert panel.table.value == ""
    panel.family.value = runs.ALL
    panel.axis.value, panel.published.value = "macs", False
    panel.mark.index = 1
    assert all(run in panel.told.value for run in panel.rows["run_id"])
    drawing = json.dumps(panel.chart.outputs[0]["data"])
    assert '"strokeWidth": 3' in drawing
    assert '{"name": "axis", "value": "macs"}' in drawing
    assert '"kind": "published"' not in drawing
    assert desk.compare.first.value != desk.compare.second.value
    assert "fig-confusion-difference" in desk.compare.figures.value
    (other,) = set(desk.records) - {desk.mistakes.run.value}
    (desk.store.folder(other) / "predictions.npz").write_bytes(b"")
    desk.mistakes.run.value = other
    desk.mistakes.emotion.value = "sad"  # shows no face of the run before
    assert 'role="alert"' in desk.mistakes.message.value
    assert desk.mistakes.faces.value == ""
    desk.compare.split.value = "PrivateTest"
    assert "no PrivateTest in" in desk.compare.message.value
    gallery = desk.gallery
    first = gallery.faces.value
    gallery.pages.after.click()
    assert "22 to 42 of 140" in gallery.message.value
    assert gallery.faces.value != first
    gallery.pages.before.click()
    assert gallery.faces.value == first
    assert gallery.pages.before.disabled
    gallery.emotion.value = "happy"
    assert "1 to 20 of 20" in gallery.message.value


def test_faces_of_a_run_are_those_it_was_trained_on(desk: explore.Desk, tmp_path: Path) -> None:
    gone = DataSpec(source=str(tmp_path / "gone.csv"))
    record = train.run(spec(data=gone), bars(seed=9), desk.store, progress=Progress())
    desk.refresh()
    assert 'role="alert"' in desk.mistakes.message.value
    with pytest.raises(DataError, match=r"the faces of run .* cannot be read"):
        desk.faces_of(record)
    (tmp_path / "gone.csv").write_text(csv_text(bars(seed=8)), "utf-8")
    with pytest.raises(DataError, match="expected the faces of run"):
        desk.faces_of(record)
    other = tmp_path / "other.csv"
    other.write_text(csv_text(bars(seed=9)), "utf-8")
    desk.networks.source.value = str(other)
    assert desk.faces_of(record).fingerprint == record.data.fingerprint
    assert "other.csv" in desk.gallery.message.value


# -- the notebook


def cells() -> list[Any]:
    return [cell for cell in read(NOTEBOOK).cells if cell.cell_type == "code"]


def test_the_notebook_keeps_the_form_of_the_others() -> None:
    for cell in cells():
        assert cell.outputs == []
        if "parameters" not in cell.metadata.get("tags", []):
            assert len(cell.source.splitlines()) <= 6
            nodes = list(ast.walk(ast.parse(cell.source)))
            assert not any(isinstance(n, ast.FunctionDef | ast.Lambda) for n in nodes)
    parameters = declared(NOTEBOOK)
    assert all(parameter.comment for parameter in parameters.values())
    others = {n: p for path in find(NOTEBOOK.parent) for n, p in declared(path).items()}
    assert all(others[name] == parameter for name, parameter in parameters.items())


def test_the_notebook_is_no_part_of_the_report_and_is_where_the_lab_begins() -> None:
    assert NOTEBOOK.exists()
    assert NOTEBOOK not in find(NOTEBOOK.parent)
    assert f"/lab/tree/notebooks/{NOTEBOOK.name}" in (ROOT / "Makefile").read_text()


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom_and_trains_in_a_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERCORE_RUNS", str(tmp_path / "runs"))
    source = tmp_path / "fer2013.csv"
    source.write_text(csv_text(bars()), "utf-8")
    values = {"DATA": str(source), "TRAIN_IMAGES": None, "EPOCHS": 1, "DEVICE": "cpu"}
    notebook = read(NOTEBOOK)
    notebook.cells[2:2] = [new_code_cell("\n".join(f"{k} = {v!r}" for k, v in values.items()))]  # type: ignore[no-untyped-call]
    for text in (
        "desk.networks.channels.value = '4, 8, 8, 16'; desk.networks.train.click()",
        f"print(desk.networks.training.join({PATIENCE}), len(desk.runs.rows))",
    ):
        notebook.cells.append(new_code_cell(text))  # type: ignore[no-untyped-call]
    client = NotebookClient(notebook, kernel_manager_class=ThisPython, timeout=PATIENCE)
    client.execute(cwd=str(NOTEBOOK.parent))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    views = [o for o in outputs if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]
    assert len(views) == 5
    assert [output.text for output in outputs if output not in views] == ["True 1\n"]
    assert len(RunStore(tmp_path / "runs").records()) == 1
