from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer

from fercore import analysis, figures, tables
from tests.tables_of_runs import runs

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@pytest.fixture
def table() -> pd.DataFrame:
    return runs(
        ("m1", "mobilenet", 10_000, [0.50, 0.52]),
        ("m2", "mobilenet", 100_000, [0.60, 0.62]),
        ("c1", "cnn", 10_100, [0.40, 0.42]),
        ("c2", "cnn", 101_000, [0.70, math.nan]),
    )


def test_scatter_says_what_it_shows(table: pd.DataFrame) -> None:
    summary = analysis.summarise(table, "PublicTest")
    theirs = pd.DataFrame(
        {"report": ["A"], "family": ["cnn"], "params_trainable": [28_679], "accuracy": [0.55]}
    )
    shown = figures.size_against_accuracy(
        table, summary, "PublicTest", published=theirs, note="Synthetic."
    )
    assert "plain CNN 101,000 parameters 70.0 %" in shown.alt
    assert shown.note == "Synthetic."
    axes = shown.figure.axes[0]
    assert axes.get_xscale() == "log"
    assert any("means cross at" in text.get_text() for text in axes.texts)
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert [float(np.asarray(line.get_ydata())[0]) for line in hollow] == [pytest.approx(55.0)]


def test_lead_is_hollow_until_it_is_shown(table: pd.DataFrame) -> None:
    pairs = analysis.matched_pairs(table, "PublicTest")
    shown = figures.leads(pairs.assign(verdict=["ahead", "undecided"]), "PublicTest")
    bars = shown.figure.axes[0].containers
    points = [bar.lines[0] for bar in bars if isinstance(bar, ErrorbarContainer)]
    assert [line.get_markerfacecolor() for line in points] == ["#0173b2", "white"]


def test_confusion_rows_are_percent_of_the_true_class() -> None:
    matrix = np.diag([4] * 7)
    matrix[0, 2] = 4
    shown = figures.confusions({"m1": matrix}, CLASSES, "PublicTest", note="")
    assert "angry read as fear 50 %" in shown.alt


def test_faces_keep_their_place() -> None:
    images = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3, 1, 1) * np.ones(
        (1, 1, 4, 4), dtype=np.uint8
    )
    shown = figures.faces(images, ["a", "b"], [], "caption")
    drawn = np.asarray(shown.figure.axes[0].images[0].get_array())
    assert drawn.shape == (8, 12)
    assert drawn[5, 9] == 5


def test_networks_prints_interval_failure_and_absence(table: pd.DataFrame) -> None:
    shown = tables.networks(table, name="networks", caption="Networks.")
    by_name = shown.frame.set_index("network")
    assert by_name.loc["c2", "seeds"] == 1
    assert "±" in str(by_name.loc["m1", "PublicTest %"])
    assert "A test split that is not shown has no labelled rows" in shown.caption
    gone = runs(("m", "mobilenet", 100, [math.nan]), ("c", "cnn", 100, [0.5]))
    failed = tables.networks(gone, name="networks", caption="Networks.").frame
    assert failed.set_index("network").loc["m", "PublicTest %"] == "failed"


def test_published_figures_stand_beside_ours_where_there_are_any(table: pd.DataFrame) -> None:
    theirs = pd.DataFrame(
        {
            "network": ["m1"],
            "report": ["B"],
            "epochs": [None],
            "split": ["validation"],
            "accuracy": [0.6],
            "note": ["x"],
        }
    )
    shown = tables.published(theirs, analysis.summarise(table, "PublicTest"), "PublicTest")
    assert shown.frame["here, PublicTest %"].item() == pytest.approx(51)
    alone = tables.published(
        theirs.assign(network="x"), analysis.summarise(table, "PublicTest"), "PublicTest"
    )
    assert "here, PublicTest %" not in alone.frame


@pytest.mark.parametrize(
    ("count", "text"), [(950, "950"), (10_012, "10k"), (31_600, "31.6k"), (1_330_439, "1.33M")]
)
def test_short_counts(count: int, text: str) -> None:
    assert figures.short(count) == text
