"""A key as a list of revoked keys names it, which may be one that could never come in.

Certificates, weak keys and DSA keys may be listed too. Each is brought to the one spelling that
blobs are compared in. What being listed means is not known here.
"""

from __future__ import annotations

from conch_insults.access.certified_key import certified_key, plain_type
from conch_insults.access.public_key import parse_blob
from conch_insults.errors import PublicKeyError
from conch_insults.wire import Fields, ProtocolError

__all__ = ["listed_blob"]

# How many numbers follow the type (RFC 4253, section 6.6). Such keys are refused at login for
# their size or type, and must be readable here all the same.
_NUMBERS = {b"ssh-rsa": 2, b"ssh-dss": 4}


def listed_blob(blob: bytes) -> bytes:
    """Return the blob that the key has when it is offered; of a certificate, that of its key.

    Raises:
        PublicKeyError: the blob is no key, or one of an unknown type.
    """
    try:
        key_type = Fields(blob).string()
        if plain_type(key_type.decode("latin-1")) is not None:
            blob = certified_key(blob)
            key_type = Fields(blob).string()
        if key_type in _NUMBERS:
            return _respelt(blob, _NUMBERS[key_type])
    except ProtocolError as error:
        raise PublicKeyError("key is too short or too long: copy the whole line again") from error
    parse_blob(blob)
    return blob


def _respelt(blob: bytes, numbers: int) -> bytes:
    """Write numbers as shortly as RFC 4251 wants; OpenSSH reads them with leading zeros too."""
    fields = Fields(blob)
    parts = [fields.string(), *(_digits(fields.mpint()) for _ in range(numbers))]
    fields.end()
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _digits(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big") if number else b""
