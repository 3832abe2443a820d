from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.text import Annotation

from fercore import analysis, figures, tables
from fercore.data.faces import SYNTHETIC_NOTE
from fercore.display import Figure, Table, Text
from fercore.display.table import html_table
from tests.tables_of_runs import compared, means, pairs, runs, summary

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

Shown = TypeVar("Shown", Figure, Table, Text)


def shows(shown: object, kind: type[Shown]) -> Shown:
    """What is shown, which must be of this kind."""
    assert isinstance(shown, kind)
    return shown


@pytest.fixture
def table() -> pd.DataFrame:
    return runs(
        ("m1", "mobilenet", 10_000, [0.50, 0.52]),
        ("m2", "mobilenet", 100_000, [0.60, 0.62]),
        ("c1", "cnn", 10_100, [0.40, 0.42]),
        ("c2", "cnn", 101_000, [0.70, math.nan]),
    )


def test_scatter_says_who_takes_no_part_in_the_lines() -> None:
    sizes = (10_000, 100_000)
    several = runs(*((f"{f}{n}", f, n, [0.5, 0.6]) for f in ("mobilenet", "cnn") for n in sizes))
    one = pd.concat([several, runs(("alone", "cnn", 10**6, [0.7]))])
    for table, said in ((several, False), (one, True)):
        shown = figures.size_against_accuracy(
            table, summary(table), "PublicTest", compared(table)
        ).caption
        assert ("a single seed take no part" in shown) == said


@pytest.mark.parametrize("cross", [True, False])
def test_scatter_names_a_grey_band_where_it_has_one(cross: bool) -> None:
    """Some replicates cross even where the means do not."""
    last = [0.595, 0.599] if cross else [0.605, 0.609]
    table = runs(
        ("m1", "mobilenet", 10_000, [0.504, 0.508]),
        ("m2", "mobilenet", 100_000, last),
        ("c1", "cnn", 10_000, [0.498, 0.502]),
        ("c2", "cnn", 100_000, [0.598, 0.602]),
    )
    curves = compared(table)
    assert bool(curves.crossings) == cross
    assert not math.isnan(curves.low)
    shown = figures.size_against_accuracy(table, summary(table), "PublicTest", curves)
    assert len(shown.figure.axes[0].patches) == cross
    share = f"({100 * curves.shares['mobilenet first']:.1f} % of all)"
    assert ("Grey" in shown.caption, share in shown.caption) == (cross, cross)


def test_scatter_says_what_it_shows(table: pd.DataFrame) -> None:
    theirs = pd.DataFrame(
        {"report": ["A"], "family": ["cnn"], "params_trainable": [28_679], "accuracy": [0.55]}
    )
    shown = figures.size_against_accuracy(
        table,
        summary(table),
        "PublicTest",
        compared(table),
        published=theirs,
        note="Synthetic.",
    )
    assert "plain CNN 101,000 parameters 70.0 %" in shown.alt
    assert shown.note == "Synthetic."
    axes = shown.figure.axes[0]
    assert axes.get_xscale() == "log"
    assert any("means cross at" in text.get_text() for text in axes.texts)
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert [float(np.asarray(line.get_ydata())[0]) for line in hollow] == [pytest.approx(55.0)]


def test_a_shorter_curve_is_not_called_a_failed_run() -> None:
    """Networks may have epochs of their own (EPOCHS = None)."""
    rows = [(name, epoch) for name, last in (("a", 3), ("b", 2)) for epoch in range(1, last + 1)]
    history = pd.DataFrame(rows, columns=["network", "epoch"])
    history = history.assign(family="of my own", seed=0, train_loss=1.0, valid_accuracy=0.5)
    caption = figures.learning_curves(history).caption
    assert "did not stay finite stops before its last epoch" in caption


def test_learning_curves_have_their_familys_colour_and_names_that_do_not_touch() -> None:
    networks = [("cnn-10k", "cnn"), ("cnn-20k", "cnn"), ("mobilenet-20k", "mobilenet")]
    history = pd.DataFrame(
        [
            {"network": network, "family": family, "seed": seed, "epoch": epoch}
            for network, family in networks
            for seed in (0, 1)
            for epoch in (1, 2)
        ]
    ).assign(train_loss=1.0, valid_accuracy=lambda rows: 0.5 + rows["epoch"] / 100)
    shown = figures.learning_curves(history)
    shown.figure.draw_without_rendering()
    axes = shown.figure.axes[1]
    colours = {text.get_text(): text.get_color() for text in axes.texts}
    assert colours["mobilenet-20k"] == figures.COLOURS["mobilenet"]
    assert len({*colours.values(), figures.COLOURS["cnn"]}) == 4  # a lighter and a darker one
    assert {line.get_color() for line in axes.lines} == set(colours.values())
    boxes = sorted((box.y0, box.y1) for box in (t.get_window_extent() for t in axes.texts))
    assert all(below[1] <= above[0] for below, above in pairwise(boxes))


def test_names_of_many_networks_stay_beside_their_axes() -> None:
    names = [f"cnn-{size}k" for size in range(60)]
    history = pd.DataFrame({"network": names, "family": "cnn", "seed": 0, "epoch": 1})
    shown = figures.learning_curves(history.assign(train_loss=1.0, valid_accuracy=0.5))
    shown.figure.draw_without_rendering()
    axes = shown.figure.axes[1]
    low, high = axes.get_ylim()
    assert all(low < text.xy[1] < high for text in axes.texts if isinstance(text, Annotation))
    assert axes.get_position().height > 0.5


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("mobilenet-30k", "white-space: nowrap"),
        ("未" * 3, "white-space: nowrap"),
        ("未" * 30, "min-width: 10em"),
        ("no difference is shown at any of the sizes", "min-width: 10em"),
    ],
)
def test_names_stay_on_one_line_and_prose_does_not(text: str, style: str) -> None:
    assert f"text-align: left; {style}" in html_table(pd.DataFrame({"": [text]}), [False])


def test_lead_is_pale_until_it_is_shown_and_never_open_as_what_is_published(
    table: pd.DataFrame,
) -> None:
    found = pairs(table)
    given = found.assign(verdict=["ahead", "undecided"])
    shown = shows(figures.leads(given, "PublicTest"), Figure)
    bars = shown.figure.axes[0].containers
    points = [bar.lines[0] for bar in bars if isinstance(bar, ErrorbarContainer)]
    assert [line.get_markerfacecolor() for line in points] == ["#0173b2", figures.pale("#d55e00")]


def test_confusion_rows_are_percent_of_the_true_class() -> None:
    matrix = np.diag([4] * 7)
    matrix[0, 2] = 4
    shown = shows(figures.confusions({"m1": matrix}, CLASSES, "PublicTest", note=""), Figure)
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


def test_a_split_that_records_lack_is_no_failure(table: pd.DataFrame) -> None:
    mixed = table.assign(PrivateTest=table["PublicTest"])
    mixed.loc[mixed["network"] == "m1", "PrivateTest"] = math.nan  # both seeds made elsewhere
    mixed.loc[(mixed["network"] == "m2") & (mixed["seed"] == 0), "PrivateTest"] = math.nan
    lost = runs(("m3", "mobilenet", 500_000, [math.nan]))
    mixed = pd.concat([mixed, lost], ignore_index=True)
    shown = tables.networks(mixed, name="networks", caption="Networks.")
    private = shown.frame.set_index("network")["PrivateTest %"]
    assert pd.isna(private["m1"])
    assert (private["m2"], private["c2"], private["m3"]) == ("62.0", "70.0", "failed")
    assert "Not in the column of PrivateTest: those runs of m1, m2 that were" in shown.caption


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
    shown = tables.published(theirs, summary(table), "PublicTest")
    assert shown.frame["here, PublicTest %"].item().startswith("51.0 ± ")
    assert shown.frame["difference, points"].item().startswith("−9.0 ± ")
    assert "Difference: ours less theirs" in shown.caption
    for others, note in ((theirs.assign(split="public"), ""), (theirs, SYNTHETIC_NOTE)):
        unlike = tables.published(others, summary(table), "PublicTest", note=note)
        assert "difference, points" not in unlike.frame
        assert "Difference" not in unlike.caption
    both = pd.concat([theirs, theirs.assign(split="public")])
    given = tables.published(both, summary(table), "PublicTest").frame["difference, points"]
    assert list(given.isna()) == [False, True]
    alone = tables.published(theirs.assign(network="x"), summary(table), "PublicTest")
    assert "here, PublicTest %" not in alone.frame


@pytest.mark.parametrize(
    ("count", "text"),
    [(950, "950"), (10_012, "10k"), (31_600, "31.6k"), (999_571, "1M"), (1_330_439, "1.33M")],
)
def test_short_counts(count: int, text: str) -> None:
    assert figures.short(count) == text


def test_pairs_keep_the_two_kinds_of_interval_apart(table: pd.DataFrame) -> None:
    right = {"m1": np.arange(100)[None] < 60, "c1": np.arange(100)[None] < 40}
    both = analysis.over_images(pairs(table).head(1), right, np.random.default_rng(0))
    shown = shows(tables.pairs(both, "PublicTest"), Table)
    assert {"lead, points", "over seeds", "± images, points", "over images"} <= set(
        shown.frame.columns
    )
    assert "Neither contains the other" in shown.caption
    assert "from" not in shown.frame  # all are the sweep's
    reports = both.assign(report="A")
    assert list(shows(tables.pairs(reports, "PublicTest"), Table).frame["from"]) == ["A"]
    assert "± images, points" not in shows(tables.pairs(pairs(table), "PublicTest"), Table).frame
    bars = shows(figures.leads(both, "PublicTest"), Figure).figure.axes[0].containers
    assert len(bars) == 2


def test_budgets_show_the_winner_by_unit() -> None:
    seeds = [-0.001, 0.001]
    crossing = runs(
        ("m1", "mobilenet", 10_000, [0.50 + off for off in seeds]),
        ("m2", "mobilenet", 100_000, [0.60 + off for off in seeds]),
        ("c1", "cnn", 10_000, [0.40 + off for off in seeds]),
        ("c2", "cnn", 100_000, [0.70 + off for off in seeds]),
    )
    costs = summary(crossing).assign(latency_ms=[0.5, 0.2, 2.0, 1.0])
    units = analysis.budgets(costs, means(crossing))
    shown = tables.budgets(units, "PublicTest").frame.set_index("budget")
    row = shown.loc["trainable parameters"]
    assert row["by the means"] == "MobileNet ahead, then the plain CNN"
    assert str(row["smallest: lead, points"]).startswith("+10.0 ± ")
    assert str(row["cross at"]).startswith("31.6k (")
    assert re.fullmatch(
        r"126 kB \(\d+ kB to \d+ kB\)", str(shown.loc["bytes of the weight file", "cross at"])
    )
    assert shown.loc["milliseconds per image", "from"] == "0.5 ms"
    drawn = figures.budgets(units, "PublicTest")
    labels = [text.get_text() for axes in drawn.figure.axes for text in axes.texts]
    assert "means cross at 126k" in labels  # bytes, as on the axis
    assert "Grey: " in drawn.caption
    assert "trainable parameters: +10.0 ± " in drawn.alt
    assert len(drawn.figure.axes) == 4


def test_where_means_cross_more_than_once_no_interval_stands_beside() -> None:
    sizes = (10_000, 100_000, 1_000_000)
    found = runs(
        *[
            (f"{family}{size}", family, size, [mean - 0.03, mean + 0.03])
            for family, values in (("mobilenet", (0.5, 0.5, 0.7)), ("cnn", (0.4, 0.6, 0.61)))
            for size, mean in zip(sizes, values, strict=True)
        ]
    )
    several = compared(found)
    assert several.outcome == "several"
    assert several.low < several.high  # some replicates cross once
    (shown,) = tables.budgets([several], "PublicTest").frame["cross at"]
    assert "(" not in shown


@pytest.mark.parametrize("theirs", [(0.4, 0.6, 0.8), (0.4, 0.4, 0.8), (0.4, 0.6, 0.61)])
def test_the_label_of_crossings_stays_on_the_axes(theirs: tuple[float, ...]) -> None:
    found = runs(
        *[
            (f"{family}{size}", family, size, [mean - 0.01, mean + 0.01])
            for family, values in (("mobilenet", (0.5, 0.5, 0.7)), ("cnn", theirs))
            for size, mean in zip((10_000, 100_000, 1_000_000), values, strict=True)
        ]
    )
    shown = figures.size_against_accuracy(found, summary(found), "PublicTest", compared(found))
    axes = shown.figure.axes[0]
    shown.figure.canvas.draw()
    (label,) = (text for text in axes.texts if "means cross at" in text.get_text())
    inside, whole = label.get_window_extent(), axes.get_window_extent()
    assert whole.x0 <= inside.x0 < inside.x1 <= whole.x1


def test_a_budget_without_replicates_claims_no_share() -> None:
    one = runs(
        ("m1", "mobilenet", 10_000, [0.5]),
        ("m2", "mobilenet", 20_000, [0.6]),
        ("c1", "cnn", 10_000, [0.4]),
        ("c2", "cnn", 20_000, [0.7]),
    )
    shown = tables.budgets([compared(one)], "PublicTest").frame
    assert shown["never or more than once %"].isna().all()
    assert shown["smallest: lead, points"].item() == "+10.0"
    apart = tables.budgets([compared(one.head(1))], "PublicTest").frame
    assert apart["by the means"].item() == "no common budgets"


def test_the_difference_of_confusions_names_its_largest() -> None:
    ours, theirs = np.diag([4] * 7), np.diag([4] * 7)
    theirs[3] = [0, 0, 0, 1, 3, 0, 0]
    both = {"m": ours, "c": theirs}
    shown = shows(figures.confusion_difference(both, CLASSES, "valid", note=""), Figure)
    assert "happy read as" in shown.alt
    assert "75 points" in shown.alt


def test_reliability_says_what_is_claimed_and_what_is_reached() -> None:
    bins = pd.DataFrame({"confidence": [0.5, 0.9], "accuracy": [0.4, 0.6], "images": [50, 50]})
    shown = shows(figures.reliability({"m": bins}, {"m": "mobilenet"}, "valid", note=""), Figure)
    assert "m says 70 % and reaches 50 %" in shown.alt


def test_where_there_is_nothing_to_show_one_sentence_says_so(table: pd.DataFrame) -> None:
    none = runs(("m", "mobilenet", 100, [0.5]), ("c", "cnn", 100_000, [0.5]))
    first = [
        tables.calibration(table.head(0), "PublicTest"),
        figures.confusions({}, CLASSES, "valid", note=""),
        tables.pairs(pairs(none), "PublicTest"),
    ]
    assert all("Not shown here: " in shows(said, Text).markdown for said in first)
    second = [
        figures.reliability({}, {}, "valid", note=""),
        figures.confusion_difference({}, CLASSES, "valid", note=""),
        figures.leads(pairs(none), "PublicTest"),
        tables.classes(analysis.class_table({}, CLASSES)),
    ]
    assert all(said == Text("") for said in second)


def test_calibration_is_the_mean_over_seeds(table: pd.DataFrame) -> None:
    done = table[table["status"] == "done"].assign(confidence=0.8, ece=[0.1, 0.3] * 3 + [0.2])
    shown = shows(tables.calibration(done, "PublicTest"), Table).frame.set_index("network")
    assert shown.loc["m1", "ECE, points"] == pytest.approx(20)
    assert shown.loc["m1", "too sure by, points"] == pytest.approx(29)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (30_000, "params_trainable", "30k parameters"),
        (8_800_000, "macs", "8.8M multiply-adds"),
        (410_000, "file_bytes", "410 kB"),
        (0.612, "latency_ms", "0.61 ms"),
        (math.nan, "macs", "unknown"),
    ],
)
def test_amounts_have_their_unit(value: float, unit: str, text: str) -> None:
    assert figures.amount(value, unit) == text


def test_where_no_test_image_is_repeated_no_table_of_zeros_stands(table: pd.DataFrame) -> None:
    shown = shows(tables.unseen(table, "PublicTest"), Table)
    assert "3 images of PublicTest equal" in shown.caption
    none = tables.unseen(table.assign(PublicTest_repeated=0), "PublicTest", note="Drawn.")
    said = "No image of PublicTest equals, byte by byte, one of Training. Drawn."
    assert shows(none, Text).markdown == said
