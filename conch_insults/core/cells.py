"""What the cursor steps over: characters grouped as a terminal shows them.

A cell is a string: one character and whatever shares its room (accents, joined emoji). Knows
widths, by wcwidth, but nothing of windows, cursors or keys.
"""

from __future__ import annotations

from wcwidth import wcswidth, wcwidth

__all__ = ["cell_width", "joins", "split_cells", "visible_cell"]

# What Unicode proposes to carry a mark that has nothing to sit on.
_DOTTED_CIRCLE = "◌"


def joins(cell: str, character: str) -> bool:
    """Say whether `character`, typed after `cell`, takes no room of its own."""
    if character.isascii():
        return False
    if wcwidth(character) == 0:
        return True
    together: int = wcswidth(cell + character)
    alone: int = wcswidth(cell)
    return together <= alone


def split_cells(text: str) -> list[str]:
    """Group printable `text` into cells; a mark that opens the text is a cell by itself."""
    if text.isascii():
        return list(text)
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
    if wcwidth(cell[0]) == 0:
        return _DOTTED_CIRCLE + cell
    return cell
