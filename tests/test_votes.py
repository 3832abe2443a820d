"""FER+ votes: the majority's rule, networks against it, and what the report says of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fercore import analysis, sentences, study, tables
from fercore.analysis import Voted
from fercore.data import EMOTIONS, DataError, load
from fercore.data.ferplus import DISPUTED, LABELS, OTHER, VOTES, majority
from fercore.display import Table, Text
from fercore.report import ReportError
from fercore.report.notebooks import find
from fercore.report.parameters import resolve
from tests.face_files import csv_text, own_cache, random_faces  # noqa: F401
from tests.tables_of_runs import runs

HEADER = "Usage,Image name," + ",".join(VOTES).replace("nf", "NF")
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ({"neutral": 10}, "neutral"),
        ({"happiness": 6, "surprise": 4}, "happy"),
        ({"anger": 5, "fear": 5}, None),  # a tie
        ({"anger": 5, "fear": 4, "sadness": 1}, "angry"),  # 5 of 9: the single vote is dropped
        ({"anger": 4, "fear": 3, "sadness": 3}, None),  # the most votes are no majority
        (
            {"disgust": 2, **dict.fromkeys(VOTES[:5], 1), "fear": 1, "nf": 1, "unknown": 1},
            "disgust",
        ),
        (dict.fromkeys(VOTES, 1), None),  # nothing is left
        ({"contempt": 7, "anger": 3}, OTHER),
        ({"unknown": 6, "anger": 4}, OTHER),
        ({"nf": 10}, OTHER),
    ],
)
def test_the_majority_is_that_of_ferplus(given: dict[str, int], label: str | int | None) -> None:
    votes = np.array([[given.get(name, 0) for name in VOTES]])
    expected = EMOTIONS.index(label) if isinstance(label, str) else label
    assert majority(votes).tolist() == [DISPUTED if expected is None else expected]


def test_expressions_of_ferplus_have_fer2013s_labels() -> None:
    alike = [(VOTES[i][:2], EMOTIONS[label][:2]) for i, label in enumerate(LABELS)]
    assert all(theirs == ours for theirs, ours in alike)
    assert sorted(LABELS) == list(range(7))


PANEL = np.array([0, 1, 1, DISPUTED, DISPUTED, OTHER])
TRUTH = np.array([0, 1, 2, 3, 4, 5])


def test_a_network_is_held_against_labels_and_majority() -> None:
    said = np.array([0, 1, 1, 3, 0, 0])
    found = analysis.against(said, TRUTH, PANEL)
    assert found == {"own": 3 / 6, "own_chosen": 2 / 3, "chosen": 1, "disputed": 1 / 3}
    nothing = analysis.against(TRUTH, TRUTH, np.full(6, OTHER))
    assert nothing["own"] == 1
    assert all(np.isnan(nothing[name]) for name in ("own_chosen", "chosen", "disputed"))
    counted = analysis.voted(TRUTH, PANEL, pd.DataFrame())
    assert (counted.images, counted.chosen, counted.disputed) == (6, 3, 2)
    assert counted.agree == pytest.approx(2 / 3)


def made(*networks: tuple[float, float, float], disputed: int = 20) -> Voted:
    """Voted of networks with (own_chosen, chosen, disputed), two seeds each."""
    table = runs(*((f"m{k}", "mobilenet", 1000 + k, [0.5, 0.5]) for k in range(len(networks))))
    rows = [figures for figures in networks for _ in range(2)]
    more = pd.DataFrame(rows, columns=["own_chosen", "chosen", "disputed"])
    return Voted(table.join(more.assign(own=0.5)), 100, 70, disputed, 0.8)


@pytest.mark.parametrize(
    ("networks", "words"),
    [
        ([(0.6, 0.7, 0.3), (0.6, 0.65, 0.4)], "majority more often than with FER2013's label: by"),
        ([(0.6, 0.7, 0.3), (0.6, 0.65, 0.4)], "by 5.0 to 10.0 points"),
        (
            [(0.7, 0.6, 0.3), (0.7, 0.65, 0.3)],
            "which it was trained on, more often than with the majority: by 5.0 to 10.0",
        ),
        ([(0.7, 0.6, 0.3), (0.6, 0.7, 0.3)], "the difference is −10.0 to +10.0 points"),
        ([(0.6, 0.7, 0.3), (0.6, 0.7, 0.4)], "20.0 % of all, and hold more than that of each"),
        ([(0.6, 0.7, 0.3), (0.6, 0.7, 0.4)], "errors: 30.0 to 40.0 %"),
        ([(0.6, 0.7, 0.1), (0.6, 0.7, 0.2)], "hold 10.0 to 20.0 % of the networks' errors: for"),
        ([(0.6, 0.7, 0.1)], "hold less than that of each network's errors"),
    ],
)
def test_the_sentence_says_every_outcome(
    networks: list[tuple[float, float, float]], words: str
) -> None:
    text = sentences.votes(made(*networks), "PublicTest").markdown
    assert "Of 100 images of PublicTest, 70 have a majority of ten annotators" in text
    assert "FER2013's label is the same for 80.0 % of these." in text
    assert words in text


def test_without_votes_or_predictions_one_sentence_stands_alone() -> None:
    assert "FERPLUS=path/to/fer2013new.csv" in sentences.votes(None, "PublicTest").markdown
    assert "RECORDS = False" in sentences.votes(Voted(), "PublicTest").markdown
    for nothing in (None, Voted()):
        assert tables.votes(nothing, "PublicTest") == Text("")
    bare = Voted(made((np.nan, np.nan, np.nan)).runs, 100, 0, 20)
    text = sentences.votes(bare, "PublicTest").markdown
    assert text == "No image of PublicTest has a majority for one of the expressions."


def test_the_table_has_both_accuracies_and_where_errors_lie() -> None:
    shown = tables.votes(made((0.6, 0.7, 0.3)), "PublicTest")
    assert isinstance(shown, Table)
    assert shown.frame.iloc[0].tolist() == ["m0", *["50.0 ± 0.0", "60.0 ± 0.0"], "70.0 ± 0.0",
                                            "30.0 ± 0.0", 20.0]  # fmt: skip
    assert "all 100 images, then of the 70 for which a majority" in shown.caption
    assert "20 disputed images, which have no majority, ties included, and 10 with" in shown.caption
    shown._repr_mimebundle_()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Drawn rows as fer2013.csv, and votes of ten: rows in turn agree, disagree and see no face."""
    faces = random_faces(112)
    table, votes = tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv"
    table.write_text(csv_text(faces))
    places = {label: place for place, label in enumerate(LABELS)}
    counts = np.zeros((112, 10), int)
    for row, label in enumerate(faces.labels):
        given = {0: {places[label]: 10}, 1: {0: 5, 1: 5}, 2: {9: 10}}[row % 3]
        counts[row, list(given)] = list(given.values())
    lines = [
        f"{usage},fer.png,{','.join(map(str, row))}"
        for usage, row in zip(faces.splits, counts, strict=True)
    ]
    votes.write_text("\n".join([HEADER, *lines, ""]))
    return table, votes


def test_a_study_holds_its_networks_against_votes_and_its_runs_know_nothing_of_them(
    files: tuple[Path, Path],
) -> None:
    table, votes = files
    given = {"DATA": str(table), "BUDGETS": [10_000], "SEEDS": [0], "EPOCHS": 1, "BATCH": 8}
    this = study.begin({**given, "FERPLUS": str(votes)})
    trained = this.train(this.family("cnn"))
    kept = this.store.names()
    found = this.voted(trained, "PublicTest")
    assert found is not None
    public = np.flatnonzero(this.faces.splits == "PublicTest")
    assert found.images == len(public) == 28
    assert found.chosen == sum(public % 3 == 0)
    assert found.disputed == sum(public % 3 == 1)
    assert found.agree == 1
    row = found.runs.iloc[0]
    assert row["own"] == pytest.approx(row["PublicTest"], abs=1 / 28)  # float16 has ties
    assert row["own_chosen"] == row["chosen"]
    without = study.begin(given)
    assert list(without.train(without.family("cnn"))["run_id"]) == list(trained["run_id"])
    assert this.store.names() == kept
    assert without.voted(trained, "PublicTest") is None


def test_votes_that_do_not_fit_are_refused_before_anything_is_trained(
    files: tuple[Path, Path],
) -> None:
    with pytest.raises(DataError, match=r"FER\+ votes belong to the rows of fer2013\.csv"):
        study.begin({"FERPLUS": str(files[1])})
    with pytest.raises(DataError, match="expected columns usage,image name"):
        study.begin({"DATA": str(files[0]), "FERPLUS": str(files[0])})
    assert load(files[0]).votes is None


def test_the_report_hands_votes_to_the_notebooks_that_ask_for_them(
    files: tuple[Path, Path],
) -> None:
    paths = find(NOTEBOOKS)
    quick = NOTEBOOKS / "presets" / "quick.yaml"
    given = resolve(paths, paths, quick, {"FERPLUS": files[1].name}, files[1].parent)
    asked = {path.name for path, values in given.items() if values.get("FERPLUS") == str(files[1])}
    assert "q4_comparison.ipynb" in asked
    with pytest.raises(ReportError, match=r"no such file .*Give FERPLUS=path/to/fer2013new\.csv"):
        resolve(paths, paths, quick, {"FERPLUS": "gone.csv"}, files[1].parent)
