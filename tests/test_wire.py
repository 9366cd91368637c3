"""Reading what SSH packs: every type, and every way to be cut short."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable


def string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


READS: dict[str, Callable[[Fields], object]] = {
    "uint32": Fields.uint32,
    "byte": Fields.byte,
    "boolean": Fields.boolean,
    "string": Fields.string,
    "mpint": Fields.mpint,
    "rest": Fields.rest,
}


class TestFields:
    def test_a_message_is_read_from_the_left(self) -> None:
        fields = Fields(b"\x05" + string(b"ssh-userauth") + b"\0\0\1\2" + b"\1\0" + b"tail")
        assert fields.byte() == 5
        assert fields.string() == b"ssh-userauth"
        assert fields.uint32() == 258
        assert fields.boolean()
        assert not fields.boolean()
        assert fields.rest() == b"tail"
        fields.end()

    def test_everything_but_zero_is_true(self) -> None:
        assert Fields(b"\xff").boolean()

    def test_bounds_of_a_number(self) -> None:
        assert Fields(b"\xff" * 4).uint32() == 2**32 - 1
        assert Fields(bytes(4)).uint32() == 0

    @pytest.mark.parametrize(
        ("packed", "value"),
        [
            # The examples of RFC 4251, section 5, that are not negative.
            ("00000000", 0),
            ("00000008 09a378f9b2e332a7", 0x9A378F9B2E332A7),
            ("00000002 0080", 0x80),
        ],
    )
    def test_mpint(self, packed: str, value: int) -> None:
        fields = Fields(bytes.fromhex(packed))
        assert fields.mpint() == value
        fields.end()

    @pytest.mark.parametrize("packed", ["00000002 edcc", "00000005 ff21524111"])
    def test_negative_mpint(self, packed: str) -> None:
        with pytest.raises(ProtocolError, match=r"^number is negative$"):
            Fields(bytes.fromhex(packed)).mpint()

    @pytest.mark.parametrize(
        ("read", "data"),
        [
            ("uint32", b"\0\0\0"),
            ("byte", b""),
            ("boolean", b""),
            ("string", b""),
            ("string", b"\0\0\0"),
            ("string", b"\0\0\0\2a"),
            ("string", b"\xff\xff\xff\xffabc"),
            ("mpint", b"\0\0\0\2\1"),
        ],
    )
    def test_too_short(self, read: str, data: bytes) -> None:
        with pytest.raises(ProtocolError, match=r"^packet too short$"):
            READS[read](Fields(data))

    def test_end_with_something_left(self) -> None:
        fields = Fields(b"ab")
        fields.byte()
        with pytest.raises(ProtocolError, match=r"^packet too long$"):
            fields.end()

    def test_rest_of_nothing(self) -> None:
        fields = Fields(b"")
        assert fields.rest() == b""
        fields.end()

    @settings(deadline=None, max_examples=200)
    @given(st.binary(), st.integers(0), st.integers(0, 2**32 - 1), st.binary())
    def test_what_was_packed_is_read(self, text: bytes, size: int, count: int, tail: bytes) -> None:
        fields = Fields(string(text) + count.to_bytes(4, "big") + tail)
        assert (fields.string(), fields.uint32(), fields.rest()) == (text, count, tail)
        positive = string(size.to_bytes(size.bit_length() // 8 + 1, "big"))
        assert Fields(positive).mpint() == size

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=64), st.lists(st.sampled_from(sorted(READS))))
    def test_any_bytes_are_read_or_refused(self, data: bytes, reads: list[str]) -> None:
        fields = Fields(data)
        with suppress(ProtocolError):
            for read in reads:
                READS[read](fields)
            assert data.endswith(fields.rest())
            fields.end()
