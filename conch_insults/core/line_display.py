"""A prompt and a line in a window of some size: what to print so that the screen shows them.

Knows cells and columns and a handful of ECMA-48 sequences (cursor steps, erase, emphasis); never
asks the terminal anything, and must not know keys. Positions are offsets: row * width + column,
from the prompt's first cell.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from conch_insults.core.cells import LINE_BREAK, cell_width, split_cells, visible_cell
from conch_insults.core.printable import printable
from conch_insults.core.transliteration import to_ascii

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conch_insults.core.appearance import Appearance
    from conch_insults.core.window import Window

__all__ = ["LineDisplay"]

# Stands for a cell that is wider than the whole window.
_TOO_WIDE = "?"
_ERASE_BELOW = "\x1b[J"
_ERASE_RIGHT = "\x1b[K"
_PROMPT_COLOUR = "\x1b[1;32m"
_NO_COLOUR = "\x1b[m"
# Nobody can say where the cursor is once the last column is filled, until the next character
# comes; going to the next row by ourselves makes it certain. The break is a real one: rows that
# a terminal wrapped by itself would be joined again when its window grows, those stay.
_NEXT_ROW = "\r\n"


class LineDisplay:
    """Keeps track of what the screen shows.

    Of a line with more rows than the window, the rows around the cursor are shown; those above
    have gone where the terminal puts what it scrolls away.

    Args:
        prompt: what stands before the line; cleaned here.
        window: what it is shown in.
        appearance: is looked at whenever something is printed.
    """

    def __init__(self, prompt: str, window: Window, appearance: Appearance) -> None:
        self._prompt = split_cells(printable(prompt))
        self._window = window
        self._appearance = appearance
        # What each cell of prompt and line is printed as, where it starts and where it ends. It
        # does not start where the last one ended if it is wide and had to go to the next row.
        self._texts: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._end = 0
        # How many of the cells are the prompt's.
        self._line_from = 0
        # Where the cursor is, and which rows the screen shows, the last included.
        self._at = 0
        self._top = 0
        self._bottom = 0

    def set_prompt(self, prompt: str) -> None:
        """Have another prompt from the next `draw` on."""
        self._prompt = split_cells(printable(prompt))

    def draw(self, cells: Iterable[str], cursor: int) -> str:
        """Show prompt and line, from the first column of an empty row."""
        self._forget(0)
        self._top = 0
        self._add(self._prompt)
        self._line_from = len(self._ends)
        self._add(cells)
        return self._print_from(0, 0) + self._move_to_cell(cursor)

    def update(self, kept: int, cells: Sequence[str], cursor: int) -> str:
        """Show the line after an edit.

        Args:
            kept: how many cells at the start of the line are shown already.
            cells: the cells after those.
            cursor: how many of all cells stand before the cursor.
        """
        first = self._line_from + kept
        if not cells and first == len(self._ends):
            return self._move_to_cell(cursor)
        columns = self._window.columns
        old_end = self._end
        self._forget(first)
        begin = self._end
        self._add(cells)
        if begin // columns < self._top or old_end // columns > self._bottom:
            return self._show_row(self._place_of(cursor) // columns) + self._move_to_cell(cursor)
        pieces = [self._move(begin), self._print_from(first, begin)]
        if self._end < old_end:
            same_row = self._end // columns == old_end // columns
            pieces.append(_ERASE_RIGHT if same_row else _ERASE_BELOW)
        pieces.append(self._move_to_cell(cursor))
        return "".join(pieces)

    def erase(self) -> str:
        """Take prompt and line off the screen, or go below them if they have to stay."""
        if self._appearance.is_final:
            return self.leave()
        return self._move(self._top * self._window.columns) + _ERASE_BELOW

    def leave(self, last_words: str = "") -> str:
        """Go below the line, after printing `last_words` behind it."""
        columns = self._window.columns
        if self._bottom < self._end // columns:
            begin = self._bottom * columns
            to_end = self._move(begin) + self._print_from(self._first_in(self._bottom), begin)
        else:
            to_end = self._move(self._end)
        on_fresh_row = self._end and self._end % columns == 0 and not last_words
        return to_end + last_words + ("" if on_fresh_row else _NEXT_ROW)

    def resize(self, window: Window) -> str | None:
        """Note that the window has become another.

        Returns:
            What takes prompt and line off the screen; None if they are right as they are.
        """
        old, self._window = self._window, window
        if self._stays_right(old):
            return None
        row, bottom = self._at // old.columns, self._bottom
        # Some terminals wrap rows anew when they narrow, others keep or cut them. One that is not
        # known to wrap is taken for one of the others: nothing above the prompt must be erased.
        if window.columns < old.columns and self._appearance.reflows:
            row = self._reflowed_rows_above(self._at, old.columns)
            bottom = self._reflowed_rows_above(self._end, old.columns)
        if self._appearance.is_final:
            return _steps(bottom - row, "B", "A") + _NEXT_ROW
        return _steps(-min(row, window.rows - 1), "B", "A") + "\r" + _ERASE_BELOW

    def _stays_right(self, old: Window) -> bool:
        """Say whether the screen is right although the window was another."""
        if self._window.columns == old.columns:
            shown_to_its_end = self._bottom == self._end // old.columns
            return shown_to_its_end and self._bottom - self._top < self._window.rows
        return self._end < min(self._window.columns, old.columns)

    def _forget(self, kept: int) -> None:
        """Count only the first `kept` cells as there."""
        del self._texts[kept:]
        del self._starts[kept:]
        del self._ends[kept:]
        self._end = self._ends[-1] if kept else 0

    def _add(self, cells: Iterable[str]) -> None:
        """Find the places of cells behind those that are there."""
        columns = self._window.columns
        at = self._end
        for cell in cells:
            is_usual = cell.isascii() and cell != LINE_BREAK
            text, width = (cell, 1) if is_usual else self._fitted(cell)
            room = columns - at % columns
            if width > room:
                at += room
            self._texts.append(text)
            self._starts.append(at)
            at += width
            self._ends.append(at)
        self._end = at

    def _fitted(self, cell: str) -> tuple[str, int]:
        text = visible_cell(cell)
        if self._appearance.ascii:
            text = to_ascii(text)
            width = len(text)
        else:
            width = cell_width(text)
        return (text, width) if width <= self._window.columns else (_TOO_WIDE, 1)

    def _print_from(self, first: int, at: int) -> str:
        """Print all cells from the `first` on, at `at`, where the cursor is."""
        text = self._text(first, len(self._ends), at)
        self._at = self._end
        self._bottom = self._end // self._window.columns
        self._top = max(self._top, self._bottom - self._window.rows + 1)
        return text

    def _text(self, first: int, last: int, at: int) -> str:
        """Return what prints the cells from `first` up to `last`, at `at`."""
        if first >= self._line_from or not self._appearance.is_coloured:
            return self._rows(first, last, at)
        until = min(last, self._line_from)
        prompt = self._rows(first, until, at)
        shown = prompt.removesuffix(_NEXT_ROW)
        row_end = prompt[len(shown) :]
        rest = self._rows(until, last, self._ends[until - 1])
        return f"{_PROMPT_COLOUR}{shown}{_NO_COLOUR}{row_end}{rest}"

    def _rows(self, first: int, last: int, at: int) -> str:
        columns = self._window.columns
        pieces = []
        while first < last:
            next_row = at - at % columns + columns
            stop = bisect_left(self._starts, next_row, first, last)
            pieces += self._texts[first:stop]
            if stop > first:
                at = self._ends[stop - 1]
            if stop < last or at == next_row:
                # A wide cell may have had to leave some room.
                pieces.append(" " * (next_row - at) + _NEXT_ROW)
                at = next_row
            first = stop
        return "".join(pieces)

    def _first_in(self, row: int) -> int:
        """Return the first cell in a row, or behind it if it has none."""
        return bisect_left(self._starts, row * self._window.columns)

    def _show_row(self, row: int) -> str:
        """Print the rows anew that there is room for, with `row` among them."""
        rows, columns = self._window.rows, self._window.columns
        home = self._move(self._top * columns)
        last_row = self._end // columns
        self._top = max(0, min(max(self._top, row - rows + 1), row, last_row - rows + 1))
        self._bottom = min(last_row, self._top + rows - 1)
        self._at = self._top * columns
        end = self._first_in(self._bottom + 1)
        text = self._text(self._first_in(self._top), end, self._at)
        if self._bottom < last_row:
            # Going to the next row would scroll the first one away.
            text = text.removesuffix(_NEXT_ROW) + "\r"
            self._at = self._bottom * columns
        else:
            self._at = self._end
        return home + _ERASE_BELOW + text

    def _place_of(self, cursor: int) -> int:
        """Return where a cell of the line starts, or the end if it is behind the last."""
        index = self._line_from + cursor
        return self._starts[index] if index < len(self._starts) else self._end

    def _move_to_cell(self, cursor: int) -> str:
        """Move to the start of a cell, or behind the last."""
        to = self._place_of(cursor)
        row = to // self._window.columns
        if self._top <= row <= self._bottom:
            return self._move(to)
        return self._show_row(row) + self._move(to)

    def _move(self, to: int) -> str:
        """Move the cursor within the rows that are shown."""
        if to == self._at:
            return ""
        row, column = divmod(self._at, self._window.columns)
        to_row, to_column = divmod(to, self._window.columns)
        self._at = to
        vertical = _steps(to_row - row, "B", "A")
        if to_column == 0:
            return vertical + ("\r" if column else "")
        return vertical + _steps(to_column - column, "C", "D")

    def _reflowed_rows_above(self, at: int, old_columns: int) -> int:
        """Count the rows above a place where a terminal has wrapped our rows anew."""
        columns = self._window.columns
        rows = column = last_end = 0
        for start, end in zip(self._starts, self._ends, strict=True):
            if start and start % old_columns == 0:
                # The blanks before a wide cell that had to go to the next row count, too.
                rows += 1 + (column + start - last_end > columns)
                column = 0
            elif column + end - start > columns:
                rows, column = rows + 1, 0
            if start >= at:
                return rows
            column += end - start
            last_end = end
        return rows + (at % old_columns == 0)


def _steps(count: int, forward: str, back: str) -> str:
    """Write a cursor movement (ECMA-48, CUU to CUB)."""
    if count == -1 and back == "D":
        return "\b"
    if count == 0:
        return ""
    return f"\x1b[{abs(count)}{forward if count > 0 else back}"
