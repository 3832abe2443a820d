from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from fercore.report.notebooks import ReportError, find, select
from fercore.report.parameters import (
    ParameterError,
    assignments,
    convert,
    declared,
    find_preset,
    resolve,
)

CELL = """# Where the faces are
DATA = "synthetic"
EPOCHS = 5  # passes, a = b in a comment
SEEDS = [0, 1]  # one run each
RATE = 0.003
FLIP = True
LIMIT = None
"""


def notebook(folder: Path, name: str, source: str = CELL) -> Path:
    cell = new_code_cell(source)  # type: ignore[no-untyped-call]
    cell.metadata["tags"] = ["parameters"]
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=[cell]), path)  # type: ignore[no-untyped-call]
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notebooks" / "presets").mkdir(parents=True)
    here = tmp_path / "notebooks"
    notebook(here, "q1_one")
    notebook(here, "q2_two", 'DATA = "synthetic"\nBUDGETS = [1, 2]  # sizes\n')
    notebook(here, "data_and_method", 'DATA = "synthetic"\n')
    (here / "presets" / "quick.yaml").write_text("EPOCHS: 3\nBUDGETS: [7]\n")
    return here


def resolved(folder: Path, *texts: str, only: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    available = find(folder)
    found = resolve(
        select(available, only),
        available,
        find_preset("quick", folder),
        assignments(texts),
        base=folder,
    )
    return {path.stem: values for path, values in found.items()}


def test_cell_is_read_with_defaults_and_comments(folder: Path) -> None:
    found = declared(folder / "q1_one.ipynb")
    assert list(found) == ["DATA", "EPOCHS", "SEEDS", "RATE", "FLIP", "LIMIT"]
    assert found["DATA"].comment == "Where the faces are"
    assert found["EPOCHS"].comment == "passes, a = b in a comment"
    assert found["SEEDS"].default == [0, 1]


def test_questions_come_first(folder: Path) -> None:
    assert [path.stem for path in find(folder)] == ["q1_one", "q2_two", "data_and_method"]


def test_each_notebook_gets_what_it_has(folder: Path) -> None:
    found = resolved(folder, "SEEDS=4,5", "FLIP=no")
    assert found["q1_one"] == {"EPOCHS": 3, "SEEDS": [4, 5], "FLIP": False}
    assert found["q2_two"] == {"BUDGETS": [7]}


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("3", 5, 3),
        ("1e-3", 0.1, 0.001),
        ("0,1,2", [0], [0, 1, 2]),
        ("[0, 1]", [0], [0, 1]),
        ("a-cnn-29k,b", ["x"], ["a-cnn-29k", "b"]),
        ("true", False, True),
        ("a=b", "x", "a=b"),
        ("None", 5, None),
        (None, 5, None),
        (3, 0.5, 3.0),
        ("12", None, 12),
    ],
)
def test_values_take_the_type_of_the_default(text: Any, default: Any, value: Any) -> None:
    assert convert("NAME", text, default) == value


@pytest.mark.parametrize(
    ("text", "default"), [("three", 5), ("1.5", 5), ("nan", 0.5), ("maybe", True), ("1,x", [0])]
)
def test_a_value_of_another_type_is_refused(text: str, default: Any) -> None:
    with pytest.raises(ParameterError, match="expected"):
        convert("NAME", text, default)


def test_unknown_name_lists_those_there_are(folder: Path) -> None:
    with pytest.raises(ParameterError) as caught:
        resolved(folder, "EPOCS=3")
    message = str(caught.value)
    assert "did you mean EPOCHS?" in message
    assert "SEEDS = [0, 1]" in message
    assert "# one run each" in message


def test_a_name_of_another_notebook_is_unknown_to_this_one(folder: Path) -> None:
    with pytest.raises(ParameterError, match="BUDGETS is no parameter of q1_one"):
        resolved(folder, "BUDGETS=3", only=("q1",))


def test_a_preset_key_that_no_notebook_has_is_refused(folder: Path) -> None:
    (folder / "presets" / "quick.yaml").write_text("EPOCS: 3\n")
    with pytest.raises(ParameterError, match=r"preset quick\.yaml: EPOCS"):
        resolved(folder)


def test_unknown_preset_and_notebook_list_those_there_are(folder: Path) -> None:
    with pytest.raises(ParameterError, match="there are: quick"):
        find_preset("fast", folder)
    with pytest.raises(ReportError, match="there are: q1, q2, data"):
        select(find(folder), ["q9"])


def test_a_path_is_made_absolute_and_must_exist(folder: Path) -> None:
    (folder / "faces.csv").write_text("")
    assert resolved(folder, "DATA=faces.csv")["q2_two"]["DATA"] == str(folder / "faces.csv")
    with pytest.raises(ParameterError, match=r"DATA=gone\.csv: no such file .* make data"):
        resolved(folder, "DATA=gone.csv")


def test_a_path_of_the_preset_that_is_replaced_need_not_exist(folder: Path) -> None:
    (folder / "presets" / "quick.yaml").write_text("DATA: gone\n")
    assert resolved(folder, "DATA=synthetic")["q1_one"]["DATA"] == "synthetic"
    with pytest.raises(ParameterError, match="DATA=gone: no such file"):
        resolved(folder)


@pytest.mark.parametrize("text", ["EPOCHS", "=3", "MY EPOCHS=3"])
def test_malformed_assignment(text: str) -> None:
    with pytest.raises(ParameterError, match="expected NAME=VALUE"):
        assignments([text])
