"""The line being typed, as cells with a cursor between them, and the lines typed before.

Knows how a line is edited; must not know what a key or a window is.
"""

from __future__ import annotations

from conch_insults.core.cells import joins, split_cells

__all__ = ["MAX_BYTES", "History", "LineBuffer"]

MAX_BYTES = 1024
"""The longest line, in bytes of UTF-8."""


class LineBuffer:
    """A line of text with a cursor.

    Attributes:
        cells: the line, a string for each step of the cursor.
        cursor: how many cells stand before the cursor.
        changed_from: the first cell that may differ since `settle` was called.
    """

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.cursor = 0
        self.changed_from = 0
        self._size = 0
        self._killed: list[str] = []

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(self.cells)

    def settle(self) -> None:
        """Count the line as shown: nothing has changed."""
        self.changed_from = len(self.cells)

    def replace(self, text: str) -> None:
        """Make `text` the line and put the cursor behind it."""
        self.cells = split_cells(text)
        self.cursor = len(self.cells)
        self.changed_from = 0
        self._size = len(text.encode())

    def insert(self, text: str) -> bool:
        """Insert printable `text` at the cursor; return False if not all of it has room."""
        for character in text:
            size = len(character.encode())
            if self._size + size > MAX_BYTES:
                return False
            self._size += size
            self._insert_character(character)
            self._join_at_cursor()
        return True

    def _insert_character(self, character: str) -> None:
        before = self.cursor - 1
        if self.cursor and joins(self.cells[before], character):
            self.cells[before] += character
            self._touch(before)
            return
        self.cells.insert(self.cursor, character)
        self._touch(self.cursor)
        self.cursor += 1

    def _join_at_cursor(self) -> None:
        """Make one cell of what belongs together, now that it stands together."""
        at = self.cursor
        if 0 < at < len(self.cells) and joins(self.cells[at - 1], self.cells[at][0]):
            self.cells[at - 1] += self.cells.pop(at)
            self._touch(at - 1)

    def _touch(self, index: int) -> None:
        self.changed_from = min(self.changed_from, index)

    def _remove(self, start: int, end: int) -> list[str]:
        """Remove the cells from `start` up to `end`, leave the cursor there, return them."""
        removed = self.cells[start:end]
        del self.cells[start:end]
        self._size -= _size_of(removed)
        self.cursor = start
        self._touch(start)
        self._join_at_cursor()
        return removed

    def _kill(self, start: int, end: int) -> None:
        """Remove cells and keep them for `yank`."""
        if start < end:
            self._killed = self._remove(start, end)

    def left(self) -> None:
        """Step left."""
        self.cursor = max(0, self.cursor - 1)

    def right(self) -> None:
        """Step right."""
        self.cursor = min(len(self.cells), self.cursor + 1)

    def home(self) -> None:
        """Go to the start."""
        self.cursor = 0

    def end(self) -> None:
        """Go to the end."""
        self.cursor = len(self.cells)

    def word_left(self) -> None:
        """Go to the start of the word that stands before the cursor."""
        self.cursor = self._word_start()

    def word_right(self) -> None:
        """Go to the end of the word that stands after the cursor."""
        self.cursor = self._word_end()

    def _word_start(self) -> int:
        index = self.cursor
        while index and not self._in_word(index - 1):
            index -= 1
        while index and self._in_word(index - 1):
            index -= 1
        return index

    def _word_end(self) -> int:
        index = self.cursor
        while index < len(self.cells) and not self._in_word(index):
            index += 1
        while index < len(self.cells) and self._in_word(index):
            index += 1
        return index

    def _in_word(self, index: int) -> bool:
        return self.cells[index][0].isalnum()

    def backspace(self) -> None:
        """Remove the cell before the cursor."""
        if self.cursor:
            self._remove(self.cursor - 1, self.cursor)

    def delete(self) -> None:
        """Remove the cell under the cursor."""
        if self.cursor < len(self.cells):
            self._remove(self.cursor, self.cursor + 1)

    def kill_to_start(self) -> None:
        """Cut what stands before the cursor."""
        self._kill(0, self.cursor)

    def kill_to_end(self) -> None:
        """Cut what stands after the cursor."""
        self._kill(self.cursor, len(self.cells))

    def kill_word_left(self) -> None:
        """Cut back to the start of the word."""
        self._kill(self._word_start(), self.cursor)

    def kill_word_right(self) -> None:
        """Cut up to the end of the word."""
        self._kill(self.cursor, self._word_end())

    def kill_blank_word_left(self) -> None:
        """Cut back to the blank before the word, whatever the word is made of."""
        index = self.cursor
        while index and self.cells[index - 1].isspace():
            index -= 1
        while index and not self.cells[index - 1].isspace():
            index -= 1
        self._kill(index, self.cursor)

    def yank(self) -> bool:
        """Insert what was cut last; return False, and do nothing, if it has no room."""
        size = _size_of(self._killed)
        if self._size + size > MAX_BYTES:
            return False
        # At once: a stranger may ask for this very often.
        self.cells[self.cursor : self.cursor] = self._killed
        self._size += size
        self._touch(self.cursor)
        cells_after = len(self.cells) - self.cursor - len(self._killed)
        self._join_at_cursor()
        self.cursor = len(self.cells) - cells_after
        self._join_at_cursor()
        return True

    def transpose(self) -> None:
        """Swap the cells on both sides of the cursor, or the last two, and step right."""
        at = min(self.cursor, len(self.cells) - 1)
        if at < 1:
            return
        swapped = split_cells(self.cells[at] + self.cells[at - 1])
        self.cells[at - 1 : at + 1] = swapped
        self.cursor = at - 1 + len(swapped)
        self._touch(at - 1)


def _size_of(cells: list[str]) -> int:
    return len("".join(cells).encode())


class History:
    """The lines typed before, oldest first, and a place among them.

    Args:
        limit: how many lines are kept.
    """

    def __init__(self, limit: int = 100) -> None:
        self._limit = limit
        self._lines: list[str] = []
        self._place = 0
        self._draft = ""

    def add(self, line: str) -> None:
        """Keep `line` unless it is blank or just like the last, and leave the history."""
        if line.strip() and (not self._lines or self._lines[-1] != line):
            self._lines.append(line)
            del self._lines[: -self._limit]
        self.leave()

    def leave(self) -> None:
        """Go back to the newest end; the draft is forgotten."""
        self._place = len(self._lines)
        self._draft = ""

    def older(self, current: str) -> str | None:
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

    def newer(self) -> str | None:
        """Return the line after this place, at last the draft, or None when already there."""
        if self._place == len(self._lines):
            return None
        self._place += 1
        if self._place == len(self._lines):
            return self._draft
        return self._lines[self._place]
