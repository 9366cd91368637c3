"""Whether a security key is held by an authenticator that somebody vouches for.

Reads what `ssh-keygen -O challenge=FILE -O write-attestation=FILE` leaves (OpenSSH,
PROTOCOL.u2f); what cannot be proved is refused. Must not know who enrols the key, or which
models are welcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from conch_insults.access.attestation_certificate import AttestationCertificate
from conch_insults.access.authenticator_data import credential_of, parse_authenticator_data
from conch_insults.errors import PublicKeyError
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate

    from conch_insults.access.public_key import PublicKey

__all__ = ["MAXIMUM_ATTESTATION_BYTES", "MAXIMUM_CHALLENGE_BYTES", "Attested", "verify_attestation"]

MAXIMUM_ATTESTATION_BYTES = 64 * 1024
MAXIMUM_CHALLENGE_BYTES = 64 * 1024

_MAGIC = b"ssh-sk-attest-v01"
_MAGIC_WITHOUT_DATA = b"ssh-sk-attest-v00"


@dataclass(frozen=True, slots=True)
class Attested:
    """What a good attestation proves of a key's authenticator.

    Args:
        aaguid: its model, as `8-4-4-4-12` hexadecimal digits in lower case.
        subject: whom its maker's certificate is for; printable ASCII, 200 characters at most.
    """

    aaguid: str
    subject: str


@dataclass(frozen=True, slots=True)
class _Statement:
    certificate: bytes
    signature: bytes
    authenticator_data: bytes


def verify_attestation(
    attestation: bytes,
    challenge: bytes,
    key: PublicKey,
    roots: Sequence[Certificate],
    now: datetime,
) -> Attested:
    """Make sure that an authenticator made this very key when it was given this challenge.

    Args:
        attestation: the content of the file that `-O write-attestation` wrote.
        challenge: the content of the file that `-O challenge` named, every byte of it.
        key: the key that was made.
        roots: certificates that are trusted: of those who issue makers' attestation certificates,
            or such certificates themselves. An attestation holds no certificates in between.
        now: a time with its time zone.

    Raises:
        PublicKeyError: it is not proved; the text is one line that says why.
    """
    credential = credential_of(key)
    if not challenge or len(challenge) > MAXIMUM_CHALLENGE_BYTES:
        raise PublicKeyError(f"challenge is not of 1 to {MAXIMUM_CHALLENGE_BYTES} bytes")
    statement = _read(attestation)
    certificate = AttestationCertificate(statement.certificate)
    certificate.check(roots, now)
    data = parse_authenticator_data(statement.authenticator_data)
    # WebAuthn, section 8.2, with OpenSSH's challenge where browsers have their client data.
    certificate.check_signature(statement.signature, data.signed + sha256(challenge).digest())
    if data.credential.application_hash != credential.application_hash:
        raise PublicKeyError("attestation is for a key of another application (-O application)")
    if data.credential.key != credential.key:
        raise PublicKeyError("attestation is for another key")
    if not data.user_present:
        raise PublicKeyError("nobody touched the authenticator when the key was made")
    if data.backup_eligible:
        raise PublicKeyError("key may be copied out of its authenticator, which proves nothing")
    aaguid = certificate.aaguid()
    if aaguid != data.aaguid:
        raise PublicKeyError(
            f"authenticator says that it is a {data.aaguid}, its certificate a {aaguid}"
        )
    return Attested(str(aaguid), certificate.subject())


def _read(attestation: bytes) -> _Statement:
    if len(attestation) > MAXIMUM_ATTESTATION_BYTES:
        raise PublicKeyError(f"attestation is larger than {MAXIMUM_ATTESTATION_BYTES} bytes")
    fields = Fields(attestation)
    try:
        magic = fields.string()
        if magic == _MAGIC_WITHOUT_DATA:
            raise PublicKeyError(
                "attestation was made by an old ssh-keygen: enrol the key again with one of "
                "OpenSSH 8.7 or later"
            )
        if magic != _MAGIC:
            raise _not_an_attestation()
        statement = _Statement(fields.string(), fields.string(), fields.string())
        reserved = fields.uint32(), fields.string()
        fields.end()
    except ProtocolError as error:
        raise _not_an_attestation() from error
    if reserved != (0, b""):
        raise PublicKeyError("attestation uses fields that are reserved: it is not understood")
    return statement


def _not_an_attestation() -> PublicKeyError:
    return PublicKeyError(
        "attestation is none, or cut short: give the file that "
        "`ssh-keygen -O write-attestation=FILE` wrote"
    )
