"""The documentation: its commands exist, its examples run, its site builds and fetches nothing."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from bs4 import BeautifulSoup, Tag
from PIL import Image
from playwright.sync_api import expect, sync_playwright
from typer.core import TyperGroup
from typer.main import get_command

from fercore.cli import app
from fercore.data import EMOTIONS
from fercore.setting import Setting

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)


# Commands: whatever a text tells one to type is there.


def commands(text: str, program: str) -> Iterator[list[str]]:
    """Lines of code blocks, and code within lines, that call the program; as words."""
    blocks = re.findall(r"^```(?:\w+)?\n(.*?)^```", text, re.S | re.M)
    lines = [line for block in blocks for line in block.splitlines()]
    for line in lines + re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text):
        for part in re.split(r"\||&&", line):
            if part.strip().startswith(f"{program} "):
                yield shlex.split(part, comments=True)[1:]


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_commands_of_fercore_exist(path: Path) -> None:
    for words in commands(path.read_text(), "fercore"):
        command = get_command(app)
        while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
            assert words[0] in command.commands, f"fercore {' '.join(words)}"
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert given <= known | {"--help"}, f"{command.name} {' '.join(words)}"


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_targets_and_parameters_of_make_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(" ".join(re.findall(r"^\.PHONY: (.*)", makefile, re.M)).split())
    names = {*Setting.model_fields, "PRESET", "PYTHON", "NAME"}
    for words in commands(path.read_text(), "make"):
        given = {word.partition("=")[0] for word in words if "=" in word}
        asked = {word for word in words if re.fullmatch("[a-z0-9]+", word)}
        assert asked <= targets | {"q7"}, f"make {' '.join(words)}"  # q7: the reader's own
        assert given <= names, f"make {' '.join(words)}"


# Examples: each page is followed to the letter, in a copy of the project.


class Step(NamedTuple):
    """A code block and what the comment above it says to do with it."""

    verb: str
    path: str
    code: str


def steps(page: Path) -> list[Step]:
    """`<!-- file: PATH -->`, `<!-- change: PATH -->`, `<!-- run -->` or `<!-- prints -->`."""
    found = re.findall(
        r"^<!-- (file|change|run|prints)(?:: (\S+))? -->\n```\w*\n(.*?)^```$",
        page.read_text(),
        re.S | re.M,
    )
    return [Step(*one) for one in found]


EXAMPLES = [page for page in PAGES if steps(page)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project, and seven photographs of each expression beside it."""
    for folder in ("fercore", "notebooks", "tests"):
        unwanted = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=unwanted)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    programs = {"python": "", "fercore": "-c 'from fercore.cli import main; main()'"}
    for name, how in programs.items():
        script = tmp_path / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {how} "$@"\n')
        script.chmod(0o755)
    generator = np.random.default_rng(0)
    for emotion in EMOTIONS:
        (tmp_path / "photos" / emotion).mkdir(parents=True)
        for number in range(7):
            noise = generator.integers(0, 256, (90, 70, 3), np.uint8)
            Image.fromarray(noise).save(tmp_path / "photos" / emotion / f"{number}.jpg")
    return tmp_path


QUICK = {"dataset", "start"}
"""Examples that take less than 15 s of a core; the others take half a minute or more."""


def marked(page: Path) -> Any:
    kind = pytest.mark.slow if page.stem in QUICK else pytest.mark.long
    return pytest.param(page, marks=kind, id=named(page))


@pytest.mark.parametrize("page", [marked(page) for page in EXAMPLES])
def test_examples_do_as_they_say(page: Path, copy: Path) -> None:
    printed = ""
    for step in steps(page):
        if step.verb == "run":
            printed = run(step.code, copy)
        elif step.verb == "prints":
            assert printed == step.code
        else:
            edit(step, copy)
    look(page, copy)


def look(page: Path, copy: Path) -> None:
    """Have ruff look at what the page has one write."""
    written = " ".join(step.path for step in steps(page) if step.verb == "file")
    run(f"python -m ruff check --extend-ignore D100 {written}", copy)
    run(f"python -m ruff format --diff {written}", copy)


def edit(step: Step, copy: Path) -> None:
    """Write the step's file, or change it."""
    if step.verb == "file":
        (copy / step.path).write_text(step.code)
    else:
        change(copy / step.path, step.code)


def change(file: Path, diff: str) -> None:
    """Apply the lines of a diff: what it takes away or keeps must be there once."""
    lines = diff.splitlines(keepends=True)
    old, new = ("".join(s[1:] for s in lines if s[0] in kept) for kept in (" -", " +"))
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name} no longer has\n{old}"
    file.write_text(text.replace(old, new))


def run(commands: str, folder: Path) -> str:
    """What bash prints; a command that fails shows all it said."""
    own = {"PYTHONPATH": str(folder), "FERCORE_RUNS": str(folder / "runs"), "OMP_NUM_THREADS": "1"}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env={**os.environ, **own, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_three_things_to_add_have_an_example() -> None:
    assert {page.stem for page in EXAMPLES} >= {"start", "dataset", "network", "question"}


# The site: built as `make docs` does, with a report and without one.

missing = [name for name in ("sphinx", "myst_parser", "furo") if not find_spec(name)]
needs_sphinx = pytest.mark.skipif(
    bool(missing), reason=f"no {', '.join(missing)}: pip install -e '.[docs]'"
)


def build(out: Path, report: Path, *pages: Path) -> Path:
    """All pages, or some of those that were read before."""
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    command += ["-D", f"report={report}", "-d", str(out.parent / "doctrees")]
    done = subprocess.run([*command, DOCS, out, *pages], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text("<!doctype html><html lang='en'><title>Report</title><p>Answer.</p></html>")
    return file


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, report: Path) -> Path:
    return build(tmp_path_factory.mktemp("docs") / "site", report)


@cache
def soup(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(), "html.parser")


@cache
def anchors(page: Path) -> set[str]:
    return {str(tag["id"]) for tag in soup(page).find_all(id=True)}


def targets(page: Path) -> Iterator[tuple[Tag, str]]:
    """Everything in a page that names another file, and the name."""
    for tag in soup(page).find_all(True):
        for key in ("src", "href", "data", "poster", "srcset"):
            if key in tag.attrs:
                yield tag, str(tag[key])


@pytest.mark.slow
@needs_sphinx
def test_every_page_is_there_and_in_the_contents(site: Path) -> None:
    contents = soup(site / "index.html").select_one(".sidebar-tree")
    assert contents is not None
    listed = {str(a["href"]).partition("#")[0] for a in contents.find_all("a")}
    for page in PAGES:
        name = page.relative_to(DOCS).with_suffix(".html").as_posix()
        assert (site / name).exists(), name
        assert name in listed or name == "index.html", f"{name} is not in the contents"


@pytest.mark.slow
@needs_sphinx
def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        for tag, target in targets(page):
            if tag.name != "a":
                assert not re.match(r"\w+:(?!image)|//", target), f"{page.name}: {tag}"
    for sheet in site.rglob("*.css"):
        fetched = re.findall(r"url\(\s*['\"]?(\w+:|//)(?!image)|@import", sheet.read_text())
        assert set(fetched) <= {"data:"}, sheet.name


@pytest.mark.slow
@needs_sphinx
def test_no_link_is_broken(site: Path) -> None:
    for page in site.rglob("*.html"):
        for _, target in targets(page):
            file, _, anchor = target.partition("#")
            if re.match(r"\w+:|//", file):
                continue
            there = (page.parent / file.partition("?")[0]).resolve() if file else page
            assert there.exists(), f"{page.name}: {target}"
            if anchor and there.suffix == ".html":
                assert anchor in anchors(there), f"{page.name}: {target}"


@pytest.mark.slow
@needs_sphinx
def test_search_knows_text_and_names(site: Path) -> None:
    index = (site / "searchindex.js").read_text()
    assert "mobilenet" in index
    assert "nearest" in index


@pytest.mark.slow
@needs_sphinx
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (apt install chromium)")
def test_a_browser_reads_it_as_files(site: Path) -> None:
    asked: list[str] = []
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 390, "height": 800}, offline=True).new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        for name in ("index", "models", "api/data"):
            page.goto((site / f"{name}.html").as_uri())
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= 390, f"{name} scrolls sideways"
        page.goto((site / "search.html").as_uri() + "?q=nearest")
        expect(page.locator("#search-results")).to_contain_text("models.nearest", timeout=60_000)
        browser.close()
    assert not said
    assert all(url.startswith(("file:", "data:")) for url in asked)


@pytest.mark.slow
@needs_sphinx
def test_the_report_is_a_page_or_one_is_told_how_to_make_it(site: Path, report: Path) -> None:
    assert (site / "quick.html").read_text() == report.read_text()
    assert soup(site / "result.html").find("iframe")
    without = site.parent / "without"
    shutil.copytree(site, without, ignore=shutil.ignore_patterns("quick.html"))
    build(without, report.parent / "none.html", DOCS / "result.md")
    page = soup(without / "result.html")
    assert page.find("iframe") is None
    assert "make report" in page.get_text()
    assert not (without / "quick.html").exists()
