"""An answer that is taken in pieces."""

from __future__ import annotations

import pytest

from conch_insults.core.appearance import Appearance
from conch_insults.core.pages import Pages
from conch_insults.core.window import Window

NARROW, WIDE = Window.claimed(10, 5), Window.claimed(80, 24)


def pages_of(text: str, appearance: Appearance | None = None) -> Pages:
    return Pages(text, appearance or Appearance())


class TestTaking:
    def test_takes_rows_ready_to_be_printed(self) -> None:
        pages = pages_of("one\ntwo\nthree\n")
        assert pages.take(2, WIDE) == "one\r\ntwo\r\n"
        assert not pages.is_finished
        assert pages.take(2, WIDE) == "three\r\n"
        assert pages.is_finished
        assert pages.take(2, WIDE) == ""

    def test_nothing_is_no_row_and_an_empty_line_is_one(self) -> None:
        assert pages_of("").is_finished
        assert pages_of("").take(9, WIDE) == ""
        assert pages_of("\n").take(9, WIDE) == "\r\n"
        assert pages_of("\n\none\n").take(9, WIDE) == "\r\n\r\none\r\n"

    def test_the_last_line_may_lack_its_end(self) -> None:
        assert pages_of("one\ntwo").take(9, WIDE) == "one\r\ntwo\r\n"

    def test_a_long_line_is_taken_in_part(self) -> None:
        pages = pages_of("one two three four five\nsix\n")
        assert pages.take(2, NARROW) == "one two\r\nthree four\r\n"
        assert pages.take(2, NARROW) == "five\r\nsix\r\n"

    def test_the_rest_of_a_line_is_wrapped_for_the_window_it_comes_into(self) -> None:
        pages = pages_of("one two three four five\n")
        assert pages.take(1, NARROW) == "one two\r\n"
        assert pages.take(9, WIDE) == "three four five\r\n"

    def test_ascii_is_counted_as_it_is_printed(self) -> None:
        appearance = Appearance(ascii=True)
        assert pages_of("“日本…” — café\n", appearance).take(9, NARROW) == '"??..." --\r\ncafe\r\n'


class TestPrompt:
    @pytest.mark.parametrize(
        ("width", "prompt"),
        [
            (80, "-- 3 more: space, Enter, q --"),
            (30, "-- 3 more: space, Enter, q --"),
            (29, "-- more --"),
            (10, "more"),
            (4, ":"),
            (1, ":"),
        ],
    )
    def test_says_what_is_left_in_one_row(self, width: int, prompt: str) -> None:
        assert pages_of("1\n2\n3\n").prompt(Window.claimed(width)) == prompt

    def test_counts_a_line_that_is_shown_in_part(self) -> None:
        pages = pages_of("one two three four five\nsix\n")
        pages.take(1, NARROW)
        assert pages.prompt(WIDE).startswith("-- 2 more")

    def test_is_emphasised_where_there_is_colour(self) -> None:
        pages = pages_of("1\n", Appearance(colour="on"))
        assert pages.prompt(NARROW) == "\x1b[7mmore\x1b[m"

    @pytest.mark.parametrize(
        ("columns", "reflows", "above"),
        [(79, True, 0), (29, True, 0), (28, True, 1), (10, True, 2), (10, False, 0), (99, True, 0)],
    )
    def test_is_in_more_rows_once_they_are_wrapped_anew(
        self, columns: int, *, reflows: bool, above: int
    ) -> None:
        pages = pages_of("1\n2\n3\n", Appearance(reflows=reflows))
        assert pages.rows_above_prompt_end(WIDE, Window.claimed(columns)) == above
