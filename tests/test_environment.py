"""environment.yml and pyproject.toml must name the same packages with the same bounds."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {
    "dask-core": "dask",
    "pytorch": "torch",
    "matplotlib-base": "matplotlib",
    "seaborn-base": "seaborn",
    "python-isal": "isal",
    "typst-py": "typst",
}
FIXED_BY_THE_USER = {"jupyterlab", "torch", "numpy", "pandas", "seaborn", "papermill", "nbconvert"}


def split(requirement: str) -> tuple[str, str]:
    found = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*(.*)", requirement)
    assert found, requirement
    return CONDA_NAMES.get(found[1], found[1]), found[2].replace(" ", "")


def from_pyproject() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return dict(map(split, project["dependencies"])) | {"python": project["requires-python"]}


def from_conda() -> dict[str, str]:
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    names = [entry for entry in entries if isinstance(entry, str) and entry != "pip"]
    by_pip = [name for entry in entries if isinstance(entry, dict) for name in entry["pip"]]
    return dict(map(split, names + by_pip))


def test_conda_and_pip_ask_for_the_same() -> None:
    assert from_conda() == from_pyproject()


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    lines = re.sub("#.*", "", (ROOT / "constraints.txt").read_text()).split()
    pins = dict(line.lower().replace("_", "-").split("==") for line in lines)
    for name, bound in from_pyproject().items():
        if name == "python":
            continue
        pinned = pins[name.lower().replace("_", "-")]
        assert pinned in SpecifierSet(bound), name


def test_no_installed_package_refuses_the_oldest_python_allowed() -> None:
    oldest = from_pyproject()["python"].removeprefix(">=") + ".0"
    found = [one.metadata for one in metadata.distributions()]
    wanted = {m["Name"]: m["Requires-Python"] for m in found if "Requires-Python" in m}
    assert [n for n, versions in wanted.items() if oldest not in SpecifierSet(versions)] == []


def test_the_packages_the_user_fixed_are_there() -> None:
    assert from_pyproject().keys() >= FIXED_BY_THE_USER
