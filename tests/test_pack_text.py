"""What names and texts must be like, and which names mean the same topic."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conch_insults.core.pack_text import MAX_TOPIC, cleaned, cleaned_topic, fold_topic
from conch_insults.core.printable import printable
from conch_insults.errors import PackError

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


class TestFoldTopic:
    @pytest.mark.parametrize(
        ("typed", "key"),
        [
            ("python", "python"),
            ("  PyThon\t", "python"),
            ("code   \t review", "code review"),
            ("C ++", "c ++"),
            ("ÉTÉ", "été"),
            ("e\u0301te\u0301", "été"),
            ("\uff30\uff25\uff32\uff2c", "perl"),
            ("STRAßE", "strasse"),
            ("code\u3000 review\u00a0", "code review"),
            ("", ""),
            (" \u2003 ", ""),
        ],
    )
    def test_the_same_topic_however_it_is_typed(self, typed: str, key: str) -> None:
        assert fold_topic(typed) == key

    def test_names_that_differ_by_a_sign_stay_distinct(self) -> None:
        assert len({fold_topic(name) for name in ("c", "c++", "c#", "c ++", ".net", "net")}) == 6

    @settings(deadline=None, max_examples=200)
    @given(ANY_TEXT)
    @example("\xdf\u0323")
    @example("\u0399\u0308\u0301")
    def test_the_key_of_a_key_is_itself(self, text: str) -> None:
        key = fold_topic(text)
        assert fold_topic(key) == key
        assert fold_topic(f" {unicodedata.normalize('NFC', text)} ") == key


class TestCleaned:
    def test_the_space_around_a_text_is_no_part_of_it(self) -> None:
        assert cleaned("text", " \tA  b.\u3000", 9, "say something") == "A  b."

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "empty text; say something"),
            (" \t\u2003", "empty text; say something"),
            ("a\nb", "control character U+000A in the text; remove it"),
            ("a\x1b[0m", "control character U+001B in the text; remove it"),
            ("a\u202e", "control character U+202E in the text; remove it"),
            ("0123456789", "text of 10 characters; at most 9 are allowed"),
        ],
    )
    def test_what_cannot_be_used_is_told(self, text: str, reason: str) -> None:
        with pytest.raises(PackError) as caught:
            cleaned("text", text, 9, "say something")
        assert str(caught.value) == reason


class TestCleanedTopic:
    def test_it_is_one_line_with_an_end(self) -> None:
        assert cleaned_topic("  code \n review\x1b ") == "code review"
        assert cleaned_topic("x" * 64) == "x" * 64
        assert cleaned_topic("x" * 65) == "x" * 63 + "…"

    @settings(deadline=None, max_examples=100)
    @given(st.text())
    def test_whatever_was_typed_may_be_shown(self, text: str) -> None:
        topic = cleaned_topic(text)
        assert printable(topic) == topic
        assert len(topic) <= MAX_TOPIC
