"""What figures, tables and provenances give to Jupyter and to the report."""

from __future__ import annotations

import base64
import json
import math
import struct

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from fercore.display import (
    MISSING,
    PROVENANCE_MIME,
    DisplayError,
    Figure,
    Provenance,
    Table,
    percent,
    signed,
)
from tests.executed_notebooks import HOSTILE, drawing, figure, provenance, run, table


def html(shown: Figure | Table | Provenance) -> BeautifulSoup:
    return BeautifulSoup(shown._repr_mimebundle_()[0]["text/html"], "html.parser")


def cells(shown: Table) -> list[list[str]]:
    rows = html(shown).select("tbody tr")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in rows]


def sides(shown: Table) -> list[list[str]]:
    """Alignment of each cell, by row."""
    rows = html(shown).find_all("tr")
    return [
        [str(cell["style"]).split()[1].rstrip(";") for cell in row.find_all(["th", "td"])]
        for row in rows
    ]


def one(**columns: list[object]) -> Table:
    return Table(pd.DataFrame(columns), caption="One.", name="one")


def test_figure_is_shown_as_svg_with_its_texts() -> None:
    data, metadata = figure(note="Drawn.")._repr_mimebundle_()
    assert set(data) == {"image/svg+xml", "image/png", "text/html", "text/plain"}
    assert metadata["fercore"] == {
        "kind": "figure",
        "name": "curve",
        "caption": "Accuracy by size.",
        "alt": "A rising line.",
        "note": "Drawn.",
    }
    assert data["text/plain"] == "[Figure] Accuracy by size. Drawn.\nA rising line."
    shown = BeautifulSoup(data["text/html"], "html.parser")
    assert shown.figure is not None
    assert shown.figure["id"] == "fig-curve"
    assert shown.figure.get_text() == "Accuracy by size. Drawn."
    assert shown.img is not None
    assert shown.img["alt"] == "A rising line."
    uri = str(shown.img["src"]).removeprefix("data:image/svg+xml;base64,")
    assert base64.b64decode(uri).decode() == data["image/svg+xml"]


def test_raster_figure_has_no_svg() -> None:
    data, _ = figure(raster=True)._repr_mimebundle_()
    assert "image/svg+xml" not in data
    assert 'src="data:image/png;base64,' in data["text/html"]


@pytest.mark.parametrize("raster", [False, True])
def test_figure_is_as_wide_on_screen_as_it_was_drawn(raster: bool) -> None:
    data, _ = figure(raster=raster)._repr_mimebundle_()
    shown = BeautifulSoup(data["text/html"], "html.parser").img
    assert shown is not None
    png = base64.b64decode(data["image/png"])
    inches = struct.unpack(">I", png[16:20])[0] / 200
    assert int(str(shown["width"])) == pytest.approx(96 * inches, abs=2)


def test_same_figure_gives_the_same_bytes() -> None:
    first, again = figure()._repr_mimebundle_()[0], figure()._repr_mimebundle_()[0]
    assert first == again
    assert "<dc:date>" not in first["image/svg+xml"]


def test_svg_holds_its_letters_as_paths() -> None:
    labelled = drawing()
    labelled.axes[0].set_xlabel("parameters")
    shown = Figure(labelled, caption="Labelled.", alt="A line.", name="labelled")
    assert "<text" not in shown._repr_mimebundle_()[0]["image/svg+xml"]


def test_figure_is_not_shown_a_second_time_by_pyplot() -> None:
    drawn, _ = plt.subplots(figsize=(1, 1))
    number = drawn.number
    assert number in plt.get_fignums()
    Figure(drawn, caption="Bare.", alt="Axes.", name="bare")
    assert number not in plt.get_fignums()


def test_figure_texts_are_escaped() -> None:
    shown = figure(caption=HOSTILE, alt=f'"{HOSTILE}', note=HOSTILE)
    soup = html(shown)
    assert soup.script is None
    assert soup.img is not None
    assert soup.img["alt"] == f'"{HOSTILE}'
    assert soup.get_text() == f"{HOSTILE} {HOSTILE}"


def test_table_is_shown_with_its_texts() -> None:
    data, metadata = table(note="Drawn.")._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain", "text/csv"}
    assert metadata["fercore"] == {
        "kind": "table",
        "name": "sizes",
        "caption": "Two networks.",
        "note": "Drawn.",
    }
    assert cells(table()) == [["MobileNet", "61.2%"], ["plain CNN", "58.7%"]]
    assert html(table()).select_one("figure#tab-sizes figcaption") is not None


def test_table_texts_are_escaped() -> None:
    frame = pd.DataFrame({HOSTILE: [HOSTILE], f"{HOSTILE}2": [f"{HOSTILE}2"]})
    shown = Table(frame, caption=HOSTILE, note=HOSTILE, name="hostile")
    soup = html(shown)
    assert soup.script is None
    assert [tag.get_text() for tag in soup.find_all("th", scope="col")] == list(frame.columns)
    assert cells(shown) == [[HOSTILE, f"{HOSTILE}2"]]


def test_numbers_stand_right_and_words_left() -> None:
    shown = one(
        network=["a", "b"],
        count=[1, 2],
        share=[0.5, None],
        spread=["65.2 ± 0.4 %", MISSING],
        mixed=["3", "three"],
        empty=[None, None],
    )
    kinds = ["left", "right", "right", "right", "left", "left"]
    assert sides(shown) == [kinds] * 3


def test_first_cell_heads_its_row() -> None:
    soup = html(table())
    assert [tag.get_text() for tag in soup.find_all("th", scope="row")] == [
        "MobileNet",
        "plain CNN",
    ]
    assert len(soup.select("thead th[scope=col]")) == 2


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_missing_value_is_a_dash(missing: object) -> None:
    assert cells(one(name=["a"], value=[missing])) == [["a", MISSING]]


def test_missing_value_is_a_dash_whatever_the_format() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "share": [0.5, None]})
    shown = Table(frame, caption="One.", name="one", formats={"share": ".1%"})
    assert cells(shown) == [["a", "50.0%"], ["b", MISSING]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (np.int64(-1200), "−1,200"),
        (0.123456, "0.1235"),
        (12345.678, "12,346"),
        (np.float32(-0.5), "−0.5"),
        (True, "yes"),
        (np.False_, "no"),
        ("as-is", "as-is"),
    ],
)
def test_values_without_a_format(value: object, text: str) -> None:
    assert cells(one(name=["a"], value=[value])) == [["a", text]]


def test_csv_holds_unformatted_values() -> None:
    data, _ = table()._repr_mimebundle_()
    assert data["text/csv"] == "network,accuracy\nMobileNet,0.612\nplain CNN,0.587\n"


def test_index_becomes_a_column_unless_it_only_counts() -> None:
    frame = pd.DataFrame({"count": [3]}, index=pd.Index(["happy"], name="emotion"))
    shown = Table(frame, caption="One.", name="one", formats={"emotion": ""})
    assert cells(shown) == [["happy", "3"]]
    assert cells(table())[0][0] == "MobileNet"


def test_column_levels_are_joined() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("c", "")]))
    heads = html(Table(frame, caption="One.", name="one")).find_all("th", scope="col")
    assert [head.get_text() for head in heads] == ["a b", "c"]


def test_columns_of_the_same_name_are_both_shown() -> None:
    frame = pd.DataFrame([["a", 1, 2.5]], columns=["name", "x", "x"])
    shown = Table(frame, caption="Twice.", name="twice")
    assert cells(shown) == [["a", "1", "2.5"]]


def test_format_of_an_unknown_column_names_the_known_ones() -> None:
    with pytest.raises(DisplayError, match=r"table sizes: .*'acuracy'.*has network, accuracy"):
        table(formats={"acuracy": ".1%"})


@pytest.mark.parametrize("name", ["", "Curve", "a b", "a--b", "-a", "a_b", "a\n", "é"])
def test_name_that_is_no_anchor_is_refused(name: str) -> None:
    with pytest.raises(DisplayError, match="expected lower case"):
        figure(name)
    with pytest.raises(DisplayError, match="expected lower case"):
        table(name)


def test_empty_texts_are_refused() -> None:
    with pytest.raises(DisplayError, match="curve: alt is empty"):
        figure(alt=" ")
    with pytest.raises(DisplayError, match="sizes: caption is empty"):
        table(caption="")


def test_provenance_is_json_with_nan_as_null() -> None:
    shown = Provenance(
        {
            "notebook": "q1_size",
            "data": {"source": "synthetic", "counts": {"Training": np.int64(7)}},
            "runs": [run("0123456789ab", seconds=float("inf"), epochs=np.int64(2))],
            "parameters": {"SEEDS": (0, 1)},
        }
    )
    data, metadata = shown._repr_mimebundle_()
    assert set(data) == {PROVENANCE_MIME, "text/html", "text/plain"}
    assert metadata == {"fercore": {"kind": "provenance", "name": "q1_size"}}
    content = json.loads(json.dumps(data[PROVENANCE_MIME], allow_nan=False))
    assert content["runs"][0]["accuracy"] == {"PublicTest": 0.512, "PrivateTest": None}
    assert content["runs"][0]["seconds"] is None
    assert content["runs"][0]["epochs"] == 2
    assert content["data"]["counts"] == {"Training": 7}
    assert content["parameters"] == {"SEEDS": [0, 1]}


def test_provenance_shows_its_runs_folded() -> None:
    failed = run("ffffffffffff", failure="diverged")
    soup = html(provenance("q1_size", run("0123456789ab", commit="a" * 40), failed))
    assert soup.details is not None
    assert not soup.details.has_attr("open")
    assert soup.summary is not None
    assert soup.summary.get_text() == "Provenance: 2 runs, data synthetic (abc123)"
    facts, runs = soup.find_all("table")
    assert "2 CPU cores" in facts.get_text()
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in runs.select("tr")]
    assert rows[0][-4:] == ["PublicTest %", "PrivateTest %", "device", "commit"]
    assert rows[1][-4:] == ["51.2", MISSING, "cpu fp32", "a" * 9]
    assert rows[2][-4:] == ["failed", "failed", "cpu fp32", MISSING]


def test_provenance_is_escaped() -> None:
    data = {"source": HOSTILE, "fingerprint": HOSTILE, HOSTILE: HOSTILE}
    shown = Provenance({"notebook": "q1", "data": data, "runs": [run(HOSTILE, network=HOSTILE)]})
    assert html(shown).script is None
    assert HOSTILE in html(shown).get_text()


def test_provenance_without_runs_says_so() -> None:
    assert "No runs." in html(provenance("data")).get_text()


def test_provenance_names_what_it_lacks() -> None:
    with pytest.raises(DisplayError, match="provenance lacks data, runs"):
        Provenance({"notebook": "q1"})


@pytest.mark.parametrize(
    ("lead", "high", "text"),
    [
        (0.012, 0.02, "+1.2 ± 0.8"),
        (-0.009, 0.0895, "−0.9 ± 9.8"),
        (0.0532, 0.2, "+5 ± 15"),
        (-0.002, 0.0976, "+0 ± 10"),
        (-0.0004, 0.01, "+0.0 ± 1.0"),
        (0.05, math.nan, "+5.0"),
        (math.nan, math.nan, None),
    ],
)
def test_a_number_has_the_decimals_that_its_interval_supports(
    lead: float, high: float, text: str | None
) -> None:
    assert signed(lead, high) == text


def test_a_mean_is_rounded_with_its_interval() -> None:
    assert percent(0.5772, 0.6572) == "57.7 ± 8.0"
    assert percent(0.5772, 0.7072) == "58 ± 13"
    assert percent(math.nan) == "failed"
