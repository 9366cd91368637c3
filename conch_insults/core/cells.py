"""What the cursor steps over: characters grouped as a terminal shows them.

A cell is a string: one character and whatever shares its room (accents, joined emoji). Knows
widths, by wcwidth, but nothing of windows, cursors or keys.
"""

from __future__ import annotations

from wcwidth import wcswidth, wcwidth

__all__ = ["cell_width", "joins", "split_cells", "visible_cell"]

# More than any emoji or any language joins; what a stranger piles up starts a new cell, so that
# work on a cell stays small.
_MOST_CHARACTERS = 16
# What Unicode proposes to carry a mark that has nothing to sit on.
_DOTTED_CIRCLE = "◌"


def joins(cell: str, after: str) -> bool:
    """Say whether the cell `after`, put behind `cell`, becomes part of it.

    It does if it takes no room of its own there, and a cell of at most 16 characters results.
    """
    character = after[0]
    if character.isascii() or len(cell) + len(after) > _MOST_CHARACTERS:
        return False
    if wcwidth(character) == 0:
        return True
    together: int = wcswidth(cell + character)
    alone: int = wcswidth(cell)
    return together <= alone


def split_cells(text: str) -> list[str]:
    """Group printable `text` into cells; a mark that opens the text is a cell by itself."""
    cells: list[str] = []
    for character in text:
        if cells and joins(cells[-1], character):
            cells[-1] += character
        else:
            cells.append(character)
    return cells


def cell_width(cell: str) -> int:
    """Return the columns that a cell takes, at least 1."""
    if cell.isascii():
        return 1
    return max(1, wcswidth(cell))


def visible_cell(cell: str) -> str:
    """Return what to print for a cell, so that a lone mark cannot change what stands before it."""
    if not cell.isascii() and wcwidth(cell[0]) == 0:
        return _DOTTED_CIRCLE + cell
    return cell
