"""Packets of SSH as the load generator speaks it: as little as a correct client can do.

Knows ciphers and fields, no messages and no sockets. Padding is zeros and sequence numbers never
come round: nothing here protects anything.
"""

from __future__ import annotations

import hmac
import struct
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

__all__ = ["CIPHERS", "Broken", "Ctr", "Fields", "Gcm", "Plain", "Protection", "mpint", "string"]

_UINT32 = struct.Struct(">L")
_BLOCK = 16
_MINIMUM_PADDING = 4
_TAG = 16
_MAC = 32


class Broken(Exception):  # noqa: N818 - what has become of a connection
    """The server said what it must not, or hung up."""


def string(value: bytes) -> bytes:
    """Pack a string (RFC 4251, section 5)."""
    return _UINT32.pack(len(value)) + value


def mpint(value: bytes) -> bytes:
    """Pack an unsigned number, given in network order (RFC 4251, section 5)."""
    value = value.lstrip(b"\0")
    return string(b"\0" + value if value and value[0] > 0x7F else value)  # noqa: PLR2004


class Fields:
    """Reads the fields of a message, one after the other."""

    def __init__(self, data: bytes, start: int = 0) -> None:
        self._data, self._at = data, start

    def uint32(self) -> int:
        """Return the next number."""
        (value,) = _UINT32.unpack_from(self._data, self._at)
        self._at += 4
        return int(value)

    def string(self) -> bytes:
        """Return the next string."""
        size = self.uint32()
        self._at += size
        return self._data[self._at - size : self._at]


class Protection(Protocol):
    """One direction of a connection."""

    def seal(self, payload: bytes) -> bytes:
        """Make a packet."""

    def open(self, buffer: bytearray) -> bytes | None:
        """Take a packet off the buffer and return its payload; None while it is incomplete."""


def _padded(payload: bytes, aligned_from: int) -> bytes:
    """Return a packet with its length, of which all but the first bytes fill whole blocks."""
    size = 5 + len(payload) - aligned_from
    padding = -size % _BLOCK
    if padding < _MINIMUM_PADDING:
        padding += _BLOCK
    return struct.pack(">LB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


class Plain:
    """What is used before the first keys."""

    def seal(self, payload: bytes) -> bytes:
        """Make a packet."""
        return _padded(payload, 0)

    def open(self, buffer: bytearray) -> bytes | None:
        """Take a packet off the buffer."""
        if len(buffer) < 5:  # noqa: PLR2004
            return None
        length, padding = struct.unpack_from(">LB", buffer)
        if len(buffer) < 4 + length:
            return None
        payload = bytes(buffer[5 : 4 + length - padding])
        del buffer[: 4 + length]
        return payload


class Gcm:
    """AES-GCM (OpenSSH, PROTOCOL, section 1.6)."""

    iv_size = 12

    def __init__(self, iv: bytes, key: bytes, mac_key: bytes) -> None:
        del mac_key
        self._aead = AESGCM(key)
        self._fixed, self._counter = iv[:4], int.from_bytes(iv[4:], "big")

    def _nonce(self) -> bytes:
        nonce = self._fixed + self._counter.to_bytes(8, "big")
        self._counter = (self._counter + 1) & 0xFFFF_FFFF_FFFF_FFFF
        return nonce

    def seal(self, payload: bytes) -> bytes:
        """Make a packet."""
        packet = _padded(payload, 4)
        return packet[:4] + self._aead.encrypt(self._nonce(), packet[4:], packet[:4])

    def open(self, buffer: bytearray) -> bytes | None:
        """Take a packet off the buffer."""
        if len(buffer) < 4:  # noqa: PLR2004
            return None
        (length,) = _UINT32.unpack_from(buffer)
        end = 4 + length + _TAG
        if len(buffer) < end:
            return None
        packet = bytes(buffer[:end])
        del buffer[:end]
        try:
            inside = self._aead.decrypt(self._nonce(), packet[4:], packet[:4])
        except InvalidTag as error:
            raise Broken("a packet is not authentic") from error
        return inside[1 : length - inside[0]]


class Ctr:
    """AES in counter mode with HMAC-SHA2-256 (RFC 4344, RFC 6668)."""

    iv_size = 16

    def __init__(self, iv: bytes, key: bytes, mac_key: bytes) -> None:
        # Counter mode is its own inverse.
        self._stream = Cipher(AES(key), CTR(iv)).encryptor()
        self._mac_key = mac_key
        self.sequence = 0
        self._head = b""

    def _mac(self, packet: bytes) -> bytes:
        mac = hmac.digest(self._mac_key, _UINT32.pack(self.sequence) + packet, "sha256")
        self.sequence += 1
        return mac

    def seal(self, payload: bytes) -> bytes:
        """Make a packet."""
        packet = _padded(payload, 0)
        return self._stream.update(packet) + self._mac(packet)

    def open(self, buffer: bytearray) -> bytes | None:
        """Take a packet off the buffer."""
        if not self._head:
            if len(buffer) < _BLOCK:
                return None
            self._head = self._stream.update(bytes(buffer[:_BLOCK]))
            del buffer[:_BLOCK]
        length, padding = struct.unpack_from(">LB", self._head)
        rest = 4 + length - _BLOCK
        if len(buffer) < rest + _MAC:
            return None
        packet = self._head + self._stream.update(bytes(buffer[:rest]))
        if self._mac(packet) != buffer[rest : rest + _MAC]:
            raise Broken("a packet is not authentic")
        del buffer[: rest + _MAC]
        self._head = b""
        return packet[5 : 4 + length - padding]


CIPHERS: dict[bytes, type[Gcm | Ctr]] = {b"aes128-gcm@openssh.com": Gcm, b"aes128-ctr": Ctr}
"""The best first; counter mode is for stock Conch, which has nothing better."""
