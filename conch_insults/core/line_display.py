"""A prompt and a line in a window of some width: what to print so that the screen shows them.

Knows cells and columns and a handful of ECMA-48 sequences (cursor steps, erase); never asks the
terminal anything, and must not know keys. Positions are offsets: row * width + column, from the
prompt's first cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core.cells import cell_width, split_cells, visible_cell
from conch_insults.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["LineDisplay"]

_USUAL_WIDTH = 80
_MOST_COLUMNS = 1000
# Stands for a cell that is wider than the whole window.
_TOO_WIDE = "?"
_ERASE_BELOW = "\x1b[J"
_ERASE_RIGHT = "\x1b[K"
# Nobody can say where the cursor is once the last column is filled, until the next character
# comes; going to the next row by ourselves makes it certain. The break is a real one: rows that
# a terminal wrapped by itself would be joined again when its window grows, those stay.
_NEXT_ROW = "\r\n"


class LineDisplay:
    """Keeps track of what the screen shows.

    Args:
        prompt: what stands before the line; cleaned here.
        width: the window's columns; 0 (a client that does not know) counts as 80.
    """

    def __init__(self, prompt: str, width: int) -> None:
        self._prompt = split_cells(printable(prompt))
        self._width = _usable(width)
        self._line_starts = 0
        # Where each cell of the line starts and ends, and where the cursor is. A cell does not
        # start where the last one ended if it is wide and had to go to the next row.
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._at = 0

    @property
    def _end(self) -> int:
        return self._ends[-1] if self._ends else self._line_starts

    def draw(self, cells: Iterable[str], cursor: int) -> str:
        """Show prompt and line, from the first column of an empty row."""
        self._forget(0)
        self._line_starts = 0
        prompt = self._print(self._prompt)
        self._line_starts = self._end
        self._forget(0)
        return prompt + self._print(cells) + self._move_to_cell(cursor)

    def update(self, kept: int, cells: Sequence[str], cursor: int) -> str:
        """Show the line after an edit.

        Args:
            kept: how many cells at the start of the line are shown already.
            cells: the cells after those.
            cursor: how many of all cells stand before the cursor.
        """
        if not cells and kept == len(self._ends):
            return self._move_to_cell(cursor)
        old_end = self._end
        self._forget(kept)
        pieces = [self._move(self._end), self._print(cells)]
        if self._end < old_end:
            same_row = self._end // self._width == old_end // self._width
            pieces.append(_ERASE_RIGHT if same_row else _ERASE_BELOW)
        pieces.append(self._move_to_cell(cursor))
        return "".join(pieces)

    def erase(self) -> str:
        """Take prompt and line off the screen; the cursor is where the prompt began."""
        return self._move(0) + _ERASE_BELOW

    def leave(self, last_words: str = "") -> str:
        """Go below the line, after printing `last_words` behind it."""
        move = self._move(self._end)
        on_fresh_row = self._end and self._end % self._width == 0 and not last_words
        return move + last_words + ("" if on_fresh_row else _NEXT_ROW)

    def resize(self, width: int) -> bool:
        """Note the window's new width; return whether it differs.

        What is on the screen must have been erased before.
        """
        changed = self._width != _usable(width)
        self._width = _usable(width)
        return changed

    def _forget(self, kept: int) -> None:
        """Count only the first `kept` cells as shown."""
        del self._starts[kept:]
        del self._ends[kept:]

    def _print(self, cells: Iterable[str]) -> str:
        """Print cells at the end of what is shown."""
        pieces = []
        at = self._end
        for cell in cells:
            text, width = self._fitted(cell)
            room = self._width - at % self._width
            if width > room:
                pieces.append(" " * room + _NEXT_ROW)
                at += room
            self._starts.append(at)
            pieces.append(text)
            at += width
            if at % self._width == 0:
                pieces.append(_NEXT_ROW)
            self._ends.append(at)
        self._at = at
        return "".join(pieces)

    def _fitted(self, cell: str) -> tuple[str, int]:
        width = cell_width(cell)
        if width > self._width:
            return _TOO_WIDE, 1
        return visible_cell(cell), width

    def _move_to_cell(self, cursor: int) -> str:
        """Move to the start of a cell, or behind the last."""
        return self._move(self._starts[cursor] if cursor < len(self._starts) else self._end)

    def _move(self, to: int) -> str:
        """Move the cursor within the rows that exist."""
        row, column = divmod(self._at, self._width)
        to_row, to_column = divmod(to, self._width)
        self._at = to
        vertical = _steps(to_row - row, "B", "A")
        if to_column == 0:
            return vertical + ("\r" if column else "")
        return vertical + _steps(to_column - column, "C", "D")


def _steps(count: int, forward: str, back: str) -> str:
    """Write a cursor movement (ECMA-48, CUU to CUB)."""
    if count == -1 and back == "D":
        return "\b"
    if count == 0:
        return ""
    return f"\x1b[{abs(count)}{forward if count > 0 else back}"


def _usable(width: int) -> int:
    return min(width, _MOST_COLUMNS) if width > 0 else _USUAL_WIDTH
