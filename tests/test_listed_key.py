from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.listed_key import listed_blob
from conch_insults.access.public_key import parse_blob
from conch_insults.errors import PublicKeyError
from tests.sample_keys import public_key, public_rsa_key

ED25519 = public_key(1).blob
RSA = public_rsa_key().blob


def packed(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">L", len(part)) + part for part in parts)


MODULUS = bytes((0, 128, *bytes(254), 1))
WEAK = bytes((0, 128, *bytes(30), 1))


def certificate(key_type: bytes, *key: bytes) -> bytes:
    """Return the start of a certificate; nothing of the rest matters here."""
    return packed(key_type + b"-cert-v01@openssh.com", b"nonce", *key) + b"more"


class TestListedBlob:
    def test_a_key_that_may_come_in_is_left_as_it_is(self) -> None:
        assert listed_blob(ED25519) == ED25519
        assert listed_blob(RSA) == RSA

    @pytest.mark.parametrize(
        "blob",
        [packed(b"ssh-rsa", b"\x03", WEAK), packed(b"ssh-dss", WEAK, b"\x11", b"\x02", b"")],
    )
    def test_a_key_that_may_not_is_listed_too(self, blob: bytes) -> None:
        with pytest.raises(PublicKeyError):
            parse_blob(blob)
        assert listed_blob(blob) == blob

    def test_numbers_get_the_spelling_that_they_have_at_login(self) -> None:
        padded = packed(b"ssh-rsa", b"\0\0\x01\0\x01", bytes(5) + MODULUS)
        assert listed_blob(padded) == packed(b"ssh-rsa", b"\x01\0\x01", MODULUS) == RSA

    def test_a_certificate_stands_for_its_key(self) -> None:
        assert listed_blob(certificate(b"ssh-ed25519", ED25519[-32:])) == ED25519
        assert listed_blob(certificate(b"ssh-rsa", b"\x01\0\x01", b"\0" + MODULUS)) == RSA

    @pytest.mark.parametrize(
        ("blob", "reason"),
        [
            (b"", "key is too short or too long"),
            (ED25519[:-1], "key is too short or too long"),
            (ED25519 + b"\0", "key is too short or too long"),
            (RSA[:-1], "key is too short or too long"),
            (RSA + b"\0", "key is too short or too long"),
            (packed(b"ssh-rsa", b"\x03", b"\x80"), "key is too short or too long"),
            (packed(b"ssh-dss", WEAK, b"\x11", b"\x02"), "key is too short or too long"),
            (packed(b"ssh-ed25519", bytes(31)), "not a valid Ed25519 key"),
            (packed(b"ecdsa-sha2-nistp256", b"nistp256", b"\x04" + bytes(64)), "not a point"),
            (packed(b"ssh-new", b"key"), "unknown key type 'ssh-new'"),
            (certificate(b"ssh-ed25519", bytes(31)), "not a valid Ed25519 key"),
            (certificate(b"ssh-ed25519")[:-4], "certificate is too short"),
        ],
    )
    def test_a_key_that_is_damaged_or_unknown(self, blob: bytes, reason: str) -> None:
        with pytest.raises(PublicKeyError, match=reason):
            listed_blob(blob)

    @settings(deadline=None)
    @given(st.binary(max_size=60), st.sampled_from(["ssh-rsa", "ssh-ed25519", "ssh-dss", ""]))
    def test_bytes_of_any_kind_raise_nothing_else(self, content: bytes, key_type: str) -> None:
        for start in (key_type, f"{key_type}-cert-v01@openssh.com"):
            with contextlib.suppress(PublicKeyError):
                listed_blob(packed(start.encode()) + content)
