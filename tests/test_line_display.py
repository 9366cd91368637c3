"""What is printed, sequence by sequence; the screens it makes are in test_line_editor."""

from __future__ import annotations

import pytest

from conch_insults.core.appearance import Appearance
from conch_insults.core.line_display import LineDisplay
from conch_insults.core.window import Window

ACUTE = "\N{COMBINING ACUTE ACCENT}"


def display_of(
    prompt: str, width: int, height: int = 0, appearance: Appearance | None = None
) -> LineDisplay:
    return LineDisplay(prompt, Window.claimed(width, height), appearance or Appearance())


def drawn(
    text: str,
    width: int,
    cursor: int | None = None,
    height: int = 0,
    appearance: Appearance | None = None,
) -> tuple[LineDisplay, str]:
    display = display_of("> ", width, height, appearance)
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
        display = display_of("", 1)
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
        assert display_of("a\x1b[31m> ", 80).draw("", 0) == "a[31m> "

    def test_another_prompt_counts_from_the_next_time_on(self) -> None:
        display, _ = drawn("perl", 80)
        display.set_prompt("?\x1b ")
        assert display.update(4, "!", 5) == "!"
        assert display.erase() + display.draw("perl", 4) == "\r\x1b[J? perl"

    def test_a_line_break_is_shown(self) -> None:
        assert drawn("a\nb", 80)[1] == "> a↵b"


class TestAppearance:
    def test_the_prompt_alone_is_coloured(self) -> None:
        display, text = drawn("perl", 80, appearance=Appearance(colour="on"))
        assert text == "\x1b[1;32m> \x1b[mperl"
        assert display.update(4, "!", 5) == "!"

    def test_a_wrapped_prompt_is_coloured_to_its_end(self) -> None:
        text = drawn("x", 1, appearance=Appearance(colour="on"))[1]
        assert text == "\x1b[1;32m>\r\n \x1b[m\r\nx\r\n"

    def test_it_counts_as_it_is_when_something_is_printed(self) -> None:
        appearance = Appearance()
        display, text = drawn("é", 80, appearance=appearance)
        assert text == "> é"
        appearance.ascii, appearance.colour = True, "on"
        assert display.draw("é日", 2) == "\x1b[1;32m> \x1b[me?"

    def test_a_cell_takes_the_room_of_its_likeness(self) -> None:
        ascii_only = Appearance(ascii=True)
        assert drawn("a\nb", 80, 2, appearance=ascii_only)[1] == "> a^Jb\b"
        assert drawn("…b", 6, 0, appearance=ascii_only)[1] == "> ...b\r\n\x1b[1A\x1b[2C"
        assert drawn("…", 4, appearance=ascii_only)[1] == ">   \r\n..."
        assert drawn("…", 2, appearance=ascii_only)[1] == "> \r\n?"

    def test_a_plain_line_stays_where_it_is(self) -> None:
        display, _ = drawn("perl", 4, 0, appearance=Appearance(plain=True))
        assert display.erase() == "\x1b[1B\r\n"


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
        display = display_of("", 80)
        display.draw("", 0)
        assert display.leave() == "\r\n"

    def test_last_words_stand_behind_the_line(self) -> None:
        assert drawn("perl", 80, 2)[0].leave("^C") == "\x1b[2C^C\r\n"
        assert drawn("perl", 6)[0].leave("^C") == "^C\r\n"


class TestErasing:
    def test_goes_back_to_where_the_prompt_began(self) -> None:
        assert drawn("perl", 80)[0].erase() == "\r\x1b[J"
        assert drawn("perl", 3)[0].erase() == "\x1b[2A\x1b[J"


class TestLongLines:
    """In a window of three rows with five columns."""

    def test_the_last_rows_are_shown(self) -> None:
        display, text = drawn("abcdefghijklmnop", 5, height=3)
        assert text == "> abc\r\ndefgh\r\nijklm\r\nnop"
        assert display.erase() == "\x1b[2A\r\x1b[J"

    def test_the_cursor_brings_its_row_into_the_window(self) -> None:
        display, _ = drawn("abcdefghijklmnop", 5, height=3)
        up = display.update(16, "", 1)
        assert up == "\x1b[2A\r\x1b[J> abc\r\ndefgh\r\nijklm\r\x1b[2A\x1b[3C"
        down = display.update(16, "", 16)
        assert down == "\r\x1b[Jdefgh\r\nijklm\r\nnop"

    def test_an_edit_above_shows_the_window_anew(self) -> None:
        display, _ = drawn("abcdefghijklmnop", 5, height=3)
        shown_anew = display.update(0, "xabcdefghijklmnop", 17)
        assert shown_anew == "\x1b[2A\r\x1b[Jcdefg\r\nhijkl\r\nmnop"

    def test_an_edit_whose_end_is_below_shows_the_window_anew(self) -> None:
        display, _ = drawn("abcdefghijklmnop", 5, 0, height=2)
        shown_anew = display.update(0, "xabcdefghijklmnop", 1)
        assert shown_anew == "\r\x1b[J> xab\r\ncdefg\r\x1b[1A\x1b[3C"

    def test_leaving_prints_what_was_below(self) -> None:
        display, _ = drawn("abcdefghijklmnop", 5, 0, height=2)
        assert display.leave() == "\x1b[1B\rdefgh\r\nijklm\r\nnop\r\n"


class TestResizing:
    @pytest.mark.parametrize(("width", "resized"), [(6, None), (100, None), (5, "\r\x1b[J")])
    def test_a_line_of_one_row_that_still_fits_stays(self, width: int, resized: str | None) -> None:
        display, _ = drawn("abc", 80)
        assert display.resize(Window.claimed(width)) == resized

    def test_rows_are_taken_to_stay_as_they_are(self) -> None:
        display, _ = drawn("abcdefghij", 10)
        assert display.resize(Window.claimed(5)) == "\x1b[1A\r\x1b[J"

    def test_a_terminal_that_wraps_rows_anew_has_more_of_them(self) -> None:
        display, _ = drawn("abcdefghij", 10, appearance=Appearance(reflows=True))
        assert display.resize(Window.claimed(5)) == "\x1b[2A\r\x1b[J"
        assert display.draw("abcdefghij", 10) == "> abc\r\ndefgh\r\nij"
        assert display.resize(Window.claimed(20)) == "\x1b[2A\r\x1b[J"

    @pytest.mark.parametrize(
        ("text", "cursor", "rows"),
        [
            # The cursor is behind a full row, at the start of one, and on the last cell of one.
            ("abcdefgh", 8, 3),
            ("abcdefghi", 8, 3),
            ("abcdefgh", 7, 2),
            # Wide cells do not fill the narrower rows; the blank before the last counts.
            ("日本日本", 4, 3),
            ("abcdefg日", 8, 3),
        ],
    )
    def test_they_are_counted_as_it_wraps_them(self, text: str, cursor: int, rows: int) -> None:
        display, _ = drawn(text, 10, cursor, appearance=Appearance(reflows=True))
        assert display.resize(Window.claimed(4)) == f"\x1b[{rows}A\r\x1b[J"

    def test_a_blank_that_was_left_before_a_wide_cell_may_need_a_row_by_then(self) -> None:
        display, _ = drawn("abcdefg日", 10, 8, appearance=Appearance(reflows=True))
        assert display.resize(Window.claimed(3)) == "\x1b[4A\r\x1b[J"

    def test_a_plain_line_is_shown_again_below(self) -> None:
        display, _ = drawn("abcdefghijklmnopqrst", 10, 2, appearance=Appearance(plain=True))
        assert display.resize(Window.claimed(5)) == "\x1b[2B\r\n"

    def test_and_below_all_of_it_where_it_has_been_wrapped_anew(self) -> None:
        plain = Appearance(plain=True, reflows=True)
        display, _ = drawn("abcdefghij", 80, 2, appearance=plain)
        assert display.resize(Window.claimed(5)) == "\x1b[2B\r\n"
        display, _ = drawn("abcdefgh", 10, 8, appearance=plain)
        assert display.resize(Window.claimed(5)) == "\r\n"

    def test_another_height_alone_matters_to_long_lines(self) -> None:
        display, _ = drawn("abcdefghijklmnop", 5, height=10)
        assert display.resize(Window.claimed(5, 4)) is None
        assert display.resize(Window.claimed(5, 3)) == "\x1b[2A\r\x1b[J"


class TestWidth:
    @pytest.mark.parametrize(("given", "used"), [(0, 80), (-1, 80), (65535, 1000), (1, 1)])
    def test_is_made_usable(self, given: int, used: int) -> None:
        display = display_of("", given)
        assert display.draw("x" * (used - 1), used - 1) == "x" * (used - 1)
        assert display.draw("x" * used, used) == "x" * used + "\r\n"
