"""The chart to explore: what it holds, and that Vega-Lite draws it."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
import vl_convert
from bs4 import BeautifulSoup

from fercore import interactive, language
from fercore.display import CHART_MIME, Chart
from tests.tables_of_runs import runs, summary

SPLIT = "PublicTest"
PUBLISHED = pd.DataFrame(
    {
        "network": ["a-cnn-29k"],
        "report": ["A"],
        "family": ["cnn"],
        "params_trainable": [28_679],
        "macs": [1_000_000],
        "accuracy": [0.55],
    }
)


@pytest.fixture
def table() -> pd.DataFrame:
    return runs(
        ("m1", "mobilenet", 10_000, [0.50, 0.52]),
        ("m2", "mobilenet", 100_000, [0.60, 0.62]),
        ("c1", "cnn", 10_100, [0.40, 0.42]),
        ("c2", "cnn", 101_000, [math.nan, math.nan]),
    )


def drawn(table: pd.DataFrame, published: pd.DataFrame | None = None) -> Chart:
    return interactive.size_against_accuracy(table, summary(table), SPLIT, published=published)


def marks(chart: Chart) -> dict[str, dict[str, Any]]:
    """Rows of the chart's data by network."""
    (rows,) = chart.spec["datasets"].values() if "datasets" in chart.spec else ([],)
    rows = rows or chart.spec["layer"][0]["data"]["values"]
    return {row["network"]: row for row in rows}


def choices(chart: Chart) -> list[str]:
    (axis,) = [param for param in chart.spec["params"] if param["name"] == "axis"]
    return list(axis["bind"]["labels"])


def test_each_finished_network_tells_its_cost_accuracy_and_runs(table: pd.DataFrame) -> None:
    found = marks(drawn(table))
    assert set(found) == {"m1", "m2", "c1"}
    one = found["m1"]
    assert one["percent"] == pytest.approx(51)
    assert one["high"] - one["percent"] == pytest.approx(one["percent"] - one["low"])
    assert one["accuracy"] == f"51.0 ± {one['high'] - 51:.1f} %"
    assert one["runs"] == "m1-0, m1-1"
    assert one["params_trainable"] == 10_000
    assert one["told macs"] == "1,000,000"


def test_one_seed_has_no_interval(table: pd.DataFrame) -> None:
    one = marks(drawn(table[table["seed"] == 0]))["m1"]
    assert one["accuracy"] == "50.0 %"
    assert not {"low", "high"} & one.keys()


def test_published_figures_stand_where_their_cost_is_known(table: pd.DataFrame) -> None:
    theirs = marks(drawn(table, PUBLISHED))["a-cnn-29k"]
    assert theirs["kind"] == "published"
    assert theirs["macs"] == 1_000_000
    assert "file_bytes" not in theirs
    assert theirs["told file_bytes"] == "–"


def test_axes_are_those_that_the_runs_know(table: pd.DataFrame) -> None:
    known = ["trainable parameters", "Keras total parameters", "multiply-adds (MACs)", "file bytes"]
    assert choices(drawn(table)) == known
    assert choices(drawn(table.assign(latency_ms=2.5))) == [*known, "latency (ms)"]


@pytest.mark.parametrize("finished", [True, False])
def test_vega_lite_draws_it_in_the_version_of_jupyterlab(
    table: pd.DataFrame, finished: bool
) -> None:
    shown, _ = drawn(
        table if finished else table[table["network"] == "c2"], PUBLISHED
    )._repr_mimebundle_()
    svg = vl_convert.vegalite_to_svg(shown[CHART_MIME], vl_version="5.8")
    assert "MobileNet" in svg
    assert "log scale" in svg
    assert shown[CHART_MIME]["$schema"].endswith("vega-lite/v5.json")
    assert "text/html" not in shown


def test_only_equal_networks_of_other_sizes_are_joined(table: pd.DataFrame) -> None:
    def lines(chart: Chart) -> int:
        svg = vl_convert.vegalite_to_svg(chart._repr_mimebundle_()[0][CHART_MIME], vl_version="5.8")
        return svg.count('aria-roledescription="line mark"')

    before = lines(drawn(table))
    assert lines(drawn(table.assign(curve=table["family"]))) == before
    assert lines(drawn(table.assign(curve=table["network"]))) == before + 1


def test_any_translation_draws_the_same_marks(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words are shown, never looked up by nor read as an expression."""
    plain, spoilt = drawn(table, PUBLISHED), "d'un \"\\[a.b]: "
    marked = (interactive.AXES, interactive.KINDS, interactive.HEADS)
    texts = [text for part in marked for text in part.values()] + ["{unit} (log scale)"]
    words = {text: spoilt + text for text in texts}
    monkeypatch.setattr(language, "catalogue", lambda _: words)
    other = drawn(table, PUBLISHED)
    before, after = (
        BeautifulSoup(vl_convert.vegalite_to_svg(dict(chart.spec), vl_version="5.8"), "html.parser")
        for chart in (plain, other)
    )
    assert f"{2 * spoilt}trainable parameters (log scale)" in after.get_text()
    assert len(after.find_all("path")) == len(before.find_all("path")) > 10
    told = " ".join(str(mark["aria-label"]) for mark in after.select("path[aria-label]"))
    assert all(f"{spoilt}{head}: " in told for head in ("network", "kind", "accuracy", "runs"))


def test_chart_has_words_for_who_cannot_see_it(table: pd.DataFrame) -> None:
    chart = drawn(table)
    assert "m2: 100,000 trainable parameters, 61.0 ±" in chart.alt
    assert chart.spec["description"] == chart.alt
