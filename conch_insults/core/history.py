"""The lines that somebody typed before, and one editor's place among them.

A history may outlive the editors that fill it, and be shared by several at once: each has a place
of its own. Must not know who that somebody is, nor what a key is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core.line_buffer import EMPTY

if TYPE_CHECKING:
    from conch_insults.core.line_buffer import Content

__all__ = ["History", "Recall"]

_MOST_LINES = 100
_MOST_BYTES = 16 * 1024


class History:
    """Lines typed before, by number; the oldest are forgotten when there are too many.

    They are kept with their marks, so that nothing is split into cells again when they return.

    Args:
        most_lines: how many lines are kept.
        most_bytes: how much they may have together, in bytes of UTF-8.

    Attributes:
        start: the number of the oldest line.
    """

    def __init__(self, most_lines: int = _MOST_LINES, most_bytes: int = _MOST_BYTES) -> None:
        self.start = 0
        self._most_lines = most_lines
        self._bytes_left = most_bytes
        self._lines: list[Content] = []

    @property
    def end(self) -> int:
        """The number that the next line gets."""
        return self.start + len(self._lines)

    def line(self, number: int) -> Content:
        """Return a line; `number` is from `start` on and below `end`."""
        return self._lines[number - self.start]

    def add(self, line: Content) -> None:
        """Keep `line` unless it is blank or just like the last."""
        if not line.text.strip() or (self._lines and self._lines[-1].text == line.text):
            return
        self._lines.append(line)
        self._bytes_left -= len(line.text.encode())
        while len(self._lines) > self._most_lines or self._bytes_left < 0:
            self._bytes_left += len(self._lines.pop(0).text.encode())
            self.start += 1


class Recall:
    """One editor's place in a history, and the line that was in progress when it went there.

    Attributes:
        place: the number of the line that was recalled; None at the newest end.
    """

    def __init__(self, history: History) -> None:
        self.place: int | None = None
        self._history = history
        self._draft = EMPTY

    def leave(self) -> None:
        """Go back to the newest end; the draft is forgotten."""
        self.place = None
        self._draft = EMPTY

    def go_to(self, place: int, current: Content) -> None:
        """Be at `place`; `current` is kept as a draft if the place was the newest end."""
        if self.place is None:
            self._draft = current
        self.place = place

    def older(self, current: Content) -> Content | None:
        """Return the line before this place, or None at the oldest.

        Args:
            current: the line in progress, which is kept as a draft when the history is entered.
        """
        place = (self._history.end if self.place is None else self.place) - 1
        if place < self._history.start:
            return None
        self.go_to(place, current)
        return self._history.line(place)

    def newer(self) -> Content | None:
        """Return the line after this place, at last the draft, or None when already there."""
        if self.place is None:
            return None
        # Lines that another editor added since may have cost us ours.
        place = max(self.place + 1, self._history.start)
        if place < self._history.end:
            self.place = place
            return self._history.line(place)
        draft = self._draft
        self.leave()
        return draft
