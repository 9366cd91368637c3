"""Typing at the editor, with a terminal (pyte) that shows what it prints."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from typing import TYPE_CHECKING

import pyte
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typing_extensions import override
from wcwidth import wcwidth

from conch_insults.core.line_buffer import MAX_BYTES
from conch_insults.core.line_editor import Display, EndOfInput, Interrupt, Line, LineEditor
from conch_insults.core.printable import printable

if TYPE_CHECKING:
    from conch_insults.core.line_editor import Output

ACUTE = "\N{COMBINING ACUTE ACCENT}"
UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"
HOME, END, DELETE, BACKSPACE = b"\x1b[H", b"\x1b[F", b"\x1b[3~", b"\x7f"
CTRL_A, CTRL_C, CTRL_D, CTRL_L = b"\x01", b"\x03", b"\x04", b"\x0c"


class Screen(pyte.Screen):
    """Pyte's, except that a mark behind the last column sits on it, as on real terminals.

    Pyte goes to the next row first. It also drops joiners, variation selectors and marks of
    combining class 0, and whatever follows them in the same call; those are not typed below.
    """

    @override
    def draw(self, data: str) -> None:
        for character in data:
            if unicodedata.combining(character) and self.cursor.x == self.columns:
                cell = self.buffer[self.cursor.y][self.columns - 1]
                self.buffer[self.cursor.y][self.columns - 1] = cell._replace(
                    data=cell.data + character
                )
            else:
                super().draw(character)


class Typist:
    """An editor with its terminal; what is printed before a prompt stands for answers."""

    def __init__(self, width: int = 80, prompt: str = "> ", height: int = 300) -> None:
        self.screen = Screen(width or 80, height)
        self.stream = pyte.Stream(self.screen)
        self.editor = LineEditor(prompt, width)
        self.outputs: list[Output] = []
        self.printed = ""
        self.print(self.editor.start())

    def print(self, text: str) -> None:
        self.printed = text
        self.stream.feed(text)

    def type(self, data: bytes | str) -> None:
        data = data.encode() if isinstance(data, str) else data
        self.printed = ""
        for output in self.editor.receive(data):
            if isinstance(output, Display):
                self.printed += output.text
                self.stream.feed(output.text)
            else:
                self.outputs.append(output)
                self.stream.feed(self.editor.show())

    @property
    def rows(self) -> list[str]:
        """The screen's rows down to the last that is not blank."""
        rows = [
            "".join(self.screen.buffer[y][x].data for x in range(self.screen.columns))
            for y in range(self.screen.lines)
        ]
        rows = [unicodedata.normalize("NFC", row).rstrip() for row in rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    @property
    def cursor(self) -> tuple[int, int]:
        return self.screen.cursor.y, self.screen.cursor.x


class TestTyping:
    def test_a_line_is_shown_and_handed_out(self) -> None:
        typist = Typist()
        typist.type("perl\r")
        assert typist.outputs == [Line("perl")]
        assert typist.rows == ["> perl", ">"]
        assert typist.cursor == (1, 2)

    def test_the_prompt_comes_with_marked_pastes_and_goes_without(self) -> None:
        editor = LineEditor("> ")
        assert editor.start() == "\x1b[?2004h> "
        assert editor.stop() == "\r\n\x1b[?2004l"
        assert editor.stop() == "\x1b[?2004l"

    def test_a_character_at_the_end_is_echoed_alone(self) -> None:
        typist = Typist()
        for character in "pérl日🚀":
            typist.type(character)
            assert typist.printed == character

    def test_a_read_makes_one_display(self) -> None:
        editor = LineEditor("> ")
        editor.start()
        assert list(editor.receive(b"abc" + LEFT + b"x")) == [Display("abxc\b")]
        assert list(editor.receive(b"")) == []
        assert list(editor.receive(b"\x1b")) == []

    def test_tab_does_nothing(self) -> None:
        typist = Typist()
        typist.type(b"a\tb\r")
        assert typist.outputs == [Line("ab")]

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
            (b"\x17x", "> one, x", 8),
            (b"\x1b\x7f\x19\x19", "> one, twotwo", 13),
            (HOME + b"\x1bd", "> , two", 2),
            (b"\x1bb\x0b", "> one, ", 7),
            (b"\x1bb\x15", "> two", 2),
            (b"\x14", "> one, tow", 10),
        ],
    )
    def test_keys_edit_the_line(self, keys: bytes, row: str, column: int) -> None:
        typist = Typist()
        typist.type(b"one, two")
        typist.type(keys)
        assert typist.rows == [row.rstrip()]
        assert typist.cursor == (0, column)

    def test_a_pasted_text_runs_nothing(self) -> None:
        typist = Typist()
        typist.type(b"\x1b[200~perl\r\ncobol\r\n\x1b[201~")
        assert typist.outputs == []
        assert typist.rows == ["> perl cobol"]
        typist.type("\r")
        assert typist.outputs == [Line("perl cobol")]

    def test_the_line_has_an_end_and_a_beep_says_so_once(self) -> None:
        typist = Typist()
        typist.type("x" * 5000)
        assert typist.printed.count("\a") == 1
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
        editor = LineEditor("> ")
        editor.start()
        outputs = editor.receive(b"one\rtwo\rthree")
        assert [next(outputs), next(outputs)] == [Display("one\r\n"), Line("one")]
        assert editor.show() == "> "
        assert [next(outputs), next(outputs)] == [Display("two\r\n"), Line("two")]
        assert editor.show() == "> "
        assert list(outputs) == [Display("three")]


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
        assert typist.outputs[-1] == Line("draft")

    def test_a_recalled_line_can_be_changed_and_runs(self) -> None:
        typist = Typist()
        typist.type(b"perl\r" + UP + BACKSPACE + b"\r" + UP + UP + b"\r")
        assert typist.outputs == [Line("perl"), Line("per"), Line("perl")]

    def test_interrupt_leaves_it(self) -> None:
        typist = Typist()
        typist.type(b"one\rtwo\r" + UP + UP + CTRL_C + UP + b"\r")
        assert typist.outputs[-1] == Line("two")


class TestHiding:
    def test_output_comes_above_the_line_in_progress(self) -> None:
        typist = Typist(width=10)
        typist.type(b"some long topic" + HOME)
        typist.print(typist.editor.hide() + "News!\r\n" + typist.editor.show())
        assert typist.rows == ["News!", "> some lon", "g topic"]
        assert typist.cursor == (1, 2)

    def test_is_done_once(self) -> None:
        editor = LineEditor("> ")
        editor.start()
        assert editor.show() == ""
        assert editor.hide() == "\r\x1b[J"
        assert editor.hide() == ""
        assert editor.show() == "> "

    def test_keys_are_taken_while_hidden(self) -> None:
        editor = LineEditor("> ")
        assert list(editor.receive(b"ab\x0c")) == []
        assert editor.show() == "> ab"
        editor.hide()
        assert list(editor.receive(b"c\r")) == [Line("abc")]
        assert editor.resize(10) == ""
        assert editor.show() == "> "


class TestResizing:
    @pytest.mark.parametrize(("before", "after"), [(20, 10), (20, 13), (10, 20), (10, 1), (3, 80)])
    def test_the_line_is_shown_again_and_nothing_above_is_lost(
        self, before: int, after: int
    ) -> None:
        typist = Typist(width=before)
        typist.type("x\r" + "0123456789" * 3)
        typist.type(LEFT * 12)
        typist.screen.resize(columns=after)
        typist.print(typist.editor.resize(after))
        shown = "> " + "0123456789" * 3
        wrapped = [shown[at : at + after] for at in range(0, len(shown), after)]
        assert typist.rows == ["> x"[:after].rstrip(), *(row.rstrip() for row in wrapped)]
        assert typist.cursor == (1 + 20 // after, 20 % after)

    def test_to_the_same_width_does_nothing(self) -> None:
        typist = Typist(width=80)
        assert typist.editor.resize(80) == ""
        assert typist.editor.resize(0) == ""
        assert typist.editor.resize(65535) != ""
        assert typist.editor.resize(1000) == ""


# How many marks share a cell at most depends on the way they came; that is in test_line_buffer.
PILE = re.compile(f"[{ACUTE}\u0323]{{16}}")


class Model:
    """The same line as a plain string; only marks of a non-zero class share a cell."""

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.killed = ""

    def _sits_on_another(self, at: int) -> bool:
        return 0 < at < len(self.text) and unicodedata.combining(self.text[at]) != 0

    def _settled(self, at: int) -> int:
        while self._sits_on_another(at):
            at += 1
        return at

    def _step(self, step: int) -> int:
        at = max(0, min(len(self.text), self.at + step))
        while self._sits_on_another(at):
            at += step
        return at

    def _cut(self, start: int, end: int) -> str:
        removed = self.text[start:end]
        self.text = self.text[:start] + self.text[end:]
        self.at = self._settled(start)
        return removed

    def press(self, key: str | bytes) -> None:
        if isinstance(key, str):
            self.text = self.text[: self.at] + key + self.text[self.at :]
            self.at = self._settled(self.at + len(key))
        elif key in {LEFT, RIGHT}:
            self.at = self._step(-1 if key == LEFT else 1)
        elif key in {HOME, END}:
            self.at = 0 if key == HOME else len(self.text)
        elif key == BACKSPACE:
            self._cut(self._step(-1), self.at)
        elif key == DELETE:
            self._cut(self.at, self._step(1))
        elif key in {b"\x15", b"\x0b"}:
            start, end = (0, self.at) if key == b"\x15" else (self.at, len(self.text))
            self.killed = self._cut(start, end) or self.killed
        else:
            self.press(self.killed)
        assume(not PILE.search(self.text))

    def picture(self, prompt: str, width: int) -> tuple[list[str], tuple[int, int]]:
        """Return the rows and the cursor that a person expects to see."""
        rows, cursor = [""], (0, 0)
        column = 0
        stood_in_for = False
        for index, character in enumerate(prompt + self.text):
            mark = unicodedata.combining(character)
            if mark and index > len(prompt):
                at_start_of_row = not rows[-1]
                rows[-2 if at_start_of_row else -1] += "" if stood_in_for else character
                continue
            shown = "◌" + character if mark else character
            room = 1 if mark else wcwidth(character)
            stood_in_for = room > width
            if stood_in_for:
                shown, room = "?", 1
            if column + room > width:
                rows.append("")
                column = 0
            if index == len(prompt) + self.at:
                cursor = (len(rows) - 1, column)
            rows[-1] += shown
            column += room
            if column == width:
                rows.append("")
                column = 0
        if self.at == len(self.text):
            cursor = (len(rows) - 1, column)
        rows = [unicodedata.normalize("NFC", row).rstrip() for row in rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows, cursor


CHARACTERS = st.sampled_from("ab c-日本🚀é") | st.sampled_from([ACUTE, "\u0323"])
KEYS = st.sampled_from([LEFT, LEFT, RIGHT, HOME, END, BACKSPACE, DELETE, b"\x15", b"\x0b", b"\x19"])
READS = st.lists(st.lists(CHARACTERS | KEYS, min_size=1, max_size=6), max_size=25)


@given(READS, st.integers(1, 20), st.sampled_from(["", "> ", "日> "]))
@settings(deadline=None, max_examples=200)
def test_screen_and_line_are_those_of_the_model(
    reads: list[list[str | bytes]], width: int, prompt: str
) -> None:
    typist, model = Typist(width, prompt), Model()
    for read in reads:
        typist.type(b"".join(key if isinstance(key, bytes) else key.encode() for key in read))
        for key in read:
            model.press(key)
        assert (typist.rows, typist.cursor) == model.picture(prompt, width)
    typist.type("\r")
    assert typist.outputs == [Line(model.text)]


@given(READS, st.integers(1, 20), st.lists(st.integers(1, 20), min_size=1, max_size=4))
@settings(deadline=None, max_examples=100)
def test_the_screen_is_right_after_any_resizes(
    reads: list[list[str | bytes]], width: int, widths: list[int]
) -> None:
    typist, model = Typist(width), Model()
    for read in reads:
        typist.type(b"".join(key if isinstance(key, bytes) else key.encode() for key in read))
        for key in read:
            model.press(key)
    for new_width in widths:
        typist.screen.resize(columns=new_width)
        typist.print(typist.editor.resize(new_width))
        assert (typist.rows, typist.cursor) == model.picture("> ", new_width)


def memory(editor: LineEditor) -> int:
    """Return how many items and characters the editor keeps."""
    pending: deque[object] = deque([editor])
    seen: set[int] = set()
    size = 0
    while pending:
        part = pending.popleft()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, str | bytes):
            size += len(part)
        elif isinstance(part, list | tuple | deque):
            size += len(part)
            pending.extend(part)
        elif hasattr(part, "__dict__") and type(part).__module__.startswith("conch_insults"):
            pending.extend(vars(part).values())
    return size


SEQUENCES = [UP, DOWN, LEFT, HOME, CTRL_C, CTRL_D, CTRL_L, b"\x19", b"\x15", "é日🚀".encode()]
OPENINGS = [b"\x1b[200~", b"\x1b[201~", b"\x1b[" + b"9" * 1000, b"\x1b]", b"\x1b[M"]
PIECES = st.binary(max_size=20) | st.sampled_from([b"\r", b"word " * 300, *OPENINGS, *SEQUENCES])


@given(st.lists(PIECES, max_size=40), st.integers(0, 65535))
@settings(deadline=None, max_examples=200)
def test_any_bytes_in_any_pieces_are_survived_with_bounded_memory(
    pieces: list[bytes], width: int
) -> None:
    editor = LineEditor("> ", width)
    editor.start()
    for piece in pieces:
        for output in editor.receive(piece):
            if isinstance(output, Line):
                assert output.text == printable(output.text)
                assert len(output.text.encode()) <= MAX_BYTES
            if not isinstance(output, Display):
                editor.show()
    # The line, what was cut, the draft and the places of the cells; and the history. Each line
    # with its marks.
    assert memory(editor) < 8 * MAX_BYTES + 100 * 2 * MAX_BYTES
    assert editor.stop().endswith("\x1b[?2004l")


@pytest.mark.parametrize("width", [1, 2, 80])
@pytest.mark.parametrize(
    "keys",
    [b"\x10\x0e", b"\x14", CTRL_A + b"\x1bf", b"\x15\x19", b"\x17\x19", CTRL_A + b"x\x7f", CTRL_L],
)
def test_however_many_keys_come_at_once_the_screen_is_drawn_once(keys: bytes, width: int) -> None:
    line = "a" + "\N{WOMAN}\N{ZERO WIDTH JOINER}" * 143
    editor = LineEditor("> ", width)
    editor.start()
    for _ in editor.receive(f"{line}\rb{line}\r".encode()):
        editor.show()
    list(editor.receive(line.encode()))
    outputs = list(editor.receive(keys * 2_000))
    assert len(outputs) <= 1
    # Each cell comes with at most a row's end, and the cursor goes back once.
    assert sum(len(output.text) for output in outputs if isinstance(output, Display)) < 2_000


def test_a_long_session_keeps_only_the_last_lines() -> None:
    typist = Typist()
    for number in range(300):
        typist.type(f"{number}\r")
    typist.type(UP * 400 + b"\r")
    assert typist.outputs[-1] == Line("200")
    assert memory(typist.editor) < 2000
