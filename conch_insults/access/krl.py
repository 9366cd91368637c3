"""Key revocation lists in OpenSSH's binary form (OpenSSH, PROTOCOL.krl), as `ssh-keygen -k` writes.

A list is understood whole or not at all, and read as krl.c reads it: what is malformed, what is
critical and unknown, and what claims to be signed is an error. Must not know of files or sessions.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from conch_insults.access.listed_key import listed_blob
from conch_insults.access.public_key import parse_blob
from conch_insults.access.serial_ranges import LARGEST, SerialRanges, runs_of
from conch_insults.errors import KeyFileError, PublicKeyError
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conch_insults.access.certificate import Certificate

__all__ = ["MAGIC", "MAXIMUM_KRL_BYTES", "KeyRevocationList", "parse_krl"]

MAGIC = b"SSHKRL\n\0"
# Room for 75,000 keys, or 110,000 fingerprints. Nobody is served while a list is parsed, which
# takes a time that grows with the size: a second or two for the worst list there is.
MAXIMUM_KRL_BYTES = 4 * 1024 * 1024
# OpenSSH reads no longer number, although its ssh-keygen writes longer bitmaps.
MAXIMUM_BITMAP_BYTES = 2048
# As many as a list of 4 MiB can name one by one; bitmaps could hold far more in as many bytes.
MAXIMUM_RANGES = 512 * 1024

_FORMAT_VERSION = 1

_CERTIFICATES = 1
_EXPLICIT_KEY = 2
_FINGERPRINT_SHA1 = 3
_SIGNATURE = 4
_FINGERPRINT_SHA256 = 5
_EXTENSION = 255

_SERIAL_LIST = 0x20
_SERIAL_RANGE = 0x21
_SERIAL_BITMAP = 0x22
_KEY_ID = 0x23
_CERTIFICATE_EXTENSION = 0x39

# The empty CA key of a section that is about the certificates of all.
_ANY_AUTHORITY = b""

# What OpenSSH itself insists on; which CA is trusted is decided elsewhere.
_MINIMUM_RSA_BITS = 1024

_UINT64 = struct.Struct(">Q")


class KeyRevocationList:
    """What a KRL revokes; `parse_krl` makes it."""

    __slots__ = ("_authorities", "_keys", "_sha1", "_sha256")

    def __init__(self, content: bytes) -> None:
        sections = _Sections(content)
        self._keys = sections.keys
        self._sha1 = sections.sha1
        self._sha256 = sections.sha256
        self._authorities = {
            blob: (SerialRanges(issued.ranges), frozenset(issued.key_ids))
            for blob, issued in sections.authorities.items()
        }

    def key_reason(self, blob: bytes) -> str | None:
        """Say what revokes a key, or return None when nothing does.

        Args:
            blob: the wire form of a plain key; of a certificate, that of the key it is about.
        """
        if blob in self._keys:
            return "key listed in the KRL"
        if hashlib.sha256(blob).digest() in self._sha256:
            return "SHA256 fingerprint listed in the KRL"
        # What the format prescribes; somebody who makes two keys of one SHA1 revokes both.
        if hashlib.sha1(blob, usedforsecurity=False).digest() in self._sha1:
            return "SHA1 fingerprint listed in the KRL"
        return None

    def certificate_reason(self, certificate: Certificate) -> str | None:
        """Say what revokes a certificate, its key and its CA's key aside, or return None."""
        for authority in (certificate.authority.blob, _ANY_AUTHORITY):
            if authority in self._authorities:
                serials, key_ids = self._authorities[authority]
                if certificate.key_id.encode() in key_ids:
                    return f"key ID {certificate.key_id[:64]!a}"
                # No serial 0 is ever in there: it is what certificates without a number have.
                if certificate.serial in serials:
                    return f"certificate serial {certificate.serial}"
        return None


def parse_krl(content: bytes) -> KeyRevocationList:
    """Read a KRL.

    Args:
        content: all of the file, from its `MAGIC` on.

    Raises:
        KeyFileError: it cannot be understood as a whole; the text does not name the file.
    """
    if len(content) > MAXIMUM_KRL_BYTES:
        raise KeyFileError(f"KRL is larger than {MAXIMUM_KRL_BYTES} bytes")
    try:
        return KeyRevocationList(content)
    except ProtocolError as error:
        raise _refused("is cut short or damaged") from error


class _Issued:
    """What is revoked of the certificates that one CA, or any, has issued."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []
        self.key_ids: set[bytes] = set()

    def revoke(self, first: int, last: int) -> int:
        """Revoke a range of serials, and return how many ranges it made more."""
        if not 0 < first <= last <= LARGEST:
            raise _refused("revokes serial numbers that no certificate has")
        if self.ranges and self.ranges[-1][1] + 1 == first:
            self.ranges[-1] = (self.ranges[-1][0], last)
            return 0
        self.ranges.append((first, last))
        return 1


class _Reader(Fields):
    """Packed fields of which there may be any number."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def uint64(self) -> int:
        """Read a number from 0 to 2**64 - 1."""
        return int(_UINT64.unpack(self._take(_UINT64.size))[0])

    def text(self) -> bytes:
        """Read a string as C does: a zero byte may end it, and be nowhere else."""
        raw = self.string().removesuffix(b"\0")
        if b"\0" in raw:
            raise ProtocolError("zero byte in a text")
        return raw

    def sections(self) -> Iterator[tuple[int, _Reader]]:
        """Read a type and the fields of its section, to the end; each must be used up."""
        while self:
            section_type = self.byte()
            section = _Reader(self.string())
            yield section_type, section
            section.end()


class _Sections:
    """The sections of a KRL, put together."""

    def __init__(self, content: bytes) -> None:
        self.keys: set[bytes] = set()
        self.sha1: set[bytes] = set()
        self.sha256: set[bytes] = set()
        self.authorities: dict[bytes, _Issued] = {}
        self._ranges_left = MAXIMUM_RANGES
        if not content.startswith(MAGIC):
            raise _refused("does not start as one does")
        reader = _Reader(content[len(MAGIC) :])
        self._read_header(reader)
        for section_type, section in reader.sections():
            self._read(section_type, section)

    def _read_header(self, reader: _Reader) -> None:
        if (version := reader.uint32()) != _FORMAT_VERSION:
            raise _refused(f"has the unknown format version {version}")
        reader.uint64()  # how often it was changed
        reader.uint64()  # when it was made
        reader.uint64()  # flags, of which there are none
        reader.string()  # reserved
        reader.text()  # a comment

    def _read(self, section_type: int, section: _Reader) -> None:
        if section_type == _CERTIFICATES:
            self._read_certificates(section)
        elif section_type == _EXPLICIT_KEY:
            self.keys.update(_strings(section))
        elif section_type == _FINGERPRINT_SHA1:
            self.sha1.update(_strings(section, hashlib.sha1(usedforsecurity=False).digest_size))
        elif section_type == _FINGERPRINT_SHA256:
            self.sha256.update(_strings(section, hashlib.sha256().digest_size))
        elif section_type == _SIGNATURE:
            # PROTOCOL.krl, section 6. OpenSSH 9.2 refuses a signature that is not good, and later
            # ones do not look at it; a promise that nobody checks is worth a word.
            raise _refused("is signed, which is not supported")
        elif section_type == _EXTENSION:
            _refuse_critical(section)
        else:
            raise _refused(f"has a section of the unknown type {section_type}")

    def _read_certificates(self, section: _Reader) -> None:
        authority = section.string()
        section.string()  # reserved
        if authority != _ANY_AUTHORITY:
            try:
                authority = listed_blob(authority)
                parse_blob(authority, minimum_rsa_bits=_MINIMUM_RSA_BITS)
            except PublicKeyError as error:
                raise _refused(f"names a CA by a key that cannot be one ({error})") from error
        issued = self.authorities.setdefault(authority, _Issued())
        for section_type, details in section.sections():
            if section_type in {_SERIAL_LIST, _SERIAL_RANGE, _SERIAL_BITMAP}:
                for first, last in _serials(section_type, details):
                    self._ranges_left -= issued.revoke(first, last)
                    if self._ranges_left < 0:
                        raise _refused(f"has more than {MAXIMUM_RANGES} ranges of serial numbers")
            elif section_type == _KEY_ID:
                while details:
                    issued.key_ids.add(details.text())
            elif section_type == _CERTIFICATE_EXTENSION:
                _refuse_critical(details)
            else:
                raise _refused(f"has a certificate section of the unknown type {section_type}")


def _strings(section: _Reader, size: int | None = None) -> Iterator[bytes]:
    while section:
        found = section.string()
        if size is not None and len(found) != size:
            raise _refused(f"has a fingerprint that is not {size} bytes long")
        yield found


def _serials(section_type: int, details: _Reader) -> Iterator[tuple[int, int]]:
    """Yield the first and last serial number of each range in a section."""
    if section_type == _SERIAL_LIST:
        while details:
            serial = details.uint64()
            yield serial, serial
    elif section_type == _SERIAL_RANGE:
        yield details.uint64(), details.uint64()
    else:
        offset, digits = details.uint64(), details.string()
        bitmap = int.from_bytes(digits, "big")
        # One byte more for the zero that keeps a number from being negative.
        if len(digits) > MAXIMUM_BITMAP_BYTES + 1 or bitmap.bit_length() > MAXIMUM_BITMAP_BYTES * 8:
            raise _refused(
                f"has a bitmap of more than {MAXIMUM_BITMAP_BYTES} bytes, which OpenSSH does not"
                " read either"
            )
        if digits[:1] >= b"\x80":
            raise _refused("has a bitmap that is a negative number")
        yield from runs_of(bitmap, offset)


def _refuse_critical(section: _Reader) -> None:
    name, critical = section.text(), section.boolean()
    section.string()
    if critical:
        raise _refused(f"has the unknown critical extension {name[:40].decode('latin-1')!a}")


def _refused(reason: str) -> KeyFileError:
    return KeyFileError(f"KRL {reason}: make it again with `ssh-keygen -k`")
