"""A FIDO authenticator in software, for tests of security keys and of their attestation.

    key = SecurityKey.ed25519()                          # also .ecdsa(); the same in every run
    key.public, key.line                                 # what authorized_keys holds
    key.sign(data, flags=USER_PRESENT, counter=1)        # an SSH signature (PROTOCOL.u2f)

    maker = make_root()
    authenticator = SoftwareAuthenticator(make_attester(maker))
    authenticator.attest(key, challenge)                 # ssh-keygen -O write-attestation=…
    maker.pem                                            # the roots that an operator trusts

Every part of an attestation can be made otherwise than it should be, by an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from conch_insults.access.public_key import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AAGUID",
    "AAGUID_EXTENSION",
    "AUTHORITY",
    "CREDENTIAL_INCLUDED",
    "EXTENSIONS_INCLUDED",
    "NOW",
    "NO_AUTHORITY",
    "USER_PRESENT",
    "USER_VERIFIED",
    "VALID",
    "Certified",
    "SecurityKey",
    "SoftwareAuthenticator",
    "aaguid_extension",
    "attestation_blob",
    "authenticator_data",
    "byte_string",
    "make_attester",
    "make_root",
    "string",
]

USER_PRESENT = 0x01
USER_VERIFIED = 0x04
CREDENTIAL_INCLUDED = 0x40
EXTENSIONS_INCLUDED = 0x80

AAGUID = UUID("c0ffee00-2010-4b1d-8bad-f00dfacade42")
# Within the validity of every certificate made here unless told otherwise.
NOW = datetime(2026, 6, 1, tzinfo=UTC)
VALID = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))

CertificateKey: TypeAlias = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
# Each with whether it is critical.
Extensions: TypeAlias = "Iterable[tuple[x509.ExtensionType, bool]]"
Validity: TypeAlias = tuple[datetime, datetime]


def string(value: bytes) -> bytes:
    """Pack bytes with their length (RFC 4251, section 5)."""
    return len(value).to_bytes(4, "big") + value


def _mpint(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _p256(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


@dataclass(frozen=True)
class SecurityKey:
    """A key that lives in an authenticator: `sk-ssh-ed25519` or `sk-ecdsa-sha2-nistp256`."""

    private: Ed25519PrivateKey | ec.EllipticCurvePrivateKey
    application: str = "ssh:"

    @classmethod
    def ed25519(cls, number: int = 1, application: str = "ssh:") -> SecurityKey:
        """Return the Ed25519 key of this number."""
        seed = number.to_bytes(32, "big")
        return cls(Ed25519PrivateKey.from_private_bytes(seed), application)

    @classmethod
    def ecdsa(cls, number: int = 1, application: str = "ssh:") -> SecurityKey:
        """Return the ECDSA key of this number, from 1."""
        return cls(_p256(number), application)

    @property
    def key_type(self) -> str:
        if isinstance(self.private, Ed25519PrivateKey):
            return "sk-ssh-ed25519@openssh.com"
        return "sk-ecdsa-sha2-nistp256@openssh.com"

    @property
    def blob(self) -> bytes:
        """The public key's wire form."""
        curve = b"" if isinstance(self.private, Ed25519PrivateKey) else string(b"nistp256")
        label = string(self.key_type.encode())
        return label + curve + string(self._point) + string(self.application.encode())

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.key_type, self.blob)

    @property
    def line(self) -> str:
        """The public key as a `.pub` file holds it."""
        return self.public.line

    @property
    def cose(self) -> bytes:
        """The public key as authenticators write it: a COSE key, in canonical CBOR."""
        if isinstance(self.private, Ed25519PrivateKey):
            return bytes.fromhex("a401010327200621") + byte_string(self._point)
        x, y = self._point[1:33], self._point[33:]
        return bytes.fromhex("a501020326200121") + byte_string(x) + b"\x22" + byte_string(y)

    def sign(self, data: bytes, flags: int = USER_PRESENT, counter: int = 1) -> bytes:
        """Return an SSH signature of this data, with flags that the authenticator vouches for."""
        state = bytes((flags,)) + counter.to_bytes(4, "big")
        signed = sha256(self.application.encode()).digest() + state + sha256(data).digest()
        if isinstance(self.private, Ed25519PrivateKey):
            proof = self.private.sign(signed)
        else:
            r, s = decode_dss_signature(self.private.sign(signed, ec.ECDSA(SHA256())))
            proof = _mpint(r) + _mpint(s)
        return string(self.key_type.encode()) + string(proof) + state

    @property
    def _point(self) -> bytes:
        public = self.private.public_key()
        if isinstance(self.private, Ed25519PrivateKey):
            return public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass(frozen=True)
class Certified:
    """A private key and the certificate of its public half."""

    private: CertificateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(data)
        assert isinstance(self.private, ec.EllipticCurvePrivateKey)
        return self.private.sign(data, ec.ECDSA(SHA256()))


NO_AUTHORITY = (x509.BasicConstraints(ca=False, path_length=None), True)
AUTHORITY = (x509.BasicConstraints(ca=True, path_length=0), True)


def aaguid_extension(
    aaguid: UUID = AAGUID, *, encoded: bytes | None = None, critical: bool = False
) -> tuple[x509.ExtensionType, bool]:
    """Return the extension id-fido-gen-ce-aaguid; `encoded` stands for its DER."""
    value = b"\x04\x10" + aaguid.bytes if encoded is None else encoded
    identifier = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
    return x509.UnrecognizedExtension(identifier, value), critical


AAGUID_EXTENSION = aaguid_extension()


def make_root(
    name: str = "Root of Software Authenticators",
    *,
    private: CertificateKey | None = None,
    extensions: Extensions = (AUTHORITY,),
    valid: Validity = VALID,
) -> Certified:
    """Make a certificate that vouches for others, signed with its own key."""
    private = private or _p256(1001)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return Certified(private, _certificate(private, subject, extensions, valid))


def make_attester(
    issuer: Certified,
    *,
    name: str = "Software Authenticator 1",
    unit: str | None = "Authenticator Attestation",
    private: CertificateKey | None = None,
    extensions: Extensions = (NO_AUTHORITY, AAGUID_EXTENSION),
    valid: Validity = VALID,
) -> Certified:
    """Make an attestation certificate as WebAuthn, section 8.2.1, wants it."""
    private = private or _p256(1002)
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "XX"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Software Authenticators"),
        x509.NameAttribute(NameOID.COMMON_NAME, name),
    ]
    if unit is not None:
        attributes.insert(2, x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    return Certified(
        private, _certificate(private, x509.Name(attributes), extensions, valid, issuer)
    )


def _certificate(
    private: CertificateKey,
    subject: x509.Name,
    extensions: Extensions,
    valid: Validity,
    issuer: Certified | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signer = issuer.private if issuer else private
    return builder.sign(signer, None if isinstance(signer, Ed25519PrivateKey) else SHA256())


def byte_string(value: bytes) -> bytes:
    """Write bytes as CBOR does, as shortly as it can."""
    size = len(value)
    if size < 24:
        return bytes((0x40 | size,)) + value
    if size < 1 << 8:
        return bytes((0x58, size)) + value
    return b"\x59" + size.to_bytes(2, "big") + value


def authenticator_data(
    key: SecurityKey,
    *,
    aaguid: UUID = AAGUID,
    flags: int = USER_PRESENT | CREDENTIAL_INCLUDED,
    counter: int = 1,
    credential_id: bytes = bytes(range(64)),
    cose: bytes | None = None,
    extensions: bytes = b"",
) -> bytes:
    """Return what an authenticator says of a key that it has made (WebAuthn, section 6.1)."""
    return (
        sha256(key.application.encode()).digest()
        + bytes((flags,))
        + counter.to_bytes(4, "big")
        + aaguid.bytes
        + len(credential_id).to_bytes(2, "big")
        + credential_id
        + (key.cose if cose is None else cose)
        + extensions
    )


def attestation_blob(
    certificate: bytes,
    signature: bytes,
    data: bytes,
    *,
    magic: bytes = b"ssh-sk-attest-v01",
    reserved: bytes = bytes(8),
) -> bytes:
    """Pack an attestation as OpenSSH does; `data` has its CBOR around it."""
    return string(magic) + string(certificate) + string(signature) + string(data) + reserved


@dataclass(frozen=True)
class SoftwareAuthenticator:
    """Makes attestations; `attester` is its certificate and `aaguid` what it says it is."""

    attester: Certified = field(default_factory=lambda: make_attester(make_root()))
    aaguid: UUID = AAGUID

    def attest(
        self,
        key: SecurityKey,
        challenge: bytes,
        *,
        flags: int = USER_PRESENT | CREDENTIAL_INCLUDED,
        extensions: bytes = b"",
        data: bytes | None = None,
    ) -> bytes:
        """Return an `ssh-sk-attest-v01` blob for a key.

        Args:
            key: the key that is said to have been made.
            challenge: the bytes of the file that ssh-keygen was given.
            flags: of the authenticator data, together with `extensions`, a CBOR map.
            data: the authenticator data in place of what the other arguments would make.
        """
        if data is None:
            data = authenticator_data(key, aaguid=self.aaguid, flags=flags, extensions=extensions)
        signature = self.attester.sign(data + sha256(challenge).digest())
        return attestation_blob(self.attester.der, signature, byte_string(data))
