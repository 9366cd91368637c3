"""A line on a terminal that only prints."""

from __future__ import annotations

from conch_insults.core.appearance import Appearance
from conch_insults.core.teletype_display import TeletypeDisplay
from conch_insults.core.window import Window

DUMB = Appearance(dumb=True, plain=True)


def drawn(text: str, width: int = 80, appearance: Appearance = DUMB) -> TeletypeDisplay:
    display = TeletypeDisplay("> ", Window.claimed(width), appearance)
    assert display.draw(text, 0).endswith(text) or appearance.ascii
    return display


class TestPrinting:
    def test_what_is_typed_at_the_end_is_echoed(self) -> None:
        assert drawn("per").update(3, "l", 4) == "l"

    def test_moving_prints_nothing(self) -> None:
        assert drawn("perl").update(4, "", 1) == ""

    def test_what_is_taken_back_at_the_end_is_rubbed_out(self) -> None:
        assert drawn("perl").update(2, "", 2) == "\b \b\b \b"

    def test_what_may_be_on_several_rows_is_printed_again(self) -> None:
        assert drawn("perl", width=6).update(3, "", 3) == "\r\n> per"
        assert drawn("perl", width=7).update(3, "", 3) == "\b \b"

    def test_what_may_be_wide_is_printed_again(self) -> None:
        assert drawn("日本").update(1, "", 1) == "\r\n> 日"

    def test_any_other_edit_prints_the_line_again(self) -> None:
        display = drawn("prl")
        assert display.update(1, "erl", 2) == "\r\n> perl"
        assert display.update(0, "cobol", 5) == "\r\n> cobol"
        assert display.update(5, "!", 6) == "!"

    def test_a_line_break_is_shown(self) -> None:
        assert drawn("a").update(1, "\nb", 3) == "↵b"

    def test_ascii_is_printed_where_that_is_all_there_is(self) -> None:
        ascii_only = Appearance(dumb=True, ascii=True)
        display = TeletypeDisplay("→ ", Window.claimed(80), ascii_only)
        assert display.draw("é", 1) == "-> e"
        assert display.update(1, "…", 2) == "..."
        assert display.update(1, "", 1) == "\b \b" * 3


class TestLeaving:
    def test_goes_below_the_line(self) -> None:
        assert drawn("perl").leave() == "\r\n"
        assert drawn("perl").leave("^C") == "^C\r\n"
        assert drawn("perl").erase() == "\r\n"

    def test_another_window_changes_nothing(self) -> None:
        display = drawn("perl")
        display.resize(Window.claimed(3))
        assert display.update(3, "", 3) == "\r\n> per"

    def test_another_prompt_counts_from_the_next_time_on(self) -> None:
        display = drawn("perl")
        display.set_prompt("?\x1b ")
        assert display.draw("x", 1) == "? x"
