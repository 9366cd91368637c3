"""Reading what SSH packs: the data types of RFC 4251, section 5.

Every read is checked, so that a packet, key or signature that is cut short is one kind of error
and never a traceback. Knows the types only, no message.
"""

from __future__ import annotations

import struct

__all__ = ["Fields", "ProtocolError"]

_UINT32 = struct.Struct(">L")


class ProtocolError(Exception):
    """Bytes that break the protocol; the text says how, in words fit for a DISCONNECT."""


class Fields:
    """Packed fields, read from the left."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def uint32(self) -> int:
        """Read a number from 0 to 2**32 - 1.

        Raises:
            ProtocolError: the packet ends too early, here and in the other methods.
        """
        at = self._at
        self._at = at + 4
        # Half of what `_take` would cost, for what most fields begin with.
        try:
            number: int = _UINT32.unpack_from(self._data, at)[0]
        except struct.error:
            raise ProtocolError("packet too short") from None
        return number

    def byte(self) -> int:
        """Read a number from 0 to 255."""
        return self._take(1)[0]

    def boolean(self) -> bool:
        """Read a truth value; everything but zero is true."""
        return self.byte() != 0

    def string(self) -> bytes:
        """Read bytes that come with their length."""
        return self._take(self.uint32())

    def mpint(self) -> int:
        """Read a number of any size that is not negative."""
        digits = self.string()
        if digits[:1] >= b"\x80":
            raise ProtocolError("number is negative")
        return int.from_bytes(digits, "big")

    def rest(self) -> bytes:
        """Read all that is left."""
        return self._take(len(self._data) - self._at)

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self._at != len(self._data):
            raise ProtocolError("packet too long")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ProtocolError("packet too short")
        taken = self._data[self._at : end]
        self._at = end
        return taken
