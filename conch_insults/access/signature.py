"""Whether a signature was made by the holder of a key: the proof that identity rests on.

The algorithm that was named, the key's type and the signature's own label must agree; nothing is
guessed. Knows what is signed only as bytes, and not who may come in.
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

from conch_insults.wire import Fields, ProtocolError

__all__ = ["ALGORITHMS", "SignatureError", "verify"]

# PROTOCOL.u2f: the authenticator saw somebody touch it.
_USER_PRESENT = 0x01

# In bits: what makes a verification slow, which strangers can ask for. Everybody uses 65537.
_LARGEST_EXPONENT = 32
_LARGEST_MODULUS = 16 * 1024

_Check: TypeAlias = Callable[[Fields, Fields, bytes], None]


class SignatureError(Exception):
    """A signature that proves nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class _Algorithm:
    key_type: str
    check: _Check


def verify(algorithm: str, blob: bytes, signature: bytes, data: bytes) -> None:
    """Make sure that the holder of a key has signed some data.

    Args:
        algorithm: the public key algorithm that the signer named (RFC 8332, section 3).
        blob: the public key's wire form.
        signature: the signature's wire form (RFC 4253, section 6.6).
        data: what should have been signed.

    Raises:
        SignatureError: it was not, or any of the arguments is not what it should be.
    """
    known = ALGORITHMS.get(algorithm)
    if known is None:
        raise SignatureError("signature algorithm is not accepted")
    try:
        key_fields, signature_fields = Fields(blob), Fields(signature)
        if key_fields.string() != known.key_type.encode():
            raise SignatureError("key is not of the type that the algorithm is for")
        if signature_fields.string() != algorithm.encode():
            raise SignatureError("signature is of another algorithm than was named")
        known.check(key_fields, signature_fields, data)
        key_fields.end()
        signature_fields.end()
    except (InvalidSignature, ProtocolError, ValueError) as error:
        raise SignatureError("signature is not the key's") from error


def _check_ed25519(key: Fields, signature: Fields, data: bytes) -> None:
    public_key = ed25519.Ed25519PublicKey.from_public_bytes(key.string())
    public_key.verify(signature.string(), data)


def _check_rsa(hash_algorithm: HashAlgorithm) -> _Check:
    def check(key: Fields, signature: Fields, data: bytes) -> None:
        exponent, modulus = key.mpint(), key.mpint()
        if exponent.bit_length() > _LARGEST_EXPONENT or modulus.bit_length() > _LARGEST_MODULUS:
            raise SignatureError("RSA key is too large to be looked at")
        public_key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        # RFC 8332, section 3: OpenSSH and others leave leading zero bytes out.
        proof = signature.string().rjust((public_key.key_size + 7) // 8, b"\0")
        public_key.verify(proof, data, padding.PKCS1v15(), hash_algorithm)

    return check


def _check_ecdsa(curve: ec.EllipticCurve, hash_algorithm: HashAlgorithm) -> _Check:
    def check(key: Fields, signature: Fields, data: bytes) -> None:
        key.string()  # the curve's name, which the type has told already
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(curve, key.string())
        # RFC 5656, section 3.1.2.
        numbers = Fields(signature.string())
        proof = encode_dss_signature(numbers.mpint(), numbers.mpint())
        numbers.end()
        public_key.verify(proof, data, ec.ECDSA(hash_algorithm))

    return check


def _check_security_key(check: _Check, fields_before_application: int) -> _Check:
    """Wrap a check for keys that live in a FIDO authenticator (PROTOCOL.u2f)."""

    def check_with_presence(key: Fields, signature: Fields, data: bytes) -> None:
        key_parts = [key.string() for _ in range(fields_before_application)]
        application = key.string()
        proof, flags, counter = signature.string(), signature.byte(), signature.uint32()
        if not flags & _USER_PRESENT:
            raise SignatureError("nobody touched the security key")
        signed = (
            sha256(application).digest()
            + bytes((flags,))
            + counter.to_bytes(4, "big")
            + sha256(data).digest()
        )
        check(_packed(*key_parts), _packed(proof), signed)

    return check_with_presence


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
