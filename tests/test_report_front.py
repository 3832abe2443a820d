"""Title page and appendix: facts of the data and of the runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup

from fercore.report.appendix import appendix
from fercore.report.front import (
    Front,
    Request,
    describe_data,
    describe_runs,
    provenance,
)
from fercore.report.parameters import Parameter
from tests.executed_notebooks import (
    DATE,
    HOSTILE,
    code,
    front,
    notebook,
    run,
    text,
    three_chapters,
)
from tests.executed_notebooks import provenance as made

MACHINES = ("Hardware", "Hardware of the runs", "Report made on")


def source(notebook: str, *runs: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {"notebook": notebook, "data": {"source": "synthetic", **data}, "runs": list(runs)}


def fronted(*sources: dict[str, Any], **more: Any) -> Front:
    return Front(request=Request("quick"), date=DATE, sources=sources, **more)


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (Request("quick"), "make report PRESET=quick"),
        (Request("quick", {"EPOCHS": "2"}), "make report EPOCHS=2"),
        (Request("full", {"DATA": "my faces.csv"}), "make report PRESET=full 'DATA=my faces.csv'"),
        (
            Request("full", only=("q2", "q3")),
            "fercore report --preset full --only q2 --only q3",
        ),
    ],
)
def test_command_asks_for_the_same_again(request_: Request, command: str) -> None:
    assert request_.command == command


def test_facts_of_a_report() -> None:
    facts = dict(front(three_chapters(), settings={"SEEDS": [0, 1], "BUDGETS": []}).facts)
    assert facts["Data"] == (
        "synthetic · 1,400 Training, 350 PublicTest, no PrivateTest · fingerprint abc123"
    )
    assert facts["Preset"] == "quick"
    assert facts["Parameters"] == "SEEDS = 0, 1, BUDGETS = none"
    assert facts["Runs"] == "3 runs of 1 network"
    assert facts["Date"] == "17 May 2024, 09:30 UTC"
    assert facts["Code"].endswith("at commit c0ffeec0ffee")
    assert facts["Hardware"] == "cpu; 2 CPU cores"


def test_machine_of_the_runs_is_told_from_the_one_that_made_the_report() -> None:
    here = {"hardware": {"device": "a laptop", "processors": "2 CPU cores"}}
    ours, theirs = run("a", device="a laptop"), run("b", device="a big GPU")

    def machines(*runs: dict[str, Any]) -> dict[str, str]:
        facts = fronted({**source("q1", *runs), **here}).facts
        return {name: value for name, value in facts if name in MACHINES}

    assert machines(ours) == {"Hardware": "a laptop; 2 CPU cores"}
    assert machines(theirs, ours) == {
        "Hardware of the runs": "a big GPU; a laptop",
        "Report made on": "a laptop; 2 CPU cores",
    }


def test_unknown_facts_are_left_out() -> None:
    assert [name for name, _ in fronted().facts] == ["Preset", "Date", "Code"]
    assert fronted().commit == ""


def test_different_data_are_all_named() -> None:
    found = fronted(
        source("q1", fingerprint="one"),
        source("q2", fingerprint="one"),
        source("q3", fingerprint="two"),
    )
    assert [data["fingerprint"] for data in found.data] == ["one", "two"]


def test_file_is_named_without_its_folders() -> None:
    assert describe_data({"source": "/home/someone/fer2013.csv"}) == "fer2013.csv"
    found = fronted(source("q1", source="/home/someone/fer2013.csv", fingerprint="one"))
    assert "someone" not in str(found.facts) + str(appendix(found))
    given = {"DATA": "/home/someone/fer2013.csv"}
    declared = {"q1": {"DATA": Parameter("DATA", "synthetic", "where the faces are")}}
    found = replace(found, settings=given, parameters=declared)
    assert ("Parameters", "DATA = fer2013.csv") in found.facts
    assert ">fer2013.csv</td>" in appendix(found)["parameters"]
    assert "someone" not in str(found.facts) + str(appendix(found))


def test_run_used_twice_is_listed_once() -> None:
    again = run("aaaaaaaaaaaa")
    found = fronted(source("q1_size", run("aaaaaaaaaaaa")), source("q4_both", again))
    (only,) = found.runs
    assert only["used"] == ["q1", "q4"]


def test_a_run_and_its_record_from_elsewhere_are_two() -> None:
    ours, theirs = run("0123456789ab"), run("0123456789ab", elsewhere=True)
    found = fronted(source("q2", ours), source("q6", theirs))
    assert [one["used"] for one in found.runs] == [["q2"], ["q6"]]
    assert appendix(found)["runs"].count('id="run-0123456789ab"') == 1


def table_of_runs(*runs: dict[str, Any]) -> tuple[str, list[list[str]]]:
    """Caption and rows of the appendix' table."""
    soup = BeautifulSoup(appendix(fronted(source("q1", *runs)))["runs"], "html.parser")
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.select("tr")]
    return soup.select("figcaption")[0].get_text(), rows


def test_what_is_the_same_for_all_runs_is_said_once() -> None:
    caption, rows = table_of_runs(*(run(name, commit="c0ffee") for name in "ab"))
    assert "The same for all of them: epochs 2, device cpu fp32, commit c0ffee." in caption
    assert not {"epochs", "device", "commit"} & set(rows[0])
    caption, rows = table_of_runs(run("a", device=None, dtype=None), run("b", device=None))
    assert "The same for all of them: epochs 2." in caption


def test_a_run_of_another_recipe_says_what_that_changes() -> None:
    caption, rows = table_of_runs(run("a", departures=""), run("b", departures="flip False"))
    assert "Differs in: where the recipe of a run departs from its question's." in caption
    place = rows[0].index("differs in")
    assert [row[place] for row in rows[1:]] == ["", "flip False"]
    caption, rows = table_of_runs(run("a", departures=""), run("b"))
    assert "differs in" not in rows[0]
    assert "Differs in" not in caption
    assert "In a network's name" not in caption


def test_what_names_of_networks_say_is_said() -> None:
    caption, _ = table_of_runs(run("a", network="cnn-25k-early"), run("b", network="cnn-25k"))
    assert "early: the image is halved before the blocks" in caption


def test_devices_of_runs_have_a_key() -> None:
    runs = [run("a", device=HOSTILE), run("b"), run("c", device=HOSTILE), run("d", epochs=3)]
    unknown = run("e", device=None, dtype=None)
    caption, rows = table_of_runs(*runs, unknown)
    assert f"Devices: D1 {HOSTILE} fp32; D2 cpu fp32." in caption
    place = rows[0].index("device")
    assert [row[place] for row in rows[1:]] == ["D1", "D2", "D1", "D2", ""]
    assert [row[rows[0].index("epochs")] for row in rows[1:]] == ["2", "2", "2", "3", "2"]
    assert "The same" not in caption


def test_runs_are_counted_with_their_failures() -> None:
    runs = [run("a"), run("b", network="other"), run("c", failure="diverged")]
    assert describe_runs(runs) == "3 runs of 2 networks, 1 failed"
    assert describe_runs(runs[:1]) == "1 run of 1 network"
    assert describe_runs([]) == ""


def test_last_provenance_of_a_notebook_counts() -> None:
    cells = code(made("q1", run("aaaaaaaaaaaa"))), code(made("q1", run("bbbbbbbbbbbb")))
    found = provenance(notebook(text("# One"), *cells))
    assert found is not None
    assert [one["run_id"] for one in found["runs"]] == ["bbbbbbbbbbbb"]
    assert provenance(notebook(text("# One"))) is None


def test_appendix_says_who_set_a_parameter() -> None:
    declared = {
        "q1": {"EPOCHS": Parameter("EPOCHS", 5, "passes"), "SEED": Parameter("SEED", 0, HOSTILE)},
        "q2": {"EPOCHS": Parameter("EPOCHS", 9, "passes"), "SEED": Parameter("SEED", 1, HOSTILE)},
    }
    html = appendix(fronted(settings={"EPOCHS": 3}, parameters=declared))["parameters"]
    soup = BeautifulSoup(html, "html.parser")
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.select("tr")]
    assert rows[1:] == [
        ["EPOCHS", "3", "preset or command", "passes", "q1 q2"],
        ["SEED", "0", "notebook", HOSTILE, "q1"],
        ["SEED", "1", "notebook", HOSTILE, "q2"],
    ]
