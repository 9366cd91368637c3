"""A line editor for one terminal: keys go in, screen edits and lines come out.

Knows which key does what. Must not know who reads the lines, what carries the bytes, or what
time it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from conch_insults.core.cells import LINE_BREAK
from conch_insults.core.completion import completed, listed
from conch_insults.core.history import Recall
from conch_insults.core.history_search import HistorySearch
from conch_insults.core.keys import Key
from conch_insults.core.line_buffer import EMPTY, LineBuffer
from conch_insults.core.line_display import LineDisplay
from conch_insults.core.outputs import Display, EndOfInput, Interrupt, Line
from conch_insults.core.teletype_display import TeletypeDisplay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conch_insults.core.appearance import Appearance
    from conch_insults.core.history import History
    from conch_insults.core.keys import KeyEvent
    from conch_insults.core.line_buffer import Content
    from conch_insults.core.outputs import Output
    from conch_insults.core.window import Window

__all__ = ["Completer", "LineEditor"]

Completer: TypeAlias = "Callable[[str], Sequence[str]]"
"""Returns what may become of the text before the cursor, each time as a whole."""

_CLEAR_SCREEN = "\x1b[H\x1b[2J"
_BEEP = "\a"

# What work is worth beside what it prints, as if it were characters: to ask for completions, to
# look at one of them, to draw all anew for a search, and to search one line of the history.
_QUESTION_EFFORT = 8192
_CANDIDATE_EFFORT = 2
_SEARCH_EFFORT = 2048
_COMPARISON_EFFORT = 16


# What stands for bytes that are not UTF-8.
_UNREADABLE = "\ufffd"

_ENDINGS = {Key.ENTER, Key.INTERRUPT, Key.DELETE_OR_LEAVE}
_SEARCH_CANCELS = {Key.CANCEL, Key.INTERRUPT}
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
        window: what it is shown in.
        appearance: is looked at whenever something is shown.
        history: the lines typed before, which other editors may share.
        complete: knows what a word may become.

    Attributes:
        has_more: whether lines are left of a pasted text of which one was just handed out.
    """

    def __init__(
        self,
        prompt: str,
        window: Window,
        appearance: Appearance,
        history: History,
        complete: Completer,
    ) -> None:
        self.has_more = False
        self._prompt = prompt
        self._window = window
        self._appearance = appearance
        self._history = history
        self._complete = complete
        self._recall = Recall(history)
        self._search: HistorySearch | None = None
        # The line and the cursor that a search began with.
        self._before_search = EMPTY, 0
        self._line = LineBuffer()
        display = TeletypeDisplay if appearance.dumb else LineDisplay
        self._display = display(prompt, window, appearance)
        self._shown = False
        self._must_redraw = False
        self._must_clear = False
        self._must_beep = False

    def beep(self) -> None:
        """Make a noise with the next change of the screen."""
        self._must_beep = True

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

    def leave(self, last_words: str = "") -> str:
        """Return what goes below the line until `show`, with `last_words` behind it."""
        if not self._shown:
            return ""
        self._shown = False
        return self._display.leave(last_words)

    def resize(self, window: Window) -> str:
        """Return what shows prompt and line in a window that is another now."""
        self._window = window
        erase = self._display.resize(window)
        return "" if erase is None or not self._shown else erase + self._draw()

    def press(self, key: KeyEvent) -> Iterator[Output]:
        """Act on a key and yield what comes of it, but for what `changes` returns."""
        if self._search is not None:
            display = self._continue_search(self._search, key)
            if display is not None:
                yield display
                return
        if isinstance(key, str):
            self._insert(key)
        elif key in _ENDINGS and (key is not Key.DELETE_OR_LEAVE or not self._line.text):
            yield from self._finish(key)
        elif key is Key.TAB:
            yield self._completed()
        else:
            self._edit(key)

    def changes(self) -> str:
        """Return what brings the screen up to date after some keys."""
        beep, self._must_beep = _BEEP if self._must_beep else "", False
        if not self._shown:
            return beep
        if self._must_clear and not self._appearance.dumb:
            return beep + _CLEAR_SCREEN + self._draw()
        if self._must_clear or self._must_redraw:
            return beep + self._display.erase() + self._draw()
        line = self._line
        kept, cells, cursor = line.unchanged_cells, line.changed_cells(), line.cursor_cell
        line.settle()
        return beep + self._display.update(kept, cells, cursor)

    def _draw(self) -> str:
        self._must_clear = self._must_redraw = False
        self._line.settle()
        return self._display.draw(self._line.cells(), self._line.cursor_cell)

    def _insert(self, text: str) -> None:
        if self._appearance.ascii and _UNREADABLE in text:
            # What a terminal with some other character set sends cannot be told.
            self._must_beep = True
            text = text.replace(_UNREADABLE, "")
        self._must_beep |= not self._line.insert(text)

    def _finish(self, key: Key) -> Iterator[Output]:
        """Leave the line and say how it ended; a pasted text is as many lines as it has."""
        content = self._line.content
        lines = [content]
        if key is Key.ENTER:
            lines = self._line.lines()
            self._history.add(content)
        self._recall.leave()
        for left, line in zip(reversed(range(len(lines))), lines, strict=True):
            if line is not self._line.content:
                self._line.replace(line)
            display = self.changes() + self.leave("^C" if key is Key.INTERRUPT else "")
            self._line.replace(EMPTY)
            self.has_more = left > 0
            if display:
                yield Display(display)
            if key is Key.ENTER:
                yield Line(line.text)
        if key is Key.INTERRUPT:
            yield Interrupt(empty=not content.text)
        elif key is not Key.ENTER:
            yield EndOfInput()

    def _edit(self, key: Key) -> None:
        if key in _LINE_EDITS:
            _LINE_EDITS[key](self._line)
        elif key is Key.YANK:
            self._must_beep |= not self._line.yank()
        elif key is Key.UNDO_KILL:
            self._must_beep |= not self._line.undo_kill()
        elif key is Key.UP:
            self._replace(self._recall.older(self._line.content))
        elif key is Key.DOWN:
            self._replace(self._recall.newer())
        elif key is Key.SEARCH:
            self._search = HistorySearch(self._history)
            self._before_search = self._line.content, self._line.cursor
            self._set_prompt(self._search.prompt)
        elif key is Key.CLEAR_SCREEN:
            self._must_clear = self._shown
        else:
            self._must_beep = True

    def _replace(self, content: Content | None) -> None:
        if content is not None:
            self._line.replace(content)

    def _set_prompt(self, prompt: str) -> None:
        self._display.set_prompt(prompt)
        self._must_redraw = True

    def _completed(self) -> Display:
        """Complete the word before the cursor, or list what it may become."""
        typed = self._line.before_cursor
        candidates = self._complete(typed)
        effort = _QUESTION_EFFORT + _CANDIDATE_EFFORT * len(candidates)
        text = completed(typed, candidates) if candidates else typed
        if text != typed:
            self._must_beep |= not self._line.complete(text)
        elif len(candidates) > 1 and self._shown:
            rows = listed(typed, candidates, self._window, self._appearance)
            shown = "".join(f"{row}\r\n" for row in rows)
            return Display(self.changes() + self.leave() + shown + self.show(), effort)
        else:
            self._must_beep = True
        return Display(self.changes(), effort)

    def _continue_search(self, search: HistorySearch, key: KeyEvent) -> Display | None:
        """Go on with a search, or end it; return None if `key` has yet to be acted on."""
        if isinstance(key, str):
            self._must_beep |= not search.extend(key.replace(LINE_BREAK, " "))
        elif key is Key.BACKSPACE:
            search.shorten()
        elif key is Key.SEARCH:
            search.older()
        else:
            return self._end_search(search, cancel=key in _SEARCH_CANCELS)
        self._must_beep |= search.is_failed
        self._replace(search.found)
        self._set_prompt(search.prompt)
        compared, search.compared = search.compared, 0
        return Display(self.changes(), _SEARCH_EFFORT + compared * _COMPARISON_EFFORT)

    def _end_search(self, search: HistorySearch, *, cancel: bool) -> Display | None:
        self._search = None
        self._set_prompt(self._prompt)
        content, cursor = self._before_search
        if not cancel:
            if search.place is not None:
                self._recall.go_to(search.place, content)
            return None
        self._line.replace(content)
        self._line.cursor = cursor
        return Display(self.changes(), _SEARCH_EFFORT)
