"""The AAGUID in an attestation certificate: one OCTET STRING in DER, and no other spelling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.aaguid import certified_aaguid, parse_aaguid
from conch_insults.errors import PublicKeyError
from tests.software_authenticator import (
    AAGUID,
    NO_AUTHORITY,
    aaguid_extension,
    make_attester,
    make_root,
)

MALFORMED = "^attestation certificate's AAGUID is not 16 bytes in DER$"
VALUE = b"\x04\x10" + AAGUID.bytes
ROOT = make_root()


class TestTheExtension:
    def test_is_read_from_a_certificate(self) -> None:
        assert certified_aaguid(make_attester(ROOT).certificate) == AAGUID

    def test_is_missing(self) -> None:
        attester = make_attester(ROOT, extensions=(NO_AUTHORITY,))
        with pytest.raises(PublicKeyError, match=r"names no AAGUID, .*: use an authenticator that"):
            certified_aaguid(attester.certificate)

    def test_is_critical(self) -> None:
        extensions = (NO_AUTHORITY, aaguid_extension(critical=True))
        with pytest.raises(PublicKeyError, match=r"AAGUID is marked as critical$"):
            certified_aaguid(make_attester(ROOT, extensions=extensions).certificate)

    def test_is_malformed(self) -> None:
        extensions = (NO_AUTHORITY, aaguid_extension(encoded=AAGUID.bytes))
        with pytest.raises(PublicKeyError, match=MALFORMED):
            certified_aaguid(make_attester(ROOT, extensions=extensions).certificate)


class TestItsValue:
    def test_is_sixteen_bytes(self) -> None:
        assert parse_aaguid(VALUE) == AAGUID

    @pytest.mark.parametrize(
        "encoded",
        [
            b"",
            VALUE[:-1],
            VALUE + b"\0",
            VALUE + VALUE,
            VALUE + bytes(100_000),
            b"\x04\x0f" + bytes(15),
            b"\x04\x11" + bytes(17),
            b"\x04\x00",
            b"\x0c" + VALUE[1:],
            b"\x84" + VALUE[1:],
            b"\x04\x81" + VALUE[1:],
            b"\x04\x82\x00" + VALUE[1:],
            b"\x04\x88\x80" + VALUE,
            b"\x24\x12" + VALUE,
            b"\x24\x80" + VALUE + b"\0\0",
            b"\x30\x12" + VALUE,
        ],
        ids=[
            "nothing",
            "cut-short",
            "a-byte-after-it",
            "two",
            "much-after-it",
            "15-bytes",
            "17-bytes",
            "no-bytes",
            "text",
            "another-tag",
            "longer-length",
            "still-longer-length",
            "length-of-eight-bytes",
            "constructed",
            "indefinite",
            "sequence",
        ],
    )
    def test_is_nothing_else(self, encoded: bytes) -> None:
        with pytest.raises(PublicKeyError, match=MALFORMED):
            parse_aaguid(encoded)

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=40) | st.binary(max_size=20).map(lambda tail: b"\x04" + tail))
    def test_any_bytes_are_read_or_refused(self, encoded: bytes) -> None:
        try:
            assert encoded == b"\x04\x10" + parse_aaguid(encoded).bytes
        except PublicKeyError:
            assert encoded[:2] != b"\x04\x10" or len(encoded) != len(VALUE)
