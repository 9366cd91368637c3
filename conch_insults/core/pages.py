"""An answer that is longer than the window, shown one screen after the other.

Knows text and windows. Must not know keys, nor what else is on the screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core.transliteration import to_ascii
from conch_insults.core.wrapping import WrappedLine

if TYPE_CHECKING:
    from conch_insults.core.appearance import Appearance
    from conch_insults.core.window import Window

__all__ = ["Pages"]

_EMPHASIS = "\x1b[7m"
_NO_EMPHASIS = "\x1b[m"


class Pages:
    """Text of which some rows have been taken.

    Args:
        text: printable lines, each with a newline behind it.
        appearance: is looked at whenever rows are taken.
    """

    def __init__(self, text: str, appearance: Appearance) -> None:
        self._appearance = appearance
        self._lines = text.removesuffix("\n").split("\n") if text else []
        self._next = 0
        # A line that has been shown in part.
        self._rest: WrappedLine | None = None

    @property
    def is_finished(self) -> bool:
        """Whether all rows have been taken."""
        return self._rest is None and self._next == len(self._lines)

    def prompt(self, window: Window) -> str:
        """Return what asks for a key that takes more, in one row of a window."""
        text = self._question(window)
        return f"{_EMPHASIS}{text}{_NO_EMPHASIS}" if self._appearance.is_coloured else text

    def rows_above_prompt_end(self, old: Window, window: Window) -> int:
        """Count the rows that the prompt has above its last, once the window has narrowed."""
        if not self._appearance.reflows or window.columns >= old.columns:
            return 0
        return (len(self._question(old)) - 1) // window.columns

    def take(self, count: int, window: Window) -> str:
        """Return the next rows for a window, `count` at most, ready to be printed."""
        rows: list[str] = []
        while len(rows) < count and not self.is_finished:
            if self._rest is None:
                line = self._lines[self._next]
                self._next += 1
                self._rest = WrappedLine(to_ascii(line) if self._appearance.ascii else line)
            rows.append(self._rest.row(window.columns))
            if self._rest.is_finished:
                self._rest = None
        return "".join(f"{row}\r\n" for row in rows)

    def _question(self, window: Window) -> str:
        left = len(self._lines) - self._next + (self._rest is not None)
        texts = (f"-- {left} more: space, Enter, q --", "-- more --", "more", ":")
        return next((text for text in texts if len(text) < window.columns), texts[-1])
