"""Executed notebooks as one page."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag
from nbformat import NotebookNode
from nbformat.v4 import new_output

from fercore.report.artifacts import write_artifacts
from fercore.report.front import Answer, Front, answer
from fercore.report.html import page
from tests.executed_notebooks import (
    HOSTILE,
    chart,
    code,
    figure,
    front,
    notebook,
    provenance,
    run,
    table,
    text,
    three_chapters,
)


def parsed(notebooks: dict[str, NotebookNode], title: Front | None = None) -> BeautifulSoup:
    return BeautifulSoup(page(notebooks, Path(), title or front(notebooks)), "html.parser")


@pytest.fixture(scope="module")
def soup() -> BeautifulSoup:
    return parsed(three_chapters())


def ids(soup: Tag) -> list[str]:
    return [str(tag["id"]) for tag in soup.find_all(id=True)]


def anchors(soup: Tag) -> list[str]:
    return [str(link["href"])[1:] for link in soup.find_all("a", href=re.compile("^#"))]


def part(soup: Tag, name: str) -> Tag:
    found = soup.find(id=name)
    assert found is not None, name
    return found


def one(soup: Tag, selector: str) -> Tag:
    found = soup.select(selector)
    assert len(found) == 1, selector
    return found[0]


def test_page_has_language_title_and_one_main_heading(soup: BeautifulSoup) -> None:
    assert one(soup, "html")["lang"] == "en"
    assert one(soup, "title").get_text() == one(soup, "h1").get_text()
    assert "few parameters" in one(soup, "h1").get_text()
    assert one(soup, "meta[name=viewport]")


def test_page_loads_nothing(soup: BeautifulSoup) -> None:
    tags = soup.find_all(["img", "script", "link", "iframe", "source"])
    loads = [str(tag.get("src") or tag.get("href")) for tag in tags]
    assert sum(load.startswith("data:image/svg+xml") for load in loads) == 2
    assert all(load.startswith("data:") for load in loads if load != "None")
    assert not re.search(r"url\(|@import", one(soup, "style").get_text())


def test_only_its_own_script_may_run(soup: BeautifulSoup) -> None:
    script = one(soup, "script")
    assert "src" not in script.attrs
    digest = base64.b64encode(hashlib.sha256(script.get_text().encode()).digest()).decode()
    policy = str(one(soup, "meta[http-equiv=Content-Security-Policy]")["content"])
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy


def test_charts_bring_their_script_and_leave_the_notebook_as_it_was() -> None:
    books = {"q1": notebook(text("# One"), code(chart(note="Drawn.", alt='<"&>')))}
    before = copy.deepcopy(books)
    soup = parsed(books)
    assert books == before
    figure = part(soup, "chart-q1-explore")
    assert figure.get_text(" ", strip=True) == "To explore. Sizes to explore. Drawn."
    assert json.loads(str(one(figure, ".vega")["data-spec"])) == chart().spec
    assert len(soup.find_all("script")) == 2
    assert "data-number" not in figure.attrs


def test_whatever_a_text_would_fetch_is_taken_out() -> None:
    markup = (
        '<img src="data:image/png;base64,AA" srcset="https://a.example/1.png 2x" alt="x">'
        "<style>@import 'https://a.example/2.css'; p {background: url(https://a.example/3.png)}"
        "</style><p style=\"color: red; background: URL( '//a.example/4.png' )\">kept</p>"
        '<video poster="https://a.example/5.png"></video><table background="6.png"></table>'
        '<svg><image href="https://a.example/7.png"/><use xlink:href="#near"/></svg>'
    )
    cell = code()
    cell.outputs = [new_output("display_data", {"text/html": markup})]  # type: ignore[no-untyped-call]
    found = part(parsed({"q1": notebook(text("# One"), cell)}), "q1")
    assert "a.example" not in str(found)
    assert "6.png" not in str(found)
    assert one(found, "p[style]")["style"] == "color: red; background: none"
    assert found.select("use")[0]["xlink:href"] == "#near"


@pytest.mark.parametrize("key", ["appendix", "page", "run-0123456789ab"])
def test_a_notebook_may_be_called_like_a_part_of_the_page(key: str) -> None:
    cells = code(figure(), provenance(key, run("0123456789ab")))
    soup = parsed({key: notebook(text("# One\n\n## Runs\n\n## Title"), cells), "q2": notebook()})
    assert [name for name, count in Counter(ids(soup)).items() if count > 1] == []
    assert part(soup, "run-0123456789ab").get_text() == "0123456789ab"


def test_first_screen_has_the_main_question_s_answer_and_figure() -> None:
    told = "**Answer** (PublicTest, mean of 2 seeds). Drawn.\n\nOne at 5.5 % (± 0.5). **Two**. No."
    cell = code(figure("size-against-accuracy"), chart())
    cell.outputs.append(new_output("display_data", {"text/markdown": told}))  # type: ignore[no-untyped-call]
    books = {"q1": three_chapters()["q1"], "q4": notebook(text("# Four"), cell)}
    title = one(parsed(books, front(books, answer=answer(books["q4"]))), "header.title")
    assert one(title, ".answer").get_text() == "One at 5.5\xa0% (±\xa00.5). Two."
    assert one(title, ".measured").get_text().startswith("Drawn. PublicTest, mean of 2 seeds")
    assert one(title, "figure img")["alt"] == "A rising line."
    assert anchors(title) == 2 * ["fig-q4-size-against-accuracy"] + ["chart-q4-explore"]


def test_no_line_ends_between_a_number_and_its_unit_or_interval() -> None:
    told = text("# Four\n\nOf 61.2 % ± 1.3 points, `5 % 3`.<!-- 9 % -->\n\n    7 % 2\n")
    page = parsed({"q4": notebook(told)})
    shown = part(page, "q4").get_text()
    assert "Of 61.2\xa0%\xa0±\xa01.3 points, 5 % 3." in shown
    assert "7 % 2" in shown
    assert "9" not in shown, "a comment stays one"


def test_first_screen_of_drawn_faces_says_what_photographs_say() -> None:
    books = three_chapters()
    real = Answer("One at 55.5 %.", "PublicTest, mean of 3 seeds", "Photographs.")
    title = one(parsed(books, front(books, photographs=real)), "header.title")
    assert one(title, ".answer").get_text() == "On photographs: One at 55.5\xa0%."
    assert one(title, ".answer a")["href"] == "#q6"
    assert one(title, ".measured").get_text() == "Photographs. PublicTest, mean of 3 seeds."


def test_first_screen_without_an_answer_says_nothing(soup: BeautifulSoup) -> None:
    assert one(soup, "header.title").select(".answer, figure") == []


def test_what_a_notebook_would_load_is_taken_out() -> None:
    loud = new_output(  # type: ignore[no-untyped-call]
        "display_data",
        {
            "text/html": '<img src="https://example.org/a.png" alt="A face"><b>kept</b>'
            '<link href="https://example.org/a.css"><script src="https://example.org/a.js">'
            '</script><iframe src="https://example.org"></iframe>'
        },
    )
    cell = code()
    cell.outputs = [loud]
    soup = parsed({"q1": notebook(text("# One"), cell)})
    assert "[A face: not embedded]" in soup.get_text()
    assert soup.b is not None
    assert "example.org" not in str(soup)


def test_javascript_of_an_output_is_dropped() -> None:
    cell = code()
    data = {"application/javascript": "alert(1)", "text/plain": "<Javascript>"}
    cell.outputs = [new_output("display_data", data)]  # type: ignore[no-untyped-call]
    assert "alert(1)" not in str(parsed({"q1": notebook(text("# One"), cell)}))


def test_ids_are_unique_and_each_link_within_the_page_leads_somewhere(soup: BeautifulSoup) -> None:
    assert [name for name, count in Counter(ids(soup)).items() if count > 1] == []
    assert set(anchors(soup)) <= set(ids(soup))


def test_contents_name_each_chapter_and_section_in_order(soup: BeautifulSoup) -> None:
    nav = one(soup, "nav.contents")
    chapters = [link.get_text() for link in nav.select("details > ol > li > a")]
    assert chapters == [
        "Does size matter?",
        "Does shape matter?",
        "Data and method",
        "Appendix: where the numbers come from",
    ]
    linked = [(link.get_text(), part(soup, str(link["href"])[1:])) for link in nav.find_all("a")]
    assert all(head.name in ("h2", "h3") and head.get_text() == text for text, head in linked)
    assert "q1-answer" in anchors(nav)
    assert "data-answer" in anchors(nav)


def test_figures_and_tables_are_numbered_through_the_report(soup: BeautifulSoup) -> None:
    labels = {
        tag["id"]: one(tag, "figcaption .label").get_text()
        for tag in soup.select("figure.fercore-figure, figure.fercore-table")
    }
    assert labels == {
        "fig-q1-curve": "Figure 1.",
        "tab-q1-sizes": "Table 1.",
        "fig-q2-square": "Figure 2.",
        "tab-q2-sizes": "Table 2.",
        "tab-runs": "Table 3.",
    }
    assert "Figure 1. Accuracy by size." in part(soup, "fig-q1-curve").get_text()


def test_links_show_numbers_and_dead_ones_become_text(soup: BeautifulSoup) -> None:
    first = one(part(soup, "q1"), ".prose").get_text()
    assert "See Figure 1 and Table 2." in first
    assert "See Figure 2, gone." in one(part(soup, "q2"), ".prose").get_text()
    assert [link.get_text() for link in soup.find_all("a", href="#tab-q2-sizes")] == ["Table 2"]


def test_link_finds_a_figure_of_another_chapter_by_its_short_name() -> None:
    books = three_chapters() | {"end": notebook(text("# End\n\nAs in [](#fig-square)."))}
    link = one(part(parsed(books), "end"), "p a")
    assert link["href"] == "#fig-q2-square"
    assert link.get_text() == "Figure 2"


def test_figure_shown_twice_gets_two_ids() -> None:
    soup = parsed({"q1": notebook(text("# One"), code(figure()), code(figure()))})
    assert [tag["id"] for tag in soup.select("figure.fercore-figure")] == [
        "fig-q1-curve",
        "fig-q1-curve-2",
    ]


def test_code_is_folded(soup: BeautifulSoup) -> None:
    details = soup.select("details.code")
    assert len(details) == 5
    assert not any(tag.has_attr("open") for tag in details)
    (folded,) = [tag for tag in soup.find_all("pre") if "print('folded')" in tag.get_text()]
    assert folded.find_parent("details") is details[0]
    assert one(details[0], "summary").get_text() == "Code"


def test_parameters_cells_are_named_and_empty_cells_left_out() -> None:
    cells = [code(source="EPOCHS = 2"), code(source="EPOCHS = 1"), code(source=" ")]
    cells[0].metadata["tags"] = ["parameters"]
    cells[1].metadata["tags"] = ["injected-parameters"]
    cells += [code(source="import fercore"), code(source="this = 1")]
    soup = parsed({"q1": notebook(text("# One"), *cells)})
    names = [one(tag, "summary").get_text() for tag in soup.select("details.code")]
    assert names == ["Parameters, parameters as given, code"]


def test_tables_scroll_by_keyboard(soup: BeautifulSoup) -> None:
    tables = soup.find_all("table")
    assert len(tables) >= 5
    for found in tables:
        assert found.parent is not None
        assert found.parent["class"] == ["scroll"]
        assert found.parent["tabindex"] == "0"


def test_banner_only_for_synthetic_data(soup: BeautifulSoup) -> None:
    assert one(soup, ".banner").get_text().startswith("Synthetic data.")
    cells = code(provenance("q1", run("0123456789ab"), synthetic=False))
    photographs = {"q1": notebook(text("# One"), cells)}
    assert parsed(photographs).select(".banner") == []
    mixed = photographs | {"q2": three_chapters()["q2"]}
    assert len(parsed(mixed).select(".banner")) == 1


def test_each_run_stands_in_the_appendix_once_and_is_linked(soup: BeautifulSoup) -> None:
    appendix = part(soup, "appendix")
    for name in ("0123456789ab", "ffffffffffff", "222222222222"):
        assert part(appendix, f"run-{name}").get_text() == name
    rows = part(appendix, "tab-runs").select("tbody tr")
    used = [row.find_all("td")[-1].get_text() for row in rows]
    assert used == ["q1", "q1,\N{NO-BREAK SPACE}q2", "q2"]
    first, second = (one(part(soup, key), "p.rests") for key in ("q1", "q2"))
    assert first.get_text().startswith("These numbers rest on 2 runs, listed in the appendix")
    assert anchors(first) == ["appendix-runs", "run-0123456789ab", "run-ffffffffffff"]
    assert anchors(second) == ["appendix-runs", "run-ffffffffffff", "run-222222222222"]
    assert soup.select(".fercore-provenance") == []


def test_runs_whose_ids_have_no_letter_are_linked_too() -> None:
    cell = code(provenance("q1", run("123456789012")))
    soup = parsed({"q1": notebook(text("# One"), cell)})
    assert part(soup, "run-123456789012").get_text() == "123456789012"
    assert "run-123456789012" in anchors(soup)


def test_one_notebook_has_its_title_once() -> None:
    books = {"q1": three_chapters()["q1"]}
    soup = parsed(books, front(books, title="Does size matter?", subtitle=""))
    assert one(soup, "h1").get_text() == "Does size matter?"
    assert soup.select("main h1, .subtitle") == []
    assert soup.main is not None
    assert "Does size matter?" not in soup.main.get_text()
    assert set(anchors(soup)) <= set(ids(soup))
    assert "q1-answer" in anchors(one(soup, "nav.contents"))
    levels = [int(head.name[1]) for head in soup.find_all(["h1", "h2", "h3", "h4"])]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels)), "no level is left out"


def test_notebook_without_provenance_has_a_page() -> None:
    soup = parsed({"data": three_chapters()["data"]})
    assert "No runs." in part(soup, "appendix").get_text()
    assert soup.select(".banner") == []


def test_script_in_a_text_is_shown_and_never_a_tag() -> None:
    given = run(HOSTILE, network=HOSTILE, failure=HOSTILE, device=HOSTILE)
    streamed = new_output("stream", name="stdout", text=HOSTILE)  # type: ignore[no-untyped-call]
    cells = code(
        figure(caption=HOSTILE, alt=HOSTILE, note=HOSTILE),
        table(caption=HOSTILE),
        provenance(HOSTILE, given),
        source=f"x = '{HOSTILE}'",
    )
    cells.outputs.append(streamed)
    books = {"q1": notebook(text(f"# One\n\n## On `{HOSTILE}`\n\n{HOSTILE}"), cells)}
    markup = page(books, Path(), front(books, title=HOSTILE, settings={"DATA": HOSTILE}))
    assert markup.count("<script") == 1
    soup = BeautifulSoup(markup, "html.parser")
    assert one(soup, "title").get_text() == HOSTILE
    assert HOSTILE in part(soup, "fig-q1-curve").get_text()
    assert HOSTILE in one(soup, "nav.contents").get_text()


def test_artifacts_are_written_and_stale_ones_removed(tmp_path: Path) -> None:
    write_artifacts(three_chapters(), tmp_path)
    made = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert made == [
        "figures/q1-curve.png",
        "figures/q1-curve.svg",
        "figures/q2-square.png",
        "figures/q2-square.svg",
        "tables/q1-sizes.csv",
        "tables/q2-sizes.csv",
    ]
    assert (tmp_path / "figures" / "q1-curve.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "figures" / "q1-curve.svg").read_text(encoding="utf-8")
    assert (tmp_path / "tables" / "q1-sizes.csv").read_text().startswith("network,accuracy\n")
    write_artifacts({"q1": notebook(text("# One"), code(table("others")))}, tmp_path)
    left = sorted(path.name for path in tmp_path.rglob("*.*"))
    assert left == ["q1-others.csv", "q2-sizes.csv", "q2-square.png", "q2-square.svg"]
