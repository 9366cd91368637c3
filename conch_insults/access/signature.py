"""Whether a signature was made by the holder of a key: the proof that identity rests on.

The algorithm that was named, the key's type and the signature's own label must agree; nothing is
guessed. Knows what is signed only as bytes, and not who may come in: neither whether a certificate
is any good, nor whether a security key had to be touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from conch_insults.access.certified_key import certificate_name, certified_key
from conch_insults.access.public_key import MAXIMUM_RSA_BITS, MAXIMUM_RSA_EXPONENT_BITS
from conch_insults.errors import PublicKeyError
from conch_insults.wire import Fields, ProtocolError

__all__ = ["ALGORITHMS", "Proof", "SignatureError", "key_type_of", "verify"]

# PROTOCOL.u2f: the authenticator saw somebody touch it, and knew who that was (PIN, biometrics).
_USER_PRESENT = 0x01
_USER_VERIFIED = 0x04


class SignatureError(Exception):
    """A signature that proves nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a signature that is good says of how it was made.

    Attributes:
        touched: whether somebody touched the security key; None if the key is none.
        verified: whether the security key knew who that was; None if the key is none.
    """

    touched: bool | None = None
    verified: bool | None = None


_Check: TypeAlias = Callable[[Fields, Fields, bytes], Proof]


@dataclass(frozen=True, slots=True)
class _Algorithm:
    key_type: str
    check: _Check


def key_type_of(algorithm: str) -> str | None:
    """Return the type of the blobs that an algorithm is for, None if it is not accepted.

    Args:
        algorithm: a public key algorithm, or that of a certificate; an RSA key has several of
            either kind (RFC 8332, section 3; OpenSSH, PROTOCOL.certkeys).
    """
    if algorithm in ALGORITHMS:
        return ALGORITHMS[algorithm].key_type
    plain = _CERTIFICATE_ALGORITHMS.get(algorithm)
    return certificate_name(ALGORITHMS[plain].key_type) if plain else None


def verify(algorithm: str, blob: bytes, signature: bytes, data: bytes) -> Proof:
    """Make sure that the holder of a key has signed some data.

    Args:
        algorithm: the algorithm that the signer named, as in `key_type_of`.
        blob: the wire form of the public key, or of a certificate for it, of which nothing but
            the key is looked at.
        signature: the signature's wire form (RFC 4253, section 6.6); with a certificate it has
            the label of the plain algorithm.
        data: what should have been signed.

    Raises:
        SignatureError: it was not, or any of the arguments is not what it should be.
    """
    key_type = key_type_of(algorithm)
    if key_type is None:
        raise SignatureError("signature algorithm is not accepted")
    try:
        if Fields(blob).string() != key_type.encode():
            raise SignatureError("key is not of the type that the algorithm is for")
        if algorithm in _CERTIFICATE_ALGORITHMS:
            algorithm, blob = _CERTIFICATE_ALGORITHMS[algorithm], certified_key(blob)
        key_fields, signature_fields = Fields(blob), Fields(signature)
        key_fields.string()  # the type
        if signature_fields.string() != algorithm.encode():
            raise SignatureError("signature is of another algorithm than was named")
        proof = ALGORITHMS[algorithm].check(key_fields, signature_fields, data)
        key_fields.end()
        signature_fields.end()
    except (InvalidSignature, ProtocolError, PublicKeyError, ValueError) as error:
        raise SignatureError("signature is not the key's") from error
    return proof


def _check_ed25519(key: Fields, signature: Fields, data: bytes) -> Proof:
    public_key = ed25519.Ed25519PublicKey.from_public_bytes(key.string())
    public_key.verify(signature.string(), data)
    return Proof()


def _check_rsa(hash_algorithm: HashAlgorithm) -> _Check:
    def check(key: Fields, signature: Fields, data: bytes) -> Proof:
        exponent, modulus = key.mpint(), key.mpint()
        if (
            exponent.bit_length() > MAXIMUM_RSA_EXPONENT_BITS
            or modulus.bit_length() > MAXIMUM_RSA_BITS
        ):
            raise SignatureError("RSA key is too large to be looked at")
        public_key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        # RFC 8332, section 3: OpenSSH and others leave leading zero bytes out.
        proof = signature.string().rjust((public_key.key_size + 7) // 8, b"\0")
        public_key.verify(proof, data, padding.PKCS1v15(), hash_algorithm)
        return Proof()

    return check


def _check_ecdsa(curve: ec.EllipticCurve, hash_algorithm: HashAlgorithm) -> _Check:
    def check(key: Fields, signature: Fields, data: bytes) -> Proof:
        key.string()  # the curve's name, which the type has told already
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(curve, key.string())
        # RFC 5656, section 3.1.2.
        numbers = Fields(signature.string())
        proof = encode_dss_signature(numbers.mpint(), numbers.mpint())
        numbers.end()
        public_key.verify(proof, data, ec.ECDSA(hash_algorithm))
        return Proof()

    return check


def _check_security_key(check: _Check, fields_before_application: int) -> _Check:
    """Wrap a check for keys that live in a FIDO authenticator (PROTOCOL.u2f)."""

    def check_with_flags(key: Fields, signature: Fields, data: bytes) -> Proof:
        key_parts = [key.string() for _ in range(fields_before_application)]
        application = key.string()
        proof, flags, counter = signature.string(), signature.byte(), signature.uint32()
        signed = (
            sha256(application).digest()
            + bytes((flags,))
            + counter.to_bytes(4, "big")
            + sha256(data).digest()
        )
        check(_packed(*key_parts), _packed(proof), signed)
        return Proof(touched=bool(flags & _USER_PRESENT), verified=bool(flags & _USER_VERIFIED))

    return check_with_flags


def _packed(*strings: bytes) -> Fields:
    return Fields(b"".join(len(part).to_bytes(4, "big") + part for part in strings))


ALGORITHMS: dict[str, _Algorithm] = {
    "ssh-ed25519": _Algorithm("ssh-ed25519", _check_ed25519),
    "ecdsa-sha2-nistp256": _Algorithm(
        "ecdsa-sha2-nistp256", _check_ecdsa(ec.SECP256R1(), SHA256())
    ),
    "ecdsa-sha2-nistp384": _Algorithm(
        "ecdsa-sha2-nistp384", _check_ecdsa(ec.SECP384R1(), SHA384())
    ),
    "ecdsa-sha2-nistp521": _Algorithm(
        "ecdsa-sha2-nistp521", _check_ecdsa(ec.SECP521R1(), SHA512())
    ),
    "sk-ssh-ed25519@openssh.com": _Algorithm(
        "sk-ssh-ed25519@openssh.com", _check_security_key(_check_ed25519, 1)
    ),
    "sk-ecdsa-sha2-nistp256@openssh.com": _Algorithm(
        "sk-ecdsa-sha2-nistp256@openssh.com",
        _check_security_key(_check_ecdsa(ec.SECP256R1(), SHA256()), 2),
    ),
    "rsa-sha2-256": _Algorithm("ssh-rsa", _check_rsa(SHA256())),
    "rsa-sha2-512": _Algorithm("ssh-rsa", _check_rsa(SHA512())),
}
_CERTIFICATE_ALGORITHMS = {certificate_name(plain): plain for plain in ALGORITHMS}
