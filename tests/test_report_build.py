"""The whole way: notebooks, kernels, training, HTML and PDF, on a tiny preset."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from fercore.report import Job, NotebookError, _aside, build
from fercore.report.notebooks import find

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def soup(tiny_report: Path) -> BeautifulSoup:
    return BeautifulSoup((tiny_report / "report.html").read_text(encoding="utf-8"), "html.parser")


@pytest.mark.slow
def test_every_notebook_was_executed_without_error(tiny_report: Path) -> None:
    sources = sorted(path.name for path in find(ROOT / "notebooks"))
    executed = sorted(path.name for path in (tiny_report / "notebooks").glob("*.ipynb"))
    assert executed == sources
    assert not (tiny_report / "failed").exists()
    assert not list(tiny_report.glob(".running-*"))


@pytest.mark.slow
def test_each_question_opens_with_its_answer(soup: BeautifulSoup) -> None:
    for key in ("q1", "q2", "q3", "q4", "q5", "q6"):
        chapter = soup.find("section", id=key)
        assert chapter is not None
        assert "Answer" in chapter.get_text()[:3000], key


@pytest.mark.slow
def test_synthetic_data_is_named_on_the_title_and_in_every_measured_figure(
    soup: BeautifulSoup,
) -> None:
    banner = soup.find(class_="banner")
    assert banner is not None
    assert "Synthetic data" in banner.get_text()
    # Drawings of networks are measured on no data at all, question 6 on photographs.
    measured = soup.select("figure.fercore-figure:not([id$=-blocks], [id*=-layers-])")
    photographs = [tag for tag in measured if str(tag["id"]).startswith("fig-q6")]
    assert photographs
    assert all("Photographs: FER2013" in tag.get_text() for tag in photographs)
    drawn = [tag for tag in measured if tag not in photographs]
    assert drawn
    assert all("Synthetic data" in tag.get_text() for tag in drawn)


@pytest.mark.slow
def test_page_loads_nothing_and_describes_every_picture(soup: BeautifulSoup) -> None:
    loads = [tag["src"] for tag in soup.find_all(src=True)]
    loads += [tag["href"] for tag in soup.find_all("link")]
    assert all(str(load).startswith("data:") for load in loads)
    assert all(tag.get("alt") for tag in soup.find_all("img"))


@pytest.mark.slow
def test_question_four_trains_nothing_of_its_own(tiny_report: Path, soup: BeautifulSoup) -> None:
    runs = {path.name for path in (tiny_report.parent / "runs").iterdir() if path.name[0] != "."}
    assert len(runs) == 2 * (2 + 2 + 2 + 1)  # question 5 has one network of its own
    appendix = soup.find("section", id="appendix")
    assert appendix is not None
    assert all(run in appendix.get_text() for run in runs)


@pytest.mark.slow
def test_files_beside_the_report(tiny_report: Path) -> None:
    assert (tiny_report / "report.pdf").read_bytes().startswith(b"%PDF")
    header = (tiny_report / "tables" / "q4-pairs.csv").read_text().splitlines()[0]
    assert header.startswith("size,MobileNet,plain CNN")
    assert (tiny_report / "figures" / "q4-size-against-accuracy.svg").exists()
    assert (tiny_report / "figures" / "q4-size-against-accuracy.png").exists()


def small(folder: Path, name: str, *sources: str) -> None:
    cells = [new_markdown_cell(f"# {name}")]  # type: ignore[no-untyped-call]
    cells += [new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")  # type: ignore[no-untyped-call]


@pytest.mark.slow
def test_a_failing_cell_is_shown_kept_and_replaces_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    (folder / "presets").mkdir(parents=True)
    (folder / "presets" / "quick.yaml").write_text("")
    small(folder, "q1_bad", "x = 1", "y = x\nraise KeyError('no such face')")
    small(folder, "q2_good", "print('fine')")
    out = tmp_path / "reports" / "quick"
    out.mkdir(parents=True)
    (out / "report.html").write_text("a good report")
    with pytest.raises(NotebookError) as caught:
        build(Job(folder, tmp_path / "reports"), say=lambda text: None)
    screen = str(caught.value)
    assert "q1_bad.ipynb stopped at cell 3" in screen
    assert "→   2 │ raise KeyError('no such face')" in screen
    assert "KeyError: 'no such face'" in screen
    assert (out / "failed" / "q1_bad.ipynb").exists()
    assert (out / "failed" / "q2_good.ipynb").exists()
    assert (out / "report.html").read_text() == "a good report"


def test_folder_of_a_killed_report_is_cleared_and_that_of_a_living_one_kept(tmp_path: Path) -> None:
    (tmp_path / ".running-killed").mkdir()
    with _aside(tmp_path) as first:
        assert not (tmp_path / ".running-killed").exists()
        with _aside(tmp_path) as second:
            assert first.exists()
            assert second.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_one_question_gives_a_page_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    shutil.copytree(ROOT / "notebooks" / "presets", folder / "presets")
    shutil.copy(ROOT / "notebooks" / "data_and_method.ipynb", folder)
    small(folder, "q2_good", "print('fine')")
    (folder / "presets" / "quick.yaml").write_text("")
    (page,) = build(Job(folder, tmp_path / "out", only=["q2"]), say=lambda text: None)
    assert page.name == "q2_good.html"
    assert "fine" in page.read_text(encoding="utf-8")
    assert page.parent == tmp_path / "out" / "quick" / "q2"
    assert not (tmp_path / "out" / "quick" / "report.html").exists()
