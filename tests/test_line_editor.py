"""Typing at the editor, with a terminal (pyte) that shows what it prints."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.appearance import Appearance
from conch_insults.core.console import Console
from conch_insults.core.history import History
from conch_insults.core.line_buffer import MAX_BYTES
from conch_insults.core.outputs import Display, EndOfInput, HangUp, Interrupt, Line
from conch_insults.core.printable import printable
from conch_insults.core.window import Window
from tests.typist import (
    ACUTE,
    BACKSPACE,
    CTRL_A,
    CTRL_C,
    CTRL_D,
    CTRL_G,
    CTRL_L,
    CTRL_R,
    CTRL_UNDERSCORE,
    DELETE,
    DOWN,
    END,
    HOME,
    LEFT,
    PASTE,
    PASTED,
    RIGHT,
    TAB,
    UP,
    Typist,
)

TOPICS = ["insult", "perl", "perl 6", "python", "PHP", "topics", "tomcat"]


def topics_for(text: str) -> list[str]:
    """Complete topics, also behind `insult `."""
    command = "insult " if text.startswith("insult ") else ""
    begun = text.removeprefix(command).casefold()
    return [command + topic for topic in TOPICS if topic.casefold().startswith(begun)]


def efforts_of(console: Console) -> list[int]:
    """Return what each thing took that comes of the input."""
    outputs = iter(console.next_output, None)
    return [output.effort for output in outputs if isinstance(output, Display)]


class TestTyping:
    def test_a_line_is_shown_and_handed_out(self) -> None:
        typist = Typist()
        typist.type("perl\r")
        assert typist.outputs == [Line("perl")]
        assert typist.rows == ["> perl", ">"]
        assert typist.cursor == (1, 2)

    def test_a_character_at_the_end_is_echoed_alone(self) -> None:
        typist = Typist()
        for character in "pérl日🚀":
            typist.type(character)
            assert typist.printed == character

    def test_a_read_makes_one_display(self) -> None:
        typist = Typist()
        typist.type(b"abc" + LEFT + b"x")
        assert typist.printed == "abxc\b"

    @pytest.mark.parametrize(
        ("keys", "row", "column"),
        [
            (LEFT + b"x", "> one, twxo", 10),
            (b"\x02\x02\x06x", "> one, twxo", 10),
            (CTRL_A + RIGHT + b"x", "> oxne, two", 4),
            (HOME + b"x" + END + b"\x05y", "> xone, twoy", 12),
            (BACKSPACE + b"\x08", "> one, t", 8),
            (HOME + DELETE + CTRL_D, "> e, two", 2),
            (b"\x1bb\x1bbx\x1bfy", "> xoney, two", 7),
            (b"\x1b[1;5Dx\x1b[1;5Cy", "> one, xtwoy", 12),
            (b"\x1b[1;3D\x1b[1;3Dx", "> xone, two", 3),
            (b"\x17x", "> one, x", 8),
            (b"\x1b\x7f\x19\x19", "> one, twotwo", 13),
            (HOME + b"\x1bd", "> , two", 2),
            (b"\x1bb\x0b", "> one, ", 7),
            (b"\x1bb\x15", "> two", 2),
            (b"\x14", "> one, tow", 10),
            (b"\x1bb\x15" + END + CTRL_UNDERSCORE, "> one, two", 7),
            (b"\x17\x17" + CTRL_UNDERSCORE, "> one, ", 7),
        ],
    )
    def test_keys_edit_the_line(self, keys: bytes, row: str, column: int) -> None:
        typist = Typist()
        typist.type(b"one, two")
        typist.type(keys)
        assert typist.rows == [row.rstrip()]
        assert typist.cursor == (0, column)

    @pytest.mark.parametrize("keys", [CTRL_UNDERSCORE, b"\x17x" + CTRL_UNDERSCORE, CTRL_G])
    def test_a_key_with_nothing_to_do_beeps(self, keys: bytes) -> None:
        typist = Typist()
        typist.type(b"one")
        typist.type(keys)
        assert "\a" in typist.printed

    def test_the_line_has_an_end_and_a_beep_says_so_once(self) -> None:
        typist = Typist()
        typist.type("x" * 1024)
        typist.type("x" * 1000)
        assert typist.printed == "\a"
        typist.type("\x15\x19\x19")
        assert typist.printed.count("\a") == 1
        typist.type("\r")
        assert typist.outputs == [Line("x" * MAX_BYTES)]

    def test_clear_screen_keeps_the_line(self) -> None:
        typist = Typist()
        typist.type("one\rtwo")
        typist.type(LEFT + CTRL_L)
        assert typist.rows == ["> two"]
        assert typist.cursor == (0, 4)


class TestEmoji:
    FAMILY = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
    HEART = "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}"
    FLAG = "\N{REGIONAL INDICATOR SYMBOL LETTER J}\N{REGIONAL INDICATOR SYMBOL LETTER P}"

    @pytest.mark.parametrize("emoji", [FAMILY, HEART, FLAG, "\N{WAVING HAND SIGN}\U0001f3fd"])
    def test_a_sequence_is_stepped_over_and_removed_as_one(self, emoji: str) -> None:
        typist = Typist()
        typist.type(f"a{emoji}b")
        assert (typist.rows, typist.cursor) == ([f"> a{emoji}b"], (0, 6))
        typist.type(LEFT * 2)
        assert typist.cursor == (0, 3)
        typist.type(RIGHT + BACKSPACE)
        assert (typist.rows, typist.cursor) == (["> ab"], (0, 3))

    @pytest.mark.parametrize("emoji", [FAMILY, HEART, FLAG])
    @pytest.mark.parametrize("width", range(2, 9))
    def test_a_sequence_that_is_typed_in_parts_wraps_as_one(self, emoji: str, width: int) -> None:
        typist, at_once = Typist(width), Typist(width)
        for character in f"a{emoji}{emoji}b":
            typist.type(character)
        at_once.type(f"a{emoji}{emoji}b")
        assert (typist.rows, typist.cursor) == (at_once.rows, at_once.cursor)
        assert "".join(at_once.rows).replace(" ", "") == f">a{emoji}{emoji}b"


class TestPaste:
    def test_a_pasted_text_runs_nothing(self) -> None:
        typist = Typist()
        typist.type(PASTE + b"perl\r\ncobol\r\n" + PASTED)
        assert typist.outputs == []
        assert typist.rows == ["> perl↵cobol"]

    def test_enter_runs_its_lines_as_if_they_had_been_typed(self) -> None:
        typist = Typist(answers=lambda line: f"{line}?\n")
        typist.type(PASTE + b"perl\n\n  \ncobol\n" + PASTED + HOME + b"x")
        typist.type("\rnext")
        assert typist.lines == ["xperl", "cobol"]
        assert typist.rows == ["> xperl", "xperl?", "> cobol", "cobol?", "> next"]

    def test_enter_on_nothing_but_line_breaks_is_one_empty_line(self) -> None:
        typist = Typist()
        typist.type(PASTE + b"\n \n" + PASTED + b"\r")
        assert typist.lines == [""]

    def test_it_can_be_edited_and_dropped(self) -> None:
        typist = Typist()
        typist.type(PASTE + b"a\nb" + PASTED + LEFT + BACKSPACE + b" " + END + b"!")
        assert typist.rows == ["> a b!"]
        typist.type(PASTE + b"\nc" + PASTED + CTRL_C)
        assert typist.outputs == [Interrupt(empty=False)]

    def test_history_brings_back_all_of_it(self) -> None:
        typist = Typist()
        typist.type(PASTE + b"a\nb" + PASTED + b"\r" + UP + b"\r")
        assert typist.lines == ["a", "b", "a", "b"]

    def test_no_more_is_taken_than_a_line_has(self) -> None:
        typist = Typist()
        typist.type(PASTE + b"word\n" * 250 + PASTED)
        assert typist.printed.count("\a") == 1
        typist.type("\r")
        assert typist.lines == ["word"] * 204 + ["word"[: MAX_BYTES - 204 * 5]]

    def test_a_lone_mark_after_a_line_break_sits_on_a_circle(self) -> None:
        typist = Typist()
        typist.type(PASTE + f"a\n{ACUTE}b".encode() + PASTED)
        assert typist.rows == [f"> a↵◌{ACUTE}b"]
        typist.type("\r")
        assert typist.lines == ["a", f"{ACUTE}b"]


class TestEndings:
    def test_interrupt_drops_the_line(self) -> None:
        typist = Typist()
        typist.type(b"perl" + HOME + CTRL_C + b"x")
        assert typist.outputs == [Interrupt(empty=False)]
        assert typist.rows == ["> perl^C", "> x"]

    def test_interrupt_on_an_empty_line_says_that_it_was(self) -> None:
        typist = Typist()
        typist.type(CTRL_C)
        assert typist.outputs == [Interrupt(empty=True)]
        assert typist.rows == ["> ^C", ">"]

    def test_ctrl_d_ends_the_input_only_on_an_empty_line(self) -> None:
        typist = Typist()
        typist.type(b"ab" + HOME + CTRL_D + END + CTRL_D)
        assert typist.outputs == []
        assert typist.rows == ["> b"]
        typist.type(BACKSPACE + CTRL_D)
        assert typist.outputs == [EndOfInput()]

    def test_enter_in_the_middle_of_a_wrapped_line_goes_below_all_of_it(self) -> None:
        typist = Typist(width=5)
        typist.type(b"abcdefghij" + HOME + b"\r")
        assert typist.rows == ["> abc", "defgh", "ij", ">"]

    def test_enter_at_a_full_row_leaves_no_blank_row(self) -> None:
        typist = Typist(width=5)
        typist.type(b"abc\rx")
        assert typist.rows == ["> abc", "> x"]

    def test_who_stops_asking_stops_the_editor(self) -> None:
        console = Console("> ", Window.claimed(80))
        console.start()
        console.receive(b"one\rtwo\rthree")
        assert [console.next_output() for _ in range(2)] == [Display("one\r\n"), Line("one")]
        assert console.show() == "> "
        assert [console.next_output() for _ in range(2)] == [Display("two\r\n"), Line("two")]
        assert console.show() == "> "
        rest = console.next_output()
        assert isinstance(rest, Display)
        assert rest.text == "three"
        assert console.next_output() is None


class TestHistory:
    def test_up_and_down_keep_the_draft(self) -> None:
        typist = Typist()
        typist.type("one\rtwo\rdra")
        typist.type(UP + b"\x10")
        assert typist.rows[-1] == "> one"
        typist.type(UP)
        assert typist.rows[-1] == "> one"
        typist.type(DOWN + b"\x0e")
        assert typist.rows[-1] == "> dra"
        typist.type(DOWN + b"ft\r")
        assert typist.lines[-1] == "draft"

    def test_a_recalled_line_can_be_changed_and_runs(self) -> None:
        typist = Typist()
        typist.type(b"perl\r" + UP + BACKSPACE + b"\r" + UP + UP + b"\r")
        assert typist.lines == ["perl", "per", "perl"]

    def test_interrupt_leaves_it(self) -> None:
        typist = Typist()
        typist.type(b"one\rtwo\r" + UP + UP + CTRL_C + UP + b"\r")
        assert typist.lines[-1] == "two"

    def test_it_may_be_older_than_the_editor(self) -> None:
        history = History()
        Typist(history=history).type("yesterday\r")
        typist = Typist(history=history)
        typist.type(UP + b"\r")
        assert typist.lines == ["yesterday"]

    def test_two_editors_share_lines_but_not_their_places(self) -> None:
        history = History()
        left, right = Typist(history=history), Typist(history=history)
        left.type("one\rtwo\r")
        right.type(b"draft" + UP + UP)
        assert right.rows[-1] == "> one"
        left.type("three\r")
        left.type(UP)
        assert left.rows[-1] == "> three"
        right.type(DOWN)
        assert right.rows[-1] == "> two"
        right.type(DOWN)
        assert right.rows[-1] == "> three"
        right.type(DOWN)
        assert right.rows[-1] == "> draft"


class TestSearch:
    @pytest.fixture
    def typist(self) -> Typist:
        typist = Typist()
        typist.type("perl\rpython\rcobol\r")
        typist.outputs.clear()
        return typist

    def test_shows_the_newest_line_with_the_text(self, typist: Typist) -> None:
        typist.type(b"draft" + CTRL_R)
        assert typist.rows[-1] == "search '': draft"
        typist.type("p")
        assert typist.rows[-1] == "search 'p': python"
        typist.type("e")
        assert typist.rows[-1] == "search 'pe': perl"
        typist.type("x")
        assert typist.rows[-1] == "nothing like 'pex': perl"
        assert "\a" in typist.printed
        typist.type(BACKSPACE)
        assert typist.rows[-1] == "search 'pe': perl"

    def test_enter_runs_what_was_found(self, typist: Typist) -> None:
        typist.type(CTRL_R + b"py\r")
        assert typist.lines == ["python"]
        assert typist.rows[-2:] == ["> python", ">"]

    def test_ctrl_r_goes_on_to_older_lines(self, typist: Typist) -> None:
        typist.type(CTRL_R + b"p" + CTRL_R)
        assert typist.rows[-1] == "search 'p': perl"
        typist.type(CTRL_R)
        assert typist.rows[-1] == "nothing like 'p': perl"
        typist.type("\r")
        assert typist.lines == ["perl"]

    @pytest.mark.parametrize("cancel", [CTRL_G, CTRL_C])
    def test_a_cancelled_one_gives_the_line_back(self, typist: Typist, cancel: bytes) -> None:
        typist.type(b"draft" + LEFT + CTRL_R + b"p" + CTRL_R + cancel)
        assert typist.rows[-1] == "> draft"
        assert typist.cursor[1] == 6
        typist.type(b"!\r")
        assert typist.lines == ["draf!t"]

    def test_any_other_key_takes_what_was_found(self, typist: Typist) -> None:
        typist.type(b"draft" + CTRL_R + b"pe" + LEFT + b"x")
        assert typist.rows[-1] == "> perxl"
        typist.type(DOWN)
        assert typist.rows[-1] == "> python"
        typist.type(DOWN + DOWN)
        assert typist.rows[-1] == "> draft"

    def test_one_that_found_nothing_leaves_the_line(self, typist: Typist) -> None:
        typist.type(b"draft" + CTRL_R + b"zzz")
        assert typist.rows[-1] == "nothing like 'zzz': draft"
        typist.type("\r")
        assert typist.lines == ["draft"]

    def test_a_pasted_text_is_searched_for_in_one_line(self, typist: Typist) -> None:
        typist.type(b"one two\r" + CTRL_R + PASTE + b"one\ntwo" + PASTED)
        assert typist.rows[-1] == "search 'one two': one two"

    def test_has_a_longest_text(self, typist: Typist) -> None:
        typist.type(CTRL_R + b"x" * 64)
        typist.type("y")
        assert "\a" in typist.printed
        assert "x" * 64 + "'" in typist.rows[-1]

    @pytest.mark.parametrize("width", [1, 7, 20])
    def test_leaves_the_screen_right_in_any_window(self, width: int) -> None:
        typist, plain = Typist(width), Typist(width)
        typist.type(b"a line that is long\r" + CTRL_R + b"long" + BACKSPACE * 6 + CTRL_G + b"x")
        plain.type(b"a line that is long\rx")
        assert (typist.rows, typist.cursor) == (plain.rows, plain.cursor)

    def test_is_charged_for_the_lines_it_looks_at(self) -> None:
        console = Console("> ", Window.claimed(80))
        console.start()
        console.receive(b"".join(b"line %d\r" % number for number in range(100)))
        outputs = iter(console.next_output, None)
        assert sum(isinstance(output, Line) for output in outputs) == 100
        console.receive(CTRL_R + b"z" + BACKSPACE + b"z")
        assert sum(effort >= 2048 + 100 * 16 for effort in efforts_of(console)) == 2


class TestCompletion:
    def test_what_all_candidates_agree_on_is_inserted(self) -> None:
        typist = Typist(complete=topics_for)
        typist.type(b"pe" + TAB)
        assert typist.rows == ["> perl"]
        assert typist.printed == "perl"

    def test_the_only_candidate_is_inserted(self) -> None:
        typist = Typist(complete=topics_for)
        typist.type(b"insult Py" + TAB + b"\r")
        assert typist.lines == ["insult python"]

    def test_without_anything_new_the_candidates_are_listed(self) -> None:
        typist = Typist(complete=topics_for)
        typist.type(b"insult p")
        typist.type(TAB)
        assert typist.rows == ["> insult p", "perl    perl 6  python  PHP", "> insult p"]
        typist.type("y" + "\t")
        assert typist.rows[-1] == "> insult python"

    def test_only_what_stands_before_the_cursor_counts(self) -> None:
        typist = Typist(complete=topics_for)
        typist.type(b"to, or not" + HOME + RIGHT * 3)
        typist.type(LEFT + TAB)
        assert typist.rows == ["> to, or not", "topics  tomcat", "> to, or not"]
        typist.type("p" + "\t")
        assert typist.rows[-1] == "> topics, or not"
        assert typist.cursor == (2, 8)

    @pytest.mark.parametrize("typed", ["x", "python"])
    def test_without_a_candidate_or_any_change_there_is_a_beep(self, typed: str) -> None:
        typist = Typist(complete=topics_for)
        typist.type(typed)
        typist.type(TAB)
        assert typist.printed == "\a"

    def test_an_editor_that_knows_no_words_beeps(self) -> None:
        typist = Typist()
        typist.type(b"a\tb")
        assert typist.printed == "\aab"

    def test_one_that_has_no_room_is_not_inserted(self) -> None:
        typist = Typist(complete=lambda text: [text + "x" * 30])
        typist.type("y" * 1000)
        typist.type(TAB)
        assert typist.printed == "\a"

    def test_a_pasted_text_is_completed_in_the_line_of_the_cursor(self) -> None:
        typist = Typist(complete=topics_for)
        typist.type(PASTE + b"one\npy" + PASTED + TAB + b"\r")
        assert typist.lines == ["one", "python"]

    def test_one_column_and_no_colour_where_things_are_plain(self) -> None:
        typist = Typist(complete=topics_for, appearance=Appearance(plain=True))
        typist.type(b"to" + TAB)
        assert typist.rows == ["> to", "topics", "tomcat", "> to"]

    def test_candidates_are_cleaned(self) -> None:
        typist = Typist(complete=lambda text: [text + "\x1b[31mred"])
        typist.type(b"a" + TAB + b"\r")
        assert typist.lines == ["a[31mred"]
        typist = Typist(complete=lambda _: ["\x1bone", "\x1btwo"])
        typist.type(TAB)
        assert typist.rows == [">", "one  two", ">"]

    def test_each_is_charged_for(self) -> None:
        topics = [f"topic {number}" for number in range(5_000)]
        console = Console("> ", Window.claimed(80, 24), complete=lambda _: topics)
        console.start()
        console.receive(TAB * 10)
        assert sum(effort > 10_000 for effort in efforts_of(console)) == 10


class TestHiding:
    def test_output_comes_above_the_line_in_progress(self) -> None:
        typist = Typist(width=10)
        typist.type(b"some long topic" + HOME)
        typist.hears("News!\n")
        assert typist.rows == ["News!", "> some lon", "g topic"]
        assert typist.cursor == (1, 2)

    def test_is_done_once(self) -> None:
        console = Console("> ", Window.claimed(80))
        console.start()
        assert console.show() == ""
        assert console.hide() == "\r\x1b[J"
        assert console.hide() == ""
        assert console.show() == "> "

    def test_keys_are_taken_while_hidden(self) -> None:
        console = Console("> ", Window.claimed(80))
        console.receive(b"ab\x0c")
        assert console.next_output() == Display("", 24)
        assert console.show() == "> ab"
        console.hide()
        console.receive(b"c\r")
        assert console.next_output() == Line("abc")
        assert console.show() == "> "


class TestResizing:
    @pytest.mark.parametrize(("before", "after"), [(20, 10), (20, 13), (10, 20), (10, 1), (3, 80)])
    def test_the_line_is_shown_again_and_nothing_above_is_lost(
        self, before: int, after: int
    ) -> None:
        typist = Typist(width=before)
        typist.type("x\r" + "0123456789" * 3)
        typist.type(LEFT * 12)
        typist.resizes(after)
        shown = "> " + "0123456789" * 3
        wrapped = [shown[at : at + after] for at in range(0, len(shown), after)]
        assert typist.rows == ["> x"[:after].rstrip(), *(row.rstrip() for row in wrapped)]
        assert typist.cursor == (1 + 20 // after, 20 % after)

    def test_a_list_fits_into_the_window_as_it_is_by_then(self) -> None:
        typist = Typist(complete=lambda _: ["perl", "perforce", "period"])
        typist.type(b"per" + TAB)
        assert typist.rows[1:-1] == ["perl      perforce  period"]
        typist.resizes(20)
        typist.type(b"\x0c" + TAB)
        assert typist.rows[1:-1] == ["perl      period", "perforce"]

    def test_to_a_window_that_still_has_room_for_it_prints_nothing(self) -> None:
        typist = Typist(width=80)
        typist.type("perl")
        for width in (80, 0, 65535, 7):
            typist.resizes(width)
            assert typist.printed == ""
        typist.resizes(6)
        assert typist.printed == "\r\x1b[J> perl\r\n"


SEQUENCES = [
    UP, DOWN, LEFT, HOME, CTRL_C, CTRL_D, CTRL_G, CTRL_L, CTRL_R, TAB, b"\x19", b"\x15", b"\x1f",
    b"q", b" ", "é日🚀".encode(),
]  # fmt: skip
OPENINGS = [PASTE, PASTED, b"\x1b[" + b"9" * 1000, b"\x1b]", b"\x1b[M"]
PIECES = st.binary(max_size=20) | st.sampled_from([b"\r", b"word " * 300, *OPENINGS, *SEQUENCES])
APPEARANCES = st.builds(Appearance, st.sampled_from(["on", "off"]), *[st.booleans()] * 4)


def memory(console: Console) -> int:
    """Return how many items and characters the console keeps."""
    pending: deque[object] = deque([console])
    seen: set[int] = set()
    size = 0
    while pending:
        part = pending.popleft()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, str | bytes | bytearray):
            size += len(part)
        elif isinstance(part, list | tuple | deque):
            size += len(part)
            pending.extend(part)
        elif hasattr(part, "__dict__") and type(part).__module__.startswith("conch_insults"):
            pending.extend(vars(part).values())
    return size


@given(st.lists(PIECES, max_size=40), st.integers(0, 65535), st.integers(0, 65535), APPEARANCES)
@settings(deadline=None, max_examples=200)
def test_any_bytes_in_any_pieces_are_survived_with_bounded_memory(
    pieces: list[bytes], width: int, height: int, appearance: Appearance
) -> None:
    console = Console("> ", Window.claimed(width, height), appearance, complete=topics_for)
    console.start()
    for piece in pieces:
        console.receive(piece)
        while (output := console.next_output()) is not None:
            if isinstance(output, Line):
                assert output.text == printable(output.text)
                assert len(output.text.encode()) <= MAX_BYTES
                console.answer(f"{output.text}\n" * 3)
            elif isinstance(output, Display):
                assert not appearance.dumb or "\x1b" not in output.text
            else:
                console.show()
    # The line, what was cut, what can be undone, the draft, what a search began with, and the
    # places of the cells; an answer; and the history. Each line with its marks.
    assert memory(console) < 20 * MAX_BYTES + 2 * 16 * 1024
    console.end_input()
    assert HangUp() in iter(console.next_output, None)
    assert console.stop().endswith("" if appearance.dumb else "\x1b[?2004l")


@pytest.mark.parametrize("width", [1, 2, 80])
@pytest.mark.parametrize(
    "keys",
    [
        b"\x10\x0e",
        b"\x14",
        CTRL_A + b"\x1bf",
        b"\x15\x19",
        b"\x17\x19",
        b"\x15\x1f",
        CTRL_A + b"x\x7f",
        CTRL_L,
    ],
)
def test_however_many_keys_come_at_once_the_screen_is_drawn_once(keys: bytes, width: int) -> None:
    line = "a" + "\N{WOMAN}\N{ZERO WIDTH JOINER}" * 143
    typist = Typist(width)
    typist.type(f"{line}\rb{line}\r")
    typist.type(line)
    typist.type(keys * (1024 // len(keys)))
    # Each cell comes with at most a row's end, and the cursor goes back once.
    assert len(typist.printed) < 2_000


def test_a_long_session_keeps_only_the_last_lines() -> None:
    typist = Typist()
    for number in range(300):
        typist.type(f"{number}\r")
    typist.type(UP * 400 + b"\r")
    assert typist.lines[-1] == "200"
    assert memory(typist.console) < 2000
