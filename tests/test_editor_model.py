"""The editor against a simple model: a string, a cursor, and what was cut and typed before."""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from wcwidth import wcwidth

from conch_insults.core.appearance import Appearance
from tests.typist import (
    ACUTE,
    BACKSPACE,
    CTRL_G,
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

ENTER = b"\r"
KILL_TO_START, KILL_TO_END, YANK = b"\x15", b"\x0b", b"\x19"
PASTED_LINES = PASTE + b"a b\nc" + PASTED
# How many marks share a cell at most depends on the way they came; that is in test_line_buffer.
PILE = re.compile(f"[{ACUTE}\u0323]{{16}}")
WORDS = ["ab", "ab é", "a日本", "c", "c-c"]


def words_for(text: str) -> list[str]:
    return [word for word in WORDS if word.startswith(text)]


class Model:
    """An editor of plain strings; only marks of a non-zero class share a cell."""

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.killed = ""
        self.before_kill: tuple[str, int] | None = None
        self.typed: list[str] = []
        self.place: int | None = None
        self.draft = ""
        self.lines: list[str] = []
        # The text that is searched for, and the line and cursor before.
        self.search: str | None = None
        self.found: int | None = None
        self.failed = False
        self.before_search = "", 0

    def _sits_on_another(self, at: int) -> bool:
        after = unicodedata.combining(self.text[at]) != 0 if at < len(self.text) else False
        return after and at > 0 and self.text[at - 1] != "\n"

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
        if removed:
            self.before_kill = None
        return removed

    def _insert(self, text: str) -> None:
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at = self._settled(self.at + len(text))
        if text:
            self.before_kill = None

    def _insert_each(self, text: str) -> None:
        for character in text:
            self._insert(character)

    def _become(self, text: str) -> None:
        self.text, self.at, self.before_kill = text, len(text), None

    def press(self, key: str | bytes) -> None:
        if self.search is not None and self._searched(key):
            return
        if isinstance(key, str):
            self._insert(key)
        else:
            ACTS[key](self)
        assume(not PILE.search(self.text))

    def left(self) -> None:
        self.at = self._step(-1)

    def right(self) -> None:
        self.at = self._step(1)

    def home(self) -> None:
        self.at = 0

    def end(self) -> None:
        self.at = len(self.text)

    def backspace(self) -> None:
        self._cut(self._step(-1), self.at)

    def delete(self) -> None:
        self._cut(self.at, self._step(1))

    def kill_to_start(self) -> None:
        self._kill(0, self.at)

    def kill_to_end(self) -> None:
        self._kill(self.at, len(self.text))

    def _kill(self, start: int, end: int) -> None:
        before = self.text, self.at
        if start < end:
            self.killed = self._cut(start, end)
            self.before_kill = before

    def yank(self) -> None:
        self._insert(self.killed)

    def undo_kill(self) -> None:
        if self.before_kill is not None:
            (self.text, self.at), self.before_kill = self.before_kill, None

    def paste(self) -> None:
        self._insert_each("a b\nc")

    def complete(self) -> None:
        typed = self.text[: self.at].rpartition("\n")[2]
        letters = takewhile(lambda each: len(set(each)) == 1, zip(*words_for(typed), strict=False))
        common = "".join(letter for letter, *_ in letters)
        self._insert_each(common[len(typed) :])

    def older(self) -> None:
        place = len(self.typed) if self.place is None else self.place
        if place > 0:
            if self.place is None:
                self.draft = self.text
            self.place = place - 1
            self._become(self.typed[self.place])

    def newer(self) -> None:
        if self.place is not None:
            self.place = self.place + 1 if self.place + 1 < len(self.typed) else None
            self._become(self.draft if self.place is None else self.typed[self.place])

    def begin_search(self) -> None:
        self.search, self.found, self.failed = "", None, False
        self.before_search = self.text, self.at

    def _searched(self, key: str | bytes) -> bool:
        """Go on with a search; return whether the key was meant for it."""
        assert self.search is not None
        newest = len(self.typed) if self.found is None else self.found + 1
        if key == BACKSPACE:
            self.search = self.search[:-1]
        elif isinstance(key, str):
            self.search += key
        elif key == PASTED_LINES:
            for character in "a b c":
                self._searched(character)
            return True
        elif key == CTRL_R:
            if self.failed or not self.search:
                return True
            newest -= 1
            newest += self.found is None
        else:
            return self._end_search(cancelled=key == CTRL_G)
        places = [at for at in range(newest) if self.search in self.typed[at]]
        self.failed = bool(self.search) and not places
        if self.search and places:
            self.found = places[-1]
        if self.found is not None:
            self._become(self.typed[self.found])
        return True

    def _end_search(self, *, cancelled: bool) -> bool:
        self.search = None
        if cancelled:
            (self.text, self.at), self.before_kill = self.before_search, None
        elif self.found is not None:
            if self.place is None:
                self.draft = self.before_search[0]
            self.place = self.found
        return cancelled

    def enter(self) -> None:
        if self.text.strip() and self.typed[-1:] != [self.text]:
            self.typed.append(self.text)
        lines = [line for line in self.text.split("\n") if line.strip()]
        self.lines += lines or ["" if "\n" in self.text else self.text]
        self.place = None
        self._become("")

    def picture(self, prompt: str, width: int) -> tuple[list[str], tuple[int, int]]:
        """Return the rows and the cursor that a person expects to see."""
        rows, cursor = [""], (0, 0)
        column = 0
        stood_in_for = False
        prompt = prompt if self.search is None else self._search_prompt()
        for index, character in enumerate(prompt + self.text):
            at = index - len(prompt)
            mark = unicodedata.combining(character)
            if mark and at != 0 and not (at > 0 and self.text[at - 1] == "\n"):
                at_start_of_row = not rows[-1]
                rows[-2 if at_start_of_row else -1] += "" if stood_in_for else character
                continue
            shown = "◌" + character if mark else character.replace("\n", "↵")
            room = 1 if mark or character == "\n" else wcwidth(character)
            stood_in_for = room > width
            if stood_in_for:
                shown, room = "?", 1
            if column + room > width:
                rows.append("")
                column = 0
            if at == self.at:
                cursor = (len(rows) - 1, column)
            rows[-1] += shown
            column += room
            if column == width:
                rows.append("")
                column = 0
        if self.at == len(self.text):
            cursor = (len(rows) - 1, column)
        return [unicodedata.normalize("NFC", row).rstrip() for row in rows], cursor

    def _search_prompt(self) -> str:
        return f"{'nothing like' if self.failed else 'search'} '{self.search}': "


ACTS = {
    LEFT: Model.left,
    RIGHT: Model.right,
    HOME: Model.home,
    END: Model.end,
    BACKSPACE: Model.backspace,
    DELETE: Model.delete,
    KILL_TO_START: Model.kill_to_start,
    KILL_TO_END: Model.kill_to_end,
    YANK: Model.yank,
    CTRL_UNDERSCORE: Model.undo_kill,
    PASTED_LINES: Model.paste,
    TAB: Model.complete,
    UP: Model.older,
    DOWN: Model.newer,
    CTRL_R: Model.begin_search,
    CTRL_G: lambda _: None,
    ENTER: Model.enter,
}


def agree(typist: Typist, model: Model, prompt: str, width: int) -> None:
    """Check that the screen shows what the model does, at its cursor and all around."""
    rows, (row, column) = model.picture(prompt, width)
    y, x = typist.cursor
    assert x == column
    shown = typist.rows
    for at in range(max(0, y - row), typist.screen.lines):
        in_model = at - y + row
        expected = rows[in_model] if in_model < len(rows) else ""
        assert (shown[at] if at < len(shown) else "") == expected


TEXT = st.sampled_from("ab c-日本🚀é") | st.sampled_from([ACUTE, "\u0323"])
MOVES = st.sampled_from([LEFT, LEFT, RIGHT, HOME, END])
EDITS = st.sampled_from([BACKSPACE, DELETE, KILL_TO_START, KILL_TO_END, YANK, CTRL_UNDERSCORE])
OTHERS = st.sampled_from([ENTER, UP, UP, DOWN, TAB, CTRL_R, CTRL_G, PASTED_LINES])
READS = st.lists(st.lists(TEXT | MOVES | EDITS, min_size=1, max_size=6), max_size=25)
ALL_READS = st.lists(st.lists(TEXT | MOVES | EDITS | OTHERS, min_size=1, max_size=6), max_size=25)


def press(typist: Typist, model: Model, read: list[str | bytes]) -> None:
    typist.type(b"".join(key if isinstance(key, bytes) else key.encode() for key in read))
    for key in read:
        model.press(key)


@given(READS, st.integers(1, 20), st.integers(0, 8), st.sampled_from(["", "> ", "日> "]))
@settings(deadline=None, max_examples=200)
def test_the_screen_shows_the_line_of_the_model(
    reads: list[list[str | bytes]], width: int, height: int, prompt: str
) -> None:
    typist, model = Typist(width, prompt, height, appearance=Appearance("on")), Model()
    for read in reads:
        press(typist, model, read)
        agree(typist, model, prompt, width)
    press(typist, model, [ENTER])
    assert typist.lines == model.lines


@given(ALL_READS, st.integers(1, 20), st.integers(0, 8))
@settings(deadline=None, max_examples=300)
def test_also_with_history_search_completion_and_pastes(
    reads: list[list[str | bytes]], width: int, height: int
) -> None:
    typist, model = Typist(width, height=height, complete=words_for), Model()
    for read in reads:
        press(typist, model, read)
        agree(typist, model, "> ", width)
    assert typist.lines == model.lines


@given(READS, st.integers(1, 20), st.lists(st.integers(1, 20), min_size=1, max_size=4))
@settings(deadline=None, max_examples=100)
def test_the_screen_is_right_after_any_resizes(
    reads: list[list[str | bytes]], width: int, widths: list[int]
) -> None:
    typist, model = Typist(width), Model()
    for read in reads:
        press(typist, model, read)
    for new_width in widths:
        typist.resizes(new_width)
        agree(typist, model, "> ", new_width)
        assert typist.cursor[0] == model.picture("> ", new_width)[1][0]
