"""What is printed, sequence by sequence; the screens it makes are in test_line_editor."""

from __future__ import annotations

import pytest

from conch_insults.core.line_display import LineDisplay

ACUTE = "\N{COMBINING ACUTE ACCENT}"


def drawn(text: str, width: int, cursor: int | None = None) -> tuple[LineDisplay, str]:
    display = LineDisplay("> ", width)
    return display, display.draw(text, len(text) if cursor is None else cursor)


class TestDrawing:
    def test_prints_prompt_and_line(self) -> None:
        assert drawn("perl", 80)[1] == "> perl"

    def test_a_filled_row_is_left_at_once(self) -> None:
        assert drawn("perl", 6)[1] == "> perl\r\n"
        assert drawn("perls", 6)[1] == "> perl\r\ns"

    def test_a_wide_cell_that_does_not_fit_goes_to_the_next_row(self) -> None:
        assert drawn("a日", 4)[1] == "> a \r\n日"

    def test_a_wide_cell_in_a_window_of_one_column_is_stood_in_for(self) -> None:
        display = LineDisplay("", 1)
        assert display.draw("日", 1) == "?\r\n"

    def test_a_lone_mark_does_not_sit_on_the_prompt(self) -> None:
        assert drawn(ACUTE, 80)[1] == f"> ◌{ACUTE}"

    def test_the_cursor_goes_to_its_cell(self) -> None:
        assert drawn("perl", 80, 3)[1] == "> perl\b"
        assert drawn("perl", 80, 0)[1] == "> perl\x1b[4D"
        assert drawn("perl", 4, 0)[1] == "> pe\r\nrl\x1b[1A"
        assert drawn("perl", 4, 2)[1] == "> pe\r\nrl\r"

    def test_the_cursor_of_a_wide_cell_is_where_that_is_shown(self) -> None:
        assert drawn("a日", 4, 1)[1] == "> a \r\n日\r"

    def test_a_prompt_is_cleaned(self) -> None:
        assert LineDisplay("a\x1b[31m> ", 80).draw("", 0) == "a[31m> "


class TestUpdating:
    def test_a_character_at_the_end_is_all_that_is_printed(self) -> None:
        assert drawn("per", 80)[0].update(3, "l", 4) == "l"

    def test_a_character_that_fills_the_row_leaves_it(self) -> None:
        assert drawn("per", 6)[0].update(3, "l", 4) == "l\r\n"

    def test_moving_prints_nothing_else(self) -> None:
        display, _ = drawn("perl", 80)
        assert display.update(4, "", 4) == ""
        assert display.update(4, "", 1) == "\x1b[3D"
        assert display.update(4, "", 2) == "\x1b[1C"

    def test_an_insertion_prints_the_rest(self) -> None:
        assert drawn("prl", 80, 1)[0].update(1, "erl", 2) == "erl\x1b[2D"

    def test_a_removal_erases_what_is_left_over(self) -> None:
        assert drawn("perl", 80)[0].update(3, "", 3) == "\b\x1b[K"
        assert drawn("perl", 4)[0].update(1, "", 1) == "\x1b[1A\x1b[1C\x1b[J"


class TestLeaving:
    def test_goes_below_the_line(self) -> None:
        assert drawn("perl", 80)[0].leave() == "\r\n"
        assert drawn("perl", 4, 0)[0].leave() == "\x1b[1B\r\n"

    def test_a_fresh_row_is_used(self) -> None:
        assert drawn("perl", 6)[0].leave() == ""

    def test_an_empty_row_is_not(self) -> None:
        display = LineDisplay("", 80)
        display.draw("", 0)
        assert display.leave() == "\r\n"

    def test_last_words_stand_behind_the_line(self) -> None:
        assert drawn("perl", 80, 2)[0].leave("^C") == "\x1b[2C^C\r\n"
        assert drawn("perl", 6)[0].leave("^C") == "^C\r\n"


class TestErasing:
    def test_goes_back_to_where_the_prompt_began(self) -> None:
        assert drawn("perl", 80)[0].erase() == "\r\x1b[J"
        assert drawn("perl", 3)[0].erase() == "\x1b[2A\x1b[J"


class TestWidth:
    @pytest.mark.parametrize(("given", "used"), [(0, 80), (-1, 80), (65535, 1000), (1, 1)])
    def test_is_made_usable(self, given: int, used: int) -> None:
        display = LineDisplay("", given)
        assert display.draw("x" * (used - 1), used - 1) == "x" * (used - 1)
        assert display.draw("x" * used, used) == "x" * used + "\r\n"

    def test_says_whether_it_changed(self) -> None:
        display = LineDisplay("", 80)
        assert not display.resize(0)
        assert display.resize(10)
        assert display.draw("x" * 10, 10) == "x" * 10 + "\r\n"
