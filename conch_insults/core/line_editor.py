"""A line editor for one terminal: what was typed goes in, screen edits and lines come out.

Knows which key does what. Must not know who reads the lines, what carries the bytes, or what
time it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from conch_insults.core.key_decoder import KeyDecoder
from conch_insults.core.keys import Key
from conch_insults.core.line_buffer import EMPTY, History, LineBuffer
from conch_insults.core.line_display import LineDisplay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conch_insults.core.line_buffer import Content

__all__ = ["Display", "EndOfInput", "Interrupt", "Line", "LineEditor", "Output"]

_PASTE_MARKS_ON = "\x1b[?2004h"
_PASTE_MARKS_OFF = "\x1b[?2004l"
_CLEAR_SCREEN = "\x1b[H\x1b[2J"
_BEEP = "\a"


@dataclass(frozen=True, slots=True)
class Display:
    """Something to print on the terminal as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A finished line, without its end."""

    text: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Ctrl-C was pressed; `empty` says that there was no line to drop."""

    empty: bool


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """Ctrl-D was pressed on an empty line."""


Output: TypeAlias = Display | Line | Interrupt | EndOfInput

_ENDINGS = {Key.ENTER, Key.INTERRUPT, Key.DELETE_OR_LEAVE}
_LINE_EDITS: dict[Key, Callable[[LineBuffer], None]] = {
    Key.LEFT: LineBuffer.left,
    Key.RIGHT: LineBuffer.right,
    Key.WORD_LEFT: LineBuffer.word_left,
    Key.WORD_RIGHT: LineBuffer.word_right,
    Key.HOME: LineBuffer.home,
    Key.END: LineBuffer.end,
    Key.BACKSPACE: LineBuffer.backspace,
    Key.DELETE: LineBuffer.delete,
    Key.DELETE_OR_LEAVE: LineBuffer.delete,
    Key.KILL_TO_START: LineBuffer.kill_to_start,
    Key.KILL_TO_END: LineBuffer.kill_to_end,
    Key.KILL_BLANK_WORD_LEFT: LineBuffer.kill_blank_word_left,
    Key.KILL_WORD_LEFT: LineBuffer.kill_word_left,
    Key.KILL_WORD_RIGHT: LineBuffer.kill_word_right,
    Key.TRANSPOSE: LineBuffer.transpose,
}


class LineEditor:
    """Edits one line after the other below a prompt.

    After a `Line`, an `Interrupt` or an `EndOfInput` the cursor is at the start of a fresh row
    and there is no prompt until `show`; keys are taken all the same.

    Args:
        prompt: what stands before each line.
        width: the window's columns; 0 counts as 80.
    """

    def __init__(self, prompt: str, width: int = 80) -> None:
        self._keys = KeyDecoder()
        self._line = LineBuffer()
        self._history = History()
        self._display = LineDisplay(prompt, width)
        self._shown = False
        self._cleared = False
        self._beep = False

    def start(self) -> str:
        """Return what shows the first prompt."""
        return _PASTE_MARKS_ON + self.show()

    def stop(self) -> str:
        """Return what leaves the terminal as it was found, the cursor below the line."""
        return self._leave() + _PASTE_MARKS_OFF

    def show(self) -> str:
        """Return what shows prompt and line, on the empty row that the cursor is on."""
        if self._shown:
            return ""
        self._shown = True
        return self._draw()

    def hide(self) -> str:
        """Return what takes prompt and line off the screen until `show`."""
        if not self._shown:
            return ""
        self._shown = False
        return self._display.erase()

    def resize(self, width: int) -> str:
        """Return what shows prompt and line in a window that is now `width` columns wide.

        Right for terminals that keep rows as they are, and for the others as long as the line
        had one row or the window grows; nothing above the prompt is ever erased.
        """
        was_shown = self._shown
        hide = self.hide()
        changed = self._display.resize(width)
        show = self.show() if was_shown else ""
        return hide + show if changed else ""

    def receive(self, data: bytes) -> Iterator[Output]:
        """Yield what comes of `data`, in order.

        Keys are acted on as the outputs are asked for, so whoever stops asking stops the editor.
        An iterator must be used up or dropped before the next call.

        Args:
            data: what the terminal sent, cut anywhere.
        """
        for key in self._keys.feed(data):
            if isinstance(key, str):
                self._beep |= not self._line.insert(key)
            elif key in _ENDINGS and (key is not Key.DELETE_OR_LEAVE or not self._line.text):
                yield from self._finish(key)
            else:
                self._edit(key)
        changes = self._changes()
        if changes:
            yield Display(changes)

    def _finish(self, key: Key) -> Iterator[Output]:
        """Leave the line and say how it ended."""
        content = self._line.content
        display = self._changes() + self._leave("^C" if key is Key.INTERRUPT else "")
        self._line.replace(EMPTY)
        if display:
            yield Display(display)
        if key is Key.ENTER:
            self._history.add(content)
            yield Line(content.text)
        elif key is Key.INTERRUPT:
            self._history.leave()
            yield Interrupt(empty=not content.text)
        else:
            yield EndOfInput()

    def _leave(self, last_words: str = "") -> str:
        if not self._shown:
            return ""
        self._shown = False
        return self._display.leave(last_words)

    def _changes(self) -> str:
        """Return what brings the screen up to date."""
        beep, self._beep = _BEEP if self._beep else "", False
        if not self._shown:
            return beep
        if self._cleared:
            self._cleared = False
            return beep + _CLEAR_SCREEN + self._draw()
        line = self._line
        kept, cells, cursor = line.unchanged_cells, line.changed_cells(), line.cursor_cell
        line.settle()
        return beep + self._display.update(kept, cells, cursor)

    def _draw(self) -> str:
        self._line.settle()
        return self._display.draw(self._line.cells(), self._line.cursor_cell)

    def _edit(self, key: Key) -> None:
        if key in _LINE_EDITS:
            _LINE_EDITS[key](self._line)
        elif key is Key.YANK:
            self._beep |= not self._line.yank()
        elif key is Key.UP:
            self._recall(self._history.older(self._line.content))
        elif key is Key.DOWN:
            self._recall(self._history.newer())
        elif key is Key.CLEAR_SCREEN:
            self._cleared = self._shown

    def _recall(self, content: Content | None) -> None:
        if content is not None:
            self._line.replace(content)
