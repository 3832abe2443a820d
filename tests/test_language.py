"""The report speaks English or Traditional Chinese, and either one whole."""

from __future__ import annotations

import io
import os
import re
import shutil
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from fercore import analysis, figures, language, sentences, tables
from fercore.data import EMOTIONS
from fercore.display import Figure, Table, Text
from fercore.language import FONTS, catalogue, listed, mark, paragraph, say
from fercore.report import Job, build
from fercore.report.front import answer
from fercore.report.html import page, words
from fercore.report.notebooks import translated
from fercore.report.pdf import pdf
from fercore.setting import Setting, StudyError, check
from tests.conftest import TINY
from tests.executed_notebooks import code, front, notebook, text, three_chapters
from tests.here import without_kernels
from tests.messages import messages, path_of
from tests.subset_font import letters
from tests.tables_of_runs import compared, pairs, runs, summary

ROOT = Path(__file__).parents[1]
TRANSLATED = language.LANGUAGES[1:]
HAN = re.compile(r"[\u4e00-\u9fff]")
NAMES = {"MobileNet", "MMACs", "ECE", "Training", "PublicTest", "PrivateTest", "commit", "± 95 %"}
"""Heads that are the same in every language, beside those with a network's or a split's name."""


@pytest.fixture
def chinese() -> Iterator[None]:
    with language.speaking("zh-TW"):
        yield


def test_english_is_the_template_filled() -> None:
    assert say("{count:,} images", count=7_178) == "7,178 images"
    assert say("braces {stay} without fields") == "braces {stay} without fields"
    assert paragraph("One.", "", "Two.") == "One. Two."


def test_what_no_catalogue_has_stays_english(chinese: None) -> None:
    assert say("no such {thing}", thing="message") == "no such message"
    assert paragraph("一。", "二。") == "一。二。"


def test_chinese_has_no_blank_between_its_characters(chinese: None) -> None:
    lead = {"points": "1 點", "other": say("the plain CNN")}
    assert say("{leader} is {points} ahead of {other}", leader="大型", **lead) == (
        "大型領先一般 CNN 1 點"
    )


def test_html_templates_say_what_say_does_and_escape_fields(chinese: None) -> None:
    lead = {"points": "1 點", "other": say("the plain CNN"), "leader": "大型"}
    template = "{leader} is {points} ahead of {other}"
    assert words(template, **lead) == say(template, **lead)
    assert words("braces {stay} without fields") == "braces {stay} without fields"
    assert words("<b>{name}</b>", name="中文 <文> 字") == "<b>中文 &lt;文&gt; 字</b>"


def test_words_in_a_row() -> None:
    assert [listed("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_a_language_ends_with_its_block() -> None:
    with language.speaking("zh-TW"):
        assert language.current() == "zh-TW"
    assert language.current() == "en"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of en, zh-TW, found 'zh'"):
        language.use("zh")
    with pytest.raises(StudyError, match=r"LANG: .*'en' or 'zh-TW', found 'zh'"):
        check({"LANG": "zh"})
    assert [check({"LANG": name}).LANG for name in language.LANGUAGES] == [*language.LANGUAGES]
    assert Setting().LANG == "en"


def test_mark_changes_nothing() -> None:
    assert mark({"a": "b"}) == {"a": "b"}


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_message_is_translated_and_none_is_left_over(name: str) -> None:
    known, said = catalogue(name), messages()
    missing = [message for message in said if message not in known]
    stale = [message for message in known if message not in said]
    advice = f"run `python -m tests.messages` and fill in {path_of(name).name}"
    assert not missing, f"{advice}; without a translation: {missing}"
    assert not stale, f"{advice}; said nowhere any more: {stale}"


def fields(template: str) -> set[str]:
    found = (name for _, name, _, _ in string.Formatter().parse(template) if name)
    return {re.split(r"[.\[]", name)[0] for name in found}


@pytest.mark.parametrize("name", TRANSLATED)
def test_translations_have_the_fields_of_their_message(name: str) -> None:
    for message, translation in catalogue(name).items():
        if not message.startswith("#"):  # Markdown has none
            assert fields(translation) == fields(message), message
            assert message.endswith(" %") == translation.endswith(" %"), message


@pytest.mark.parametrize("name", FONTS)
def test_the_font_has_every_character_of_the_catalogue(name: str) -> None:
    for path in FONTS[name][1:]:
        missing = letters(name) - set(map(chr, TTFont(path).getBestCmap()))
        assert not missing, f"{path.name}: see tests/subset_font.py; it lacks {missing}"
        assert path.stat().st_size < 310_000


def studied() -> pd.DataFrame:
    return runs(
        ("m1", "mobilenet", 10_000, [0.50, 0.52]),
        ("m2", "mobilenet", 100_000, [0.60, 0.62]),
        ("c1", "cnn", 10_100, [0.40, 0.42]),
        ("c2", "cnn", 101_000, [0.70, 0.71]),
    )


def test_a_figure_has_chinese_without_a_box(chinese: None) -> None:
    """Matplotlib warns of a glyph that it lacks, and warnings are errors."""
    matrix = {"m1": np.diag([4] * 7) + 1}
    for shown in (
        figures.confusions(matrix, EMOTIONS, "PublicTest", note=""),
        figures.size_against_accuracy(
            studied(), summary(studied()), "PublicTest", compared(studied())
        ),
        figures.leads(pairs(studied()), "PublicTest"),
    ):
        assert isinstance(shown, Figure)
        data, _ = shown._repr_mimebundle_()
        assert HAN.search(shown.caption)
        assert HAN.search(shown.alt)
        assert "image/svg+xml" in data
        labels = [axes.get_ylabel() for axes in shown.figure.axes]
        assert all(HAN.search(label) for label in labels), labels


def test_heads_of_tables_are_chinese(chinese: None) -> None:
    table, matrix = studied(), {"m1": np.diag([4] * 7), "c1": np.diag([3] * 7)}
    comparison = compared(table)
    for shown in (
        tables.networks(table, name="n", caption="The data."),
        tables.pairs(pairs(table), "PublicTest"),
        tables.budgets([comparison], "PublicTest"),
        tables.claims(sentences.claims(pairs(table))),
        tables.classes(analysis.class_table(matrix, EMOTIONS)),
        tables.unseen(table, "PublicTest"),
    ):
        assert isinstance(shown, Table)
        soup = BeautifulSoup(shown._repr_mimebundle_()[0]["text/html"], "html.parser")
        heads = {head.get_text() for head in soup.select("thead th")}
        own = {head for head in heads if re.search(r"PublicTest|PrivateTest|CNN|Net %|F1", head)}
        assert all(HAN.search(head) for head in heads - own - NAMES), heads
        assert HAN.search(soup.figcaption.get_text() if soup.figcaption else "")


def said_by_question_4() -> Text:
    found = studied()
    return sentences.comparison(
        summary(found), pairs(found), compared(found), "PublicTest", say("Synthetic data.")
    )


def test_the_title_page_quotes_the_answer_in_both_languages() -> None:
    for name, begins in (("en", "With 10k"), ("zh-TW", "在比較的最小規模")):
        with language.speaking(name):
            cell = code()
            markdown = said_by_question_4()._repr_markdown_()
            cell.outputs = [
                {"output_type": "display_data", "data": {"text/markdown": markdown}, "metadata": {}}
            ]
            found = answer(notebook(cell))
            assert found is not None
            assert found.sentences.startswith(begins)
            assert len(re.findall(r"[.。](?=\s|$|\S*[\u4e00-\u9fff])", found.sentences)) >= 2
            assert found.measured.startswith("PublicTest")
            assert say("; ± is half the 95 % interval over seeds") in found.measured


HEADING = "## Where these numbers come from"


def chapters() -> dict[str, object]:
    found = three_chapters()
    found["q1"].cells.append(text(HEADING))
    return {key: translated(one) for key, one in found.items()}


def test_the_page_is_chinese(chinese: None) -> None:
    made = chapters()
    soup = BeautifulSoup(page(made, Path(), front(made)), "html.parser")  # type: ignore[arg-type]
    assert soup.html
    assert soup.html["lang"] == "zh-TW"
    assert "Families shown" in str(soup.html["data-words"])
    labels = [label.get_text() for label in soup.select("figcaption .label")]
    assert labels == ["圖 1", "表 1", "圖 2", "表 2", "表 3"]
    assert "這些數字從何而來" in soup.select_one("nav.contents").get_text()  # type: ignore[union-attr]
    assert soup.find(id="q1-這些數字從何而來")
    assert "font-src data:" in str(soup.find("meta", attrs={"http-equiv": True}))
    assert "@font-face" in soup.style.get_text()  # type: ignore[union-attr]


def test_the_english_page_has_no_trace_of_another_language() -> None:
    made = three_chapters()
    html = page(made, Path(), front(made))
    assert '<html lang="en">' in html
    assert "font-face" not in html
    assert "font-src" not in html
    assert not HAN.search(html)


def test_the_pdf_has_chinese_headings_and_the_font(chinese: None) -> None:
    made = chapters()
    title = front(made)  # type: ignore[arg-type]
    found = PdfReader(io.BytesIO(pdf(page(made, Path(), title), title)))  # type: ignore[arg-type]
    printed = "".join("".join(sheet.extract_text() for sheet in found.pages).split())
    for heading in (say("Contents"), say(HEADING).lstrip("# "), "附錄：數字從何而來", "合成資料。"):
        assert heading in printed
    assert str(found.root_object["/Lang"]) == "zh-TW"
    fonts = {
        str(font.get_object()["/BaseFont"])
        for sheet in found.pages
        for font in sheet["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert {"NotoSansTC-Regular", "NotoSansTC-Bold"} <= {f.partition("+")[2] for f in fonts}


@pytest.mark.skipif(not shutil.which("make"), reason="without make")
def test_only_makes_command_line_sets_the_language() -> None:
    """LANG is also the shell's locale: neither may be taken for the other."""
    shell = {**os.environ, "LANG": "en_US.UTF-8"}
    command = ["make", "--dry-run", "--always-make", "q2"]
    plain, asked = (
        subprocess.run(
            [*command, *more], cwd=ROOT, env=shell, capture_output=True, text=True, check=True
        ).stdout
        for more in ([], ["LANG=zh-TW"])
    )
    assert "LANG" not in plain
    assert "--set 'LANG=zh-TW'" in asked


@pytest.mark.slow
def test_no_english_sentence_is_left_in_the_chinese_report(
    common: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report of all notebooks, by the runs of `tiny_report`."""
    monkeypatch.setenv("FERCORE_RUNS", str(common / "reports" / "runs"))
    job = Job(ROOT / "notebooks", tmp_path, preset=str(TINY), overrides=["LANG=zh-TW"])
    with without_kernels():
        written = build(job, say=lambda text: None)
    assert language.current() == "en"
    assert written[0].stat().st_size < 5_000_000
    soup = BeautifulSoup(written[0].read_text(encoding="utf-8"), "html.parser")
    for tag in soup.find_all(["script", "style", "pre", "code"]):
        tag.decompose()
    shown = [str(part) for part in soup.find_all(string=True)]
    shown += [str(tag["alt"]) for tag in soup.find_all(alt=True)]
    english = re.compile(
        r"(^| )(the|of|is|are|and|in|with|by|at|not|what|where)( |$)", re.IGNORECASE
    )
    assert [part for part in shown if english.search(part)] == []
