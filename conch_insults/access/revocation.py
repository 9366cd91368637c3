"""Which keys and certificates count no more: the content of `revoked_keys`.

It is a KRL or a list with a key on each line, as for sshd_config(5) RevokedKeys. Content that is
not understood to the last line is an error, since what it wanted to keep out is then unknown. Must
not know of files or sessions.
"""

from __future__ import annotations

import binascii
import hashlib
import io
from typing import TYPE_CHECKING

from conch_insults.access.krl import MAGIC, MAXIMUM_KRL_BYTES, KeyRevocationList, parse_krl
from conch_insults.access.listed_key import listed_blob
from conch_insults.errors import KeyFileError, PublicKeyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conch_insults.access.certificate import Certificate

__all__ = [
    "MAXIMUM_BYTES",
    "RevokedKeys",
    "is_krl",
    "parse_fingerprint",
    "parse_list",
    "parse_revoked",
]

MAXIMUM_BYTES = MAXIMUM_KRL_BYTES
MAXIMUM_LINE_BYTES = 64 * 1024

_FINGERPRINT_MARK = "SHA256:"
_BLANKS = b" \t\r\n"


class RevokedKeys:
    """What `revoked_keys` revokes; `parse_revoked` makes it.

    Args:
        lines: where each key is listed, by the SHA256 digest of its blob.
        krl: the KRL, where the file is one.
    """

    __slots__ = ("_krl", "_lines")

    def __init__(self, lines: Mapping[bytes, int], krl: KeyRevocationList | None = None) -> None:
        self._lines = lines
        self._krl = krl

    def reason(self, blob: bytes, certificate: Certificate | None = None) -> str | None:
        """Say why a key counts no more, such as `revoked: key listed on line 3`, or return None.

        A certificate is revoked with its key, with its CA's key, and by what a KRL says of its
        serial number and key ID.

        Args:
            blob: the wire form of the key or certificate that is offered.
            certificate: what `blob` says, where it is a certificate; without it, what is asked is
                only whether a key of this very blob is revoked.
        """
        if certificate is None:
            reason = self._key_reason(blob)
        else:
            reason = self._key_reason(certificate.key.blob)
            if reason is None and self._krl is not None:
                reason = self._krl.certificate_reason(certificate)
            if reason is None and (by := self._key_reason(certificate.authority.blob)) is not None:
                reason = f"its CA is revoked ({by})"
        return reason and f"revoked: {reason}"

    def _key_reason(self, blob: bytes) -> str | None:
        line = self._lines.get(hashlib.sha256(blob).digest())
        if line is not None:
            return f"key listed on line {line}"
        return self._krl.key_reason(blob) if self._krl is not None else None


def parse_revoked(content: bytes) -> RevokedKeys:
    """Understand the content of `revoked_keys`.

    Raises:
        KeyFileError: a KRL is malformed or a line of a list cannot be read, so that nobody may
            come in; the text does not name the file.
    """
    if is_krl(content):
        return RevokedKeys({}, parse_krl(content))
    return RevokedKeys(parse_list(content))


def is_krl(content: bytes) -> bool:
    """Tell a KRL from a list."""
    return content.startswith(MAGIC)


def parse_list(content: bytes) -> dict[bytes, int]:
    """Read a list: keys and certificates as in `.pub` files, and SHA256 fingerprints.

    Blank lines and those that start with `#` say nothing. As in sshd, a listed certificate stands
    for its key, and one line that cannot be read keeps everybody out. Fingerprints are ours: sshd
    cannot read them.

    Returns:
        The line of each key, by the SHA256 digest of its blob; the first one if there are more.

    Raises:
        KeyFileError: a line cannot be read, or there is too much; the text does not name the file.
    """
    if len(content) > MAXIMUM_BYTES:
        raise KeyFileError(f"is larger than {MAXIMUM_BYTES} bytes: make it a KRL of fingerprints")
    lines: dict[bytes, int] = {}
    # One line at a time: a list of millions of empty ones would be larger than the file.
    for number, line in enumerate(io.BytesIO(content), 1):
        try:
            digest = _digest_in(line)
        except PublicKeyError as error:
            raise KeyFileError(f"line {number}: {error}") from error
        if digest is not None:
            lines.setdefault(digest, number)
    return lines


def parse_fingerprint(text: str) -> bytes:
    """Return the digest in a fingerprint as `ssh-keygen -l` prints it.

    Raises:
        PublicKeyError: the text is no SHA256 fingerprint.
    """
    try:
        # Base64 wants the padding that ssh-keygen leaves out.
        digest = binascii.a2b_base64(text.removeprefix(_FINGERPRINT_MARK) + "=", strict_mode=True)
    except ValueError:
        digest = b""
    if not text.startswith(_FINGERPRINT_MARK) or len(digest) != hashlib.sha256().digest_size:
        raise PublicKeyError(
            f"{text[:64]!a} is no SHA256 fingerprint: `ssh-keygen -lf FILE` prints a key's"
        )
    return digest


def _digest_in(raw: bytes) -> bytes | None:
    raw = raw.strip(_BLANKS)
    if not raw or raw.startswith(b"#"):
        return None
    if len(raw) > MAXIMUM_LINE_BYTES:
        raise PublicKeyError(f"is longer than {MAXIMUM_LINE_BYTES} bytes")
    if b"\0" in raw:
        raise PublicKeyError("has a zero byte")
    # Only a comment may hold what is not ASCII, and nobody looks at it.
    line = raw.decode("latin-1").replace("\t", " ")
    first, _, rest = line.partition(" ")
    if first.startswith(_FINGERPRINT_MARK):
        return parse_fingerprint(first)
    return hashlib.sha256(_blob_in(first, rest.lstrip(" ").partition(" ")[0])).digest()


def _blob_in(key_type: str, encoded: str) -> bytes:
    """Return the blob of `type base64`."""
    try:
        blob = binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        blob = b""
    # The type stands before the key for people; that both agree shows that they belong together.
    named = len(key_type).to_bytes(4, "big") + key_type.encode("latin-1")
    if not key_type or not blob.startswith(named):
        raise PublicKeyError("is neither a public key nor a SHA256 fingerprint")
    return listed_blob(blob)
