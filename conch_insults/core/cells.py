"""What the cursor steps over: characters grouped as a terminal shows them.

A cell is a string: one character and whatever shares its room (accents, joined emoji), or the
line break of a pasted text. Knows widths, by wcwidth, but nothing of windows, cursors or keys.
"""

from __future__ import annotations

from wcwidth import wcswidth, wcwidth

__all__ = [
    "LINE_BREAK",
    "cell_width",
    "clipped",
    "joins",
    "split_cells",
    "text_width",
    "visible_cell",
]

LINE_BREAK = "\n"
"""The cell that separates the lines of a pasted text, while they are edited as one."""

_VISIBLE_BREAK = "↵"
_ELLIPSIS = "…"

# More than any emoji or any language joins; what a stranger piles up starts a new cell, so that
# work on a cell stays small.
_MOST_CHARACTERS = 16
# Two of them are a flag (UAX #29, GB12 and GB13).
_REGIONAL_INDICATORS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
# What Unicode proposes to carry a mark that has nothing to sit on.
_DOTTED_CIRCLE = "◌"


def joins(cell: str, after: str) -> bool:
    """Say whether the cell `after`, put behind `cell`, becomes part of it.

    It does if it takes no room of its own there, and a cell of at most 16 characters results.
    """
    character = after[0]
    if character.isascii() or len(cell) + len(after) > _MOST_CHARACTERS or cell == LINE_BREAK:
        return False
    if character in _REGIONAL_INDICATORS:
        return cell in _REGIONAL_INDICATORS and after == character
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
    if cell.isascii():
        return _VISIBLE_BREAK if cell == LINE_BREAK else cell
    return _DOTTED_CIRCLE + cell if wcwidth(cell[0]) == 0 else cell


def text_width(text: str) -> int:
    """Return the columns that printable `text` takes in one row."""
    return len(text) if text.isascii() else sum(map(cell_width, split_cells(text)))


def clipped(text: str, width: int, ellipsis: str = _ELLIPSIS) -> str:
    """Return printable `text` in at most `width` columns; a longer one ends in an ellipsis."""
    if text_width(text) <= width:
        return text
    if text_width(ellipsis) > width:
        ellipsis = ""
    room = width - text_width(ellipsis)
    kept = []
    for cell in split_cells(text):
        room -= cell_width(cell)
        if room < 0:
            break
        kept.append(cell)
    return "".join(kept) + ellipsis
