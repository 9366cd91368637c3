"""A certificate: what an authority says of a key (OpenSSH, PROTOCOL.certkeys).

A certificate is believed as a whole or refused: its key, its authority's key and signature are
checked before anybody sees a field. Whether the authority is trusted, and what the options of a
certificate mean, is not known here, nor what time it is.

cryptography has an `SSHCertificate`, which does not do: it forgets the application of security
keys, takes no signature of a security key, and keeps an authority's signature algorithm to itself.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from conch_insults.access.certified_key import MAXIMUM_CERTIFICATE_BYTES, read_certified_key
from conch_insults.access.public_key import MINIMUM_RSA_BITS, PublicKey, parse_blob
from conch_insults.access.signature import SignatureError, verify
from conch_insults.errors import PublicKeyError
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

__all__ = ["Certificate", "CertificateKind", "parse_certificate", "parse_certificate_line"]

# OpenSSH's SSHKEY_CERT_MAX_PRINCIPALS.
MAXIMUM_PRINCIPALS = 256
# Of either kind. OpenSSH knows fewer than ten, and strangers choose how many are looked at.
MAXIMUM_OPTIONS = 64

# The year 9999 ends then: the last second that a datetime can name.
_LAST_SECOND = 253402300799

_LISTED_PRINCIPALS = 3
_TOO_SHORT_OR_LONG = "certificate is too short or too long: copy the whole line again"


class CertificateKind(Enum):
    """Whom a certificate is about; the values are those on the wire."""

    USER = 1
    HOST = 2


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that is well-formed and signed by the authority that it names.

    Attributes:
        key: the key that is certified.
        kind: whether it is a user's or a host's.
        serial: the authority's number for it, 0 where it does not count.
        key_id: the authority's name for it, as free text: clean it before it is shown.
        principals: the users or hosts that it is for.
        valid_after: the first second at which it holds, counted from 1970 in UTC.
        valid_before: the first second at which it holds no more.
        authority: the key that signed it; whether that is trusted is another question.
        critical: the critical options, name and data, raw and in order.
        extensions: the extensions, likewise.
        blob: its wire form.
    """

    key: PublicKey
    kind: CertificateKind
    serial: int
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    authority: PublicKey
    critical: tuple[tuple[bytes, bytes], ...]
    extensions: tuple[tuple[bytes, bytes], ...]
    blob: bytes = field(repr=False)

    @property
    def expires(self) -> datetime | None:
        """The moment from which on it holds no more; None where that is after the year 9999."""
        return _moment(self.valid_before)

    def problem_for_user(self, names: AbstractSet[str], now: datetime) -> str | None:
        """Say why it does not let anybody in under one of these names now; None if it does.

        Args:
            names: one of them must be among the principals; a certificate without principals,
                which PROTOCOL.certkeys means for everybody, is for nobody.
            now: the time.
        """
        if self.kind is not CertificateKind.USER:
            return "certificate is for a host, not for a user"
        if problem := self._problem_in_time(now):
            return problem
        if not self.principals:
            return "certificate names no principal: sign it again with `ssh-keygen -n`"
        if names.isdisjoint(self.principals):
            return f"certificate is for other principals: {self._some_principals()}"
        return None

    def problem_for_host(self, now: datetime) -> str | None:
        """Say why no client believes it of any host now; None if one might.

        What the host is called is for the client to compare.
        """
        if self.kind is not CertificateKind.HOST:
            return "certificate is for a user: sign it again with `ssh-keygen -h`"
        if self.critical:
            return "certificate has critical options, which no client knows for hosts"
        return self._problem_in_time(now)

    def _problem_in_time(self, now: datetime) -> str | None:
        seconds = now.timestamp()
        if seconds < self.valid_after:
            return f"certificate is not valid before {_written(self.valid_after)}"
        if seconds >= self.valid_before:
            return f"certificate expired at {_written(self.valid_before)}"
        return None

    def _some_principals(self) -> str:
        listed = [ascii(name[:40]) for name in self.principals[:_LISTED_PRINCIPALS]]
        more = len(self.principals) - len(listed)
        return ", ".join(listed) + (f" and {more} more" if more else "")


def parse_certificate_line(text: str, *, minimum_rsa_bits: int = MINIMUM_RSA_BITS) -> Certificate:
    """Read `type base64 [comment]`, one line of a `-cert.pub` file.

    Raises:
        PublicKeyError: the text is no certificate, or one that must not be used.
    """
    words = text.split(maxsplit=2)
    if len(words) < 2 or "\n" in text.strip():  # noqa: PLR2004 - the type and the blob
        raise PublicKeyError("is not one line with a certificate")
    try:
        blob = binascii.a2b_base64(words[1], strict_mode=True)
    except ValueError as error:
        raise PublicKeyError("is not valid base64: copy the whole line again") from error
    certificate = parse_certificate(blob, minimum_rsa_bits=minimum_rsa_bits)
    if Fields(blob).string().decode("latin-1") != words[0]:
        raise PublicKeyError(f"says {words[0][:60]!a} but holds a certificate of another type")
    return certificate


def parse_certificate(blob: bytes, *, minimum_rsa_bits: int = MINIMUM_RSA_BITS) -> Certificate:
    """Read the wire form of a certificate.

    Key ID and principals must be UTF-8 text without zero bytes, so that two which differ never
    look the same. As in sshd, options need not be sorted.

    Args:
        blob: the wire form, of any size.
        minimum_rsa_bits: an RSA key of fewer is refused, the authority's too.

    Raises:
        PublicKeyError: for any bytes that are not exactly one certificate whose authority has
            signed it.
    """
    if len(blob) > MAXIMUM_CERTIFICATE_BYTES:
        raise PublicKeyError(f"certificate is longer than {MAXIMUM_CERTIFICATE_BYTES} bytes")
    try:
        return _read(blob, minimum_rsa_bits)
    except ProtocolError as error:
        raise PublicKeyError(_TOO_SHORT_OR_LONG) from error


def _read(blob: bytes, minimum_rsa_bits: int) -> Certificate:
    fields = Fields(blob)
    key = _checked(read_certified_key(fields), "key", minimum_rsa_bits)
    serial, kind, key_id = _uint64(fields), _kind(fields.uint32()), _text(fields.string())
    principals = tuple(_names(fields.string()))
    valid_after, valid_before = _uint64(fields), _uint64(fields)
    critical = _pairs(fields.string(), "critical options")
    extensions = _pairs(fields.string(), "extensions")
    fields.string()  # reserved
    authority = _checked(fields.string(), "authority", minimum_rsa_bits)
    # The signature is over everything before it.
    rest = fields.rest()
    signed, last = blob[: len(blob) - len(rest)], Fields(rest)
    signature = last.string()
    last.end()
    _check_signature(authority, signature, signed)
    return Certificate(
        key,
        kind,
        serial,
        key_id,
        principals,
        valid_after,
        valid_before,
        authority,
        critical,
        extensions,
        blob,
    )


def _check_signature(authority: PublicKey, signature: bytes, signed: bytes) -> None:
    algorithm = Fields(signature).string().decode("latin-1")
    if algorithm == "ssh-rsa":
        raise PublicKeyError(
            "certificate is signed with SHA-1: sign it again with `ssh-keygen -t rsa-sha2-512`"
        )
    try:
        # Whether somebody touched the authority's security key is between it and its holder.
        verify(algorithm, authority.blob, signature, signed)
    except SignatureError as error:
        raise PublicKeyError("certificate is not signed by the authority that it names") from error


def _checked(blob: bytes, whose: str, minimum_rsa_bits: int) -> PublicKey:
    try:
        return PublicKey(parse_blob(blob, minimum_rsa_bits=minimum_rsa_bits), blob)
    except PublicKeyError as error:
        raise PublicKeyError(f"certificate's {whose}: {error}") from error


def _text(raw: bytes) -> str:
    # C would read a name up to its first zero byte, and so another name than is shown here.
    if b"\0" in raw:
        raise PublicKeyError("certificate has a zero byte in its key ID or principals")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise PublicKeyError("certificate's key ID or principals are not UTF-8 text") from error


def _kind(number: int) -> CertificateKind:
    try:
        return CertificateKind(number)
    except ValueError as error:
        raise PublicKeyError("certificate is neither for users nor for hosts") from error


def _names(packed: bytes) -> Iterator[str]:
    """Read principals to the end, or to the first that is one too many."""
    fields, left, count = Fields(packed), len(packed), 0
    while left:
        count += 1
        if count > MAXIMUM_PRINCIPALS:
            raise PublicKeyError(f"certificate has more than {MAXIMUM_PRINCIPALS} principals")
        name = fields.string()
        left -= 4 + len(name)
        yield _text(name)


def _pairs(packed: bytes, what: str) -> tuple[tuple[bytes, bytes], ...]:
    fields, left = Fields(packed), len(packed)
    pairs: list[tuple[bytes, bytes]] = []
    while left:
        if len(pairs) == MAXIMUM_OPTIONS:
            raise PublicKeyError(f"certificate has more than {MAXIMUM_OPTIONS} {what}")
        name, data = fields.string(), fields.string()
        if b"\0" in name:
            raise PublicKeyError("certificate has a zero byte in an option's name")
        left -= 8 + len(name) + len(data)
        pairs.append((name, data))
    return tuple(pairs)


def _uint64(fields: Fields) -> int:
    return fields.uint32() << 32 | fields.uint32()


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds <= _LAST_SECOND else None


def _written(seconds: int) -> str:
    moment = _moment(seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "the end of time"
