"""Rows of a window, and the words in them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.cells import text_width
from conch_insults.core.printable import printable
from conch_insults.core.wrapping import WrappedLine

ACUTE = "\N{COMBINING ACUTE ACCENT}"
FAMILY = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"


def wrapped(text: str, *widths: int) -> list[str]:
    """Return rows of these widths; the last goes on to the end."""
    line = WrappedLine(text)
    rows: list[str] = []
    while not line.is_finished:
        rows.append(line.row(widths[min(len(rows), len(widths) - 1)]))
    return rows


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("", 5, [""]),
        ("perl", 4, ["perl"]),
        ("one two", 7, ["one two"]),
        ("one two", 6, ["one", "two"]),
        ("one two", 3, ["one", "two"]),
        ("one two", 4, ["one", "two"]),
        ("one   two", 5, ["one", "two"]),
        ("one  ", 3, ["one"]),
        ("abcdef", 4, ["abcd", "ef"]),
        ("a bcdefgh", 4, ["a", "bcde", "fgh"]),
        ("ab", 1, ["a", "b"]),
        ("a b", 1, ["a", "b"]),
        ("日本語", 4, ["日本", "語"]),
        ("日本語", 5, ["日本", "語"]),
        ("a 日本", 4, ["a", "日本"]),
        ("日a", 1, ["?", "a"]),
        (f"e{ACUTE}e{ACUTE} x", 2, [f"e{ACUTE}e{ACUTE}", "x"]),
        (f"{FAMILY}{FAMILY}", 2, [FAMILY, FAMILY]),
        ("non\u00a0breaking space", 12, ["non\u00a0breaking", "space"]),
    ],
)
def test_rows_end_between_words(text: str, width: int, rows: list[str]) -> None:
    assert wrapped(text, width) == rows


class TestIndent:
    def test_is_that_of_the_first_row(self) -> None:
        assert wrapped("  help  lists the commands", 12) == ["  help", "  lists the", "  commands"]

    def test_is_dropped_where_it_takes_more_than_half_of_the_window(self) -> None:
        assert wrapped("    one two", 8) == ["    one", "    two"]
        assert wrapped("    one two", 7) == ["one two"]
        assert wrapped("    ", 3) == [""]

    def test_of_a_blank_line_does_no_harm(self) -> None:
        assert wrapped(" " * 1000, 80) == [""]

    def test_counts_for_wide_cells(self) -> None:
        assert wrapped(" 日本", 2) == [" ?", " ?"]


def test_the_window_may_change_between_rows() -> None:
    assert wrapped("one two three four five", 7, 3, 20) == ["one two", "thr", "ee four five"]


TEXTS = st.text(st.sampled_from("ab  -日本é\u0301\u200d👩") | st.characters()).map(printable)


@given(TEXTS, st.lists(st.integers(1, 12), min_size=1, max_size=5))
@settings(deadline=None, max_examples=200)
def test_nothing_is_lost_but_blanks_and_no_row_is_too_wide(text: str, widths: list[int]) -> None:
    rows = wrapped(text, *widths)
    narrowest = min(widths)
    for number, row in enumerate(rows):
        assert text_width(row) <= widths[min(number, len(widths) - 1)]
    if narrowest > 2:
        assert "".join(rows).replace(" ", "") == text.replace(" ", "")


WORDS = st.lists(st.text(st.sampled_from("ab-"), min_size=1, max_size=8), max_size=20)


@given(WORDS, st.integers(2, 12))
@settings(deadline=None, max_examples=200)
def test_rows_are_as_long_as_can_be(words: list[str], width: int) -> None:
    rows = wrapped(" ".join(words), width)
    for row, following in pairwise(rows):
        word = following.split(" ")[0]
        is_broken = len(word) >= width or len(row) == width
        assert is_broken or len(row) + 1 + len(word) > width


@pytest.mark.no_cover
@pytest.mark.parametrize("text", ["x" * 200_000, " " * 200_000, "x " * 100_000, "日" * 100_000])
def test_an_endless_line_is_wrapped_in_time_that_is_proportional(text: str) -> None:
    line = WrappedLine(text)
    count = 0
    while not line.is_finished:
        line.row(1)
        count += 1
    assert count >= 1
