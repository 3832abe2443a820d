"""The notebooks keep their form, and each runs from top to bottom on a tiny preset."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest

from fercore import presets
from fercore.report.notebooks import find
from fercore.report.parameters import declared
from fercore.setting import Setting, check

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = find(FOLDER)
QUESTIONS = [path for path in NOTEBOOKS if path.name.startswith("q")]
ALLOWED = {
    "fercore": {
        "analysis",
        "archive",
        "figures",
        "inside",
        "interactive",
        "material",
        "sentences",
        "study",
        "tables",
    },
    "fercore.experiments": {"verdicts", "why"},
}


def cells(path: Path) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def body(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in cells(path) if "parameters" not in cell.metadata.get("tags", [])]


def test_all_questions_are_there() -> None:
    assert [path.name[:2] for path in QUESTIONS] == ["q1", "q2", "q3", "q4", "q5", "q6"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_form(path: Path) -> None:
    for cell in body(path):
        assert len(cell.source.splitlines()) <= 6, cell.source
        nodes = list(ast.walk(ast.parse(cell.source)))
        assert not any(isinstance(node, ast.FunctionDef | ast.Lambda) for node in nodes)
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                assert {name.name for name in node.names} <= ALLOWED[node.module or ""]
            assert not isinstance(node, ast.Import)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_outputs_are_committed(path: Path) -> None:
    assert all(not cell.outputs and cell.execution_count is None for cell in cells(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_parameters_are_documented_and_known(path: Path) -> None:
    parameters = declared(path)
    assert parameters
    assert all(parameter.comment for parameter in parameters.values())
    check({name: parameter.default for name, parameter in parameters.items()})


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_it_ends_with_its_provenance(path: Path) -> None:
    assert body(path)[-1].source == f'this.provenance("{path.stem}")'


def test_defaults_are_those_of_the_quick_preset() -> None:
    quick = presets.read(FOLDER / "presets" / "quick.yaml")
    defaults = {
        name: parameter.default for path in NOTEBOOKS for name, parameter in declared(path).items()
    }
    assert {name: defaults[name] for name in quick} == quick


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_agree_on_what_they_share(path: Path) -> None:
    reference = {n: p for other in NOTEBOOKS for n, p in declared(other).items()}
    assert all(reference[name] == parameter for name, parameter in declared(path).items())


@pytest.mark.parametrize(
    "preset", sorted((FOLDER / "presets").glob("*.yaml")), ids=lambda p: p.stem
)
def test_presets_are_valid_settings(preset: Path) -> None:
    content = presets.read(preset)
    assert content.keys() <= Setting.model_fields.keys()
    check(content)
