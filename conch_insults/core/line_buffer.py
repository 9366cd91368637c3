"""The line being typed, with a cursor, and the lines typed before.

Knows how a line is edited; must not know what a key or a window is. A stranger may press any key
thousands of times in one read: what a key costs must not grow with the line, other than by
copying a string of its length.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from conch_insults.core.cells import joins

__all__ = ["EMPTY", "MAX_BYTES", "Content", "History", "LineBuffer"]

MAX_BYTES = 1024
"""The longest line, in bytes of UTF-8."""

# What a character is: of a word, blank, or something else. The first of a cell has a capital, and
# the others of the cell have the small letter of the first.
_WORD, _NO_WORD = b"Ww", b"BbOo"
_BLANK, _NO_BLANK = b"Bb", b"WwOo"
_JOINED = b"wbo"
_CELL = re.compile(rb"[WBO][wbo]*")


class Content(NamedTuple):
    """Some text, and for each character a mark that says what it is and whether a cell begins."""

    text: str
    marks: bytes


EMPTY = Content("", b"")


class LineBuffer:
    """A line of text with a cursor, which stands between two cells.

    Attributes:
        content: the line.
        cursor: how many characters stand before the cursor.
    """

    def __init__(self) -> None:
        self.content = EMPTY
        self.cursor = 0
        self._killed = EMPTY
        # The first character that may differ since `settle` was called; a cell begins with it.
        self._changed_from = 0

    @property
    def text(self) -> str:
        """The whole line."""
        return self.content.text

    def cells(self, start: int = 0) -> list[str]:
        """Return the cells from the one that begins with the character `start`."""
        text, marks = self.content
        return [text[match.start() : match.end()] for match in _CELL.finditer(marks, start)]

    @property
    def cursor_cell(self) -> int:
        """How many cells stand before the cursor."""
        return self._cells_before(self.cursor)

    @property
    def unchanged_cells(self) -> int:
        """How many cells at the start are what they were when `settle` was called."""
        return self._cells_before(self._changed_from)

    def changed_cells(self) -> list[str]:
        """Return the cells after the unchanged ones."""
        return self.cells(self._changed_from)

    def settle(self) -> None:
        """Count the line as shown: nothing has changed."""
        self._changed_from = len(self.text)

    def replace(self, content: Content) -> None:
        """Make `content`, which was a line before, the line and put the cursor behind it."""
        self.cursor = 0
        self._splice(0, len(self.text), content)
        self.cursor = len(self.text)

    def insert(self, text: str) -> bool:
        """Insert printable `text` at the cursor; return False if not all of it has room."""
        return all(self._put(Content(character, _mark(character))) for character in text)

    def _put(self, content: Content) -> bool:
        """Insert at the cursor, all or nothing; return whether it had room."""
        if _size_of(self.text) + _size_of(content.text) > MAX_BYTES:
            return False
        start = self.cursor
        self._splice(start, start, content)
        self._join(start)
        self.cursor = self._join(start + len(content.text))
        return True

    def _splice(self, start: int, end: int, content: Content) -> None:
        """Put `content` in the place of what stands from `start` up to `end`."""
        text, marks = self.content
        self.content = Content(
            text[:start] + content.text + text[end:],
            marks[:start] + content.marks + marks[end:],
        )
        self._changed_from = min(self._changed_from, start)

    def _join(self, at: int) -> int:
        """Make one cell of the two that meet at `at` if they belong together; return its end."""
        text, marks = self.content
        if not 0 < at < len(text) or text[at].isascii():
            return at
        start, end = self._cell_start(at), self._cell_end(at)
        if not joins(text[start:at], text[at:end]):
            return at
        joined = marks[start : start + 1].lower() * (end - at)
        self.content = Content(text, marks[:at] + joined + marks[end:])
        self._changed_from = min(self._changed_from, start)
        return end

    def _cells_before(self, at: int) -> int:
        return len(self.content.marks[:at].translate(None, _JOINED))

    def _cell_start(self, at: int) -> int:
        """Return where the cell before `at` begins."""
        return max(0, len(self.content.marks[:at].rstrip(_JOINED)) - 1)

    def _cell_end(self, at: int) -> int:
        """Return where the cell after `at` ends."""
        marks = self.content.marks
        return len(marks) - len(marks[at + 1 :].lstrip(_JOINED))

    def _word_start(self) -> int:
        return len(self.content.marks[: self.cursor].rstrip(_NO_WORD).rstrip(_WORD))

    def _word_end(self) -> int:
        marks = self.content.marks
        return len(marks) - len(marks[self.cursor :].lstrip(_NO_WORD).lstrip(_WORD))

    def left(self) -> None:
        """Step left."""
        self.cursor = self._cell_start(self.cursor)

    def right(self) -> None:
        """Step right."""
        self.cursor = self._cell_end(self.cursor)

    def home(self) -> None:
        """Go to the start."""
        self.cursor = 0

    def end(self) -> None:
        """Go to the end."""
        self.cursor = len(self.text)

    def word_left(self) -> None:
        """Go to the start of the word that stands before the cursor."""
        self.cursor = self._word_start()

    def word_right(self) -> None:
        """Go to the end of the word that stands after the cursor."""
        self.cursor = self._word_end()

    def _remove(self, start: int, end: int) -> Content:
        """Remove what stands from `start` up to `end`, leave the cursor there, return it."""
        text, marks = self.content
        self._splice(start, end, EMPTY)
        self.cursor = self._join(start)
        return Content(text[start:end], marks[start:end])

    def _kill(self, start: int, end: int) -> None:
        """Remove something and keep it for `yank`."""
        if start < end:
            self._killed = self._remove(start, end)

    def backspace(self) -> None:
        """Remove the cell before the cursor."""
        self._remove(self._cell_start(self.cursor), self.cursor)

    def delete(self) -> None:
        """Remove the cell under the cursor."""
        self._remove(self.cursor, self._cell_end(self.cursor))

    def kill_to_start(self) -> None:
        """Cut what stands before the cursor."""
        self._kill(0, self.cursor)

    def kill_to_end(self) -> None:
        """Cut what stands after the cursor."""
        self._kill(self.cursor, len(self.text))

    def kill_word_left(self) -> None:
        """Cut back to the start of the word."""
        self._kill(self._word_start(), self.cursor)

    def kill_word_right(self) -> None:
        """Cut up to the end of the word."""
        self._kill(self.cursor, self._word_end())

    def kill_blank_word_left(self) -> None:
        """Cut back to the blank before the word, whatever the word is made of."""
        before = self.content.marks[: self.cursor]
        self._kill(len(before.rstrip(_BLANK).rstrip(_NO_BLANK)), self.cursor)

    def yank(self) -> bool:
        """Insert what was cut last; return False, and do nothing, if it has no room."""
        return self._put(self._killed)

    def transpose(self) -> None:
        """Swap the cells on both sides of the cursor, or the last two, and step right."""
        at = self.cursor
        if at == len(self.text):
            at = self._cell_start(at)
        start, end = self._cell_start(at), self._cell_end(at)
        if start == at:
            return
        text, marks = self.content
        swapped = Content(text[at:end] + text[start:at], marks[at:end] + marks[start:at])
        self._splice(start, end, swapped)
        self._join(start)
        self._join(start + end - at)
        self.cursor = self._join(end)


def _size_of(text: str) -> int:
    return len(text.encode())


def _mark(character: str) -> bytes:
    """Return the mark of a character that is a cell by itself."""
    if character.isalnum():
        return b"W"
    return b"B" if character.isspace() else b"O"


class History:
    """The lines typed before, oldest first, and a place among them.

    They are kept with their marks, so that nothing is split into cells again when they return.

    Args:
        limit: how many lines are kept.
    """

    def __init__(self, limit: int = 100) -> None:
        self._limit = limit
        self._lines: list[Content] = []
        self._place = 0
        self._draft = EMPTY

    def add(self, line: Content) -> None:
        """Keep `line` unless it is blank or just like the last, and leave the history."""
        if line.text.strip() and (not self._lines or self._lines[-1].text != line.text):
            self._lines.append(line)
            del self._lines[: -self._limit]
        self.leave()

    def leave(self) -> None:
        """Go back to the newest end; the draft is forgotten."""
        self._place = len(self._lines)
        self._draft = EMPTY

    def older(self, current: Content) -> Content | None:
        """Return the line before this place, or None at the oldest.

        Args:
            current: the line in progress, which is kept as a draft when the history is entered.
        """
        if self._place == 0:
            return None
        if self._place == len(self._lines):
            self._draft = current
        self._place -= 1
        return self._lines[self._place]

    def newer(self) -> Content | None:
        """Return the line after this place, at last the draft, or None when already there."""
        if self._place == len(self._lines):
            return None
        self._place += 1
        if self._place == len(self._lines):
            return self._draft
        return self._lines[self._place]
