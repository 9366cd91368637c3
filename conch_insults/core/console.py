"""Everything on a person's screen: the line in progress, answers, notices, and a list's pages.

Typed bytes go in; lines and things to print come out. Must not know who answers the lines, what
carries the bytes, or what time it is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from conch_insults.core.appearance import Appearance
from conch_insults.core.history import History
from conch_insults.core.key_decoder import KeyDecoder
from conch_insults.core.keys import Key
from conch_insults.core.line_editor import LineEditor
from conch_insults.core.outputs import Display, HangUp
from conch_insults.core.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conch_insults.core.keys import KeyEvent
    from conch_insults.core.line_editor import Completer
    from conch_insults.core.outputs import Output
    from conch_insults.core.window import Window

__all__ = ["Console"]

_PASTE_MARKS_ON = "\x1b[?2004h"
_PASTE_MARKS_OFF = "\x1b[?2004l"
_ERASE_ROW = "\r\x1b[K"
_ERASE_BELOW = "\r\x1b[J"
_NEXT_ROW = "\r\n"

_PAGE_KEYS = {" "}
_ROW_KEYS = {Key.ENTER}
_LEAVE_KEYS = {"q", "Q", Key.INTERRUPT, Key.CANCEL}

# How much of a long answer that is not paged is printed at once.
_ROWS_AT_ONCE = 100

# Keys are worked through in pieces of so many bytes. Each byte, and each new window, is worth so
# many characters printed: what prints nothing takes its time, too.
_READ_SIZE = 1024
_KEY_EFFORT = 8
_WINDOW_EFFORT = 4096


class Console:
    """A line editor on a screen, and what is shown above it.

    Args:
        prompt: what stands before each line.
        window: what the client says its window is.
        appearance: how things are shown; whoever has it may change it at any time.
        history: the lines typed before, which other consoles of the same person may share.
        complete: says what may become of the text before the cursor, each time as a whole.
    """

    def __init__(
        self,
        prompt: str,
        window: Window,
        appearance: Appearance | None = None,
        history: History | None = None,
        complete: Completer = lambda _: (),
    ) -> None:
        self._keys = KeyDecoder()
        self._window = window
        self._appearance = Appearance() if appearance is None else appearance
        self._editor = LineEditor(
            prompt, window, self._appearance, History() if history is None else history, complete
        )
        # Bounded by what whoever sends it is allowed to send.
        self._unread = bytearray()
        self._input_ended = False
        # What came of the last answer, and of input; the answer is shown first.
        self._shown_answer: Iterator[Display] = iter(())
        self._outputs: Iterator[Output] = iter(())
        # What is left of an answer that waits for somebody to read on, and whether the screen
        # says so.
        self._pages: Pages | None = None
        self._is_asking = False
        # What the screen has yet to be brought up to date with: there is no end to the windows
        # and notices that may come meanwhile, and only the last screen matters.
        self._new_window: Window | None = None
        self._must_show = False

    def start(self) -> str:
        """Return what shows the first prompt."""
        return ("" if self._appearance.dumb else _PASTE_MARKS_ON) + self.show()

    def stop(self) -> str:
        """Return what leaves the terminal as it was found, the cursor below everything."""
        left = self._stop_asking() + self._editor.leave()
        return left + ("" if self._appearance.dumb else _PASTE_MARKS_OFF)

    def show(self) -> str:
        """Return what shows prompt and line, or what asks for a key, on an empty row."""
        self._must_show = False
        if self._pages is None:
            return self._editor.show()
        if self._is_asking:
            return ""
        self._is_asking = True
        return self._pages.prompt(self._window)

    def hide(self) -> str:
        """Return what takes that off the screen."""
        hide = self._stop_asking() + self._editor.hide()
        self._must_show |= bool(hide)
        return hide

    def say(self, text: str) -> str:
        """Return what prints some lines, each with its newline, above what is shown.

        What is shown is gone until `show` or `refresh`.
        """
        return self.hide() + Pages(text, self._appearance).take(sys.maxsize, self._window)

    def resize(self, window: Window) -> None:
        """Have `refresh` fit everything into a window that is another now."""
        self._new_window = window

    def refresh(self) -> Display:
        """Return what brings the screen up to date with the window and what has been said."""
        resized, effort = "", 0
        if self._new_window is not None and self._new_window != self._window:
            old, self._window = self._window, self._new_window
            effort = _WINDOW_EFFORT
            if self._pages is not None and self._is_asking and not self._appearance.is_final:
                resized = self._stop_asking(self._pages.rows_above_prompt_end(old, self._window))
                self._must_show = True
            resized += self._editor.resize(self._window)
        self._new_window = None
        return Display(resized + (self.show() if self._must_show else ""), effort)

    def receive(self, data: bytes) -> None:
        """Take what the terminal sent, cut anywhere; `next_output` acts on it."""
        self._unread += data

    def end_input(self) -> None:
        """Note that nothing more will be received."""
        self._input_ended = True

    def next_output(self, *, read: bool = True) -> Output | None:
        """Return the next thing to be done, if there is any.

        Args:
            read: whether to go on with the input, once the last answer has been shown.
        """
        output = next(self._shown_answer, None)
        if output is not None or not read:
            return output
        typed = next(self._outputs, None)
        if typed is not None:
            return typed
        if self._unread:
            some = bytes(self._unread[:_READ_SIZE])
            del self._unread[:_READ_SIZE]
            self._outputs = self._outputs_of(some)
            return next(self._outputs)
        if self._input_ended:
            if self._pages is None:
                self._input_ended = False
                return HangUp()
            shown, pages, self._pages = self._stop_asking(), self._pages, None
            self._shown_answer = self._print_all(pages)
            return Display(shown)
        return None

    def answer(self, text: str) -> None:
        """Have `next_output` return what shows the answer to a line, and the next prompt.

        An answer too long for the window waits for whoever reads it. It does not wait if more
        has been typed: who did so reads on by themselves, or is a program that never looks.

        Args:
            text: lines, each with its newline.
        """
        pages = Pages(text, self._appearance)
        more = self._unread or self._input_ended or self._keys.has_more or self._editor.has_more
        if more or not self._window.has_an_end:
            self._shown_answer = self._print_all(pages)
        else:
            self._shown_answer = iter((self._turn_page(pages, self._window.answer_rows),))

    def _outputs_of(self, data: bytes) -> Iterator[Output]:
        """Yield what comes of some input, at last the changes that are left to show.

        Whoever stops asking stops the editor.
        """
        for key in self._keys.feed(data):
            if self._pages is None:
                yield from self._editor.press(key)
            else:
                yield from self._press_in_answer(self._pages, key)
        yield Display(self._editor.changes(), len(data) * _KEY_EFFORT)

    def _print_all(self, pages: Pages) -> Iterator[Display]:
        rows = pages.take(_ROWS_AT_ONCE, self._window)
        while not pages.is_finished:
            yield Display(rows)
            rows = pages.take(_ROWS_AT_ONCE, self._window)
        yield Display(rows + self.show())

    def _turn_page(self, pages: Pages, rows: int) -> Display:
        """Show some more rows, and what stands below them."""
        shown = self._stop_asking() + pages.take(rows, self._window)
        self._pages = None if pages.is_finished else pages
        return Display(shown + self.show())

    def _press_in_answer(self, pages: Pages, key: KeyEvent) -> Iterator[Output]:
        """Act on a key while an answer waits; what was typed behind its end is for the line."""
        for at, one in enumerate((key,) if isinstance(key, Key) else key):
            if self._pages is None:
                yield from self._editor.press(str(key)[at:])
                return
            if one in _PAGE_KEYS:
                yield self._turn_page(pages, self._window.answer_rows)
            elif one in _ROW_KEYS:
                yield self._turn_page(pages, 1)
            elif one in _LEAVE_KEYS:
                self._pages = None
                yield Display(self._stop_asking() + self.show())
            else:
                self._editor.beep()

    def _stop_asking(self, rows_above: int = 0) -> str:
        """Return what takes the question off the screen, from its last row and those above."""
        if not self._is_asking:
            return ""
        self._is_asking = False
        if self._appearance.is_final:
            return _NEXT_ROW
        return f"\x1b[{rows_above}A{_ERASE_BELOW}" if rows_above else _ERASE_ROW
