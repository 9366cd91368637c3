"""Somebody at a console, with a terminal (pyte) that shows what it prints."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pyte
from typing_extensions import override

from conch_insults.core.cells import cell_width, joins
from conch_insults.core.console import Console
from conch_insults.core.outputs import Display, HangUp, Line
from conch_insults.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conch_insults.core.appearance import Appearance
    from conch_insults.core.history import History
    from conch_insults.core.outputs import Output

__all__ = [
    "ACUTE",
    "BACKSPACE",
    "CTRL_A",
    "CTRL_C",
    "CTRL_D",
    "CTRL_G",
    "CTRL_L",
    "CTRL_R",
    "CTRL_UNDERSCORE",
    "DELETE",
    "DOWN",
    "END",
    "HOME",
    "LEFT",
    "PASTE",
    "PASTED",
    "RIGHT",
    "START",
    "STOP",
    "TAB",
    "UP",
    "Screen",
    "Typist",
    "screen_rows",
]

ACUTE = "\N{COMBINING ACUTE ACCENT}"
UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"
HOME, END, DELETE, BACKSPACE, TAB = b"\x1b[H", b"\x1b[F", b"\x1b[3~", b"\x7f", b"\t"
CTRL_A, CTRL_C, CTRL_D, CTRL_G, CTRL_L = b"\x01", b"\x03", b"\x04", b"\x07", b"\x0c"
CTRL_R, CTRL_UNDERSCORE = b"\x12", b"\x1f"
PASTE, PASTED = b"\x1b[200~", b"\x1b[201~"
START, STOP = "\x1b[?2004h", "\x1b[?2004l"


class Screen(pyte.Screen):
    """Pyte's, but for what shares the room of a character, which pyte puts elsewhere or drops."""

    _drawn = (0, 0)
    _drawn_to = (0, 0)

    @override
    def draw(self, data: str) -> None:
        for character in data:
            y, x = self._drawn
            cell = self.buffer[y][x]
            if (self.cursor.y, self.cursor.x) == self._drawn_to and joins(cell.data, character):
                text = cell.data + character
                wider = cell_width(text) - cell_width(cell.data)
                self.buffer[y][x] = cell._replace(data=text)
                for _ in range(wider):
                    self.buffer[y][self.cursor.x] = cell._replace(data="")
                    self.cursor.x += 1
            else:
                super().draw(character)
                width = cell_width(character)
                self._drawn = self.cursor.y, self.cursor.x - width
            self._drawn_to = self.cursor.y, self.cursor.x


def screen_rows(screen: pyte.Screen) -> list[str]:
    """Return the screen's rows down to the last that is not blank."""
    rows = [
        "".join(screen.buffer[y][x].data for x in range(screen.columns))
        for y in range(screen.lines)
    ]
    rows = [unicodedata.normalize("NFC", row).rstrip() for row in rows]
    while rows and not rows[-1]:
        rows.pop()
    return rows


class Typist:
    """A console with its terminal.

    Args:
        width: the window's columns; 0 is unknown, and 80.
        prompt: what stands before each line.
        height: the window's rows; 0 is unknown to the console, while the screen has 300.
        answers: returns the answer to a line.
    """

    def __init__(
        self,
        width: int = 80,
        prompt: str = "> ",
        height: int = 0,
        *,
        appearance: Appearance | None = None,
        history: History | None = None,
        complete: Callable[[str], Sequence[str]] = lambda _: (),
        answers: Callable[[str], str] = lambda _: "",
    ) -> None:
        self.screen = Screen(width or 80, height or 300)
        self.stream = pyte.Stream(self.screen)
        self.console = Console(prompt, Window.claimed(width, height), appearance, history, complete)
        self.answers = answers
        self.outputs: list[Output] = []
        self.printed = ""
        self.print(self.console.start())

    def print(self, text: str) -> None:
        """Have something printed that is not an answer."""
        self.printed = text
        self.stream.feed(text)

    def type(self, data: bytes | str) -> None:
        """Type something and have every line answered."""
        self.console.receive(data.encode() if isinstance(data, str) else data)
        self.goes_on()

    def goes_on(self) -> None:
        """Have the console do all it has to do."""
        self.printed = ""
        while (output := self.console.next_output()) is not None:
            if isinstance(output, Display):
                self.printed += output.text
                self.stream.feed(output.text)
                continue
            self.outputs.append(output)
            if isinstance(output, Line):
                self.console.answer(self.answers(output.text))
            elif not isinstance(output, HangUp):
                self.stream.feed(self.console.show())

    def hears(self, text: str) -> None:
        """Hear something above the line in progress."""
        self.print(self.console.say(text) + self.console.refresh().text)

    def resizes(self, width: int, height: int = 0) -> None:
        """Make the window another size."""
        self.screen.resize(height or 300, width)
        self.console.resize(Window.claimed(width, height))
        self.print(self.console.refresh().text)

    @property
    def lines(self) -> list[str]:
        """The lines typed so far."""
        return [output.text for output in self.outputs if isinstance(output, Line)]

    @property
    def rows(self) -> list[str]:
        """The screen's rows down to the last that is not blank."""
        return screen_rows(self.screen)

    @property
    def cursor(self) -> tuple[int, int]:
        """The cursor's row and column, from 0."""
        return self.screen.cursor.y, self.screen.cursor.x
