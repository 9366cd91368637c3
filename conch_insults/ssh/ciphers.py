"""Packets of the SSH transport (RFC 4253, section 6) as bytes, one direction in each object.

A sealer protects what leaves, an opener checks what comes and takes it apart. The only ciphers
are those that authenticate a packet before its contents are looked at. Knows no message, no
negotiation, no connection and no clock; whoever calls counts the packets.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES, ChaCha20
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.poly1305 import Poly1305
from typing_extensions import override

from conch_insults.wire import ProtocolError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

__all__ = [
    "AEAD_CIPHERS",
    "PLAIN_OPENER",
    "PLAIN_SEALER",
    "Opener",
    "Sealer",
    "new_opener",
    "new_sealer",
]

_CHACHA = b"chacha20-poly1305@openssh.com"
# The sizes of their keys, in bytes.
_GCM = {b"aes256-gcm@openssh.com": 32, b"aes128-gcm@openssh.com": 16}
_CTR = {b"aes256-ctr": 32, b"aes128-ctr": 16}
# Their keys are as long as their tags.
_MACS: dict[bytes, HashAlgorithm] = {
    b"hmac-sha2-256-etm@openssh.com": SHA256(),
    b"hmac-sha2-512-etm@openssh.com": SHA512(),
}

AEAD_CIPHERS = frozenset({_CHACHA, *_GCM})
"""The ciphers that authenticate packets themselves and take no MAC."""

_UINT32 = struct.Struct(">L")
_PLAIN_HEAD = struct.Struct(">LB")
_GCM_NONCE = struct.Struct(">4sQ")
# ChaCha20 as first designed: the number of the block, here 0, then the number of the packet.
_CHACHA_NONCE = struct.Struct(">8xQ")

_LENGTH_SIZE = 4
_AES_BLOCK = 16
# Of ChaCha20 and of no cipher at all.
_STREAM_BLOCK = 8
_CHACHA_BLOCK = 64
_AEAD_TAG_SIZE = 16
_LEAST_PADDING = 4
# The size of the padding, one byte of payload, the padding.
_LEAST_LENGTH = 1 + 1 + _LEAST_PADDING


class Sealer(Protocol):
    """What protects outgoing packets."""

    __slots__ = ()

    def seal(self, sequence: int, payload: bytes) -> bytes:
        """Make the whole packet, as it goes onto the wire.

        Args:
            sequence: the packet's number, from 0 to 2**32 - 1.
            payload: the message, at least one byte.
        """


class Opener(Protocol):
    """What checks incoming packets."""

    __slots__ = ()

    def size(self, sequence: int, buffer: bytearray, limit: int) -> int | None:
        """Tell how many bytes of the wire the first packet takes, from its length to its tag.

        Args:
            sequence: the packet's number, from 0 to 2**32 - 1.
            buffer: what has come so far, from the packet's first byte on.
            limit: the greatest packet_length to accept, in bytes; it counts neither itself nor
                the tag.

        Returns:
            None when more bytes are needed to tell.

        Raises:
            ProtocolError: no packet may have such a length.
        """

    def open(self, sequence: int, packet: bytes) -> bytes:
        """Take the payload, at least one byte, out of a packet.

        Args:
            sequence: the packet's number, from 0 to 2**32 - 1.
            packet: exactly as many bytes as `size` told.

        Raises:
            ProtocolError: the packet was altered or has no payload.
        """


def new_sealer(cipher: bytes, mac: bytes, iv: bytes, key: bytes, integrity_key: bytes) -> Sealer:
    """Make what protects outgoing packets from now on.

    Args:
        cipher: an agreed name.
        mac: an agreed name; a cipher of AEAD_CIPHERS does not look at it.
        iv: the initial vector; of this and of the keys as much is used as is needed.
        key: what the cipher encrypts with.
        integrity_key: what the MAC signs with.
    """
    return _protection(cipher, mac, iv, key, integrity_key)


def new_opener(cipher: bytes, mac: bytes, iv: bytes, key: bytes, integrity_key: bytes) -> Opener:
    """Make what checks incoming packets from now on; the arguments are those of `new_sealer`."""
    return _protection(cipher, mac, iv, key, integrity_key)


def _protection(
    cipher: bytes, mac: bytes, iv: bytes, key: bytes, integrity_key: bytes
) -> _Gcm | _ChaCha | _CtrThenMac:
    if cipher == _CHACHA:
        return _ChaCha(key[:32], key[32:64])
    if cipher in _GCM:
        return _Gcm(iv[: _GCM_NONCE.size], key[: _GCM[cipher]])
    algorithm = _MACS[mac]
    hmac = HMAC(integrity_key[: algorithm.digest_size], algorithm)
    aes = Cipher(AES(key[: _CTR[cipher]]), CTR(iv[:_AES_BLOCK]))
    return _CtrThenMac(aes, hmac, algorithm.digest_size)


class _Padding(NamedTuple):
    size: int
    before: bytes  # the size as a byte, which stands before the payload
    after: bytes


def _padding(payload_size: int) -> _Padding:
    size = -(1 + payload_size) % _AES_BLOCK
    if size < _LEAST_PADDING:
        size += _AES_BLOCK
    # Zeros, where RFC 4253 recommends random bytes, which helped CBC: a keystream hides known
    # bytes as well as unknown ones, the tag covers both, and a system call is saved each time.
    return _Padding(size, bytes((size,)), bytes(size))


# By the size of the payload modulo the block. ChaCha20 would do with blocks of 8 bytes; those
# of 16 keep its shortest packets at the 16 bytes that RFC 4253 demands.
_PADDINGS = tuple(_padding(size) for size in range(_AES_BLOCK))


def _padded(payload: bytes) -> tuple[bytes, bytes]:
    """Return the packet_length, packed, and what is to be encrypted."""
    payload_size = len(payload)
    size, before, after = _PADDINGS[payload_size % _AES_BLOCK]
    return _UINT32.pack(1 + payload_size + size), b"".join((before, payload, after))


def _payload(padded: bytes) -> bytes:
    padding = padded[0]
    end = len(padded) - padding
    if padding < _LEAST_PADDING or end < 1:
        raise ProtocolError("bad padding length")
    if end == 1:
        raise ProtocolError("packet without payload")
    return padded[1:end]


def _check_length(length: int, limit: int, excess: int) -> None:
    if excess or not _LEAST_LENGTH <= length <= limit:
        raise _bad_length(length)


def _bad_length(length: int) -> ProtocolError:
    return ProtocolError(f"bad packet length {length}")


def _aes_size(buffer: bytearray, limit: int, tag_size: int) -> int | None:
    """Do what `Opener.size` does where the length is not encrypted."""
    if len(buffer) < _LENGTH_SIZE:
        return None
    length: int = _UINT32.unpack_from(buffer)[0]
    if length % _AES_BLOCK or not _LEAST_LENGTH <= length <= limit:
        raise _bad_length(length)
    return _LENGTH_SIZE + length + tag_size


# Each cipher is a sealer or an opener, never both at once: its state goes one way.


class _Plain(Sealer, Opener):
    """No cipher and no MAC, until keys are agreed on."""

    __slots__ = ()

    @override
    def seal(self, sequence: int, payload: bytes) -> bytes:
        size = -(_PLAIN_HEAD.size + len(payload)) % _STREAM_BLOCK
        if size < _LEAST_PADDING:
            size += _STREAM_BLOCK
        return _PLAIN_HEAD.pack(1 + len(payload) + size, size) + payload + bytes(size)

    @override
    def size(self, sequence: int, buffer: bytearray, limit: int) -> int | None:
        if len(buffer) < _LENGTH_SIZE:
            return None
        length: int = _UINT32.unpack_from(buffer)[0]
        _check_length(length, limit, (_LENGTH_SIZE + length) % _STREAM_BLOCK)
        return _LENGTH_SIZE + length

    @override
    def open(self, sequence: int, packet: bytes) -> bytes:
        return _payload(packet[_LENGTH_SIZE:])


class _Gcm(Sealer, Opener):
    """AES in Galois/Counter Mode (RFC 5647): it counts for itself, also across rekeying.

    OpenSSL's state of a key takes 2.7 KiB and is made in less than a microsecond, so it is not
    kept: most connections are idle most of the time.
    """

    __slots__ = ("_counter", "_fixed", "_key")

    def __init__(self, iv: bytes, key: bytes) -> None:
        self._key = key
        self._fixed, self._counter = _GCM_NONCE.unpack(iv)

    @override
    def seal(self, sequence: int, payload: bytes) -> bytes:
        length, padded = _padded(payload)
        nonce = _GCM_NONCE.pack(self._fixed, self._counter)
        self._counter = (self._counter + 1) % 2**64
        return length + AESGCM(self._key).encrypt(nonce, padded, length)

    @override
    def size(self, sequence: int, buffer: bytearray, limit: int) -> int | None:
        return _aes_size(buffer, limit, _AEAD_TAG_SIZE)

    @override
    def open(self, sequence: int, packet: bytes) -> bytes:
        nonce = _GCM_NONCE.pack(self._fixed, self._counter)
        self._counter = (self._counter + 1) % 2**64
        try:
            padded = AESGCM(self._key).decrypt(nonce, packet[_LENGTH_SIZE:], packet[:_LENGTH_SIZE])
        except InvalidTag:
            raise ProtocolError("bad packet integrity") from None
        return _payload(padded)


class _CtrThenMac(Sealer, Opener):
    """AES in counter mode, then a MAC over the result (OpenSSH PROTOCOL, "-etm")."""

    __slots__ = ("_hmac", "_keystream", "_tag_size")

    def __init__(self, aes: Cipher[CTR], hmac: HMAC, tag_size: int) -> None:
        self._keystream = aes.encryptor()
        self._hmac = hmac
        self._tag_size = tag_size

    @override
    def seal(self, sequence: int, payload: bytes) -> bytes:
        length, padded = _padded(payload)
        packet = length + self._keystream.update(padded)
        return packet + self._signing(sequence, packet).finalize()

    @override
    def size(self, sequence: int, buffer: bytearray, limit: int) -> int | None:
        return _aes_size(buffer, limit, self._tag_size)

    @override
    def open(self, sequence: int, packet: bytes) -> bytes:
        signed, tag = packet[: -self._tag_size], packet[-self._tag_size :]
        try:
            self._signing(sequence, signed).verify(tag)
        except InvalidSignature:
            raise ProtocolError("bad packet integrity") from None
        return _payload(self._keystream.update(signed[_LENGTH_SIZE:]))

    def _signing(self, sequence: int, packet: bytes) -> HMAC:
        # A copy saves to hash the key again, which is most of the work of a short packet.
        signing = self._hmac.copy()
        signing.update(_UINT32.pack(sequence))
        signing.update(packet)
        return signing


class _ChaCha(Sealer, Opener):
    """ChaCha20 twice, for lengths and for contents, and Poly1305 (PROTOCOL.chacha20poly1305)."""

    __slots__ = ("_contents", "_lengths")

    def __init__(self, content_key: bytes, length_key: bytes) -> None:
        nonce = _CHACHA_NONCE.pack(0)
        self._contents = Cipher(ChaCha20(content_key, nonce), mode=None).encryptor()
        self._lengths = Cipher(ChaCha20(length_key, nonce), mode=None).encryptor()

    @override
    def seal(self, sequence: int, payload: bytes) -> bytes:
        length, padded = _padded(payload)
        tag_key = self._start(sequence)
        packet = self._length(sequence, length) + self._contents.update(padded)
        return packet + Poly1305.generate_tag(tag_key, packet)

    @override
    def size(self, sequence: int, buffer: bytearray, limit: int) -> int | None:
        if len(buffer) < _LENGTH_SIZE:
            return None
        length: int = _UINT32.unpack(self._length(sequence, buffer[:_LENGTH_SIZE]))[0]
        _check_length(length, limit, length % _STREAM_BLOCK)
        return _LENGTH_SIZE + length + _AEAD_TAG_SIZE

    @override
    def open(self, sequence: int, packet: bytes) -> bytes:
        signed, tag = packet[:-_AEAD_TAG_SIZE], packet[-_AEAD_TAG_SIZE:]
        try:
            Poly1305.verify_tag(self._start(sequence), signed, tag)
        except InvalidSignature:
            raise ProtocolError("bad packet integrity") from None
        return _payload(self._contents.update(signed[_LENGTH_SIZE:]))

    def _length(self, sequence: int, length: bytes | bytearray) -> bytes:
        """Encrypt a length, or decrypt it: that is the same."""
        self._lengths.reset_nonce(_CHACHA_NONCE.pack(sequence))
        return self._lengths.update(length)

    def _start(self, sequence: int) -> bytes:
        """Begin with a packet: return the key of its tag; the keystream is then at its contents."""
        self._contents.reset_nonce(_CHACHA_NONCE.pack(sequence))
        return self._contents.update(bytes(_CHACHA_BLOCK))[:32]


PLAIN_SEALER: Sealer = _Plain()
"""What sends packets as they are, until keys are agreed on."""

PLAIN_OPENER: Opener = _Plain()
"""What takes packets as they are, until keys are agreed on."""
