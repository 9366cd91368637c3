"""Bytes from a terminal, read as keys, however they are split over reads.

Knows UTF-8 and the shapes of escape sequences. Must not know what a key does, nor keep more than
a few bytes of anything.
"""

from __future__ import annotations

import codecs
import enum
import re
from typing import TYPE_CHECKING

from conch_insults.core.cells import LINE_BREAK
from conch_insults.core.keys import (
    ALT,
    ALT_OR_CTRL,
    CONTROLS,
    CSI_FINALS,
    CSI_TILDES,
    PASTE_BEGINS,
    PASTE_ENDS,
    SS3_FINALS,
    WORDWISE,
    Key,
)
from conch_insults.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conch_insults.core.keys import KeyEvent

__all__ = ["KeyDecoder"]

_ESC = 0x1B
_CR = 0x0D
_PADDING_AFTER_CR = b"\n\0"
_STRING_INTRODUCERS = b"PX]^_"
_STRING_ENDS = re.compile(rb"[\x00-\x1f]")
_TEXT = re.compile(rb"[^\x00-\x1f\x7f]+")
_PARAMETERS = re.compile(rb"[\x20-\x3f]*")
_FIRST_FINAL, _LAST_FINAL = 0x40, 0x7E
_SPACE, _BEL = 0x20, 0x07
_MOST_PARAMETERS = 32
_MOUSE_BYTES = 3


class _State(enum.Enum):
    GROUND = enum.auto()
    ESCAPE = enum.auto()
    CSI = enum.auto()
    SS3 = enum.auto()
    STRING = enum.auto()
    RAW = enum.auto()


class KeyDecoder:
    """Turns one terminal's bytes into keys.

    A control character ends whatever sequence it interrupts and is then a key, so no broken
    sequence can eat an Enter or a Ctrl-C.

    Attributes:
        has_more: whether something came behind the key that was yielded last.
    """

    def __init__(self) -> None:
        self.has_more = False
        self._state = _State.GROUND
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._parameters = b""
        self._raw_bytes_left = 0
        self._after_cr = False
        self._pasting = False
        self._gap_in_paste = ""

    def feed(self, data: bytes) -> Iterator[KeyEvent]:
        """Yield the keys in `data`: text as strings, the rest as `Key`.

        Text is printable, except that one newline stands where lines were broken in a paste. The
        keys are read as they are asked for; an iterator must be used up or dropped before
        the next call.
        """
        # A reply that a terminal sends comes in one piece. A string introducer that comes alone
        # after a lone ESC was typed, and must not swallow what is typed next.
        typed = self._state is _State.ESCAPE and len(data) == 1
        position = 0
        event: KeyEvent | None
        while position < len(data):
            if self._state is _State.GROUND:
                match = _TEXT.match(data, position)
                if match:
                    position = match.end()
                    event = self._text(self._utf8.decode(match.group()))
                else:
                    position += 1
                    yield from self._interrupted_utf8()
                    event = self._control(data[position - 1])
            elif data[position] < _SPACE and self._state is not _State.ESCAPE:
                position, event = self._broken_off(data, position)
            else:
                position, event = self._sequence(data, position, typed=typed)
            if event:
                self.has_more = not self._is_over(data, position)
                yield event
        self.has_more = False

    def _is_over(self, data: bytes, position: int) -> bool:
        """Say whether nothing but what belongs to an Enter is left."""
        left = len(data) - position
        return left == 0 or (left == 1 and self._after_cr and data[-1] in _PADDING_AFTER_CR)

    def _text(self, text: str) -> str:
        """Clean text; in a paste, put one line break or space before it where there were some."""
        self._after_cr = False
        text = printable(text)
        if text:
            text, self._gap_in_paste = self._gap_in_paste + text, ""
        return text

    def _interrupted_utf8(self) -> Iterator[str]:
        """Give up on a character whose bytes a control character cut short."""
        text = self._utf8.decode(b"", final=True)
        if text:
            yield self._text(text)

    def _control(self, byte: int) -> Key | None:
        after_cr, self._after_cr = self._after_cr, byte == _CR
        if after_cr and byte in _PADDING_AFTER_CR:
            return None
        if byte == _ESC:
            self._state = _State.ESCAPE
            return None
        return self._unless_pasting(CONTROLS.get(byte))

    def _unless_pasting(self, key: Key | None) -> Key | None:
        """Let no key act from inside a paste, except Ctrl-C in case the paste's end got lost."""
        if not self._pasting:
            return key
        if key is Key.INTERRUPT:
            self._end_paste()
            return key
        if key is Key.ENTER:
            self._gap_in_paste = LINE_BREAK
        elif key is Key.TAB:
            self._gap_in_paste = self._gap_in_paste or " "
        return None

    def _end_paste(self) -> None:
        self._pasting = False
        self._gap_in_paste = ""

    def _broken_off(self, data: bytes, position: int) -> tuple[int, KeyEvent | None]:
        """End a sequence at a control character; BEL is the proper end of a string."""
        ends_properly = self._state is _State.STRING and data[position] == _BEL
        self._state = _State.GROUND
        if ends_properly:
            return position + 1, None
        return position + 1, self._control(data[position])

    def _sequence(self, data: bytes, position: int, *, typed: bool) -> tuple[int, KeyEvent | None]:
        """Read on in an escape sequence; return the next position and the key, if it is done."""
        if self._state is _State.ESCAPE:
            return self._escape(data, position, typed=typed)
        if self._state is _State.STRING:
            match = _STRING_ENDS.search(data, position)
            return (match.start() if match else len(data)), None
        if self._state is _State.RAW:
            self._raw_bytes_left -= 1
            if not self._raw_bytes_left:
                self._state = _State.GROUND
            return position + 1, None
        return self._parameterised(data, position)

    def _escape(self, data: bytes, position: int, *, typed: bool) -> tuple[int, KeyEvent | None]:
        byte = data[position]
        self._state = _State.GROUND
        if byte == ord("["):
            self._state = _State.CSI
        elif byte == ord("O"):
            self._state = _State.SS3
        elif byte in _STRING_INTRODUCERS and not typed:
            self._state = _State.STRING
        elif byte in ALT:
            return position + 1, self._unless_pasting(ALT[byte])
        elif byte < _SPACE or byte > _LAST_FINAL:
            # Not part of a sequence: the ESC was a key by itself, and this is the next one.
            return position, None
        self._parameters = b""
        return position + 1, None

    def _parameterised(self, data: bytes, position: int) -> tuple[int, KeyEvent | None]:
        match = _PARAMETERS.match(data, position)
        end = match.end() if match else position
        # One more than the bound is kept, which is enough to see that there were too many.
        room = _MOST_PARAMETERS + 1 - len(self._parameters)
        self._parameters += data[position : min(end, position + room)]
        if end == len(data):
            return end, None
        final = data[end]
        state, self._state = self._state, _State.GROUND
        if not _FIRST_FINAL <= final <= _LAST_FINAL:
            return end, None
        if len(self._parameters) > _MOST_PARAMETERS:
            return end + 1, None
        if state is _State.SS3:
            return end + 1, self._unless_pasting(self._modified(SS3_FINALS.get(final)))
        return end + 1, self._csi(final)

    def _csi(self, final: int) -> Key | None:
        if not self._parameters and final in b"M[":
            # The X10 mouse report, and the Linux console's function keys.
            self._state = _State.RAW
            self._raw_bytes_left = _MOUSE_BYTES if final == ord("M") else 1
            return None
        if final != ord("~"):
            return self._unless_pasting(self._modified(CSI_FINALS.get(final)))
        number = self._parameters.partition(b";")[0]
        if number == PASTE_BEGINS:
            self._pasting = True
        elif number == PASTE_ENDS:
            self._end_paste()
        return self._unless_pasting(CSI_TILDES.get(number))

    def _modified(self, key: Key | None) -> Key | None:
        """Turn a step into a word's step where Alt or Ctrl was held."""
        modifier = self._parameters.rpartition(b";")[2]
        if key in WORDWISE and modifier.isdigit() and max(int(modifier) - 1, 0) & ALT_OR_CTRL:
            return WORDWISE[key]
        return key
