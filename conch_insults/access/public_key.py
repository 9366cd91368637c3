"""A public key as SSH writes it: a type, a blob, a comment.

The blob is taken apart field by field and every way in which it can be wrong has its reason.
This module must not know of files, users, or who may come in.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from conch_insults.access.certified_key import CERTIFICATE_SUFFIX
from conch_insults.errors import PublicKeyError
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "MAXIMUM_RSA_BITS",
    "MAXIMUM_RSA_EXPONENT_BITS",
    "MINIMUM_RSA_BITS",
    "PublicKey",
    "fingerprint",
    "is_security_key",
    "looks_like_a_key",
    "parse_blob",
    "parse_public_key",
    "tidy_comment",
]

MAXIMUM_BLOB_BYTES = 16 * 1024
MINIMUM_RSA_BITS = 2048
# What OpenSSH reads too; a longer key would make every verification slow.
MAXIMUM_RSA_BITS = 16 * 1024
# A long exponent does, too. Everybody uses 65537.
MAXIMUM_RSA_EXPONENT_BITS = 32

_NEW_KEY = "make one with `ssh-keygen -t ed25519`"
_PRIVATE_MARKS = ("-----BEGIN", "PuTTY-User-Key-File")
_RFC4716_MARK = "---- BEGIN SSH2 PUBLIC KEY"
# No option of an authorized_keys line starts like one of these.
_KEY_MARKS = ("ssh-", "ecdsa-", "sk-", "rsa-", "---", "PuTTY-")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that has been found good; `blob` is its wire form (RFC 4253, section 6.6)."""

    key_type: str
    blob: bytes
    comment: str = ""

    @property
    def fingerprint(self) -> str:
        """The SHA256 fingerprint as OpenSSH prints it."""
        return fingerprint(self.blob)

    @property
    def line(self) -> str:
        """The key as a `.pub` file holds it, without the newline."""
        return f"{self.key_type} {b64encode(self.blob).decode()} {self.comment}".rstrip()


def fingerprint(blob: bytes) -> str:
    """Return the SHA256 fingerprint of a key blob as OpenSSH prints it."""
    digest = b64encode(hashlib.sha256(blob).digest())
    return "SHA256:" + digest.rstrip(b"=").decode()


def tidy_comment(comment: str) -> str:
    """Return a comment that nothing acts on when somebody looks at the file that it is in."""
    return "".join(character if character.isprintable() else "?" for character in comment)


def is_security_key(key_type: str) -> bool:
    """Tell whether keys of a type live in a FIDO authenticator (OpenSSH, PROTOCOL.u2f)."""
    return key_type.startswith("sk-")


def looks_like_a_key(text: str) -> bool:
    """Tell a line that starts with a key, good or bad, from one that starts with options."""
    return text.startswith(_KEY_MARKS)


def parse_public_key(text: str, *, minimum_rsa_bits: int = MINIMUM_RSA_BITS) -> PublicKey:
    """Read `type base64 [comment]`, one line of a `.pub` file.

    Raises:
        PublicKeyError: the text is no public key, or one that must not be used.
    """
    text = text.strip(" \t\r\n")
    _refuse_other_formats(text)
    if "\n" in text:
        raise PublicKeyError("is more than one line: a public key is a single one")
    key_type, _, rest = text.replace("\t", " ").partition(" ")
    _refuse_key_type(key_type)
    encoded, _, comment = rest.lstrip(" ").partition(" ")
    blob = _decode_base64(encoded)
    blob_type = parse_blob(blob, minimum_rsa_bits=minimum_rsa_bits)
    if blob_type != key_type:
        raise PublicKeyError(f"says {key_type} but holds a key of type {blob_type}")
    return PublicKey(key_type, blob, comment.strip(" "))


def parse_blob(blob: bytes, *, minimum_rsa_bits: int = MINIMUM_RSA_BITS) -> str:
    """Check the wire form of a public key and return its type.

    Raises:
        PublicKeyError: for any bytes that are not exactly one key that may be used.
    """
    if len(blob) > MAXIMUM_BLOB_BYTES:
        raise PublicKeyError(f"key is longer than {MAXIMUM_BLOB_BYTES} bytes")
    fields = Fields(blob)
    try:
        # Latin-1 gives every byte a character; a name that is not ASCII is no known type.
        key_type = fields.string().decode("latin-1")
        _refuse_key_type(key_type)
        if key_type == "ssh-rsa":
            _check_rsa(fields, minimum_rsa_bits)
        else:
            _CHECKS[key_type](fields)
        fields.end()
    except ProtocolError as error:
        raise PublicKeyError("key is too short or too long: copy the whole line again") from error
    return key_type


def _refuse_other_formats(text: str) -> None:
    if text.startswith(_RFC4716_MARK):
        raise PublicKeyError("is in RFC 4716 format: convert the file with `ssh-keygen -i -f FILE`")
    if text.startswith(_PRIVATE_MARKS):
        if "PUBLIC KEY-----" in text.partition("\n")[0]:
            raise PublicKeyError(
                "is in PEM format: convert the file with `ssh-keygen -i -m PKCS8 -f FILE`"
            )
        raise PublicKeyError("that is a private key: give the .pub file, and keep this one secret")


def _refuse_key_type(key_type: str) -> None:
    if key_type == "ssh-dss":
        raise PublicKeyError(f"DSA keys (ssh-dss) are too weak: {_NEW_KEY}")
    if key_type.endswith(CERTIFICATE_SUFFIX):
        raise PublicKeyError("certificates are not accepted: give the plain public key")
    if key_type not in _KEY_TYPES:
        raise PublicKeyError(f"unknown key type {key_type[:40]!a}: {_NEW_KEY}")


def _decode_base64(encoded: str) -> bytes:
    if not encoded:
        raise PublicKeyError("no key after the key type: copy the whole line again")
    try:
        blob = binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError as error:
        raise PublicKeyError("key is not valid base64: copy the whole line again") from error
    # Padding bits that are not zero would give one key two spellings.
    if b64encode(blob).decode() != encoded:
        raise PublicKeyError("key is not valid base64: copy the whole line again")
    return blob


def _check_ed25519(fields: Fields) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(fields.string())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PublicKeyError("key is not a valid Ed25519 key") from error


def _check_sk_ed25519(fields: Fields) -> None:
    _check_ed25519(fields)
    _check_application(fields)


def _check_sk_ecdsa(fields: Fields) -> None:
    _check_point(fields, "nistp256", SECP256R1())
    _check_application(fields)


def _check_point(fields: Fields, name: str, curve: EllipticCurve) -> None:
    if fields.string() != name.encode():
        raise PublicKeyError("key names another curve than its type does")
    point = fields.string()
    # OpenSSH reads no compressed points (RFC 5656, section 3.1 leaves them optional).
    if point[:1] != b"\x04":
        raise PublicKeyError("key is not an uncompressed point of its curve")
    try:
        EllipticCurvePublicKey.from_encoded_point(curve, point)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PublicKeyError("key is not a point of its curve") from error


def _check_application(fields: Fields) -> None:
    # What the key was made for, such as `ssh:` (OpenSSH, PROTOCOL.u2f); C reads it as a string.
    if b"\0" in fields.string():
        raise PublicKeyError("key has a zero byte in its application")


def _check_rsa(fields: Fields, minimum_bits: int) -> None:
    exponent = _positive_integer(fields)
    modulus = _positive_integer(fields)
    bits = modulus.bit_length()
    if bits < minimum_bits:
        raise PublicKeyError(
            f"RSA key of {bits} bits is too weak, {minimum_bits} is the least: {_NEW_KEY}"
        )
    if bits > MAXIMUM_RSA_BITS:
        raise PublicKeyError(f"RSA key of {bits} bits is too long: {_NEW_KEY}")
    if exponent.bit_length() > MAXIMUM_RSA_EXPONENT_BITS:
        raise PublicKeyError(
            f"RSA key has an exponent of {exponent.bit_length()} bits,"
            f" {MAXIMUM_RSA_EXPONENT_BITS} is the most: {_NEW_KEY}"
        )
    try:
        RSAPublicNumbers(exponent, modulus).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PublicKeyError("key is not a valid RSA key") from error


def _positive_integer(fields: Fields) -> int:
    """Read a number that is spelt as shortly as RFC 4251 wants, so that a key has one blob."""
    digits = fields.string()
    if not digits or digits[0] & 0x80 or (digits[0] == 0 and digits[1:2] < b"\x80"):
        raise PublicKeyError("key holds a number that is not written as SSH does")
    return int.from_bytes(digits, "big")


_CHECKS: dict[str, Callable[[Fields], None]] = {
    "ssh-ed25519": _check_ed25519,
    "sk-ssh-ed25519@openssh.com": _check_sk_ed25519,
    "sk-ecdsa-sha2-nistp256@openssh.com": _check_sk_ecdsa,
    "ecdsa-sha2-nistp256": lambda fields: _check_point(fields, "nistp256", SECP256R1()),
    "ecdsa-sha2-nistp384": lambda fields: _check_point(fields, "nistp384", SECP384R1()),
    "ecdsa-sha2-nistp521": lambda fields: _check_point(fields, "nistp521", SECP521R1()),
}
_KEY_TYPES = frozenset({"ssh-rsa", *_CHECKS})
