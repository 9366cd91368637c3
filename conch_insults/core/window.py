"""The window that a client says it has, made usable.

A size is a claim of the client's (RFC 4254, section 6.2): zero where it does not know, anything
up to 2^32 otherwise. Knows nothing of what is shown in a window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

__all__ = ["Window"]

_USUAL_COLUMNS = 80
_MOST_COLUMNS = 1000
# Whoever claims more wants everything at once.
_MOST_ROWS = 1000
# More than anything that is shown has.
_ENDLESS = 1_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """How much fits on the screen.

    Attributes:
        columns: from 1 to 1000.
        rows: from 1 to 1000; a million where the client does not know, or claims more.
    """

    columns: int
    rows: int

    @classmethod
    def claimed(cls, width: int, height: int = 0) -> Self:
        """Make a window of what a client says; a width of 0 counts as 80."""
        return cls(
            min(width, _MOST_COLUMNS) if width > 0 else _USUAL_COLUMNS,
            height if 0 < height <= _MOST_ROWS else _ENDLESS,
        )

    @property
    def has_an_end(self) -> bool:
        """Whether anything can be too long for it."""
        return self.rows < _ENDLESS

    @property
    def answer_rows(self) -> int:
        """How many rows can be read at once above a prompt, at least 1."""
        return max(1, self.rows - 1)
