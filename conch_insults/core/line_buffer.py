"""The line being typed, with a cursor.

A pasted text may make several lines of it, which are edited as one. Knows how a line is edited;
must not know what a key or a window is. A stranger may press any key thousands of times in one
read: what a key costs must not grow with the line, other than by copying a string of its length.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from conch_insults.core.cells import LINE_BREAK, joins

__all__ = ["EMPTY", "MAX_BYTES", "Content", "LineBuffer"]

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
        # What the line and the cursor were before the last change, if that was a kill.
        self._before_kill: tuple[Content, int] | None = None
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

    def lines(self) -> list[Content]:
        """Return the lines that it is made of, without blank ones unless there is no other."""
        text, marks = self.content
        if LINE_BREAK not in text:
            return [self.content]
        lines = []
        start = 0
        for line in text.split(LINE_BREAK):
            end = start + len(line)
            if line.strip():
                lines.append(Content(line, marks[start:end]))
            start = end + len(LINE_BREAK)
        return lines or [EMPTY]

    @property
    def before_cursor(self) -> str:
        """What stands before the cursor, in the line that the cursor is in."""
        return self.text[: self.cursor].rpartition(LINE_BREAK)[2]

    def insert(self, text: str) -> bool:
        """Insert `text` at the cursor; return False if not all of it has room.

        Args:
            text: printable, except for line breaks.
        """
        return all(self._put(Content(character, _mark(character))) for character in text)

    def complete(self, text: str) -> bool:
        """Put `text` in the place of `before_cursor`; return False if it has no room."""
        typed = self.before_cursor
        if _size_of(self.text) - _size_of(typed) + _size_of(text) > MAX_BYTES:
            return False
        if text.startswith(typed):
            return self.insert(text[len(typed) :])
        self._remove(self.cursor - len(typed), self.cursor)
        return self.insert(text)

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
        self._before_kill = None

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
        if start < end:
            self._splice(start, end, EMPTY)
            self.cursor = self._join(start)
        return Content(text[start:end], marks[start:end])

    def _kill(self, start: int, end: int) -> None:
        """Remove something and keep it for `yank`."""
        before = self.content, self.cursor
        killed = self._remove(start, end)
        if killed.text:
            self._killed, self._before_kill = killed, before

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
        return not self._killed.text or self._put(self._killed)

    def undo_kill(self) -> bool:
        """Undo what was cut last; return False if that was not the last change."""
        if self._before_kill is None:
            return False
        content, cursor = self._before_kill
        self.replace(content)
        self.cursor = cursor
        return True

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
