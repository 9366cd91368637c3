"""The ssh-connection service against a peer that does everything, right and wrong."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.conch.ssh import connection as messages
from twisted.conch.ssh.common import NS

from conch_insults.ssh.channel import WINDOW_SIZE
from tests.ssh_peer import ConnectionPeer, insult_pack, started_conversations

OPENED = ("CHANNEL_OPEN_CONFIRMATION", 7, 0)


def test_a_session_is_opened_answered_and_closed() -> None:
    peer = ConnectionPeer()
    peer.open()
    assert peer.received() == [OPENED]
    peer.request(b"exec", NS(b"perl"))
    assert peer.received() == [
        ("CHANNEL_SUCCESS", 7),
        ("CHANNEL_DATA", 7, b"Line noise.\n"),
        ("CHANNEL_EOF", 7),
        ("exit-status", 7, 0),
        ("CHANNEL_CLOSE", 7),
    ]
    peer.close()
    assert not peer.service.channels
    assert not peer.received()
    assert peer.disconnected is None


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (b"direct-tcpip", 1),
        (b"direct-streamlocal@openssh.com", 1),
        (b"forwarded-tcpip", 1),
        (b"tun@openssh.com", 1),
        (b"x11", 1),
        (b"auth-agent@openssh.com", 1),
        (b"made-up", 3),
        (b"\xff\xfe", 3),
        (b"", 3),
    ],
)
def test_only_sessions_are_opened(kind: bytes, code: int) -> None:
    peer = ConnectionPeer()
    peer.open(kind=kind)
    ((name, channel, reason, _text),) = peer.received()
    assert (name, channel, reason) == ("CHANNEL_OPEN_FAILURE", 7, code)
    assert not peer.service.channels
    peer.open()
    assert peer.received() == [OPENED]


@pytest.mark.parametrize("size", [0, 1, 255])
def test_a_maximum_packet_size_that_would_flood_is_refused(size: int) -> None:
    peer = ConnectionPeer()
    peer.open(max_packet=size)
    ((name, _channel, code, _text),) = peer.received()
    assert (name, code) == ("CHANNEL_OPEN_FAILURE", 2)


def test_large_answers_are_cut_to_the_maximum_packet_size() -> None:
    topics = b"".join(b"topic %d: so-so\n" % number for number in range(100))
    peer = ConnectionPeer(started_conversations(insult_pack(topics)))
    peer.open(max_packet=256)
    peer.request(b"exec", NS(b"topics"))
    pieces = [item[2] for item in peer.received() if item[0] == "CHANNEL_DATA"]
    assert max(map(len, pieces)) == 256
    assert b"".join(pieces).endswith(b"\n")


@pytest.mark.parametrize("name", [b"tcpip-forward", b"keepalive@openssh.com", b"\xc3\xa9", b""])
def test_global_requests_are_refused(name: bytes) -> None:
    peer = ConnectionPeer()
    peer.send(messages.MSG_GLOBAL_REQUEST, NS(name) + b"\1rest")
    assert peer.received() == [("REQUEST_FAILURE",)]
    peer.send(messages.MSG_GLOBAL_REQUEST, NS(name) + b"\0")
    assert not peer.received()
    assert peer.disconnected is None


def test_an_answer_to_our_own_global_request_reaches_who_asked() -> None:
    peer = ConnectionPeer()
    answers: list[object] = []
    for _ in range(2):
        asked = peer.service.sendGlobalRequest
        peer.sendPacket = lambda *_: None  # type: ignore[method-assign]
        asked(b"keepalive@openssh.com", b"", wantReply=1).addBoth(answers.append)
    peer.send(messages.MSG_REQUEST_SUCCESS, b"yes")
    peer.send(messages.MSG_REQUEST_FAILURE, b"")
    assert answers[0] == b"yes"
    assert len(answers) == 2
    assert peer.disconnected is None


UINT32 = struct.pack(">L", 0)
WRONG = {
    "open cut off": (messages.MSG_CHANNEL_OPEN, NS(b"session") + UINT32),
    "open empty": (messages.MSG_CHANNEL_OPEN, b""),
    "length beyond the packet": (messages.MSG_CHANNEL_OPEN, b"\xff\xff\xff\xff"),
    "global request cut off": (messages.MSG_GLOBAL_REQUEST, NS(b"x")),
    "success that nobody waits for": (messages.MSG_REQUEST_SUCCESS, b""),
    "failure that nobody waits for": (messages.MSG_REQUEST_FAILURE, b""),
    "confirmation that nobody waits for": (
        messages.MSG_CHANNEL_OPEN_CONFIRMATION,
        struct.pack(">4L", 0, 0, 0, 0),
    ),
    "open failure that nobody waits for": (messages.MSG_CHANNEL_OPEN_FAILURE, UINT32),
    "channel success that nobody waits for": (messages.MSG_CHANNEL_SUCCESS, UINT32),
    "channel failure that nobody waits for": (messages.MSG_CHANNEL_FAILURE, UINT32),
    "data cut off": (messages.MSG_CHANNEL_DATA, UINT32 + b"\0\0\0\5abc"),
    "data without a channel": (messages.MSG_CHANNEL_DATA, b""),
    "request cut off": (messages.MSG_CHANNEL_REQUEST, UINT32 + NS(b"shell")),
    "adjust cut off": (messages.MSG_CHANNEL_WINDOW_ADJUST, UINT32),
    "eof cut off": (messages.MSG_CHANNEL_EOF, b"\0"),
    "close cut off": (messages.MSG_CHANNEL_CLOSE, b"\0"),
    "extended data cut off": (messages.MSG_CHANNEL_EXTENDED_DATA, UINT32 + UINT32),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_message_that_breaks_the_protocol_ends_the_connection(case: str) -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.received()
    peer.send(*WRONG[case])
    assert peer.disconnected
    assert not peer.received()


@pytest.mark.parametrize(
    "number",
    [
        messages.MSG_CHANNEL_REQUEST,
        messages.MSG_CHANNEL_DATA,
        messages.MSG_CHANNEL_EXTENDED_DATA,
        messages.MSG_CHANNEL_WINDOW_ADJUST,
        messages.MSG_CHANNEL_EOF,
        messages.MSG_CHANNEL_CLOSE,
        messages.MSG_CHANNEL_SUCCESS,
    ],
)
@pytest.mark.parametrize("closed_before", [False, True])
def test_a_channel_that_is_not_there_ends_the_connection(number: int, closed_before: bool) -> None:
    peer = ConnectionPeer()
    if closed_before:
        peer.shell()
        peer.close()
        assert not peer.service.channels
    peer.send(number, UINT32 + NS(b"x") + b"\1" + UINT32 + UINT32)
    assert peer.disconnected


def test_what_arrives_after_our_close_is_dropped() -> None:
    peer = ConnectionPeer()
    peer.shell()
    peer.data(b"quit\n")
    assert peer.received()[-1] == ("CHANNEL_CLOSE", 7)
    peer.data(b"perl\n")
    peer.request(b"window-change", struct.pack(">4L", 1, 1, 0, 0))
    peer.adjust(10)
    peer.send(messages.MSG_CHANNEL_EXTENDED_DATA, UINT32 + struct.pack(">L", 1) + NS(b"x"))
    peer.eof()
    assert not peer.received()
    peer.close()
    assert not peer.service.channels
    assert peer.disconnected is None


def test_what_carries_nothing_is_rationed() -> None:
    peer = ConnectionPeer()
    peer.shell()
    before = peer.noise
    peer.data(b"")
    peer.adjust(0)
    peer.send(messages.MSG_GLOBAL_REQUEST, NS(b"x") + b"\0")
    peer.request(b"env", NS(b"A") + NS(b"B"))
    peer.send(messages.MSG_CHANNEL_EXTENDED_DATA, UINT32 + struct.pack(">L", 1) + NS(b""))
    assert peer.noise == before + 5
    peer.data(b"perl\n")
    peer.adjust(1)
    assert peer.noise == before + 5


@pytest.mark.parametrize(
    ("number", "payload"),
    [
        (messages.MSG_CHANNEL_DATA, UINT32 + NS(b"x")),
        (messages.MSG_CHANNEL_EXTENDED_DATA, UINT32 + UINT32 + NS(b"x")),
        (messages.MSG_CHANNEL_WINDOW_ADJUST, UINT32 + UINT32),
        (messages.MSG_CHANNEL_EOF, UINT32),
        (messages.MSG_CHANNEL_CLOSE, UINT32),
    ],
)
def test_nothing_may_follow_the_fields(number: int, payload: bytes) -> None:
    peer = ConnectionPeer()
    peer.shell()
    peer.send(number, payload + b"x")
    assert peer.disconnected


def test_more_data_than_the_window_ends_the_connection() -> None:
    peer = ConnectionPeer()
    peer.open()
    for _ in range(WINDOW_SIZE // 32768):
        peer.data(b"x" * 32768)
    assert peer.disconnected is None
    peer.data(b"x")
    assert peer.disconnected


def test_a_packet_larger_than_agreed_ends_the_connection() -> None:
    peer = ConnectionPeer()
    peer.shell()
    peer.data(b"x" * 32769)
    assert peer.disconnected


def test_data_after_eof_ends_the_connection() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.eof()
    peer.eof()
    assert peer.disconnected is None
    peer.data(b"x")
    assert peer.disconnected


def test_a_window_beyond_its_bound_ends_the_connection() -> None:
    peer = ConnectionPeer()
    peer.open(window=2**32 - 1)
    peer.adjust(0)
    assert peer.disconnected is None
    peer.adjust(1)
    assert peer.disconnected


def test_a_channel_number_in_use_ends_the_connection() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.open()
    assert peer.disconnected


@pytest.mark.no_cover
def test_the_window_is_reopened_as_input_is_read() -> None:
    peer = ConnectionPeer()
    peer.shell()
    promised = WINDOW_SIZE
    for _ in range(50):
        peer.data(b"perl\n" * 1000)
        promised -= 5000
        promised += sum(item[2] for item in peer.received() if item[0] == "CHANNEL_WINDOW_ADJUST")
        assert promised > 0
    assert peer.disconnected is None


def test_the_window_stays_shut_while_nobody_reads() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.received()
    peer.data(b"perl\n" * 6000)
    peer.data(b"perl\n" * 6000)
    assert not peer.received()


def test_losing_the_connection_tells_every_conversation_once() -> None:
    peer = ConnectionPeer()
    for channel in (7, 8):
        peer.shell(channel)
        peer.data(b"perl\n", to=channel - 7)
    assert len(peer.conversations.sessions) == 2
    peer.service.serviceStopped()
    assert not peer.conversations.sessions
    assert peer.avatar.lines_served == 2


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(messages.messages)),
            st.one_of(
                st.binary(max_size=40),
                st.binary(max_size=20).map(lambda tail: UINT32 + tail),
                st.tuples(
                    st.sampled_from([b"shell", b"exec", b"pty-req", b"env", b"signal", b"\xff"]),
                    st.binary(max_size=30),
                ).map(lambda request: UINT32 + NS(request[0]) + b"\1" + request[1]),
                st.binary(max_size=20).map(lambda data: UINT32 + NS(data)),
            ),
        ),
        max_size=12,
    )
)
def test_no_message_of_any_kind_raises(sent: list[tuple[int, bytes]]) -> None:
    peer = ConnectionPeer()
    peer.open()
    for number, payload in sent:
        peer.send(number, payload)
        if peer.disconnected:
            break
    peer.service.serviceStopped()
    assert not peer.conversations.sessions
