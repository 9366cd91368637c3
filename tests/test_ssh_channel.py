"""A session channel: requests, flow control in both directions, the end."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from twisted.conch.ssh import connection as messages
from twisted.conch.ssh.common import NS
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IPushProducer
from zope.interface.verify import verifyClass

from conch_insults.ssh.channel import WINDOW_SIZE, SessionTransport
from tests.ssh_peer import ConnectionPeer

if TYPE_CHECKING:
    from conch_insults.protocol import InsultProtocol

SUCCESS, FAILURE = ("CHANNEL_SUCCESS", 7), ("CHANNEL_FAILURE", 7)
ENDED = [("CHANNEL_EOF", 7), ("exit-status", 7, 0), ("CHANNEL_CLOSE", 7)]


def opened() -> ConnectionPeer:
    peer = ConnectionPeer()
    peer.open()
    peer.received()
    return peer


def test_environment_is_accepted_and_ignored() -> None:
    peer = opened()
    peer.request(b"env", NS(b"LANG") + NS(b"\xff"))
    peer.request(b"env", NS(b"LANG"))
    assert peer.received() == [SUCCESS, FAILURE]


@pytest.mark.parametrize(
    "name",
    [
        b"subsystem",
        b"auth-agent-req@openssh.com",
        b"x11-req",
        b"signal",
        b"break",
        b"xon-xoff",
        b"made-up",
        b"\xc3\xa9",
        b"",
    ],
)
def test_everything_else_is_refused_and_the_session_goes_on(name: bytes) -> None:
    peer = opened()
    peer.request(name, NS(b"sftp"))
    peer.request(name, NS(b"sftp"), wants_reply=False)
    assert peer.received() == [FAILURE]
    peer.request(b"exec", NS(b"perl"))
    assert peer.output() == b"Line noise.\n"


@pytest.mark.parametrize("name", [b"exec", b"pty-req", b"env", b"window-change"])
@pytest.mark.parametrize("data", [b"", b"\0\0\0\5ab", b"\xff\xff\xff\xff"])
def test_a_request_cut_off_is_refused(name: bytes, data: bytes) -> None:
    peer = opened()
    peer.request(name, data)
    assert peer.received() == [FAILURE]
    assert peer.disconnected is None


@pytest.mark.parametrize("second", [b"shell", b"exec"])
def test_a_session_starts_once(second: bytes) -> None:
    peer = opened()
    peer.request(b"shell")
    peer.request(second, NS(b"perl"))
    assert peer.received() == [SUCCESS, FAILURE]


@pytest.mark.parametrize("size", [(0, 0), (80, 24), (65535, 65535), (2**32 - 1, 2**32 - 1)])
def test_a_terminal_of_any_size_is_granted_once(size: tuple[int, int]) -> None:
    peer = opened()
    peer.pty(*size)
    peer.pty(*size)
    assert peer.received() == [SUCCESS, FAILURE]
    peer.request(b"shell")
    peer.pty(*size)
    peer.request(b"window-change", struct.pack(">4L", *size, 0, 0), wants_reply=False)
    received = peer.received()
    assert received[0] == SUCCESS
    assert FAILURE in received
    peer.data(b"perl\r")
    assert b"Line noise." in peer.output()


def test_a_window_change_without_a_terminal_changes_nothing() -> None:
    peer = opened()
    peer.request(b"window-change", struct.pack(">4L", 10, 10, 0, 0))
    peer.request(b"shell")
    peer.request(b"window-change", struct.pack(">4L", 10, 10, 0, 0))
    peer.data(b"perl\n")
    assert peer.received() == [SUCCESS] * 3 + [("CHANNEL_DATA", 7, b"Line noise.\n")]


def test_input_that_comes_before_the_shell_waits_for_it() -> None:
    peer = opened()
    peer.data(b"perl\nco")
    peer.data(b"bol")
    peer.eof()
    assert not peer.received()
    peer.request(b"shell")
    assert peer.received() == [SUCCESS, ("CHANNEL_DATA", 7, b"Line noise.\n"), *_fossil_and_end()]


def _fossil_and_end() -> list[tuple[object, ...]]:
    return [("CHANNEL_DATA", 7, b"Fossil.\n"), *ENDED]


def test_a_greeting_that_has_to_wait_for_the_window_is_not_taken_for_input() -> None:
    peer = ConnectionPeer()
    peer.open(window=0)
    peer.pty()
    peer.request(b"shell")
    assert not peer.output()
    peer.adjust(1 << 20)
    screen = peer.output()
    assert screen.count(b"alice") == 1
    assert screen.endswith(b"> \x1b[m")


def test_extended_data_is_not_input() -> None:
    peer = ConnectionPeer()
    peer.shell()
    peer.send(messages.MSG_CHANNEL_EXTENDED_DATA, struct.pack(">2L", 0, 1) + NS(b"perl\n"))
    assert not peer.received()


def test_a_shut_window_holds_output_and_input_back() -> None:
    peer = ConnectionPeer()
    peer.shell(window=10)
    promised = WINDOW_SIZE
    channel = peer.service.channels[0]
    while promised >= 5000:
        peer.data(b"perl\n" * 1000)
        promised -= 5000
    assert peer.received() == [("CHANNEL_DATA", 7, b"Line noise")]
    assert len(channel.buf) < 100_000
    output = b"Line noise"
    while True:
        peer.adjust(10_000)
        got = peer.received()
        output += b"".join(item[2] for item in got if item[0] == "CHANNEL_DATA")
        promised += sum(item[2] for item in got if item[0] == "CHANNEL_WINDOW_ADJUST")
        assert len(channel.buf) < 100_000
        if not got:
            break
    assert output == b"Line noise.\n" * (output.count(b"\n"))
    assert output.count(b"\n") == 13_000
    assert promised > WINDOW_SIZE // 2


def test_the_end_waits_for_the_window_too() -> None:
    peer = ConnectionPeer()
    peer.open(window=4)
    peer.request(b"exec", NS(b"perl"))
    assert peer.received()[2:] == [("CHANNEL_DATA", 7, b"Line")]
    peer.adjust(100)
    assert peer.received() == [("CHANNEL_DATA", 7, b" noise.\n"), *ENDED]


def test_a_peer_that_closes_before_it_has_read_is_let_go() -> None:
    peer = ConnectionPeer()
    peer.open(window=4)
    peer.request(b"exec", NS(b"perl"))
    peer.received()
    peer.close()
    assert peer.received() == ENDED
    assert not peer.service.channels
    assert not peer.conversations.sessions


def test_a_peer_that_closes_at_once_is_answered_in_kind() -> None:
    peer = opened()
    peer.close()
    assert peer.received() == ENDED
    assert not peer.service.channels


def test_the_application_hears_of_the_end_exactly_once() -> None:
    for end in (
        lambda peer: peer.close(),
        lambda peer: (peer.data(b"quit\n"), peer.close()),
        lambda peer: (peer.eof(), peer.close()),
        lambda peer: peer.service.serviceStopped(),
        lambda peer: (peer.data(b"quit\n"), peer.service.serviceStopped()),
    ):
        peer = ConnectionPeer()
        peer.shell()
        (conversation,) = peer.conversations.sessions
        ends: list[InsultProtocol] = []
        conversation._ended = ends.append
        end(peer)
        assert ends == [conversation]


def test_two_sessions_of_one_connection_do_not_meet() -> None:
    peer = ConnectionPeer()
    peer.shell(7)
    peer.open(8)
    peer.pty(20, 5, to=1)
    peer.request(b"shell", to=1)
    peer.received()
    peer.data(b"pe", to=0)
    peer.data(b"cob", to=1)
    peer.data(b"rl\n", to=0)
    assert b"Line noise.\n" in peer.output(7)
    peer.data(b"ol\r", to=1)
    assert b"Fossil.\r\n" in peer.output(8)
    peer.close(to=0)
    peer.received()
    peer.data(b"perl\r", to=1)
    assert b"Line noise.\r\n" in peer.output(8)


def test_the_session_is_a_transport_and_a_producer() -> None:
    assert verifyClass(IPushProducer, SessionTransport)
    peer = ConnectionPeer()
    peer.shell()
    transport = peer.service.channels[0].client
    assert transport is not None
    assert transport.getPeer() == IPv4Address("TCP", "192.0.2.1", 1)
    transport.stopProducing()
    transport.write(b"too late")
    assert peer.received() == ENDED
