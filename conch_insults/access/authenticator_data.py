"""What an authenticator says of a key that it has just made: its authenticator data.

Taken apart byte by byte; CBOR that is not in the canonical form of CTAP2 is refused. Knows
neither who signed the data nor whether it is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from conch_insults.access.aaguid import AAGUID_BYTES
from conch_insults.errors import PublicKeyError
from conch_insults.wire import Fields

if TYPE_CHECKING:
    from conch_insults.access.public_key import PublicKey

__all__ = ["AuthenticatorData", "Credential", "credential_of", "parse_authenticator_data"]

# WebAuthn, section 6.1.
_USER_PRESENT = 0x01
_BACKUP_ELIGIBLE = 0x08
_CREDENTIAL_INCLUDED = 0x40
_EXTENSIONS_INCLUDED = 0x80
_HASH_BYTES = 32
_COUNTER_BYTES = 4
_LONGEST_CREDENTIAL_ID = 1023  # WebAuthn, section 4

# RFC 8949, section 3: what the first three bits of an item say.
_INTEGERS = (0, 1)
_BYTE_STRING = 2
_TEXT_STRING = 3
_ARRAY = 4
_MAP = 5
_SIMPLE = 7
# Section 3.3: false, true and null.
_SIMPLE_VALUES = (20, 21, 22)
# What the other five bits say: a number, or of how many bytes it is and the least it may be.
_LARGEST_IN_FIRST_BYTE = 23
_WIDTHS = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16)}
_DEEPEST = 4  # CTAP2, section 8

# A COSE key (RFC 9052, section 7) has one canonical form: kty OKP, alg EdDSA, crv Ed25519, x;
# or kty EC2, alg ES256, crv P-256, x, y.
_COSE_ED25519 = bytes.fromhex("a4 0101 0327 2006 215820")
_COSE_P256_X = bytes.fromhex("a5 0102 0326 2001 215820")
_COSE_P256_Y = bytes.fromhex("225820")


@dataclass(frozen=True, slots=True)
class Credential:
    """A key as authenticators know it.

    Args:
        application_hash: the SHA256 of what it was made for, such as `ssh:`.
        key: the public key as COSE writes it.
    """

    application_hash: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class AuthenticatorData:
    """The parts of authenticator data that count at enrolment.

    Args:
        signed: all of it, without CBOR around it, as the attestation signs it.
        flags: bits of WebAuthn, section 6.1.
        aaguid: the authenticator's model, as it says itself.
        credential: the key that it made.
    """

    signed: bytes
    flags: int
    aaguid: UUID
    credential: Credential

    @property
    def user_present(self) -> bool:
        """Whether somebody touched the authenticator."""
        return bool(self.flags & _USER_PRESENT)

    @property
    def backup_eligible(self) -> bool:
        """Whether the key may leave the authenticator, to be synchronised with others."""
        return bool(self.flags & _BACKUP_ELIGIBLE)


def credential_of(key: PublicKey) -> Credential:
    """Return what an authenticator must have made for this to be its key (PROTOCOL.u2f).

    Raises:
        PublicKeyError: the key is not one that authenticators hold.
    """
    fields = Fields(key.blob)
    key_type = fields.string()
    if key_type == b"sk-ssh-ed25519@openssh.com":
        cose_key = _COSE_ED25519 + fields.string()
    elif key_type == b"sk-ecdsa-sha2-nistp256@openssh.com":
        fields.string()  # the curve's name, which the type has told already
        point = fields.string()[1:]
        half = len(point) // 2
        cose_key = _COSE_P256_X + point[:half] + _COSE_P256_Y + point[half:]
    else:
        raise PublicKeyError(
            "key is not held by a security key, so there is nothing to attest: "
            "make one with `ssh-keygen -t ed25519-sk`"
        )
    return Credential(sha256(fields.string()).digest(), cose_key)


def parse_authenticator_data(encoded: bytes) -> AuthenticatorData:
    """Read authenticator data as OpenSSH keeps it: one CBOR byte string (WebAuthn, section 6.1).

    Raises:
        PublicKeyError: for any bytes that are not exactly that, with a key and an AAGUID.
    """
    major, length, start = _head(encoded, 0)
    if major != _BYTE_STRING or start + length != len(encoded):
        raise _malformed()
    signed = encoded[start:]
    reader = _Reader(signed)
    application_hash = reader.take(_HASH_BYTES)
    flags = reader.take(1)[0]
    reader.take(_COUNTER_BYTES)
    if not flags & _CREDENTIAL_INCLUDED:
        raise PublicKeyError("attestation has no key in it: enrol the key again")
    aaguid = UUID(bytes=reader.take(AAGUID_BYTES))
    if not aaguid.int:
        # WebAuthn, section 8.6.
        raise PublicKeyError(
            "attestation is of a U2F token, which has no AAGUID: "
            "use an authenticator that speaks FIDO2"
        )
    id_length = int.from_bytes(reader.take(2), "big")
    if id_length > _LONGEST_CREDENTIAL_ID:
        raise _malformed()
    reader.take(id_length)
    key = reader.map()
    if flags & _EXTENSIONS_INCLUDED:
        reader.map()
    reader.end()
    return AuthenticatorData(signed, flags, aaguid, Credential(application_hash, key))


class _Reader:
    """Bytes, read from the left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        return self._advance(self._at + size)

    def map(self) -> bytes:
        """Read a CBOR map, as it is spelt."""
        if _head(self._data, self._at)[0] != _MAP:
            raise _malformed()
        return self._advance(_after_item(self._data, self._at))

    def end(self) -> None:
        if self._at != len(self._data):
            raise _malformed()

    def _advance(self, end: int) -> bytes:
        if end > len(self._data):
            raise _malformed()
        taken = self._data[self._at : end]
        self._at = end
        return taken


def _after_item(data: bytes, at: int, depth: int = 1) -> int:
    """Return where the CBOR item that starts at `at` ends, which may be after the data's end."""
    major, value, at = _head(data, at)
    if major in _INTEGERS or (major == _SIMPLE and value in _SIMPLE_VALUES):
        return at
    if major in (_BYTE_STRING, _TEXT_STRING):
        return at + value
    if major in (_ARRAY, _MAP) and depth <= _DEEPEST:
        # Each item takes a byte at least, so that a false count ends with the data.
        for _ in range(2 * value if major == _MAP else value):
            at = _after_item(data, at, depth + 1)
        return at
    raise _malformed()


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Read the start of a CBOR item: its major type, its number, and where it goes on.

    A number is written as shortly as possible. Those of 8 bytes count nothing that fits in here.
    """
    if at >= len(data):
        raise _malformed()
    major, value = data[at] >> 5, data[at] & 0x1F
    at += 1
    if value <= _LARGEST_IN_FIRST_BYTE:
        return major, value, at
    # No number is less than 1 and of no bytes.
    width, least = _WIDTHS.get(value, (0, 1))
    end = at + width
    value = int.from_bytes(data[at:end], "big")
    if end > len(data) or value < least:
        raise _malformed()
    return major, value, end


def _malformed() -> PublicKeyError:
    return PublicKeyError("attestation's authenticator data is malformed: copy the file again")
