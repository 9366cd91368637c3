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

from conch_insults.access.certified_key import MAXIMUM_CERTIFICATE_BYTES
from conch_insults.access.signature import (
    ALGORITHMS,
    Proof,
    SignatureError,
    key_type_of,
    verify,
)
from tests.certificate_authority import Draft

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

DATA = b"session id, user name and all"
FORGED = "^signature is not the key's$"
CURVES: dict[str, tuple[ec.EllipticCurve, HashAlgorithm]] = {
    "nistp256": (ec.SECP256R1(), SHA256()),
    "nistp384": (ec.SECP384R1(), SHA384()),
    "nistp521": (ec.SECP521R1(), SHA512()),
}
# As PROTOCOL.certkeys and PROTOCOL.u2f write them.
CERTIFICATE_ALGORITHMS = {
    "ssh-ed25519": "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256": "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384": "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521": "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "rsa-sha2-256": "rsa-sha2-256-cert-v01@openssh.com",
    "rsa-sha2-512": "rsa-sha2-512-cert-v01@openssh.com",
    "sk-ssh-ed25519@openssh.com": "sk-ssh-ed25519-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com": "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
}


def string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def number(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big") if value else b"")


@dataclass(frozen=True)
class Claim:
    """What a client sends to prove that it holds a key."""

    algorithm: str
    blob: bytes
    signature: bytes

    def check(self, data: bytes = DATA) -> Proof:
        return verify(self.algorithm, self.blob, self.signature, data)

    @property
    def certified(self) -> Claim:
        """The same with a certificate for the key."""
        blob = Draft(self.blob).body
        return Claim(CERTIFICATE_ALGORITHMS[self.algorithm], blob, self.signature)


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


def by_ed25519() -> Claim:
    key = ed25519_key()
    label = string(b"ssh-ed25519")
    return Claim("ssh-ed25519", label + string(raw(key)), label + string(key.sign(DATA)))


def by_ecdsa(curve: str) -> Claim:
    key = ecdsa_key(curve)
    label = f"ecdsa-sha2-{curve}"
    return Claim(
        label,
        string(label.encode()) + string(curve.encode()) + string(point(key)),
        string(label.encode()) + string(ecdsa_numbers(key, DATA, CURVES[curve][1])),
    )


def by_rsa(algorithm: str, hashed: HashAlgorithm, bits: int = 2048) -> Claim:
    proof = rsa_key(bits).sign(DATA, padding.PKCS1v15(), hashed)
    return Claim(algorithm, rsa_blob(bits), string(algorithm.encode()) + string(proof))


def touched(flags: int, counter: int) -> tuple[bytes, bytes]:
    """Return what an authenticator signs (PROTOCOL.u2f), and what comes after its signature."""
    tail = bytes((flags,)) + counter.to_bytes(4, "big")
    return sha256(b"ssh:").digest() + tail + sha256(DATA).digest(), tail


def by_sk_ed25519(flags: int = 1, counter: int = 5) -> Claim:
    key = ed25519_key()
    label = string(b"sk-ssh-ed25519@openssh.com")
    signed, tail = touched(flags, counter)
    return Claim(
        "sk-ssh-ed25519@openssh.com",
        label + string(raw(key)) + string(b"ssh:"),
        label + string(key.sign(signed)) + tail,
    )


def by_sk_ecdsa(flags: int = 1, counter: int = 5) -> Claim:
    key = ecdsa_key("nistp256")
    label = string(b"sk-ecdsa-sha2-nistp256@openssh.com")
    signed, tail = touched(flags, counter)
    return Claim(
        "sk-ecdsa-sha2-nistp256@openssh.com",
        label + string(b"nistp256") + string(point(key)) + string(b"ssh:"),
        label + string(ecdsa_numbers(key, signed, SHA256())) + tail,
    )


CLAIMS = {
    claim.algorithm: claim
    for claim in (
        by_ed25519(),
        *(by_ecdsa(curve) for curve in CURVES),
        by_rsa("rsa-sha2-256", SHA256()),
        by_rsa("rsa-sha2-512", SHA512()),
        by_sk_ed25519(),
        by_sk_ecdsa(),
    )
}
EACH = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)


def test_every_algorithm_is_tried_here() -> None:
    assert set(CLAIMS) == set(ALGORITHMS)


class TestProof:
    @EACH
    def test_of_the_holder(self, claim: Claim) -> None:
        is_touched = True if claim.algorithm.startswith("sk-") else None
        assert claim.check().touched is is_touched

    @EACH
    def test_of_something_else(self, claim: Claim) -> None:
        with pytest.raises(SignatureError, match=FORGED):
            claim.check(DATA + b"!")

    @EACH
    def test_with_a_bit_turned(self, claim: Claim) -> None:
        label_size = 4 + len(claim.algorithm)
        # Past the label and the length of what follows.
        turned = bytearray(claim.signature)
        turned[label_size + 4 + 20] ^= 1
        with pytest.raises(SignatureError, match=FORGED):
            Claim(claim.algorithm, claim.blob, bytes(turned)).check()

    @EACH
    def test_cut_anywhere(self, claim: Claim) -> None:
        for size in range(len(claim.signature)):
            with pytest.raises(SignatureError):
                Claim(claim.algorithm, claim.blob, claim.signature[:size]).check()

    @EACH
    def test_by_a_key_cut_anywhere(self, claim: Claim) -> None:
        for size in range(len(claim.blob)):
            with pytest.raises(SignatureError):
                Claim(claim.algorithm, claim.blob[:size], claim.signature).check()

    @EACH
    def test_with_something_after_it(self, claim: Claim) -> None:
        with pytest.raises(SignatureError, match=FORGED):
            Claim(claim.algorithm, claim.blob, claim.signature + b"\0").check()
        with pytest.raises(SignatureError, match=FORGED):
            Claim(claim.algorithm, claim.blob + b"\0", claim.signature).check()


class TestMismatch:
    @EACH
    def test_algorithm_that_was_not_named(self, claim: Claim) -> None:
        for other in CLAIMS:
            if other != claim.algorithm:
                with pytest.raises(SignatureError, match=r"type|another algorithm"):
                    Claim(other, claim.blob, claim.signature).check()

    @EACH
    def test_label_of_another_algorithm(self, claim: Claim) -> None:
        relabelled = string(b"ssh-rsa") + claim.signature[4 + len(claim.algorithm) :]
        with pytest.raises(SignatureError, match=r"^signature is of another algorithm than was n"):
            Claim(claim.algorithm, claim.blob, relabelled).check()

    @EACH
    def test_key_of_another_type(self, claim: Claim) -> None:
        blob = string(b"ssh-dss") + claim.blob[4:]
        with pytest.raises(SignatureError, match=r"^key is not of the type that the algorithm is"):
            Claim(claim.algorithm, blob, claim.signature).check()

    @pytest.mark.parametrize(
        "algorithm",
        [
            "ssh-rsa",
            "ssh-dss",
            "",
            "SSH-ED25519",
            "ssh-rsa-cert-v01@openssh.com",
            "ssh-dss-cert-v01@openssh.com",
            "ssh-ed25519-cert-v00@openssh.com",
            "sk-ssh-ed25519@openssh.com-cert-v01@openssh.com",
            "-cert-v01@openssh.com",
        ],
    )
    def test_algorithm_that_is_not_accepted(self, algorithm: str) -> None:
        with pytest.raises(SignatureError, match=r"^signature algorithm is not accepted$"):
            Claim(algorithm, rsa_blob(2048), string(algorithm.encode()) + string(b"x")).check()

    def test_rsa_hash_that_was_not_named(self) -> None:
        other = CLAIMS["rsa-sha2-256"]
        relabelled = other.signature.replace(b"rsa-sha2-256", b"rsa-sha2-512")
        with pytest.raises(SignatureError, match=FORGED):
            Claim("rsa-sha2-512", other.blob, relabelled).check()

    def test_key_of_somebody_else(self) -> None:
        other = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
        blob = string(b"ssh-ed25519") + string(raw(other))
        with pytest.raises(SignatureError, match=FORGED):
            Claim("ssh-ed25519", blob, CLAIMS["ssh-ed25519"].signature).check()


class TestCertificate:
    """Its key's signature, whatever else it says: nobody has vouched for these."""

    @EACH
    def test_of_the_holder(self, claim: Claim) -> None:
        assert claim.certified.check() == claim.check()

    @EACH
    def test_of_something_else(self, claim: Claim) -> None:
        with pytest.raises(SignatureError, match=FORGED):
            claim.certified.check(DATA + b"!")

    @EACH
    def test_of_somebody_else(self, claim: Claim) -> None:
        other = Draft(string(b"ssh-ed25519") + string(b"k" * 32)).body
        if claim.algorithm == "ssh-ed25519":
            with pytest.raises(SignatureError, match=FORGED):
                Claim(claim.certified.algorithm, other, claim.signature).check()
        else:
            with pytest.raises(SignatureError, match=r"^key is not of the type"):
                Claim(claim.certified.algorithm, other, claim.signature).check()

    @EACH
    def test_is_not_taken_for_its_key_nor_its_key_for_it(self, claim: Claim) -> None:
        certified = claim.certified
        for algorithm, blob in (
            (claim.algorithm, certified.blob),
            (certified.algorithm, claim.blob),
        ):
            with pytest.raises(SignatureError, match=r"^key is not of the type that the algo"):
                Claim(algorithm, blob, claim.signature).check()

    @EACH
    def test_signs_under_the_label_of_its_key(self, claim: Claim) -> None:
        certified = claim.certified
        rest = claim.signature[4 + len(claim.algorithm) :]
        for label in (certified.algorithm, "ssh-rsa", "ssh-rsa-cert-v01@openssh.com"):
            relabelled = string(label.encode()) + rest
            with pytest.raises(SignatureError, match=r"^signature is of another algorithm than"):
                Claim(certified.algorithm, certified.blob, relabelled).check()

    def test_rsa_hash_that_was_not_named(self) -> None:
        certified = CLAIMS["rsa-sha2-256"].certified
        with pytest.raises(SignatureError, match=r"^signature is of another algorithm than"):
            Claim(
                CERTIFICATE_ALGORITHMS["rsa-sha2-512"], certified.blob, certified.signature
            ).check()

    @EACH
    def test_cut_before_the_end_of_its_key(self, claim: Claim) -> None:
        certified = claim.certified
        label, nonce = len(string(certified.blob[4:].split(b"\0")[0])), 4 + 32
        for size in range(len(claim.blob) - 1):
            with pytest.raises(SignatureError):
                Claim(certified.algorithm, certified.blob[:size], claim.signature).check()
        with pytest.raises(SignatureError, match=FORGED):
            Claim(certified.algorithm, certified.blob[: label + nonce], claim.signature).check()

    def test_that_is_too_long_is_not_looked_at(self) -> None:
        claim = CLAIMS["ssh-ed25519"]
        blob = claim.certified.blob.ljust(MAXIMUM_CERTIFICATE_BYTES + 1, b"\0")
        assert Claim(claim.certified.algorithm, blob[:-1], claim.signature).check()
        with pytest.raises(SignatureError, match=FORGED):
            Claim(claim.certified.algorithm, blob, claim.signature).check()


class TestKeyType:
    @EACH
    def test_is_that_of_the_blobs(self, claim: Claim) -> None:
        for offered in (claim, claim.certified):
            key_type = key_type_of(offered.algorithm)
            assert key_type
            assert offered.blob.startswith(string(key_type.encode()))

    @pytest.mark.parametrize(
        "algorithm", ["ssh-rsa", "ssh-rsa-cert-v01@openssh.com", "ssh-dss", "", "rsa-sha2-1"]
    )
    def test_of_what_is_not_accepted(self, algorithm: str) -> None:
        assert key_type_of(algorithm) is None


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
        claim = CLAIMS["rsa-sha2-256"]
        padded = string(b"rsa-sha2-256") + string(b"\0" + claim.signature[-256:])
        with pytest.raises(SignatureError, match=FORGED):
            Claim(claim.algorithm, claim.blob, padded).check()


class TestSecurityKey:
    @pytest.mark.parametrize(
        ("flags", "proof"),
        [
            (0x00, Proof(touched=False, verified=False)),
            (0x01, Proof(touched=True, verified=False)),
            (0x04, Proof(touched=False, verified=True)),
            (0x05, Proof(touched=True, verified=True)),
            (0xFA, Proof(touched=False, verified=False)),
            (0xFF, Proof(touched=True, verified=True)),
        ],
    )
    def test_says_whether_somebody_touched_it_and_it_knew_them(
        self, flags: int, proof: Proof
    ) -> None:
        for claim in (by_sk_ed25519(flags), by_sk_ecdsa(flags)):
            assert claim.check() == claim.certified.check() == proof

    @pytest.mark.parametrize("algorithm", [name for name in CLAIMS if name[:3] != "sk-"])
    def test_is_no_other_key(self, algorithm: str) -> None:
        claim = CLAIMS[algorithm]
        assert claim.check() == claim.certified.check() == Proof(touched=None, verified=None)

    def test_any_counter_will_do(self) -> None:
        by_sk_ed25519(counter=0).check()
        by_sk_ecdsa(counter=2**32 - 1).check()

    @pytest.mark.parametrize("at", [-1, -5])
    @pytest.mark.parametrize("claim", [by_sk_ed25519(), by_sk_ecdsa()], ids=["ed25519", "ecdsa"])
    def test_counter_and_flags_are_signed(self, claim: Claim, at: int) -> None:
        changed = bytearray(claim.signature)
        changed[at] ^= 0x04
        with pytest.raises(SignatureError, match=FORGED):
            Claim(claim.algorithm, claim.blob, bytes(changed)).check()

    def test_application_is_signed(self) -> None:
        claim = by_sk_ed25519()
        blob = claim.blob.replace(b"ssh:", b"web:")
        with pytest.raises(SignatureError, match=FORGED):
            Claim(claim.algorithm, blob, claim.signature).check()


class TestNonsense:
    @pytest.mark.parametrize("exponent", [0, 1, 2, 3, 65536, 2**64 + 1])
    @pytest.mark.parametrize("modulus", [0, 1, 15, 2**64 + 1, 2**2048 + 1])
    def test_rsa_numbers_that_are_none(self, exponent: int, modulus: int) -> None:
        blob = string(b"ssh-rsa") + number(exponent) + number(modulus)
        for size in (0, 1, 256):
            with pytest.raises(SignatureError):
                Claim("rsa-sha2-256", blob, string(b"rsa-sha2-256") + string(bytes(size))).check()

    @pytest.mark.parametrize("numbers", [(0, 0), (0, 1), (1, 1), (2**4096, 1)])
    def test_ecdsa_numbers_that_are_none(self, numbers: tuple[int, int]) -> None:
        claim = CLAIMS["ecdsa-sha2-nistp256"]
        forged = string(b"ecdsa-sha2-nistp256") + string(number(numbers[0]) + number(numbers[1]))
        with pytest.raises(SignatureError, match=FORGED):
            Claim(claim.algorithm, claim.blob, forged).check()

    @pytest.mark.parametrize("content", [b"", b"\0", b"\4" + bytes(64), b"\4" + b"\xff" * 64])
    def test_points_that_are_none(self, content: bytes) -> None:
        claim = CLAIMS["ecdsa-sha2-nistp256"]
        blob = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(content)
        with pytest.raises(SignatureError, match=FORGED):
            Claim(claim.algorithm, blob, claim.signature).check()

    @settings(deadline=None, max_examples=200)
    @given(
        st.sampled_from([*CLAIMS, *CERTIFICATE_ALGORITHMS.values()]),
        st.binary(),
        st.binary(),
        st.binary(),
    )
    def test_any_bytes_are_refused(
        self, algorithm: str, blob: bytes, signature: bytes, data: bytes
    ) -> None:
        with pytest.raises(SignatureError):
            verify(algorithm, blob, signature, data)

    @settings(deadline=None, max_examples=200)
    @given(
        st.sampled_from(sorted(CLAIMS)),
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
    @given(st.sampled_from(sorted(CLAIMS)), st.data())
    def test_a_byte_changed_anywhere_is_refused(self, algorithm: str, data: st.DataObject) -> None:
        claim = CLAIMS[algorithm]
        signature = bytearray(claim.signature)
        at = data.draw(st.integers(0, len(signature) - 1))
        signature[at] ^= data.draw(st.integers(1, 255))
        with pytest.raises(SignatureError):
            Claim(algorithm, claim.blob, bytes(signature)).check()


@pytest.mark.parametrize(
    ("exponent", "modulus"),
    [(2**33 + 1, 2**2047 + 1), (65537, 2**16384 + 1)],
    ids=["exponent", "modulus"],
)
def test_an_rsa_key_that_would_take_long_is_not_looked_at(exponent: int, modulus: int) -> None:
    blob = string(b"ssh-rsa") + number(exponent) + number(modulus)
    with pytest.raises(SignatureError, match="too large"):
        Claim("rsa-sha2-256", blob, string(b"rsa-sha2-256") + string(bytes(256))).check()
