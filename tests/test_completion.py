"""What a word may become, and how that is listed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.appearance import Appearance
from conch_insults.core.cells import text_width
from conch_insults.core.completion import completed, listed
from conch_insults.core.printable import printable
from conch_insults.core.window import Window


@pytest.mark.parametrize(
    ("typed", "candidates", "text"),
    [
        ("p", ["perl"], "perl"),
        ("P", ["perl"], "perl"),
        ("js", ["javascript"], "javascript"),
        ("p", ["perl", "perl 6"], "perl"),
        ("insult p", ["insult perl", "insult perl 6"], "insult perl"),
        ("p", ["perl", "python"], "p"),
        ("p", ["Perl", "PERL 6"], "Perl"),
        ("perl", ["perl", "perl 6"], "perl"),
        ("PERL", ["perl", "perl 6"], "PERL"),
        ("j", ["javascript", "ecmascript"], "j"),
        ("stra", ["straße", "STRASSE"], "straße"),
        ("日", ["日本", "日本語"], "日本"),
    ],
)
def test_becomes_what_all_candidates_agree_on(typed: str, candidates: list[str], text: str) -> None:
    assert completed(typed, candidates) == text


def rows(
    *words: str,
    typed: str = "",
    width: int = 20,
    height: int = 24,
    plain: bool = False,
    ascii_only: bool = False,
) -> list[str]:
    appearance = Appearance(plain=plain, ascii=ascii_only)
    return listed(typed, words, Window.claimed(width, height), appearance)


class TestList:
    def test_has_as_many_columns_as_have_room_and_is_read_downwards(self) -> None:
        assert rows(*"abcdefghij", width=10) == ["a  d  g  j", "b  e  h", "c  f  i"]
        assert rows("perl", "python", "c", width=14) == ["perl    c", "python"]

    def test_has_one_column_in_a_narrow_window(self) -> None:
        assert rows("perl", "python", width=6) == ["perl", "python"]

    def test_has_one_column_where_things_are_plain(self) -> None:
        assert rows("perl", "python", width=200, plain=True) == ["perl", "python"]

    def test_wide_words_take_their_room(self) -> None:
        assert rows("日本", "c", "d", width=11) == ["日本  d", "c"]

    def test_leaves_out_the_words_that_are_finished(self) -> None:
        words = ("insult perl", "insult python")
        assert rows(*words, typed="insult p", width=80) == ["perl    python"]
        assert rows("perl", "insult python", typed="insult p", width=80)[0].startswith("perl")

    def test_clips_what_is_wider_than_the_window(self) -> None:
        assert rows("javascript", "java", width=7) == ["javasc…", "java"]
        assert rows("javascript", "java", width=7, ascii_only=True) == ["java...", "java"]

    def test_is_not_longer_than_the_window(self) -> None:
        words = [f"word{number}" for number in range(10)]
        assert rows(*words, height=4, width=5) == ["word0", "word1", "… an…"]
        assert rows(*words, height=4, width=12) == [
            "word0  word2",
            "word1  word3",
            "… and 6 more",
        ]
        assert rows(*words, height=6, width=12)[-1] == "word4  word9"

    def test_shows_one_word_in_a_window_of_one_row(self) -> None:
        assert rows("one", "two", height=1, width=3) == ["one", "… …"]

    def test_is_no_longer_than_can_be_read_where_the_height_is_unknown(self) -> None:
        words = [f"{number:04}" for number in range(2_000)]
        lines = rows(*words, height=0, width=80)
        assert len(lines) <= 60
        assert lines[-1] == "… and 1500 more"

    def test_has_ascii_alone_where_that_is_asked_for(self) -> None:
        assert rows("café", "日本", width=80, ascii_only=True) == ["cafe  ??"]


@given(
    st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=40),
    st.integers(1, 40),
    st.integers(0, 10),
    st.booleans(),
)
@settings(deadline=None, max_examples=100)
def test_any_list_fits_into_any_window(
    words: list[str], width: int, height: int, plain: bool
) -> None:
    appearance = Appearance(plain=plain)
    window = Window.claimed(width, height)
    lines = listed("", words, window, appearance)
    assert len(lines) <= max(2, window.answer_rows)
    for line in lines:
        assert text_width(line) <= width
        assert line == printable(line)
