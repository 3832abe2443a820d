"""The report speaks English or Traditional Chinese, and either one whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fercore import language
from fercore.language import mark, paragraph, say
from fercore.setting import Setting, StudyError, check


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
