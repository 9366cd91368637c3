"""A console and all it shows: answers, notices, pages, for every kind of terminal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.appearance import Appearance
from conch_insults.core.console import Console
from conch_insults.core.outputs import Display, HangUp, Line
from conch_insults.core.window import Window
from tests.typist import (
    BACKSPACE,
    CTRL_C,
    CTRL_D,
    CTRL_G,
    CTRL_R,
    DOWN,
    HOME,
    LEFT,
    PASTE,
    PASTED,
    START,
    STOP,
    TAB,
    UP,
    Typist,
)


def counts(line: str) -> str:
    """Answer a number of at most three digits with so many lines, anything else with itself."""
    if not line.isdigit() or len(line) > 3:
        return f"<{line}>\n"
    return "".join(f"{n}\n" for n in range(1, int(line) + 1))


def dumb() -> Appearance:
    return Appearance.from_environment("dumb", {})


class TestBeginningAndEnd:
    def test_pastes_are_marked_in_between(self) -> None:
        console = Console("> ", Window.claimed(80))
        assert console.start() == f"{START}> "
        assert console.stop() == f"\r\n{STOP}"
        assert console.stop() == STOP

    def test_the_end_of_the_input_comes_after_all_that_was_typed(self) -> None:
        typist = Typist()
        typist.console.end_input()
        typist.type(b"perl\rdraft")
        assert typist.outputs == [Line("perl"), HangUp()]
        assert typist.console.next_output() is None

    def test_a_long_read_is_worked_through_in_pieces(self) -> None:
        console = Console("> ", Window.claimed(80))
        console.start()
        console.receive(b"\x01" * 2500)
        outputs = list(iter(console.next_output, None))
        assert outputs == [Display("", 8 * 1024), Display("", 8 * 1024), Display("", 8 * 452)]


class TestAnswers:
    def test_come_below_the_line_with_a_prompt_behind_them(self) -> None:
        typist = Typist(answers=counts)
        typist.type("perl\r")
        assert typist.rows == ["> perl", "<perl>", ">"]

    def test_are_wrapped_between_words(self) -> None:
        typist = Typist(14, answers=lambda _: "You test in production.\n  It shows there.\n")
        typist.type("perl\r")
        assert typist.rows == [
            "> perl",
            "You test in",
            "production.",
            "  It shows",
            "  there.",
            ">",
        ]

    def test_are_printed_in_pieces_where_they_are_long(self) -> None:
        console = Console("> ", Window.claimed(80))
        console.start()
        console.answer(counts("250"))
        outputs = [console.next_output() for _ in range(4)]
        counted = [each.text.count("\n") for each in outputs if isinstance(each, Display)]
        assert counted == [100, 100, 50]

    def test_are_wrapped_for_the_window_that_they_come_into(self) -> None:
        console = Console("> ", Window.claimed(80))
        console.start()
        console.hide()
        console.answer("\n" * 100 + "one two three\n")
        console.next_output()
        console.resize(Window.claimed(7))
        assert console.refresh().text == "> "
        assert console.next_output() == Display("one two\r\nthree\r\n")

    def test_of_nothing_leave_a_prompt(self) -> None:
        typist = Typist()
        typist.type("\r")
        assert typist.rows == [">", ">"]


class TestPages:
    """Answers in a window of five rows."""

    @pytest.fixture
    def typist(self) -> Typist:
        return Typist(40, height=5, answers=counts)

    def test_an_answer_with_room_for_a_prompt_is_shown_whole(self, typist: Typist) -> None:
        typist.type("4\r")
        assert typist.rows == ["1", "2", "3", "4", ">"]

    def test_a_longer_one_stops_and_asks(self, typist: Typist) -> None:
        typist.type("5\r")
        assert typist.rows == ["1", "2", "3", "4", "-- 1 more: space, Enter, q --"]
        assert not typist.console.show()

    def test_space_shows_the_next_page_in_the_place_of_the_question(self, typist: Typist) -> None:
        typist.type("10\r")
        typist.type(" ")
        assert typist.rows == ["5", "6", "7", "8", "-- 2 more: space, Enter, q --"]
        typist.type(" ")
        assert typist.rows == ["7", "8", "9", "10", ">"]

    @pytest.mark.parametrize("enter", ["\r", "\n", "\r\n"])
    def test_enter_shows_the_next_row(self, typist: Typist, enter: str) -> None:
        typist.type(f"6{enter}")
        typist.type(enter)
        assert typist.rows == ["2", "3", "4", "5", "-- 1 more: space, Enter, q --"]
        typist.type(enter)
        assert typist.rows == ["3", "4", "5", "6", ">"]

    @pytest.mark.parametrize("key", [b"q", b"Q", CTRL_C, CTRL_G])
    def test_there_is_a_way_out(self, typist: Typist, key: bytes) -> None:
        typist.type("9\r")
        typist.type(key)
        assert typist.rows == ["1", "2", "3", "4", ">"]
        assert typist.outputs == [Line("9")]
        typist.type("perl\r")
        assert typist.rows[-2:] == ["<perl>", ">"]

    @pytest.mark.parametrize("key", [b"x", b"perl", UP, TAB, CTRL_D, CTRL_R, BACKSPACE, b"\x0c"])
    def test_any_other_key_beeps(self, typist: Typist, key: bytes) -> None:
        typist.type("9\r")
        typist.type(key)
        assert typist.printed == "\a"
        typist.type("q")
        assert typist.rows[-1] == ">"

    def test_what_is_typed_behind_the_end_is_for_the_line(self, typist: Typist) -> None:
        typist.type("9\r")
        typist.type("xqperl\r")
        assert typist.lines == ["9", "perl"]
        typist.type("5\r")
        typist.type("  two")
        assert typist.rows[-1] == ">  two"

    @pytest.mark.parametrize("ahead", ["perl", "7\rx", " ", "\x1b[A"])
    def test_who_types_ahead_reads_on_alone(self, typist: Typist, ahead: str) -> None:
        typist.type(f"9\r{ahead}")
        assert "more" not in typist.printed
        assert "8\r\n9\r\n> " in typist.printed

    def test_what_was_typed_ahead_is_not_lost(self, typist: Typist) -> None:
        typist.type("9\rperl\rdraft")
        assert typist.lines == ["9", "perl"]
        assert typist.rows[-2:] == ["<perl>", "> draft"]

    def test_the_lines_of_a_paste_are_typed_ahead(self, typist: Typist) -> None:
        typist.type(PASTE + b"9\n8\n7" + PASTED + b"\r")
        assert typist.lines == ["9", "8", "7"]
        assert typist.rows == ["1", "2", "3", "4", "-- 3 more: space, Enter, q --"]

    def test_an_end_of_input_shows_the_rest(self, typist: Typist) -> None:
        typist.type("9\r")
        typist.console.end_input()
        typist.goes_on()
        assert typist.rows == ["6", "7", "8", "9", ">"]
        assert typist.outputs == [Line("9"), HangUp()]

    def test_nobody_is_asked_after_the_end_of_input(self, typist: Typist) -> None:
        typist.console.end_input()
        typist.type("9\r")
        assert typist.outputs == [Line("9"), HangUp()]

    def test_a_notice_comes_above_the_question(self, typist: Typist) -> None:
        typist.type("9\r")
        typist.hears("Still there?\n")
        assert typist.rows == ["2", "3", "4", "Still there?", "-- 5 more: space, Enter, q --"]
        typist.type("\r")
        assert typist.rows[-2:] == ["5", "-- 4 more: space, Enter, q --"]

    def test_a_new_window_counts_from_the_next_page_on(self, typist: Typist) -> None:
        typist.type("20\r")
        typist.resizes(12, 8)
        assert typist.rows[-1] == "-- more --"
        typist.type(" ")
        assert typist.printed.count("\n") == 7
        assert typist.rows[-2:] == ["11", "-- more --"]

    def test_leaving_takes_the_question_away(self, typist: Typist) -> None:
        typist.type("9\r")
        assert typist.console.stop() == f"\r\x1b[K{STOP}"

    def test_a_window_of_unknown_height_has_no_pages(self) -> None:
        typist = Typist(answers=counts)
        typist.type("200\r")
        assert typist.rows[-2:] == ["200", ">"]

    def test_a_window_of_one_row_has_pages_of_one(self) -> None:
        typist = Typist(40, height=1, answers=counts)
        typist.type("2\r")
        assert typist.printed == "2\r\n1\r\n-- 1 more: space, Enter, q --"
        typist.type(" ")
        assert typist.printed == "\r\x1b[K2\r\n> "

    def test_rows_count_and_not_lines(self) -> None:
        typist = Typist(10, height=4, answers=lambda _: "one two three four\nfive six seven\n")
        typist.type("x\r")
        assert typist.rows == ["one two", "three four", "five six", "more"]


class TestReflow:
    def test_a_question_that_has_been_wrapped_anew_is_taken_back_whole(self) -> None:
        typist = Typist(80, height=5, answers=counts, appearance=Appearance(reflows=True))
        typist.type("9\r")
        assert typist.printed.endswith("-- 5 more: space, Enter, q --")
        typist.resizes(12, 5)
        assert typist.printed == "\x1b[2A\r\x1b[J-- more --"


class TestPlain:
    @pytest.fixture
    def typist(self) -> Typist:
        return Typist(20, height=5, answers=counts, appearance=Appearance("on", plain=True))

    def test_nothing_that_was_read_is_taken_back(self, typist: Typist) -> None:
        typist.type("per")
        typist.hears("Still there?\n")
        assert typist.printed == "\r\nStill there?\r\n> per"

    def test_the_question_between_pages_stays(self, typist: Typist) -> None:
        typist.type("9\r")
        assert typist.printed == "9\r\n1\r\n2\r\n3\r\n4\r\n-- more --"
        typist.type("\r")
        assert typist.printed == "\r\n5\r\n-- more --"
        typist.resizes(19, 5)
        assert typist.printed == ""
        typist.type("q")
        assert typist.printed == "\r\n> "

    def test_editing_is_what_it_was(self, typist: Typist) -> None:
        typist.type(b"prl" + LEFT * 2 + b"e" + HOME + b"\r")
        assert typist.lines == ["perl"]

    def test_it_may_begin_in_the_middle(self) -> None:
        appearance = Appearance("on")
        typist = Typist(appearance=appearance)
        assert typist.printed == f"{START}\x1b[1;32m> \x1b[m"
        appearance.plain = True
        typist.type("x\r")
        assert typist.printed == "x\r\n> "
        appearance.plain = False
        typist.type("\r")
        assert typist.printed == "\r\n\x1b[1;32m> \x1b[m"


class TestDumb:
    def test_is_echoed_and_answered_without_an_escape_sequence(self) -> None:
        typist = Typist(20, height=5, answers=counts, appearance=dumb())
        printed = [typist.printed]
        for keys in (b"perk" + BACKSPACE, b"l\r", b"9\r", b" ", b"q", b"draft", LEFT, b"x"):
            typist.type(keys)
            printed.append(typist.printed)
        typist.hears("Still there?\n")
        printed += [typist.printed, typist.console.stop()]
        assert printed == [
            "> ",
            "per",
            "l\r\n<perl>\r\n> ",
            "9\r\n1\r\n2\r\n3\r\n4\r\n-- more --",
            "\r\n5\r\n6\r\n7\r\n8\r\n-- more --",
            "\r\n> ",
            "draft",
            "",
            "\r\n> drafxt",
            "\r\nStill there?\r\n> drafxt",
            "\r\n",
        ]

    def test_history_and_search_print_the_line_again(self) -> None:
        typist = Typist(appearance=dumb())
        typist.type("perl\rcobol\r")
        typist.type(UP + UP)
        assert typist.printed == "perl"
        typist.type(DOWN)
        assert typist.printed == "\r\n> cobol"
        typist.type(CTRL_R)
        assert typist.printed == "\r\nsearch '': cobol"
        typist.type("pe")
        assert typist.printed == "\r\nsearch 'pe': perl"
        typist.type("\r")
        assert typist.printed == "\r\n> perl\r\n> "
        typist.type(b"x\x0c")
        assert typist.printed == "\r\n> x"

    def test_a_line_break_in_an_unmarked_paste_runs_the_line(self) -> None:
        typist = Typist(appearance=dumb())
        typist.type("perl\ncobol\n")
        assert typist.lines == ["perl", "cobol"]


class TestAscii:
    def test_everything_is_printed_in_it(self) -> None:
        typist = Typist(
            prompt="→ ",
            answers=lambda line: f"“{line}” — naïve…\n",
            appearance=Appearance(ascii=True),
        )
        typist.type("café\r")
        typist.hears("日本\n")
        assert typist.rows == ["-> cafe", '"cafe" -- naive...', "??", "->"]
        assert typist.lines == ["café"]

    def test_bytes_that_cannot_be_told_are_dropped_with_a_beep(self) -> None:
        typist = Typist(appearance=Appearance(ascii=True))
        typist.type(b"caf\xe9 cr\xe8me\r")
        assert typist.lines == ["caf crme"]
        assert "\a" in typist.printed

    def test_where_utf8_is_spoken_they_are_shown_as_what_they_are(self) -> None:
        typist = Typist()
        typist.type(b"caf\xe9!\r")
        assert typist.lines == ["caf\ufffd!"]


class TestRefreshing:
    def test_only_the_last_window_counts(self) -> None:
        typist = Typist(80)
        typist.type("x" * 100)
        for width in (10, 20, 30, 80):
            typist.console.resize(Window.claimed(width))
        assert typist.console.refresh() == Display("")
        typist.console.resize(Window.claimed(70))
        assert typist.console.refresh().effort > 1000
        assert typist.console.refresh() == Display("")

    def test_what_was_hidden_comes_back_once(self) -> None:
        console = Console("> ", Window.claimed(80))
        console.start()
        assert console.say("one\n") == "\r\x1b[Jone\r\n"
        assert console.say("two\n") == "two\r\n"
        assert console.refresh().text == "> "
        assert console.refresh().text == ""


KEYS = st.sampled_from(
    [b"9\r", b"30\r", b"perl\r", b" ", b"\r", b"q", UP, TAB, CTRL_C, CTRL_D, CTRL_R, b"x", PASTE]
)


@given(st.lists(st.lists(KEYS, min_size=1, max_size=4), max_size=12), st.integers(1, 6))
@settings(deadline=None, max_examples=100)
def test_whatever_is_pressed_nothing_hangs(reads: list[list[bytes]], height: int) -> None:
    """An interrupt ends whatever asks for a key, another what was searched for or typed."""
    typist = Typist(20, height=height, answers=counts)
    for read in reads:
        typist.type(b"".join(read))
    for _ in range(3):
        typist.type(CTRL_C)
    typist.type(b"last\r")
    assert typist.lines[-1] == "last"
    typist.type(b"9\r")
    typist.console.end_input()
    typist.goes_on()
    assert typist.outputs[-1] == HangUp()
    assert typist.rows[-1] == ">"


@given(st.lists(KEYS, max_size=30), st.integers(1, 6))
@settings(deadline=None, max_examples=100)
def test_nothing_that_is_typed_ahead_is_taken_for_a_key_between_pages(
    keys: list[bytes], height: int
) -> None:
    paged, unpaged = (Typist(20, height=rows, answers=counts) for rows in (height, 0))
    typed = b"".join(keys) + b"ahead"
    paged.type(typed)
    unpaged.type(typed)
    assert paged.outputs == unpaged.outputs
