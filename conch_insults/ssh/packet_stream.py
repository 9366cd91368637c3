"""The two streams of packets of one connection (RFC 4253, sections 4.2 and 6), pure.

Bytes in, payloads out, and the other way round; sequence numbers and keys change here and nowhere
else. Knows no message but by its length.
"""

from __future__ import annotations

from conch_insults.ssh.ciphers import PLAIN_OPENER, PLAIN_SEALER, Opener, Sealer
from conch_insults.wire import ProtocolError

__all__ = ["PacketStream"]

_VERSION = b"SSH-2.0-"
# RFC 4253, section 4.2: with its line ending.
_LONGEST_VERSION_LINE = 255
_SEQUENCE_MASK = 2**32 - 1


class PacketStream:
    """The packets of one connection, in both directions.

    Attributes:
        limit: the largest packet that is taken, in bytes (of its `packet_length`).
        incoming_sequence: the number of the next packet to be received.
        bytes_since_keys: how much both directions have carried under the present keys.
    """

    __slots__ = (
        "_buffer",
        "_opener",
        "_outgoing_sequence",
        "_sealer",
        "_size",
        "bytes_since_keys",
        "incoming_sequence",
        "limit",
    )

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.incoming_sequence = 0
        self.bytes_since_keys = 0
        self._buffer = bytearray()
        self._size: int | None = None
        self._opener: Opener = PLAIN_OPENER
        self._sealer: Sealer = PLAIN_SEALER
        self._outgoing_sequence = 0

    def receive(self, data: bytes) -> None:
        """Take some bytes from the peer."""
        self._buffer += data

    def next_version(self) -> bytes | None:
        """Return the client's version line without its ending, or None while it is incomplete.

        Raises:
            ProtocolError: the line is too long, or is not one of SSH 2.0.
        """
        line, newline, rest = self._buffer.partition(b"\n")
        expected = _VERSION if newline else _VERSION[: len(line)]
        if len(line) >= _LONGEST_VERSION_LINE or line[: len(_VERSION)] != expected:
            raise ProtocolError("no SSH 2.0 client")
        if not newline:
            return None
        self._buffer = rest
        return bytes(line.removesuffix(b"\r"))

    def next_payload(self) -> bytes | None:
        """Return the next packet's payload, or None while it is incomplete.

        Raises:
            ProtocolError: the packet is too large, not authentic, or not well formed.
        """
        buffer, size = self._buffer, self._size
        if not buffer:
            return None
        if size is None:
            size = self._size = self._opener.size(self.incoming_sequence, buffer, self.limit)
        if size is None or len(buffer) < size:
            return None
        self._size = None
        packet = bytes(buffer[:size])
        del buffer[:size]
        payload = self._opener.open(self.incoming_sequence, packet)
        self.incoming_sequence = (self.incoming_sequence + 1) & _SEQUENCE_MASK
        self.bytes_since_keys += size
        return payload

    def seal(self, payload: bytes) -> bytes:
        """Make the packet that carries a payload."""
        packet = self._sealer.seal(self._outgoing_sequence, payload)
        self._outgoing_sequence = (self._outgoing_sequence + 1) & _SEQUENCE_MASK
        self.bytes_since_keys += len(packet)
        return packet

    def switch_incoming(self, opener: Opener, *, reset: bool) -> None:
        """Take the next packet under new keys, and count from zero if `reset`."""
        self._opener = opener
        if reset:
            self.incoming_sequence = 0

    def switch_outgoing(self, sealer: Sealer, *, reset: bool) -> None:
        """Make the next packet under new keys, and count from zero if `reset`."""
        self._sealer = sealer
        self.bytes_since_keys = 0
        if reset:
            self._outgoing_sequence = 0
