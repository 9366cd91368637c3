"""The keys that a line editor knows, and what terminals send for them.

Tables only: control characters, and the final bytes and numbers of escape sequences (ECMA-48;
"XTerm Control Sequences"). Must not know how bytes arrive or what a key does.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

__all__ = [
    "ALT",
    "ALT_OR_CTRL",
    "CONTROLS",
    "CSI_FINALS",
    "CSI_TILDES",
    "PASTE_BEGINS",
    "PASTE_ENDS",
    "SS3_FINALS",
    "WORDWISE",
    "Key",
    "KeyEvent",
]


class Key(enum.Enum):
    """A key that is not text, named by what it means to a line."""

    ENTER = enum.auto()
    INTERRUPT = enum.auto()
    DELETE_OR_LEAVE = enum.auto()
    TAB = enum.auto()
    LEFT = enum.auto()
    RIGHT = enum.auto()
    WORD_LEFT = enum.auto()
    WORD_RIGHT = enum.auto()
    HOME = enum.auto()
    END = enum.auto()
    UP = enum.auto()
    DOWN = enum.auto()
    BACKSPACE = enum.auto()
    DELETE = enum.auto()
    KILL_TO_START = enum.auto()
    KILL_TO_END = enum.auto()
    KILL_BLANK_WORD_LEFT = enum.auto()
    KILL_WORD_LEFT = enum.auto()
    KILL_WORD_RIGHT = enum.auto()
    YANK = enum.auto()
    UNDO_KILL = enum.auto()
    TRANSPOSE = enum.auto()
    SEARCH = enum.auto()
    CANCEL = enum.auto()
    CLEAR_SCREEN = enum.auto()


KeyEvent: TypeAlias = Key | str

CONTROLS = {
    0x01: Key.HOME,
    0x02: Key.LEFT,
    0x03: Key.INTERRUPT,
    0x04: Key.DELETE_OR_LEAVE,
    0x05: Key.END,
    0x06: Key.RIGHT,
    0x07: Key.CANCEL,
    0x08: Key.BACKSPACE,
    0x09: Key.TAB,
    0x0A: Key.ENTER,
    0x0B: Key.KILL_TO_END,
    0x0C: Key.CLEAR_SCREEN,
    0x0D: Key.ENTER,
    0x0E: Key.DOWN,
    0x10: Key.UP,
    0x12: Key.SEARCH,
    0x14: Key.TRANSPOSE,
    0x15: Key.KILL_TO_START,
    0x17: Key.KILL_BLANK_WORD_LEFT,
    0x19: Key.YANK,
    0x1F: Key.UNDO_KILL,
    0x7F: Key.BACKSPACE,
}
ALT = {
    0x08: Key.KILL_WORD_LEFT,
    0x7F: Key.KILL_WORD_LEFT,
    ord("b"): Key.WORD_LEFT,
    ord("d"): Key.KILL_WORD_RIGHT,
    ord("f"): Key.WORD_RIGHT,
}
# The final bytes that CSI and SS3 share.
CSI_FINALS = {
    ord("A"): Key.UP,
    ord("B"): Key.DOWN,
    ord("C"): Key.RIGHT,
    ord("D"): Key.LEFT,
    ord("F"): Key.END,
    ord("H"): Key.HOME,
}
# The keypad's Enter, and what rxvt sends for Ctrl-Right and Ctrl-Left.
SS3_FINALS = CSI_FINALS | {
    ord("M"): Key.ENTER,
    ord("c"): Key.WORD_RIGHT,
    ord("d"): Key.WORD_LEFT,
}
CSI_TILDES = {
    b"1": Key.HOME,
    b"3": Key.DELETE,
    b"4": Key.END,
    b"7": Key.HOME,
    b"8": Key.END,
}
PASTE_BEGINS = b"200"
PASTE_ENDS = b"201"
WORDWISE = {Key.LEFT: Key.WORD_LEFT, Key.RIGHT: Key.WORD_RIGHT}
# A modifier parameter is 1 plus a bit mask; 2 is Alt and 4 is Ctrl.
ALT_OR_CTRL = 2 | 4
