"""Text in rows that fit into a window, broken between words where that is possible.

Knows blanks and widths. Must not know terminals, nor who says what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core.cells import cell_width, split_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WrappedLine"]

_BLANK = " "
# Stands for a cell that is wider than the whole row.
_TOO_WIDE = "?"


class WrappedLine:
    """A line of text that is taken row by row, each for the window as it is by then.

    Later rows are indented like the first. An indent of more than half the window is dropped. A
    word that is longer than a row is broken between cells.
    """

    def __init__(self, line: str) -> None:
        # The characters of ASCII are cells.
        self._cells: Sequence[str] = line if line.isascii() else split_cells(line)
        self._indent = len(line) - len(line.lstrip(_BLANK))
        self._at = 0
        self._is_begun = False

    @property
    def is_finished(self) -> bool:
        """Whether all of it has been taken; an empty line has one row."""
        return self._is_begun and self._at >= len(self._cells)

    def row(self, width: int) -> str:
        """Return the next row, of at most `width` columns, which must be at least 1."""
        if not self._is_begun and len(self._cells) <= width and isinstance(self._cells, str):
            self._is_begun, self._at = True, len(self._cells)
            return self._cells
        indent = self._indent if self._indent * 2 <= width else 0
        self._is_begun = True
        self._at = max(self._at, self._indent)
        room = width - indent
        start = self._at
        end, self._at = self._break(start, room)
        cells = self._cells[start:end]
        if not isinstance(cells, str):
            cells = "".join(cell if cell_width(cell) <= room else _TOO_WIDE for cell in cells)
        return _BLANK * indent + cells

    def _break(self, start: int, room: int) -> tuple[int, int]:
        """Return where the row that begins at `start` ends, and where the next begins."""
        cells = self._cells
        stop = self._overflow(start, room)
        if stop >= len(cells):
            return len(cells), len(cells)
        end = stop
        while end > start and cells[end] != _BLANK:
            end -= 1
        if end == start:
            return stop, stop
        following = end
        while following < len(cells) and cells[following] == _BLANK:
            following += 1
        while cells[end - 1] == _BLANK:
            end -= 1
        return end, following

    def _overflow(self, start: int, room: int) -> int:
        """Return the first cell that has no room in the row that begins at `start`."""
        cells = self._cells
        if isinstance(cells, str):
            return start + room
        columns = 0
        for index in range(start, len(cells)):
            width = cell_width(cells[index])
            columns += width if width <= room else 1
            if columns > room:
                return index
        return len(cells)
