"""The report's page in a real browser: what a reader sees, does and may stumble over."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from fercore.language import speaking
from fercore.report.html import page as whole_page
from fercore.report.notebooks import read
from tests.executed_notebooks import front

ROOT = Path(__file__).parents[1]
SHOTS = ROOT / "build" / "screenshots"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
AXE = files("axe_playwright_python").joinpath("axe.min.js")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (apt install chromium)"),
]
VIEWS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]
PATIENCE = 120_000
"""Milliseconds: a busy machine is slow, and slow is no fault."""


class Sight(NamedTuple):
    """An open page, and what it asked for and said since it was opened."""

    page: Page
    requests: list[str]
    said: list[str]


Open = Callable[..., Sight]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE / 4)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def see(browser: Browser, tiny_report: Path) -> Iterator[Open]:
    """Opens the report, cut off from every network."""
    contexts = []

    def opened(
        width: int = 1440,
        theme: str = "light",
        anchor: str = "",
        file: Path | None = None,
        **more: Any,
    ) -> Sight:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            offline=True,
            **more,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        sight = Sight(context.new_page(), [], [])
        sight.page.on("request", lambda request: sight.requests.append(request.url))
        sight.page.on("console", lambda message: sight.said.append(message.text))
        sight.page.on("pageerror", lambda error: sight.said.append(str(error)))
        sight.page.goto((file or tiny_report / "report.html").as_uri() + anchor)
        if more.get("java_script_enabled", True):
            expect(sight.page.locator(".vega svg").first).to_be_visible()
        return sight

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def desk(see: Open) -> Sight:
    """One page on a wide screen for the tests that leave it fit for the next."""
    return see()


def faults(page: Page) -> list[tuple[str, str]]:
    """What axe-core finds: rules, and where each is broken first."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    broken = page.evaluate("axe.run().then(found => found.violations)")
    return [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in broken]


def top(found: Locator) -> float:
    box = found.bounding_box()
    assert box
    return box["y"]


@pytest.mark.parametrize(("width", "theme"), VIEWS)
def test_opens_offline_in_silence_fits_and_can_be_read_by_everyone(
    see: Open, width: int, theme: str
) -> None:
    page, requests, said = see(width, theme)
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    if (width, theme) in (VIEWS[0], VIEWS[-1]):  # each width and each theme once: it takes 10 s
        assert faults(page) == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"report-{width}-{theme}-first.png")
    page.screenshot(path=SHOTS / f"report-{width}-{theme}.png", full_page=True)


@pytest.mark.parametrize(("language", "chapters"), [("en", ["q4"]), ("zh-TW", ["q1", "q4"])])
def test_a_question_s_page_and_a_chinese_one_can_be_read_by_everyone(
    see: Open, tiny_report: Path, tmp_path: Path, language: str, chapters: list[str]
) -> None:
    made = {path.stem[:2]: read(path) for path in (tiny_report / "notebooks").glob("*.ipynb")}
    books = {key: made[key] for key in chapters}
    with speaking(language):
        html = whole_page(books, tmp_path, front(books))
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page, _, said = see(file=tmp_path / "page.html")
    assert said == []
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert faults(page) == []
    page.screenshot(path=SHOTS / f"page-{language}-{chapters[0]}.png")


def test_page_is_light_enough(tiny_report: Path) -> None:
    assert (tiny_report / "report.html").stat().st_size < 5_000_000


def test_first_screen_shows_the_answer_and_the_main_figure(desk: Sight) -> None:
    page = desk.page
    expect(page.locator("header .answer").first).to_be_in_viewport()
    expect(page.locator("header figure img")).to_be_in_viewport()


def test_contents_follow_the_reader(desk: Sight) -> None:
    page = desk.page
    current = page.locator("nav [aria-current]")
    for chapter in ("q3", "q1", "appendix"):
        page.locator(f"#{chapter}").scroll_into_view_if_needed()
        page.evaluate("id => document.getElementById(id).scrollIntoView()", chapter)
        expect(current).to_have_attribute("href", re.compile(f"^#{chapter}"))
        expect(current).to_be_in_viewport()
    page.locator("nav a", has_text="Question 2").click()
    expect(page.locator("#q2 h2")).to_be_in_viewport()
    expect(current).to_contain_text("Question 2")
    expect(page.locator("nav li.here > ol")).to_be_visible()


def test_link_to_a_section_opens_there(see: Open) -> None:
    page = see(anchor="#q3-learning-curves").page
    expect(page.locator("#q3-learning-curves")).to_be_in_viewport()
    anchor = page.locator("#q3-learning-curves a.anchor")
    anchor.focus()
    assert anchor.get_attribute("href") == "#q3-learning-curves"


def test_contents_are_a_drawer_on_a_telephone(see: Open) -> None:
    page = see(390).page
    link = page.locator("nav a", has_text="Question 4")
    expect(link).to_be_hidden()
    page.locator("nav summary").click()
    link.click()
    expect(link).to_be_hidden()
    expect(page.locator("#q4 h2")).to_be_in_viewport()
    assert top(page.locator("#q4 h2")) > top(page.locator("nav summary"))


def test_reader_s_theme_wins_and_is_kept(see: Open) -> None:
    page = see(theme="dark").page
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    button = page.get_by_role("button", name="Dark")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate(paper) != dark
    page.reload()
    assert page.evaluate(paper) != dark


def test_code_unfolds_cell_by_cell_and_all_at_once(desk: Sight) -> None:
    page = desk.page
    code = page.locator("#q1 details.code")
    expect(code.first.locator("pre").first).to_be_hidden()
    code.first.locator("summary").click()
    expect(code.first.locator("pre").first).to_be_visible()
    page.get_by_role("button", name="Show code").click()
    expect(code.last.locator("pre").first).to_be_visible()


def test_tables_sort_by_their_heads(desk: Sight) -> None:
    page = desk.page
    table = page.locator("#tab-q4-networks table")
    head = table.get_by_role("columnheader", name="Keras total")
    column = head.evaluate("head => head.cellIndex")

    def values() -> list[int]:
        cells = table.locator(f"tbody tr > :nth-child({column + 1})").all_text_contents()
        return [int(text.replace(",", "")) for text in cells]

    kept = sorted(values())
    head.get_by_role("button").click()
    assert values() == kept
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("button").press("Enter")
    assert values() == kept[::-1]
    expect(head).to_have_attribute("aria-sort", "descending")
    assert table.locator("[aria-sort]").count() == 1


def test_every_table_sorts_and_texts_sort_by_the_numbers_in_them(desk: Sight) -> None:
    """Channels as 8-16 come before 13-26."""
    tables = [
        table
        for table in desk.page.locator("main table").all()
        if table.locator("tbody tr").count() > 1
    ]
    heads = [head for table in tables for head in table.locator("thead th").all()]
    assert all(head.get_by_role("button").count() == 1 for head in heads)
    table = desk.page.locator("#tab-q4-networks table")
    head = table.get_by_role("columnheader", name="channels")
    column = head.evaluate("head => head.cellIndex")
    head.get_by_role("button").click()
    cells = table.locator(f"tbody tr > :nth-child({column + 1})").all_text_contents()
    channels = [[int(part) for part in text.split("-")] for text in cells]
    assert channels == sorted(channels)
    assert cells != sorted(cells)


def test_chart_answers_a_hover_a_switch_and_the_legend(desk: Sight) -> None:
    page, _, said = desk
    chart = page.locator("#chart-q4-explore .vega")
    marks = chart.locator("svg .mark-symbol.role-mark path")
    chart.scroll_into_view_if_needed()
    marks.last.hover(force=True)
    tip = page.locator("#vg-tooltip-element")
    expect(tip).to_be_visible()
    for word in ("network", "accuracy", "trainable parameters", "Keras total", "MACs", "runs"):
        expect(tip).to_contain_text(word)
    for axis in chart.locator("option").all_text_contents():
        chart.get_by_label("x axis").select_option(axis)
        expect(chart.locator("svg .role-title")).to_contain_text(f"{axis} (log scale)")
        assert marks.count() > 0
    chart.get_by_label("x axis").select_option("trainable parameters")
    both = marks.count()
    family = chart.get_by_role("button", name="MobileNet")
    family.click(force=True)
    expect(family).to_have_attribute("aria-pressed", "false")
    assert 0 < marks.count() < both
    family.press("Enter")
    expect(family).to_have_attribute("aria-pressed", "true")
    assert marks.count() == both
    chart.get_by_role("checkbox").uncheck()
    expect(marks).not_to_have_count(both)
    assert said == []


def test_paper_shows_neither_chart_nor_buttons(see: Open) -> None:
    page = see(theme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    for gone in (".fercore-chart >> nth=0", ".tools", "details.code >> nth=0"):
        expect(page.locator(gone)).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_page_without_scripts_is_whole_but_for_the_chart(see: Open) -> None:
    page = see(java_script_enabled=False).page
    expect(page.locator("nav a", has_text="Learning curves").first).to_be_visible()
    expect(page.locator("#fig-q4-size-against-accuracy img")).to_be_visible()
    expect(page.locator("#chart-q4-explore")).to_be_hidden()
