"""Signatures: made with real keys, then bent in every way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.signature import ALGORITHMS, SignatureError, verify

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

DATA = b"session id, user name and all"
FORGED = "^signature is not the key's$"
CURVES: dict[str, tuple[ec.EllipticCurve, HashAlgorithm]] = {
    "nistp256": (ec.SECP256R1(), SHA256()),
    "nistp384": (ec.SECP384R1(), SHA384()),
    "nistp521": (ec.SECP521R1(), SHA512()),
}


def string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def number(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big") if value else b"")


@dataclass(frozen=True)
class Proof:
    """What a client sends to prove that it holds a key."""

    algorithm: str
    blob: bytes
    signature: bytes

    def check(self, data: bytes = DATA) -> None:
        verify(self.algorithm, self.blob, self.signature, data)


def ecdsa_key(curve: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(7, CURVES[curve][0])


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def ecdsa_numbers(key: ec.EllipticCurvePrivateKey, data: bytes, hashed: HashAlgorithm) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashed)))
    return number(r) + number(s)


def ed25519_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def raw(key: ed25519.Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def rsa_blob(bits: int) -> bytes:
    numbers = rsa_key(bits).public_key().public_numbers()
    return string(b"ssh-rsa") + number(numbers.e) + number(numbers.n)


def by_ed25519() -> Proof:
    key = ed25519_key()
    label = string(b"ssh-ed25519")
    return Proof("ssh-ed25519", label + string(raw(key)), label + string(key.sign(DATA)))


def by_ecdsa(curve: str) -> Proof:
    key = ecdsa_key(curve)
    label = f"ecdsa-sha2-{curve}"
    return Proof(
        label,
        string(label.encode()) + string(curve.encode()) + string(point(key)),
        string(label.encode()) + string(ecdsa_numbers(key, DATA, CURVES[curve][1])),
    )


def by_rsa(algorithm: str, hashed: HashAlgorithm, bits: int = 2048) -> Proof:
    proof = rsa_key(bits).sign(DATA, padding.PKCS1v15(), hashed)
    return Proof(algorithm, rsa_blob(bits), string(algorithm.encode()) + string(proof))


def touched(flags: int, counter: int) -> tuple[bytes, bytes]:
    """Return what an authenticator signs (PROTOCOL.u2f), and what comes after its signature."""
    tail = bytes((flags,)) + counter.to_bytes(4, "big")
    return sha256(b"ssh:").digest() + tail + sha256(DATA).digest(), tail


def by_sk_ed25519(flags: int = 1, counter: int = 5) -> Proof:
    key = ed25519_key()
    label = string(b"sk-ssh-ed25519@openssh.com")
    signed, tail = touched(flags, counter)
    return Proof(
        "sk-ssh-ed25519@openssh.com",
        label + string(raw(key)) + string(b"ssh:"),
        label + string(key.sign(signed)) + tail,
    )


def by_sk_ecdsa(flags: int = 1, counter: int = 5) -> Proof:
    key = ecdsa_key("nistp256")
    label = string(b"sk-ecdsa-sha2-nistp256@openssh.com")
    signed, tail = touched(flags, counter)
    return Proof(
        "sk-ecdsa-sha2-nistp256@openssh.com",
        label + string(b"nistp256") + string(point(key)) + string(b"ssh:"),
        label + string(ecdsa_numbers(key, signed, SHA256())) + tail,
    )


PROOFS = {
    proof.algorithm: proof
    for proof in (
        by_ed25519(),
        *(by_ecdsa(curve) for curve in CURVES),
        by_rsa("rsa-sha2-256", SHA256()),
        by_rsa("rsa-sha2-512", SHA512()),
        by_sk_ed25519(),
        by_sk_ecdsa(),
    )
}
EACH = pytest.mark.parametrize("proof", PROOFS.values(), ids=PROOFS)


def test_every_algorithm_is_tried_here() -> None:
    assert set(PROOFS) == set(ALGORITHMS)


class TestProof:
    @EACH
    def test_of_the_holder(self, proof: Proof) -> None:
        proof.check()

    @EACH
    def test_of_something_else(self, proof: Proof) -> None:
        with pytest.raises(SignatureError, match=FORGED):
            proof.check(DATA + b"!")

    @EACH
    def test_with_a_bit_turned(self, proof: Proof) -> None:
        label_size = 4 + len(proof.algorithm)
        # Past the label and the length of what follows.
        turned = bytearray(proof.signature)
        turned[label_size + 4 + 20] ^= 1
        with pytest.raises(SignatureError, match=FORGED):
            Proof(proof.algorithm, proof.blob, bytes(turned)).check()

    @EACH
    def test_cut_anywhere(self, proof: Proof) -> None:
        for size in range(len(proof.signature)):
            with pytest.raises(SignatureError):
                Proof(proof.algorithm, proof.blob, proof.signature[:size]).check()

    @EACH
    def test_by_a_key_cut_anywhere(self, proof: Proof) -> None:
        for size in range(len(proof.blob)):
            with pytest.raises(SignatureError):
                Proof(proof.algorithm, proof.blob[:size], proof.signature).check()

    @EACH
    def test_with_something_after_it(self, proof: Proof) -> None:
        with pytest.raises(SignatureError, match=FORGED):
            Proof(proof.algorithm, proof.blob, proof.signature + b"\0").check()
        with pytest.raises(SignatureError, match=FORGED):
            Proof(proof.algorithm, proof.blob + b"\0", proof.signature).check()


class TestMismatch:
    @EACH
    def test_algorithm_that_was_not_named(self, proof: Proof) -> None:
        for other in PROOFS:
            if other != proof.algorithm:
                with pytest.raises(SignatureError, match=r"type|another algorithm"):
                    Proof(other, proof.blob, proof.signature).check()

    @EACH
    def test_label_of_another_algorithm(self, proof: Proof) -> None:
        relabelled = string(b"ssh-rsa") + proof.signature[4 + len(proof.algorithm) :]
        with pytest.raises(SignatureError, match=r"^signature is of another algorithm than was n"):
            Proof(proof.algorithm, proof.blob, relabelled).check()

    @EACH
    def test_key_of_another_type(self, proof: Proof) -> None:
        blob = string(b"ssh-dss") + proof.blob[4:]
        with pytest.raises(SignatureError, match=r"^key is not of the type that the algorithm is"):
            Proof(proof.algorithm, blob, proof.signature).check()

    @pytest.mark.parametrize(
        "algorithm", ["ssh-rsa", "ssh-dss", "", "SSH-ED25519", "ssh-ed25519-cert-v01@openssh.com"]
    )
    def test_algorithm_that_is_not_accepted(self, algorithm: str) -> None:
        with pytest.raises(SignatureError, match=r"^signature algorithm is not accepted$"):
            Proof(algorithm, rsa_blob(2048), string(algorithm.encode()) + string(b"x")).check()

    def test_rsa_hash_that_was_not_named(self) -> None:
        other = PROOFS["rsa-sha2-256"]
        relabelled = other.signature.replace(b"rsa-sha2-256", b"rsa-sha2-512")
        with pytest.raises(SignatureError, match=FORGED):
            Proof("rsa-sha2-512", other.blob, relabelled).check()

    def test_key_of_somebody_else(self) -> None:
        other = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
        blob = string(b"ssh-ed25519") + string(raw(other))
        with pytest.raises(SignatureError, match=FORGED):
            Proof("ssh-ed25519", blob, PROOFS["ssh-ed25519"].signature).check()


class TestRsaPadding:
    """Some clients leave a signature's leading zero bytes out."""

    @pytest.mark.parametrize("bits", [2048, 2049])
    def test_left_out_zeros_are_put_back(self, bits: int) -> None:
        key = rsa_key(bits)
        for attempt in range(5000):
            data = DATA + str(attempt).encode()
            proof = key.sign(data, padding.PKCS1v15(), SHA256())
            if proof[0] == 0:
                break
        short = string(b"rsa-sha2-256") + string(proof.lstrip(b"\0"))
        verify("rsa-sha2-256", rsa_blob(bits), short, data)

    def test_too_long(self) -> None:
        proof = PROOFS["rsa-sha2-256"]
        padded = string(b"rsa-sha2-256") + string(b"\0" + proof.signature[-256:])
        with pytest.raises(SignatureError, match=FORGED):
            Proof(proof.algorithm, proof.blob, padded).check()


class TestSecurityKey:
    @pytest.mark.parametrize("flags", [0, 0x04, 0xFE])
    def test_nobody_touched_it(self, flags: int) -> None:
        for proof in (by_sk_ed25519(flags), by_sk_ecdsa(flags)):
            with pytest.raises(SignatureError, match=r"^nobody touched the security key$"):
                proof.check()

    def test_verified_user_and_any_counter_will_do(self) -> None:
        by_sk_ed25519(flags=0x05, counter=0).check()
        by_sk_ecdsa(flags=0x05, counter=2**32 - 1).check()

    @pytest.mark.parametrize("at", [-1, -5])
    @pytest.mark.parametrize("proof", [by_sk_ed25519(), by_sk_ecdsa()], ids=["ed25519", "ecdsa"])
    def test_counter_and_flags_are_signed(self, proof: Proof, at: int) -> None:
        changed = bytearray(proof.signature)
        changed[at] ^= 0x04
        with pytest.raises(SignatureError, match=FORGED):
            Proof(proof.algorithm, proof.blob, bytes(changed)).check()

    def test_application_is_signed(self) -> None:
        proof = by_sk_ed25519()
        blob = proof.blob.replace(b"ssh:", b"web:")
        with pytest.raises(SignatureError, match=FORGED):
            Proof(proof.algorithm, blob, proof.signature).check()


class TestNonsense:
    @pytest.mark.parametrize("exponent", [0, 1, 2, 3, 65536, 2**64 + 1])
    @pytest.mark.parametrize("modulus", [0, 1, 15, 2**64 + 1, 2**2048 + 1])
    def test_rsa_numbers_that_are_none(self, exponent: int, modulus: int) -> None:
        blob = string(b"ssh-rsa") + number(exponent) + number(modulus)
        for size in (0, 1, 256):
            with pytest.raises(SignatureError):
                Proof("rsa-sha2-256", blob, string(b"rsa-sha2-256") + string(bytes(size))).check()

    @pytest.mark.parametrize("numbers", [(0, 0), (0, 1), (1, 1), (2**4096, 1)])
    def test_ecdsa_numbers_that_are_none(self, numbers: tuple[int, int]) -> None:
        proof = PROOFS["ecdsa-sha2-nistp256"]
        forged = string(b"ecdsa-sha2-nistp256") + string(number(numbers[0]) + number(numbers[1]))
        with pytest.raises(SignatureError, match=FORGED):
            Proof(proof.algorithm, proof.blob, forged).check()

    @pytest.mark.parametrize("content", [b"", b"\0", b"\4" + bytes(64), b"\4" + b"\xff" * 64])
    def test_points_that_are_none(self, content: bytes) -> None:
        proof = PROOFS["ecdsa-sha2-nistp256"]
        blob = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(content)
        with pytest.raises(SignatureError, match=FORGED):
            Proof(proof.algorithm, blob, proof.signature).check()

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from(sorted(PROOFS)), st.binary(), st.binary(), st.binary())
    def test_any_bytes_are_refused(
        self, algorithm: str, blob: bytes, signature: bytes, data: bytes
    ) -> None:
        with pytest.raises(SignatureError):
            verify(algorithm, blob, signature, data)

    @settings(deadline=None, max_examples=200)
    @given(
        st.sampled_from(sorted(PROOFS)),
        st.lists(st.binary(max_size=70), max_size=4),
        st.lists(st.binary(max_size=70), max_size=3),
        st.binary(max_size=6),
    )
    def test_any_fields_under_the_right_labels_are_refused(
        self, algorithm: str, key: list[bytes], proof: list[bytes], tail: bytes
    ) -> None:
        blob = string(ALGORITHMS[algorithm].key_type.encode()) + b"".join(map(string, key))
        signature = string(algorithm.encode()) + b"".join(map(string, proof)) + tail
        with pytest.raises(SignatureError):
            verify(algorithm, blob, signature, DATA)

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from(sorted(PROOFS)), st.data())
    def test_a_byte_changed_anywhere_is_refused(self, algorithm: str, data: st.DataObject) -> None:
        proof = PROOFS[algorithm]
        signature = bytearray(proof.signature)
        at = data.draw(st.integers(0, len(signature) - 1))
        signature[at] ^= data.draw(st.integers(1, 255))
        with pytest.raises(SignatureError):
            Proof(algorithm, proof.blob, bytes(signature)).check()


@pytest.mark.parametrize(
    ("exponent", "modulus"),
    [(2**33 + 1, 2**2047 + 1), (65537, 2**16384 + 1)],
    ids=["exponent", "modulus"],
)
def test_an_rsa_key_that_would_take_long_is_not_looked_at(exponent: int, modulus: int) -> None:
    blob = string(b"ssh-rsa") + number(exponent) + number(modulus)
    with pytest.raises(SignatureError, match="too large"):
        Proof("rsa-sha2-256", blob, string(b"rsa-sha2-256") + string(bytes(256))).check()
