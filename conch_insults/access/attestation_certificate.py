"""Whose word an attestation is: the maker's certificate, and the roots that an operator trusts.

A certificate is believed if it is one of the roots or was issued by one of them; no chain is
looked for. Knows X.509 and what WebAuthn asks of such certificates, not what they attest.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import BasicConstraints, KeyUsage
from cryptography.x509.oid import ExtensionOID, NameOID

from conch_insults.access.aaguid import certified_aaguid
from conch_insults.errors import PublicKeyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from cryptography.x509 import Certificate

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

__all__ = ["MAXIMUM_ROOTS", "MAXIMUM_ROOTS_BYTES", "AttestationCertificate", "read_roots"]

MAXIMUM_ROOTS = 100
MAXIMUM_ROOTS_BYTES = 1024 * 1024
# In characters.
MAXIMUM_SHOWN = 200

# WebAuthn, section 8.2.1: what keeps a maker's other certificates from being taken for these.
_ORGANIZATIONAL_UNIT = "Authenticator Attestation"
_UNDERSTOOD_EXTENSIONS = (ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE)
_UNUSABLE = "ask the authenticator's maker for a better one"

# Everything that cryptography raises for certificates that it can not read.
_UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def read_roots(content: bytes, name: str) -> tuple[Certificate, ...]:
    """Read the certificates that an operator trusts, in PEM one after the other.

    Args:
        content: the file's content; what stands around and between the certificates is ignored.
        name: the file's name, for the error.

    Returns:
        At least one and at most `MAXIMUM_ROOTS`.

    Raises:
        PublicKeyError: there are none or too many, or one cannot be read.
    """
    if len(content) > MAXIMUM_ROOTS_BYTES:
        raise PublicKeyError(f"{name}: is larger than {MAXIMUM_ROOTS_BYTES} bytes")
    with _reading(f"{name}: certificates", "give one PEM file, `-----BEGIN CERTIFICATE-----`"):
        roots = tuple(x509.load_pem_x509_certificates(content))
    if len(roots) > MAXIMUM_ROOTS:
        raise PublicKeyError(f"{name}: has more than {MAXIMUM_ROOTS} certificates")
    for number, root in enumerate(roots, 1):
        with _reading(f"{name}: certificate {number}", "take it out"):
            root.public_key()
            _ = root.extensions
    return roots


class AttestationCertificate:
    """The certificate of the key that signs a maker's attestations."""

    def __init__(self, encoded: bytes) -> None:
        """Take a certificate as it was handed in: nothing in it is believed yet.

        Args:
            encoded: X.509 in DER.

        Raises:
            PublicKeyError: it is no certificate.
        """
        if not encoded:
            raise PublicKeyError(
                "attestation has no certificate: its authenticator has no maker that vouches for it"
            )
        with _reading("attestation certificate", "copy the file again"):
            self._certificate = x509.load_der_x509_certificate(encoded)
            # Like OpenSSL, and unlike cryptography: a signature has no unused bits.
            if not encoded.endswith(b"\0" + self._certificate.signature):
                raise ValueError("unused bits")

    def check(self, roots: Sequence[Certificate], now: datetime) -> None:
        """Make sure that one of the roots vouches for this certificate, at a given time.

        Args:
            roots: certificates of issuers, or this certificate itself; `MAXIMUM_ROOTS` at most.
            now: a time with its time zone.

        Raises:
            PublicKeyError: none does, or the certificate is not for attestations.
        """
        if len(roots) > MAXIMUM_ROOTS:
            raise PublicKeyError(f"more than {MAXIMUM_ROOTS} attestation roots are given")
        with _reading("attestation certificate", _UNUSABLE):
            if self._certificate not in roots:
                _check_issuer(self._certificate, roots, now)
            _check_dates("attestation certificate", self._certificate, now)
            _check_profile(self._certificate)

    def aaguid(self) -> UUID:
        """Return the model of authenticator that the certificate is for.

        Raises:
            PublicKeyError: it does not say so, or not in the right way.
        """
        with _reading("attestation certificate", _UNUSABLE):
            return certified_aaguid(self._certificate)

    def subject(self) -> str:
        """Return its holder's name (RFC 4514): printable ASCII of a bounded length.

        Raises:
            PublicKeyError: the name cannot be read.
        """
        with _reading("attestation certificate", _UNUSABLE):
            return _shown(self._certificate.subject)

    def check_signature(self, signature: bytes, data: bytes) -> None:
        """Make sure that the certificate's key has signed some data.

        Raises:
            PublicKeyError: it has not, or is not of a kind that is looked at: ECDSA on P-256 with
                SHA256, which authenticators use, or Ed25519.
        """
        with _reading("attestation certificate", _UNUSABLE):
            key = self._certificate.public_key()
        try:
            if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
                key.verify(signature, data, ECDSA(SHA256()))
            elif isinstance(key, Ed25519PublicKey):
                key.verify(signature, data)
            else:
                raise PublicKeyError("attestation certificate's key is not ECDSA P-256 or Ed25519")
        except InvalidSignature as error:
            raise PublicKeyError(
                "attestation is not signed for this challenge: give the very file that ssh-keygen "
                "(of OpenSSH 8.7 or later) was given"
            ) from error


def _check_issuer(certificate: Certificate, roots: Sequence[Certificate], now: datetime) -> None:
    issuers = [root for root in roots if _is_issued_by(certificate, root)]
    if not issuers:
        raise PublicKeyError(
            "attestation certificate was not issued by any of the roots given, but by "
            f"{_shown(certificate.issuer)!r}"
        )
    # A key may be certified more than once, and one good certificate of it will do.
    refusals = []
    for issuer in issuers:
        try:
            _check_authority(issuer)
            _check_dates("attestation root", issuer, now)
        except PublicKeyError as refusal:
            refusals.append(refusal)
        else:
            return
    raise refusals[0]


def _is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        # Signatures with MD5 and SHA1 are unsupported algorithms to it.
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _check_authority(issuer: Certificate) -> None:
    """Make sure of an issuer of certificates (RFC 5280, sections 4.2.1.3 and 4.2.1.9)."""
    if issuer.version is x509.Version.v1 and issuer.subject == issuer.issuer:
        # Makers have roots from before there were extensions; OpenSSL takes them for roots too.
        return
    constraints = _extension(issuer, BasicConstraints)
    usage = _extension(issuer, KeyUsage)
    if not constraints or not constraints.ca or (usage and not usage.key_cert_sign):
        raise PublicKeyError("attestation root is not a certificate authority's")


def _check_dates(what: str, certificate: Certificate, now: datetime) -> None:
    if now < certificate.not_valid_before_utc:
        raise PublicKeyError(f"{what} is not valid before {certificate.not_valid_before_utc}")
    if now > certificate.not_valid_after_utc:
        raise PublicKeyError(f"{what} expired on {certificate.not_valid_after_utc}")


def _check_profile(certificate: Certificate) -> None:
    """Hold a certificate against WebAuthn, section 8.2.1, and RFC 5280, section 4.2."""
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    usage = _extension(certificate, KeyUsage)
    if [unit.value for unit in units] != [_ORGANIZATIONAL_UNIT] or (
        usage and not usage.digital_signature
    ):
        raise PublicKeyError("attestation certificate is for something else than attestations")
    constraints = _extension(certificate, BasicConstraints)
    if not constraints or constraints.ca:
        raise PublicKeyError("attestation certificate does not say that it is no authority's")
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD_EXTENSIONS:
            raise PublicKeyError(
                "attestation certificate has a critical extension that is not understood: "
                f"{extension.oid.dotted_string[:MAXIMUM_SHOWN]}"
            )


def _extension(certificate: Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _shown(name: x509.Name) -> str:
    text = name.rfc4514_string()
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)[:MAXIMUM_SHOWN]


@contextmanager
def _reading(what: str, advice: str) -> Iterator[None]:
    """Turn whatever cryptography says of a certificate into one line.

    Its warnings are about certificates that their makers should have made better: nothing that
    whoever enrols a key can mend.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except _UNREADABLE as error:
        raise PublicKeyError(f"{what} cannot be read: {advice}") from error
