"""A prompt and a line on a terminal that does nothing but print.

What `LineDisplay` does, without a single escape sequence: what is typed at the end is echoed, and
the line is printed again below itself after any other edit. The cursor's place in the line is not
shown. Must not know keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core.cells import visible_cell
from conch_insults.core.printable import printable
from conch_insults.core.transliteration import to_ascii

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conch_insults.core.appearance import Appearance
    from conch_insults.core.window import Window

__all__ = ["TeletypeDisplay"]

_NEXT_ROW = "\r\n"
# What a tty driver prints for an erased character (ECHOE of termios(3)).
_RUB_OUT = "\b \b"


class TeletypeDisplay:
    """Keeps track of what has been printed of a line.

    Args:
        prompt: what stands before the line; cleaned here.
        window: what it is shown in.
        appearance: is looked at whenever something is printed.
    """

    def __init__(self, prompt: str, window: Window, appearance: Appearance) -> None:
        self._prompt = printable(prompt)
        self._window = window
        self._appearance = appearance
        self._printed: list[str] = []

    def set_prompt(self, prompt: str) -> None:
        """Have another prompt from the next `draw` on."""
        self._prompt = printable(prompt)

    def draw(self, cells: Iterable[str], cursor: int) -> str:
        """Print prompt and line, from the first column of an empty row."""
        del cursor
        self._printed = list(map(self._shown, cells))
        return self._line

    def update(self, kept: int, cells: Sequence[str], cursor: int) -> str:
        """Print what has changed at the end of the line, or else the whole line again.

        Args:
            kept: how many cells at the start of the line are printed already.
            cells: the cells after those.
            cursor: how many of all cells stand before the cursor.
        """
        del cursor
        removed = "".join(self._printed[kept:])
        added = list(map(self._shown, cells))
        before = self._line if removed else ""
        self._printed[kept:] = added
        if not removed:
            return "".join(added)
        if not added and before.isascii() and len(before) < self._window.columns:
            return _RUB_OUT * len(removed)
        return _NEXT_ROW + self._line

    def erase(self) -> str:
        """Go below the line, which stays where it is."""
        return self.leave()

    def leave(self, last_words: str = "") -> str:
        """Go below the line, after printing `last_words` behind it."""
        return last_words + _NEXT_ROW

    def resize(self, window: Window) -> None:
        """Note that the window has become another; what is printed stays as it is."""
        self._window = window

    @property
    def _line(self) -> str:
        return self._in_its_characters(self._prompt) + "".join(self._printed)

    def _shown(self, cell: str) -> str:
        return self._in_its_characters(visible_cell(cell))

    def _in_its_characters(self, text: str) -> str:
        return to_ascii(text) if self._appearance.ascii else text
