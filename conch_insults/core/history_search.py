"""An incremental search back through the lines typed before.

Knows a history and what was searched for. Must not know keys, nor how a line is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conch_insults.core.history import History
    from conch_insults.core.line_buffer import Content

__all__ = ["HistorySearch"]

_MOST_CHARACTERS = 64


class HistorySearch:
    """A search for lines that have some text in them, the newest first.

    What is found stays found for as long as it has the text in it: a search goes back only, so
    that what it costs does not grow with every key.

    Args:
        history: is searched, from its newest end.

    Attributes:
        text: what is searched for, at most 64 characters.
        place: the number of the line found last, None before there is one.
        is_failed: whether no further line has the text in it.
        compared: how many lines have been looked at; whoever asks may count from 0 again.
    """

    def __init__(self, history: History) -> None:
        self.text = ""
        self.place: int | None = None
        self.is_failed = False
        self.compared = 0
        self._history = history

    @property
    def prompt(self) -> str:
        """What stands before the line that was found."""
        return f"{'nothing like' if self.is_failed else 'search'} '{self.text}': "

    @property
    def found(self) -> Content | None:
        """The line found last."""
        if self.place is None or self.place < self._history.start:
            return None
        return self._history.line(self.place)

    def extend(self, text: str) -> bool:
        """Search for more text, character by character; return False if not all has room."""
        room = _MOST_CHARACTERS - len(self.text)
        for character in text[:room]:
            self.text += character
            self._search(self._history.end - 1 if self.place is None else self.place)
        return len(text) <= room

    def shorten(self) -> None:
        """Search for one character less, from where the search is."""
        self.text = self.text[:-1]
        if self.text and self.place is not None:
            self._search(self.place)
        elif self.text:
            self._search(self._history.end - 1)
        else:
            self.is_failed = False

    def older(self) -> None:
        """Search on behind what was found; without a text there is nothing to search."""
        if self.text and not self.is_failed:
            self._search((self._history.end if self.place is None else self.place) - 1)

    def _search(self, place: int) -> None:
        """Go to the newest line with the text that is not above `place`, or stay and fail."""
        for number in range(place, self._history.start - 1, -1):
            self.compared += 1
            if self.text in self._history.line(number).text:
                self.place = number
                self.is_failed = False
                return
        self.is_failed = True
