"""The streams of packets: version line, sizes, sequence numbers, keys."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.ssh.ciphers import PLAIN_SEALER, Opener, Sealer, new_opener, new_sealer
from conch_insults.ssh.packet_stream import PacketStream
from conch_insults.wire import ProtocolError

CHACHA = b"chacha20-poly1305@openssh.com"


def keys(number: int) -> tuple[Sealer, Opener]:
    material = (CHACHA, b"", b"", bytes((number,)) * 64, b"")
    return new_sealer(*material), new_opener(*material)


def version_of(data: bytes) -> bytes | None:
    stream = PacketStream(35_000)
    stream.receive(data)
    return stream.next_version()


# The version line


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_the_version_is_a_line_without_its_ending(ending: bytes) -> None:
    assert version_of(b"SSH-2.0-x y" + ending + b"rest") == b"SSH-2.0-x y"


def test_the_version_may_come_byte_by_byte_with_a_packet_behind_it() -> None:
    stream = PacketStream(35_000)
    for byte in b"SSH-2.0-x\r":
        stream.receive(bytes((byte,)))
        assert stream.next_version() is None
    stream.receive(b"\n" + PLAIN_SEALER.seal(0, b"hello"))
    assert stream.next_version() == b"SSH-2.0-x"
    assert stream.next_payload() == b"hello"


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\n",
        b"SSH-1.5-old\r\n",
        b"SSH-1.99-old\r\n",
        b"\r\n",
        b"\n",
        b"SSH\n",
        b"SSH-2.0\r\n",
        b"welcome\r\nSSH-2.0-x\r\n",
        b"ssh-2.0-x\r\n",
        b"S" * 8,
        b"X",
        b"\0\0\0\x0c",
    ],
)
def test_what_is_no_client_is_found_out(line: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"no SSH 2\.0 client"):
        version_of(line)


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_a_version_has_255_bytes_with_its_ending_at_most(ending: bytes) -> None:
    line = b"SSH-2.0-".ljust(254, b"x")
    assert version_of(line + ending) == (line if ending else None)
    with pytest.raises(ProtocolError):
        version_of(line + b"x" + ending)


# Packets


def test_packets_come_one_after_another_however_they_are_cut() -> None:
    ours, theirs = PacketStream(35_000), PacketStream(35_000)
    sent = [bytes((number,)) * (number * 100 + 1) for number in range(20)]
    received = []
    for byte in b"".join(map(ours.seal, sent)):
        theirs.receive(bytes((byte,)))
        payload = theirs.next_payload()
        if payload is not None:
            received.append(payload)
    assert received == sent
    assert theirs.incoming_sequence == 20


def test_the_limit_can_be_raised() -> None:
    stream = PacketStream(35_000)
    packet = PLAIN_SEALER.seal(0, b"x" * 36_000)
    stream.receive(packet[:4])
    with pytest.raises(ProtocolError, match="bad packet length"):
        stream.next_payload()
    stream.limit = 256 * 1024
    stream.receive(packet[4:])
    assert stream.next_payload() == b"x" * 36_000


@pytest.mark.parametrize(("limit", "length"), [(35_000, 35_000), (256 * 1024, 256 * 1024)])
def test_the_limit_is_of_the_packet_length(limit: int, length: int) -> None:
    stream = PacketStream(limit)
    stream.receive(struct.pack(">L", length - (length + 4) % 8))
    assert stream.next_payload() is None
    stream = PacketStream(limit)
    stream.receive(struct.pack(">L", length + 8 - (length + 4) % 8))
    with pytest.raises(ProtocolError, match="bad packet length"):
        stream.next_payload()


def test_what_has_been_taken_is_not_kept() -> None:
    ours, theirs = PacketStream(35_000), PacketStream(35_000)
    for _ in range(1000):
        theirs.receive(ours.seal(b"x" * 1000))
        assert theirs.next_payload() is not None
    assert not theirs._buffer


def test_both_directions_count_the_bytes_under_the_keys() -> None:
    stream = PacketStream(35_000)
    sent = stream.seal(b"x" * 100)
    stream.receive(PLAIN_SEALER.seal(0, b"y"))
    assert stream.next_payload() == b"y"
    assert stream.bytes_since_keys == len(sent) + 16
    stream.switch_incoming(keys(1)[1], reset=True)
    assert stream.bytes_since_keys == len(sent) + 16
    stream.switch_outgoing(keys(1)[0], reset=True)
    assert stream.bytes_since_keys == 0


# Keys and sequence numbers, against ciphers told which number to use.


@pytest.mark.parametrize(("reset", "number"), [(True, 0), (False, 3)])
def test_new_keys_count_from_zero_only_if_they_are_told(reset: bool, number: int) -> None:
    stream, (sealer, opener) = PacketStream(35_000), keys(1)
    for _ in range(3):
        stream.receive(stream.seal(b"plain"))
        assert stream.next_payload() == b"plain"
    stream.switch_outgoing(sealer, reset=reset)
    assert opener.open(number, stream.seal(b"secret")) == b"secret"
    stream.switch_incoming(opener, reset=reset)
    stream.receive(sealer.seal(number, b"answer"))
    assert stream.next_payload() == b"answer"
    assert stream.incoming_sequence == number + 1


def test_numbers_start_again_after_the_last() -> None:
    last, (sealer, opener) = 2**32 - 1, keys(1)
    stream = PacketStream(35_000)
    stream.switch_outgoing(sealer, reset=True)
    stream.switch_incoming(opener, reset=True)
    stream.incoming_sequence = stream._outgoing_sequence = last
    for number in (last, 0, 1):
        assert opener.open(number, stream.seal(b"out")) == b"out"
        stream.receive(sealer.seal(number, b"in"))
        assert stream.next_payload() == b"in"
    assert stream.incoming_sequence == 2


def test_a_packet_under_old_keys_is_not_taken() -> None:
    stream, old, new = PacketStream(35_000), keys(1), keys(2)
    stream.switch_incoming(old[1], reset=True)
    stream.receive(old[0].seal(0, b"old"))
    assert stream.next_payload() == b"old"
    stream.switch_incoming(new[1], reset=True)
    stream.receive(old[0].seal(0, b"old") + bytes(40_000))
    with pytest.raises(ProtocolError):
        stream.next_payload()


@settings(deadline=None, max_examples=200)
@given(st.lists(st.binary(max_size=100), max_size=5))
def test_no_bytes_make_it_fail_otherwise(pieces: list[bytes]) -> None:
    stream = PacketStream(35_000)
    try:
        for piece in pieces:
            stream.receive(piece)
            while stream.next_payload() is not None:
                pass
    except ProtocolError as error:
        assert str(error)  # noqa: PT017 - either end is right
