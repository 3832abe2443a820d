"""The report's page typeset as a PDF: HTML to Typst by pandoc, then by our own Typst template.

Both programs come in their wheels; nothing is asked of the system and nothing is downloaded.
"""

from __future__ import annotations

import json
import mimetypes
import re
import tempfile
import unicodedata
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pypandoc
import typst
from bs4 import BeautifulSoup
from bs4.element import Tag

from fercore.language import CATALOGUES, FONTS, current, paragraph, say
from fercore.plain import tied
from fercore.report.assets import TEMPLATES
from fercore.report.front import Front
from fercore.report.notebooks import ReportError

LINE = 481.9
"""Width of the text in points: 170 mm."""

SERIF, SANS = 0.51, 0.57
"""Mean width of a letter, as a share of the type's size: of Libertinus Serif, of Noto Sans."""

GAP = 9.0
"""Points between two columns."""

_SIZES = (8.5, 8, 7.5, 7, 6.5, 6)
_WORD = re.compile(r"(?:[^\s\u2e80-\u9fff\uff00-\uffef]|\xa0)+|[\u2e80-\u9fff\uff00-\uffef]{1,4}")
"""What should stay on one line; Chinese may be broken anywhere, but is better read in fours."""
_DROPPED = ["script", "style", "nav", "noscript", "template", "button", "svg"]
_KEEPS_ID = ["h1", "h2", "h3", "h4", "h5", "h6", "figure", "table", "span"]
"""What pandoc turns into something that a Typst label can stand at."""


def pdf(page: str, front: Front) -> bytes:
    """The PDF of the page that `fercore.report.html.page` makes, without its code.

    ReportError where pandoc or Typst refuses it.
    """
    (whole,) = typeset(page, front)
    return whole


def typeset(page: str, front: Front, **form: Any) -> list[bytes]:
    """The same by Typst's options, as `format="png", ppi=40`: one file for each page."""
    with tempfile.TemporaryDirectory() as folder:
        body, alts = prepare(page, Path(folder))
        source = Path(folder) / "report.typ"
        template = (TEMPLATES / "report.typ").read_text(encoding="utf-8")
        source.write_text(f"{template}\n{_describe(_to_typst(body), alts)}", encoding="utf-8")
        return _compile(source, front, form)


def prepare(page: str, folder: Path) -> tuple[str, dict[str, str]]:
    """The page's text as HTML for pandoc, and alt texts by file name of the images in `folder`."""
    main = BeautifulSoup(page, "html.parser").main
    if main is None:
        raise ReportError("PDF: the page has no <main>")
    for tag in main.find_all(_DROPPED) + main.find_all(class_=["code", "fercore-chart"]):
        tag.decompose()
    alts = _write_images(main, folder)
    _raise_headings(main)
    _set_captions(main)
    for table in main.find_all("table"):
        _fit(table)
    _set_small(main)
    _anchor_cells(main)
    for tag in main.find_all(["section", "div"]):
        if not tag.has_attr("data-typst:text:size"):
            tag.unwrap()
    _drop_dead_links(main)
    return main.decode_contents(), alts


def _write_images(main: Tag, folder: Path) -> dict[str, str]:
    """Images become files: Typst reads no data URI. Their size is left to the template."""
    alts = {}
    for number, image in enumerate(main.find_all("img"), start=1):
        with urlopen(str(image["src"])) as content:
            ending = mimetypes.guess_extension(content.headers.get_content_type()) or ".bin"
            name = f"image-{number}{ending}"
            (folder / name).write_bytes(content.read())
        alts[name] = str(image.get("alt", ""))
        image.attrs = {"src": name}
    return alts


def _raise_headings(main: Tag) -> None:
    """The title stands on its own page, so that chapters (h2) are the first level."""
    for head in main.find_all(re.compile("^h[2-6]$")):
        head.name = f"h{int(head.name[1]) - 1}"


def _set_captions(main: Tag) -> None:
    """Pandoc knows a table's caption by <caption>, and no classes: label bold, note in italics."""
    for label in main.find_all("span", class_="label"):
        label.name = "strong"
    for note in main.find_all("span", class_="fercore-note"):
        note.name = "em"
    for figure in main.find_all("figure", class_="fercore-table"):
        table, caption = figure.find("table"), figure.find("figcaption")
        if table is not None and caption is not None:
            table["id"] = figure["id"]
            caption.name = "caption"
            table.insert(0, caption.extract())
            figure.replace_with(table.extract())


def _fit(table: Tag) -> None:
    """Type and columns such that no word and no number is broken, where that can be had.

    What is left of the line goes to the columns whose text would otherwise be wrapped.
    """
    rows = [row.find_all(["th", "td"]) for row in table.find_all("tr")]
    columns = list(zip_longest(*rows))
    need = [max(_longest(cell) for cell in column if cell) for column in columns]
    full = [max(_length(cell) for cell in column if cell) for column in columns]
    fits = (size for size in _SIZES if sum(need) <= _letters(size, len(columns)))
    size = next(fits, _SIZES[-1])
    table["data-typst:text:size"] = f"{size}pt"
    spare, wanted = _letters(size, len(columns)) - sum(need), sum(full) - sum(need)
    if spare < wanted:  # nothing is wanted, and less than nothing spare, where words alone overflow
        share = max(spare, 0) / wanted if wanted else 0
        letters = [a + share * (b - a) for a, b in zip(need, full, strict=True)]
        _set_widths(table, letters, size)


def _letters(size: float, columns: int) -> float:
    """How many letters of a table fit on a line, at this size in points."""
    return (LINE - GAP * columns) / (_letter() * size)


def _letter() -> float:
    return SANS if current() in FONTS else SERIF


def _set_widths(table: Tag, letters: list[float], size: float) -> None:
    group = _new("colgroup")
    widths = [_letter() * size * count + GAP for count in letters]
    for width in widths:
        group.append(_new("col", style=f"width: {100 * width / sum(widths):.2f}%"))
    caption = table.find("caption")
    table.insert(table.index(caption) + 1 if caption else 0, group)


def _length(cell: Tag) -> int:
    return _letters_of(cell.get_text(" ", strip=True))


def _longest(cell: Tag) -> int:
    """Letters that must stay on one line: a whole number, else the longest word."""
    text = cell.get_text(" ", strip=True)
    if "right" in str(cell.get("style", "")) and cell.name == "td":
        return _length(cell)
    return max(map(_letters_of, _WORD.findall(text)), default=0)


def _letters_of(text: str) -> int:
    """How many letters the text is as wide as; a Chinese character is as wide as two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _set_small(main: Tag) -> None:
    for line in main.find_all("p", class_="rests"):
        line.wrap(_new("div", **{"data-typst:text:size": "8pt"}))


def _anchor_cells(main: Tag) -> None:
    """An id of a cell moves to a span around its text."""
    for cell in main.find_all(["th", "td"], id=True):
        span = _new("span", id=str(cell["id"]))
        del cell["id"]
        span.extend(list(cell.contents))
        cell.append(span)


def _drop_dead_links(main: Tag) -> None:
    """Typst refuses a link to what is not there."""
    anchors = {str(tag["id"]) for tag in main.find_all(_KEEPS_ID, id=True)}
    for link in main.find_all("a", href=re.compile("^#")):
        if str(link["href"])[1:] not in anchors:
            link.unwrap()


def _new(name: str, **attributes: str) -> Tag:
    return BeautifulSoup("", "html.parser").new_tag(name, attrs=attributes)


def _to_typst(body: str) -> str:
    try:
        text = pypandoc.convert_text(
            body, "typst", format="html", extra_args=["--wrap=none", "--syntax-highlighting=none"]
        )
    except (RuntimeError, OSError) as error:
        raise ReportError(f"PDF: pandoc: {_line(error)}") from None
    return str(text)


def _describe(text: str, alts: dict[str, str]) -> str:
    """Alt texts, which pandoc's Typst writer drops."""
    return re.sub(
        r'image\("(image-\d+\.\w+)"',
        lambda found: f"{found[0]}, alt: {json.dumps(alts[found[1]], ensure_ascii=False)}",
        text,
    )


def _compile(source: Path, front: Front, form: Mapping[str, Any]) -> list[bytes]:
    words = {name: getattr(front, name) for name in _WORDS}
    answers = {"": front.answer, say("On photographs:"): front.photographs}
    words["answers"] = [
        {"sentences": tied(paragraph(where, found.sentences)), "rests_on": tied(found.rests_on)}
        for where, found in answers.items()
        if found
    ]
    words |= {"contents": say("Contents"), "warning": say("SYNTHETIC DATA."), **_letters_in()}
    try:
        result = typst.compile(
            source,
            root=source.parent,
            font_paths=[CATALOGUES],
            sys_inputs={"front": json.dumps(words, default=str)},
            timestamp=front.date.replace(microsecond=0),
            **form,
        )
    except RuntimeError as error:
        raise ReportError(f"PDF: Typst: {_line(error)}") from None
    return result if isinstance(result, list) else [result]


def _letters_in() -> dict[str, Any]:
    """Fonts, language and region for Typst."""
    lang, _, region = current().partition("-")
    own = [FONTS[current()].family] if current() in FONTS else []
    return {"fonts": [*own, "Libertinus Serif"], "lang": lang, "region": region or "gb"}


_WORDS = ("title", "subtitle", "kicker", "description", "synthetic", "facts")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
