"""The page typeset as a PDF."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import Destination

from fercore.display import Table
from fercore.report.front import SYNTHETIC, TITLE, Answer, Front
from fercore.report.html import page
from fercore.report.notebooks import ReportError
from fercore.report.pdf import LINE, _fit, pdf
from fercore.report.pdf import typeset as pictures
from tests.executed_notebooks import (
    code,
    figure,
    front,
    notebook,
    provenance,
    run,
    text,
    three_chapters,
)

SHOTS = Path(__file__).parents[1] / "build" / "screenshots"

MARKUP = r'#panic("no") $x$ *a* _b_ `c` @d <e> \u{41} // f /* g'


def typeset(notebooks: dict[str, NotebookNode], title: Front | None = None) -> bytes:
    title = title or front(notebooks)
    return pdf(page(notebooks, Path(), title), title)


def words(found: PdfReader, first: int = 0, last: int | None = None) -> str:
    """Text of these pages, each stretch of white space one blank."""
    pages = found.pages[first:last]
    return " ".join(" ".join(sheet.extract_text() for sheet in pages).split())


def bookmarks(found: PdfReader) -> list[str]:
    """Titles of all levels, in order."""
    flat: list[str] = []
    stack: list[Any] = list(found.outline)
    while stack:
        entry = stack.pop(0)
        if isinstance(entry, list):
            stack[:0] = entry
        else:
            flat.append(str(entry.title))
    return flat


def led_to(found: PdfReader, place: int) -> list[int]:
    """Where the links of a page lead, as pages counted from zero."""
    pages = {page.indirect_reference: number for number, page in enumerate(found.pages)}
    links = [one.get_object() for one in found.pages[place].get("/Annots", [])]
    ends = [link["/Dest"] for link in links]
    named = found.named_destinations
    return [pages[named[end].page if isinstance(end, str) else end[0]] for end in ends]


@pytest.fixture(scope="module")
def made() -> bytes:
    return typeset(three_chapters())


@pytest.fixture(scope="module")
def reader(made: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(made))


def test_pdf_has_pages_a_title_and_a_language(made: bytes, reader: PdfReader) -> None:
    assert made.startswith(b"%PDF")
    assert len(reader.pages) >= 3
    assert reader.metadata is not None
    assert reader.metadata.title == TITLE
    assert reader.metadata.author == "fercore"
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"].startswith("en")


def test_same_page_gives_the_same_bytes(made: bytes) -> None:
    assert typeset(three_chapters()) == made


def test_title_page_says_what_and_that_faces_are_drawn(reader: PdfReader) -> None:
    first = words(reader, 0, 1)
    assert TITLE in first
    assert "SYNTHETIC DATA." in first
    assert SYNTHETIC[:60] in first
    assert "fingerprint abc123" in first


def test_captions_cells_and_references_are_text(reader: PdfReader) -> None:
    whole = words(reader)
    assert "Figure 1. Accuracy by size. Synthetic data (SynthFER)" in whole
    assert "Table 1. Two networks." in whole
    assert "Table 2. Again two networks." in whole
    assert "MobileNet 61.2%" in whole
    assert "See Figure 1 and Table 2." in whole
    assert "Drawn faces." in whole


def test_code_is_left_out(reader: PdfReader) -> None:
    assert "folded" not in words(reader)
    assert "Skip to the text" not in words(reader)


def test_each_caption_stands_once(reader: PdfReader) -> None:
    assert words(reader).count("Accuracy by size.") == 1
    assert words(reader).count("Again two networks.") == 1


def test_bookmarks_are_the_headings(reader: PdfReader) -> None:
    assert bookmarks(reader)[:7] == [
        "Contents",
        "Does size matter?",
        "Answer",
        "Does shape matter?",
        "Answer",
        "Data and method",
        "Answer",
    ]
    assert "Runs" in bookmarks(reader)


def test_chapters_begin_a_page(reader: PdfReader) -> None:
    places: list[Any] = [
        reader.get_destination_page_number(entry)
        for entry in reader.outline
        if isinstance(entry, Destination)
    ]
    assert len(set(places)) == len(places) == 5
    assert places == sorted(places)


def test_links_lead_to_figures_tables_and_runs(reader: PdfReader) -> None:
    # The first chapter cites Figure 1, Table 2 (a page on), the appendix and two of its runs.
    assert led_to(reader, 2) == [2, 3, 5, 5, 5]
    assert led_to(reader, 3) == [3, 5, 5, 5]


def test_pictures_have_their_descriptions(made: bytes) -> None:
    found = PdfReader(io.BytesIO(made))
    size: Any = found.trailer["/Size"]
    kept: list[Any] = [found.get_object(number) for number in range(1, size)]
    described = [one["/Alt"] for one in kept if isinstance(one, dict) and "/Alt" in one]
    assert described.count("A rising line.") == 2


def test_no_notice_for_photographs() -> None:
    cell = code(provenance("q1", run("0123456789ab"), synthetic=False))
    found = PdfReader(io.BytesIO(typeset({"q1": notebook(text("# One"), cell)})))
    assert "SYNTHETIC" not in words(found, 0, 1)


def test_texts_are_never_taken_for_typst() -> None:
    cells = Table(pd.DataFrame({MARKUP: [MARKUP]}), caption=MARKUP, name="markup")
    shown = code(figure(caption=MARKUP, alt=f'{MARKUP}"\\"\n'), cells)
    books = {"q1": notebook(text("# One"), shown), "q2": notebook(text("# Two"))}
    title = front(books, title=MARKUP, subtitle=MARKUP, settings={"DATA": MARKUP})
    found = PdfReader(io.BytesIO(typeset(books, title)))
    assert found.metadata is not None
    assert found.metadata.title == MARKUP
    plain = re.sub(r"\s", "", words(found))
    assert plain.count(re.sub(r"\s", "", MARKUP)) >= 6


def test_wide_table_and_raster_figure() -> None:
    wide = pd.DataFrame({f"split {n}": [f"{n}.25 ± 0.125"] * 3 for n in range(14)})
    shown = code(Table(wide, caption="Wide.", name="wide"), figure(raster=True))
    found = PdfReader(io.BytesIO(typeset({"q1": notebook(text("# One"), shown)})))
    whole = words(found)
    assert all(f"{n}.25 ± 0.125" in whole for n in range(14))
    assert sum(len(sheet.images) for sheet in found.pages) == 1


def test_no_row_of_a_table_is_cut_in_half() -> None:
    rows = [f"first{n} {'word ' * 60} last{n}" for n in range(40)]
    long = Table(pd.DataFrame({"n": range(40), "text": rows}), caption="Long.", name="long")
    found = PdfReader(io.BytesIO(typeset({"q1": notebook(text("# One"), code(long))})))
    sheets = [set(sheet.extract_text().split()) for sheet in found.pages]
    for n in range(40):
        (place,) = [i for i, sheet in enumerate(sheets) if f"first{n}" in sheet]
        assert f"last{n}" in sheets[place]
        assert {"n", "text"} <= sheets[place], "the head stands on each page of the table"


def test_no_row_of_a_long_table_runs_off_the_page() -> None:
    names = [f"run{n:03}" for n in range(150)]
    rows = Table(pd.DataFrame({"run": names}), caption="Long.", name="long")
    found = PdfReader(io.BytesIO(typeset({"q1": notebook(text("# One"), code(rows))})))
    sheets = [sheet.extract_text() for sheet in found.pages]  # off the page or on it
    counts = [sum(name in sheet for name in names) for sheet in sheets]
    assert sum(counts) == 150
    assert max(counts) < 75, "as many as there is room for"


def test_title_page_gives_the_answer() -> None:
    books = three_chapters()
    short = Answer("MobileNet is 5.5 points ahead (± 0.5). No more is known.", "PublicTest")
    found = PdfReader(io.BytesIO(typeset(books, front(books, answer=short))))
    assert f"{short.sentences} PublicTest." in words(found, 0, 1)


@pytest.fixture(scope="module")
def whole(tiny_report: Path) -> PdfReader:
    return PdfReader(tiny_report / "report.pdf")


@pytest.fixture(scope="module")
def sheets(whole: PdfReader) -> list[str]:
    """The text of each page."""
    return [sheet.extract_text() for sheet in whole.pages]


@pytest.mark.slow
def test_every_font_is_embedded(whole: PdfReader) -> None:
    for sheet in whole.pages:
        resources: Any = sheet["/Resources"]
        for font in resources.get("/Font", {}).values():
            (inner,) = font.get_object()["/DescendantFonts"]
            assert {"/FontFile2", "/FontFile3"} & inner.get_object()["/FontDescriptor"].keys()


def orphan(sheet: str, heads: list[str]) -> str | None:
    """The heading, of one line or several, that is the last thing on a page above its foot."""
    known = {"".join(head.split()): head for head in heads}
    *lines, foot = [line for line in sheet.splitlines() if line.strip()]
    assert re.fullmatch(r"\d+ / \d+", foot.strip())
    ends = ("".join("".join(lines[first:]).split()) for first in range(len(lines)))
    return next((known[end] for end in ends if end in known), None)


@pytest.mark.slow
def test_no_heading_is_left_alone_at_the_foot_of_a_page(
    whole: PdfReader, sheets: list[str]
) -> None:
    heads = bookmarks(whole)
    assert [found for sheet in sheets[2:] if (found := orphan(sheet, heads))] == []


def test_a_heading_left_alone_is_seen_also_where_it_takes_several_lines() -> None:
    long = " ".join(f"word{number}" for number in range(30))
    for heading in ("Short", long):
        cells = [text("# One"), text("Text."), text(f"## {heading}")]
        found = PdfReader(io.BytesIO(typeset({"q1": notebook(*cells)})))
        sheet = found.pages[2].extract_text()
        assert orphan(sheet, bookmarks(found)) == heading
        assert orphan(sheet, ["Another", heading + "s"]) is None


def misled(found: PdfReader, texts: list[str]) -> dict[str, tuple[int | None, int]]:
    """Chapters whose page in the contents is not the one on which their running head begins."""
    contents, *sheets = [" ".join(sheet.split()) for sheet in texts[1:]]
    chapters = [str(one.title) for one in found.outline if isinstance(one, Destination)][1:]
    printed = [re.search(rf"{re.escape(name)}(?: \.)+ (\d+)", contents) for name in chapters]
    said = [int(number[1]) if number else None for number in printed]
    begin = [min(n for n, s in enumerate(sheets, 3) if name in s[:300]) for name in chapters]
    pairs = zip(chapters, said, begin, strict=True)
    return {name: (number, place) for name, number, place in pairs if number != place}


def test_contents_give_the_page_on_which_each_chapter_begins(reader: PdfReader) -> None:
    assert misled(reader, [sheet.extract_text() for sheet in reader.pages]) == {}


@pytest.mark.slow
def test_contents_and_running_heads_name_the_chapters(whole: PdfReader, sheets: list[str]) -> None:
    assert "Appendix" in sheets[1], "on one page"
    assert sum(isinstance(entry, Destination) for entry in whole.outline) > 6
    assert misled(whole, sheets) == {}


# The pages as pixels, by Typst from the same source: nobody looks, but each is measured.

PPI = 40
WIDTH, HEIGHT, SIDE, TOP, BOTTOM = 210, 297, 20, 26, 24
"""Millimetres, as in report.typ: the page, and its margins."""
EMPTY = {
    "left": (0, 0, SIDE - 1, HEIGHT),
    "right": (WIDTH - SIDE + 1, 0, WIDTH, HEIGHT),
    "above the head": (0, 0, WIDTH, 8),
    "below the head": (0, 0.7 * TOP + 1, WIDTH, TOP - 2),
    "above the foot": (0, HEIGHT - BOTTOM + 2, WIDTH, HEIGHT - 0.7 * BOTTOM - 1),
    "below the foot": (0, HEIGHT - 8, WIDTH, HEIGHT),
}
"""Where no page has ink, in millimetres: left, top, right, bottom. Letters hang a little below."""


def inked(page: bytes, box: tuple[float, float, float, float]) -> float:
    """The share of a box's pixels, in millimetres, that are not white."""
    left, top, right, bottom = (round(edge / 25.4 * PPI) for edge in box)
    grey = np.asarray(Image.open(io.BytesIO(page)).convert("L"))
    return float((grey[top:bottom, left:right] < 250).mean())


def strayed(page: bytes) -> list[str]:
    """The places of `EMPTY` that are not."""
    return [name for name, box in EMPTY.items() if inked(page, box)]


@pytest.mark.slow
def test_each_page_has_ink_and_none_in_its_margins(tiny_report: Path, whole: PdfReader) -> None:
    html = (tiny_report / "report.html").read_text(encoding="utf-8")
    found = pictures(html, front({}), format="png", ppi=PPI)
    SHOTS.mkdir(parents=True, exist_ok=True)
    for number, page_ in enumerate(found, start=1):
        (SHOTS / f"pdf-{number:02}.png").write_bytes(page_)
    assert abs(len(found) - len(whole.pages)) <= 1, "the title page is another"
    body = SIDE, TOP, WIDTH - SIDE, HEIGHT - BOTTOM
    assert [n for n, one in enumerate(found, start=1) if inked(one, body) < 0.005] == []
    assert {n: where for n, one in enumerate(found, start=1) if (where := strayed(one))} == {}


def test_what_runs_over_the_margin_or_is_not_there_is_seen() -> None:
    over, blank = (
        pictures(f"<main><h1>One</h1><p>{words}</p></main>", front({}), format="png", ppi=PPI)[-1]
        for words in ("1" * 120, "")
    )
    assert strayed(over) == ["right"]
    assert strayed(blank) == []
    assert inked(blank, (SIDE, TOP + 20, WIDTH - SIDE, HEIGHT - BOTTOM)) == 0


@pytest.mark.slow
def test_what_only_a_screen_can_show_is_left_out(sheets: list[str]) -> None:
    assert not any("To explore." in sheet for sheet in sheets)


def test_page_that_is_none_is_refused() -> None:
    with pytest.raises(ReportError, match="no <main>"):
        pdf("<p>nothing</p>", front({}))


def test_what_typst_cannot_set_is_one_line() -> None:
    broken = "<main><img alt='x' src='data:image/png;base64,AAAA'></main>"
    with pytest.raises(ReportError, match=r"PDF: Typst: .+"):
        pdf(broken, front({}))


def test_a_wide_table_breaks_no_word_and_gives_the_rest_to_long_texts() -> None:
    heads = ["run", "network", *(f"figure{i}" for i in range(5)), "remark"]
    row = ["0123456789ab", "a-mobilenet-73k", *["1,330,439"] * 5, "words that may be wrapped " * 4]
    markup = pd.DataFrame([row], columns=heads).to_html(index=False)
    table = BeautifulSoup(markup, "html.parser").table
    assert table is not None
    _fit(table)
    size = float(str(table["data-typst:text:size"]).removesuffix("pt"))
    shares = [float(str(col["style"]).split()[1].rstrip("%;")) for col in table.find_all("col")]
    assert sum(shares) == pytest.approx(100, abs=0.1)
    for share, text_ in zip(shares[:-1], row, strict=False):
        assert share / 100 * LINE >= 0.45 * size * len(text_)
    assert shares[-1] == max(shares)


def test_a_run_takes_one_line_of_the_appendix() -> None:
    """With all three splits, two devices and a run that four questions use."""
    splits = dict.fromkeys(("valid", "PublicTest", "PrivateTest"), 0.55)
    more: dict[str, Any] = {"network": "mobilenet-300k-dense", "params_trainable": 1_872_327}
    more |= {"params_keras_total": 1_875_143, "accuracy": splits, "commit": "c0ffee" * 2}
    runs = [
        run(f"{row:012x}", device=f"AMD EPYC {row} 96-Core", epochs=40 + row, **more)
        for row in range(2)
    ]
    chapters = {key: notebook(code(provenance(key, *runs))) for key in ("q1", "q2", "q4", "q5")}
    lines = (
        PdfReader(io.BytesIO(typeset(chapters))).pages[-1].extract_text(extraction_mode="layout")
    )
    rows = [" ".join(line.split()) for line in lines.splitlines() if "mobilenet-300k" in line]
    figures = "1,872,327 1,875,143 55.0 55.0 55.0"
    assert rows == [
        f"{row:012x} mobilenet-300k-dense 0 {40 + row} {figures} D{row + 1} q1, q2, q4, q5"
        for row in range(2)
    ]


def test_columns_that_do_not_fit_at_any_size_share_the_line() -> None:
    numbers = pd.DataFrame([["0123456789ab"] * 14])
    table = BeautifulSoup(numbers.to_html(index=False), "html.parser").table
    assert table is not None
    _fit(table)
    assert table["data-typst:text:size"] == "6pt"
    assert [str(col["style"]) for col in table.find_all("col")] == ["width: 7.14%"] * 14
