"""Authenticator data: what it holds, and the many ways in which it can be malformed."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.authenticator_data import (
    AuthenticatorData,
    credential_of,
    parse_authenticator_data,
)
from conch_insults.errors import PublicKeyError
from tests.sample_keys import public_key, public_rsa_key
from tests.software_authenticator import (
    AAGUID,
    CREDENTIAL_INCLUDED,
    EXTENSIONS_INCLUDED,
    USER_PRESENT,
    USER_VERIFIED,
    SecurityKey,
    authenticator_data,
    byte_string,
)

if TYPE_CHECKING:
    from conch_insults.access.public_key import PublicKey

KEY = SecurityKey.ed25519()
GOOD = authenticator_data(KEY)
MALFORMED = "^attestation's authenticator data is malformed: copy the file again$"
WITH_EXTENSIONS = USER_PRESENT | CREDENTIAL_INCLUDED | EXTENSIONS_INCLUDED
# What keys that are made with -O verify-required come with: {"credProtect": 3}.
CRED_PROTECT = b"\xa1\x6bcredProtect\x03"


def parsed(data: bytes) -> AuthenticatorData:
    return parse_authenticator_data(byte_string(data))


def malformed(encoded: bytes) -> None:
    with pytest.raises(PublicKeyError, match=MALFORMED):
        parse_authenticator_data(encoded)


class TestWhatItSays:
    @pytest.mark.parametrize("key", [KEY, SecurityKey.ecdsa()], ids=["ed25519", "ecdsa"])
    def test_names_the_key_its_application_and_the_model(self, key: SecurityKey) -> None:
        data = authenticator_data(key)
        said = parsed(data)
        assert said.credential == credential_of(key.public)
        assert said.credential.key == key.cose
        assert said.credential.application_hash == sha256(b"ssh:").digest()
        assert (said.aaguid, said.signed) == (AAGUID, data)

    @pytest.mark.parametrize("flags", [0, USER_VERIFIED, USER_PRESENT | USER_VERIFIED, 0x18])
    def test_tells_whether_somebody_was_there_and_the_key_can_leave(self, flags: int) -> None:
        said = parsed(authenticator_data(KEY, flags=flags | CREDENTIAL_INCLUDED))
        assert said.user_present == bool(flags & 0x01)
        assert said.backup_eligible == bool(flags & 0x08)

    @pytest.mark.parametrize(
        "extensions",
        [
            b"\xa0",
            CRED_PROTECT,
            b"\xa2\x6bcredProtect\x02\x6bhmac-secret\xf5",
            b"\xa1\x61a\xa1\x61b\x81\x81\x20",
            b"\xa1\x61a\x58\x18" + bytes(24),
            b"\xa1\x74" + b"x" * 20 + b"\x83\xf4\xf5\xf6",
            b"\xa1\x61a\x17",
            b"\xa1\x61a\x19\x01\x00",
            b"\xa1\x61a\x1a\x00\x01\x00\x00",
        ],
        ids=[
            "none",
            "credProtect",
            "two",
            "nested",
            "bytes",
            "simple-values",
            "number-in-the-first-byte",
            "number-of-two-bytes",
            "number-of-four-bytes",
        ],
    )
    def test_may_have_extensions(self, extensions: bytes) -> None:
        data = authenticator_data(KEY, flags=WITH_EXTENSIONS, extensions=extensions)
        assert parsed(data).credential == credential_of(KEY.public)

    @pytest.mark.parametrize("size", [0, 1, 1023])
    def test_may_have_a_key_handle_of_any_usual_length(self, size: int) -> None:
        assert parsed(authenticator_data(KEY, credential_id=bytes(size))).aaguid == AAGUID


class TestWhatItCannotSay:
    def test_no_key(self) -> None:
        with pytest.raises(PublicKeyError, match=r"^attestation has no key in it: "):
            parsed(authenticator_data(KEY, flags=USER_PRESENT))

    def test_no_model(self) -> None:
        with pytest.raises(PublicKeyError, match=r"^attestation is of a U2F token, which has no"):
            parsed(GOOD.replace(AAGUID.bytes, bytes(16)))

    def test_a_key_handle_that_is_too_long(self) -> None:
        malformed(byte_string(authenticator_data(KEY, credential_id=bytes(1024))))

    def test_less_than_everything(self) -> None:
        for size in range(len(GOOD)):
            with pytest.raises(PublicKeyError):
                parsed(GOOD[:size])
            malformed(byte_string(GOOD)[:size])

    def test_more_than_everything(self) -> None:
        malformed(byte_string(GOOD) + b"\0")
        malformed(byte_string(GOOD + b"\0"))
        malformed(byte_string(GOOD + CRED_PROTECT))

    @pytest.mark.parametrize(
        "encoded",
        [
            GOOD,
            b"\x78" + byte_string(GOOD)[1:],
            b"\x59\x00" + byte_string(GOOD)[1:],
            b"\x5a\x00\x00\x00" + byte_string(GOOD)[1:],
            b"\x5b" + len(GOOD).to_bytes(8, "big") + GOOD,
            b"\x5f" + byte_string(GOOD) + b"\xff",
            b"\xc0" + byte_string(GOOD),
            b"\x81" + byte_string(GOOD),
            b"\x58",
            b"\x58" + bytes((len(GOOD) - 1,)) + GOOD,
            b"\x58" + bytes((len(GOOD) + 1,)) + GOOD,
            b"\x5a\xff\xff\xff\xff",
        ],
        ids=[
            "bare",
            "text",
            "longer-length",
            "still-longer-length",
            "longest-length",
            "indefinite",
            "tagged",
            "array",
            "length-cut-short",
            "length-too-small",
            "length-too-large",
            "more-than-there-is",
        ],
    )
    def test_in_another_form(self, encoded: bytes) -> None:
        malformed(encoded)

    @pytest.mark.parametrize(
        "cose",
        [
            b"",
            byte_string(KEY.cose),
            KEY.cose[:-1],
            b"\xa5" + KEY.cose[1:],
            b"\xbf" + KEY.cose[1:] + b"\xff",
            b"\xba\xff\xff\xff\xff" + KEY.cose[1:],
        ],
        ids=["none", "in-bytes", "cut-short", "a-pair-too-few", "indefinite", "false-count"],
    )
    def test_a_key_that_is_no_map(self, cose: bytes) -> None:
        malformed(byte_string(authenticator_data(KEY, cose=cose)))

    @pytest.mark.parametrize(
        "extensions",
        [
            b"",
            b"\x6bcredProtect",
            CRED_PROTECT[:-1],
            CRED_PROTECT + b"\0",
            b"\xa1\x61a\x18\x17",
            b"\xa1\x61a\x19\x00\xff",
            b"\xa1\x61a\x1a\x00\x00\xff\xff",
            b"\xa1\x61a\x1b" + bytes(7) + b"\x01",
            b"\xa1\x61a\xc1\x00",
            b"\xa1\x61a\xf7",
            b"\xa1\x61a\xf9\x00\x00",
            b"\xa1\x61a\xa1\x61b\x81\x81\x81\x00",
            b"\xa1\x61a\x9f\xff",
            b"\xa1\x61a\x9f\x01\x00",
            b"\xa1\x61a\x5a\xff\xff\xff\xff",
            b"\xa1\x61a" + b"\x81" * 10_000,
            b"\xa1\x61a\x9a\xff\xff\xff\xff" + bytes(1000),
        ],
        ids=[
            "none",
            "text",
            "cut-short",
            "a-byte-after-them",
            "number-in-a-byte-too-many",
            "number-in-two-bytes-for-one",
            "number-in-four-bytes-for-two",
            "number-of-eight-bytes",
            "tag",
            "undefined",
            "float",
            "too-deep",
            "indefinite",
            "reserved",
            "more-than-there-is",
            "very-deep",
            "false-count",
        ],
    )
    def test_extensions_that_are_not_one_map(self, extensions: bytes) -> None:
        data = authenticator_data(KEY, flags=WITH_EXTENSIONS, extensions=extensions)
        malformed(byte_string(data))

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=100))
    def test_anything(self, tail: bytes) -> None:
        data = GOOD[: -len(KEY.cose)] + tail
        flagged = data[:32] + bytes((WITH_EXTENSIONS,)) + data[33:]
        for encoded in (tail, byte_string(data), byte_string(flagged)):
            with suppress(PublicKeyError):
                assert parse_authenticator_data(encoded).signed in encoded


class TestAKey:
    def test_of_another_application_is_another_credential(self) -> None:
        here = credential_of(KEY.public)
        there = credential_of(SecurityKey.ed25519(application="ssh:work").public)
        assert here.key == there.key
        assert here.application_hash != there.application_hash

    @pytest.mark.parametrize("key", [public_key(1), public_rsa_key()], ids=["ed25519", "rsa"])
    def test_that_no_authenticator_holds_is_no_credential(self, key: PublicKey) -> None:
        with pytest.raises(PublicKeyError, match=r"^key is not held by a security key.*ed25519-sk"):
            credential_of(key)
