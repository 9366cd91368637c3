"""The key inside a certificate, and what certificates are called.

A certificate's blob is its key's with more around it (OpenSSH, PROTOCOL.certkeys). What is found
here is proved by nobody: who issued the certificate, for whom and until when is not known here.
"""

from __future__ import annotations

from conch_insults.errors import PublicKeyError
from conch_insults.wire import Fields, ProtocolError

__all__ = [
    "CERTIFICATE_SUFFIX",
    "MAXIMUM_CERTIFICATE_BYTES",
    "certificate_name",
    "certified_key",
    "plain_type",
    "read_certified_key",
]

CERTIFICATE_SUFFIX = "-cert-v01@openssh.com"
"""How the name of every certificate type, and of every algorithm of one, ends."""

MAXIMUM_CERTIFICATE_BYTES = 32 * 1024
"""The longest blob; with its signature it just fits into a packet that comes before login."""

_VENDOR = "@openssh.com"

# How many strings come after the type in a plain key (RFC 4253, section 6.6; RFC 5656, section
# 3.1; RFC 8709, section 4; PROTOCOL.u2f). Numbers are packed like strings.
_STRINGS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}


def certificate_name(plain: str) -> str:
    """Return the name of the certificate type, or algorithm, that belongs to a plain one."""
    return plain.removesuffix(_VENDOR) + CERTIFICATE_SUFFIX


_PLAIN_TYPES = {certificate_name(plain): plain for plain in _STRINGS}


def plain_type(certificate_type: str) -> str | None:
    """Return the type of the keys that a type of certificate is for, None if it is no such type."""
    return _PLAIN_TYPES.get(certificate_type)


def certified_key(blob: bytes) -> bytes:
    """Return the plain key in a certificate, as if it came alone; neither is checked.

    Args:
        blob: the certificate's wire form.

    Raises:
        PublicKeyError: there is no such key.
    """
    if len(blob) > MAXIMUM_CERTIFICATE_BYTES:
        raise PublicKeyError(f"certificate is longer than {MAXIMUM_CERTIFICATE_BYTES} bytes")
    try:
        return read_certified_key(Fields(blob))
    except ProtocolError as error:
        raise PublicKeyError("certificate is too short: copy the whole line again") from error


def read_certified_key(fields: Fields) -> bytes:
    """Read a certificate's fields up to the end of its key, and return that key's plain form.

    Raises:
        PublicKeyError: it is of no type of certificate that is known here.
        ProtocolError: it ends too early.
    """
    # Latin-1 gives every byte a character; a name that is not ASCII is no known type.
    name = fields.string().decode("latin-1")
    plain = plain_type(name)
    if plain is None:
        raise PublicKeyError(f"unknown certificate type {name[:60]!a}")
    fields.string()  # the nonce
    parts = (plain.encode(), *(fields.string() for _ in range(_STRINGS[plain])))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
