from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from fercore import presets
from fercore.cli.report import report
from fercore.data import DataError
from fercore.presets import PresetError
from fercore.report.notebooks import ParameterError, ReportError, find, select
from fercore.report.parameters import assignments, declared, resolve
from fercore.setting import Setting, StudyError, check, typed
from tests.face_files import random_faces

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
    (here / "presets" / "quick.yaml").write_text("EPOCHS: 3\nBUDGETS: [7000]\n")
    return here


def resolved(folder: Path, *texts: str, only: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    available = find(folder)
    found = resolve(
        select(available, only),
        available,
        presets.find("quick", folder),
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


def test_a_folder_without_notebooks_is_named_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"no notebooks .* there; .* --notebooks"):
        find(tmp_path)


def test_each_notebook_gets_what_it_has(folder: Path) -> None:
    found = resolved(folder, "SEEDS=4,5", "FLIP=no")
    assert found["q1_one"] == {"EPOCHS": 3, "SEEDS": [4, 5], "FLIP": False}
    assert found["q2_two"] == {"BUDGETS": [7000]}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("EPOCHS", "3", 3),
        ("RATE", "1e-3", 0.001),
        ("SEEDS", "0,1,2", [0, 1, 2]),
        ("SEEDS", "[0, 1]", [0, 1]),
        ("LARGE", "", []),
        ("NETWORKS", "a-cnn-29k,b", ["a-cnn-29k", "b"]),
        ("FLIP", "false", False),
        ("FLIP", "Yes", True),
        ("DATA", "a=b", "a=b"),
        ("DATA", "None", "None"),
        ("EPOCHS", "None", None),
        ("EPOCHS", None, None),
        ("TRAIN_IMAGES", "none", None),
        ("FERPLUS", "", None),
        ("FERPLUS", "2013", "2013"),
        ("RATE", 3, 3.0),
    ],
)
def test_values_take_the_type_of_the_parameter(name: str, text: Any, value: Any) -> None:
    found = typed({name: text})[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("EPOCHS", "three", "EPOCHS: expected a whole number, found 'three'"),
        ("EPOCHS", "1.5", "EPOCHS: expected a whole number, found '1.5'"),
        ("EPOCHS", 3.5, "EPOCHS: expected a whole number, found 3.5"),
        ("RATE", "nan", "RATE: expected a finite number, found 'nan'"),
        ("FLIP", "maybe", "FLIP: expected True or False, found 'maybe'"),
        ("SEEDS", "0,,1", r"SEEDS\.1: expected a whole number, found ''"),
        ("SEEDS", "1,x", r"SEEDS\.1: expected a whole number, found 'x'"),
        ("SEEDS", "", r"SEEDS: expected a list of 1 or more, found \[\]"),
        ("limit", "3", "limit: no such parameter; there are DATA, "),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, text: Any, message: str) -> None:
    with pytest.raises(StudyError, match=f"^{message}"):
        typed({name: text})


@pytest.mark.parametrize("name", ["EPOCS", "epochs", "Epochs"])
def test_unknown_name_lists_those_there_are(folder: Path, name: str) -> None:
    with pytest.raises(ParameterError) as caught:
        resolved(folder, f"{name}=3")
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
    with pytest.raises(PresetError, match="there are: quick"):
        presets.find("fast", folder)
    with pytest.raises(ReportError, match="there are: q1, q2, data"):
        select(find(folder), ["q9"])


def test_a_path_is_made_absolute_and_must_exist(folder: Path) -> None:
    (folder / "faces.csv").write_text("")
    assert resolved(folder, "DATA=faces.csv")["q2_two"]["DATA"] == str(folder / "faces.csv")
    with pytest.raises(ParameterError, match=r"DATA=gone\.csv: no such file .* make data"):
        resolved(folder, "DATA=gone.csv")


def test_a_path_of_the_preset_counts_from_above_the_notebooks_wherever_one_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "faces.csv").write_text("")
    (folder / "presets" / "quick.yaml").write_text("DATA: faces.csv\n")
    monkeypatch.chdir(folder)
    assert resolved(Path())["q1_one"]["DATA"] == str(folder.parent / "faces.csv")


def test_a_path_of_the_preset_that_is_replaced_need_not_exist(folder: Path) -> None:
    (folder / "presets" / "quick.yaml").write_text("DATA: gone\n")
    assert resolved(folder, "DATA=synthetic")["q1_one"]["DATA"] == "synthetic"
    with pytest.raises(ParameterError, match="DATA=gone: no such file"):
        resolved(folder)


@pytest.mark.parametrize("text", ["EPOCHS", "=3", "MY EPOCHS=3"])
def test_malformed_assignment(text: str) -> None:
    with pytest.raises(ParameterError, match="expected NAME=VALUE"):
        assignments([text])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"EPOCHS: 3\nSEEDS: [1]\nEPOCHS: 4\n", "EPOCHS: expected once, found more than once"),
        (b"\xff\xfeE", "no valid YAML: .*utf-8"),
        (b"{" * 1_000, "no valid YAML"),
        (b"EPOCHS: !!python/object/apply:os.mkdir [pwned]\n", "no valid YAML"),
        (b"- 1\n", "expected lines NAME: value"),
        (b"1: 2\n", "expected lines NAME: value"),
        (b"EPOCHS: 2020-13-45\n", "no valid YAML: month must be in 1..12"),
        (b"EPOCHS: !!timestamp x\n", "no valid YAML: 'NoneType'"),
        (b"EPOCHS: " + b"9" * 5000, "no valid YAML: Exceeds the limit"),
        (b"epochs: 3\n", "expected lines NAME: value"),
        (b"EPOCHS: .nan\n", "EPOCHS: expected a finite number, found nan"),
        (b"EPOCHS: 2020-01-01\n", "EPOCHS: expected a whole number, found datetime.date"),
        (b"EPOCHS: true\n", "EPOCHS: expected no True or False, found True"),
        (b"RATE: .inf\n", "RATE: expected a finite number, found inf"),
        (b"SEEDS: 3\n", "SEEDS: expected a list, found 3"),
        (b"SEEDS: {a: 1}\n", "SEEDS: expected a list, found {'a': 1}"),
        (b"SEEDS: &a [*a]\n", r"SEEDS\.0: expected a whole number, found \["),
        (b"DATA: ~nobody-at-all/faces.csv\n", "DATA=~nobody-at-all/faces.csv: no such file"),
        (b'DATA: "a\\0b"\n', r"DATA=a\\x00b: no such file"),
    ],
)
def test_a_bad_preset_is_one_message_with_the_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.chdir(folder)
    (folder / "presets" / "quick.yaml").write_bytes(content)
    with pytest.raises((ParameterError, PresetError, StudyError), match=message):
        resolved(folder)
    assert not (folder / "pwned").exists()


@pytest.mark.parametrize("data", ["x" * 5000, "a/" * 5000, "~nobody-at-all", "a\0b", "a\nb"])
def test_a_path_that_cannot_be_is_one_message(folder: Path, data: str) -> None:
    with pytest.raises(ParameterError, match=r"DATA=.*: no such file or folder") as caught:
        resolved(folder, f"DATA={data}")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


HOSTILE = ["[" * 999, "9" * 9999, "1e999", "nan", "(", "{1:2}", "1,,2"]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=20) | st.sampled_from(HOSTILE), st.sampled_from([*Setting.model_fields]))
def test_any_text_is_a_value_of_the_type_or_short_lines_with_the_key(text: str, name: str) -> None:
    try:
        values, lines = typed({name: text}), []
    except StudyError as error:
        values, lines = {}, str(error).split("\n")
    assert all(line.startswith(name) and len(line) < 300 for line in lines)
    assert not any(
        re.search(r"[Ii]nput|[Ss]tring|validat|tuple", line.split(", found")[0]) for line in lines
    )
    assert typed(values) == values


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(list(Setting.model_fields)), VALUES, max_size=4))
def test_any_parameters_are_a_setting_or_one_message_with_a_key(values: dict[str, Any]) -> None:
    try:
        setting, lines = check(values), []
    except StudyError as error:
        setting, lines = Setting(), str(error).split("\n")
    assert all(line.partition(":")[0].partition(".")[0] in values for line in lines)
    assert not any("should" in line.split(", found")[0] for line in lines)
    assert setting.EPOCHS is None or setting.EPOCHS >= 1
    assert len(set(setting.SEEDS)) == len(setting.SEEDS) >= 1


@pytest.mark.parametrize(
    ("given_values", "message"),
    [
        (["BUDGETS=1000000000"], "BUDGETS: no mobilenet of depth 2 has 1,000,000,000 trainable"),
        (["BUDGETS=20000,20000"], "BUDGETS: each value once"),
        (["BUDGETS=20000,20300"], "BUDGETS: two of them are too close"),
        (["BUDGETS="], "BUDGETS: expected one number or more"),
        (["NETWORKS=a-cnn-29"], "NETWORKS: .*a-cnn-29"),
        (["SIZES=5000", "HYPOTHESES=head"], "SIZES or LARGE: no cnn of depth 2, head dense has"),
        (["EPOCHS=-1"], "EPOCHS: expected 1 or more, found '-1'"),
        (["SEEDS=1,1"], "SEEDS: each value once"),
        (["SEEDS=1,one"], r"SEEDS\.1: expected a whole number, found 'one'"),
        (["TRAIN_IMAGES=100000"], "expected at least 100,000 labelled Training rows"),
        (["EPOCS=1"], r"EPOCS is no parameter of .*did you mean EPOCHS"),
    ],
)
def test_the_report_refuses_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, given_values: list[str], message: str
) -> None:
    def build(*_: object, **__: object) -> list[Path]:
        raise AssertionError("something ran")

    monkeypatch.setattr("fercore.report.build", build)
    monkeypatch.setattr("fercore.data.load", lambda source, **_: random_faces(200))
    texts = [*given_values, *([] if "TRAIN" in given_values[0] else ["TRAIN_IMAGES=80"])]
    with pytest.raises((ParameterError, StudyError, DataError), match=message):
        report(settings=texts, notebooks=Path(__file__).parents[1] / "notebooks")
