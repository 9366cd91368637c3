"""What comes of typing: things to print, and lines and their ends.

Values only; who makes them and what becomes of them is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Display", "EndOfInput", "HangUp", "Interrupt", "Line", "Output"]


@dataclass(frozen=True, slots=True)
class Display:
    """Something to print on the terminal as it is.

    Attributes:
        text: what to print, which may be nothing.
        effort: what it took beside the printing, as if it were so many characters more.
    """

    text: str
    effort: int = 0


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


@dataclass(frozen=True, slots=True)
class HangUp:
    """There is no more input, and all there was has been acted on."""


Output: TypeAlias = Display | Line | Interrupt | EndOfInput | HangUp
