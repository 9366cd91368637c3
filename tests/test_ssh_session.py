"""What runs on a channel: terminal, pipe, command."""

from __future__ import annotations

import struct

import pytest
from twisted.conch.interfaces import ISession, ISessionSetEnv
from twisted.conch.ssh.common import NS
from zope.interface.verify import verifyClass

from conch_insults.ssh.session import InsultSession
from tests.ssh_peer import ConnectionPeer


def test_it_is_a_session() -> None:
    assert verifyClass(ISession, InsultSession)
    assert verifyClass(ISessionSetEnv, InsultSession)


def test_a_pipe_gets_answers_and_nothing_else() -> None:
    peer = ConnectionPeer()
    peer.shell()
    peer.data(b"perl\ncobol\nperl")
    peer.eof()
    assert peer.received() == [
        ("CHANNEL_DATA", 7, b"Line noise.\nFossil.\n"),
        ("CHANNEL_DATA", 7, b"Line noise.\n"),
        ("CHANNEL_EOF", 7),
        ("exit-status", 7, 0),
        ("CHANNEL_CLOSE", 7),
    ]


def test_a_terminal_gets_a_greeting_a_prompt_and_its_line_endings() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.pty()
    peer.request(b"shell")
    screen = peer.output()
    assert b"alice" in screen
    assert screen.endswith(b"> ")
    assert b"\x1bc" not in screen
    peer.data(b"perl\r")
    assert b"Line noise.\r\n> " in peer.output()
    peer.data(b"\x04")
    received = peer.received()
    assert b"Goodbye, loser.\r\n" in received[0][2]
    assert received[-3:] == [("CHANNEL_EOF", 7), ("exit-status", 7, 0), ("CHANNEL_CLOSE", 7)]


def test_a_terminal_whose_input_ends_is_closed() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.pty()
    peer.request(b"shell")
    peer.eof()
    assert peer.received()[-1] == ("CHANNEL_CLOSE", 7)


@pytest.mark.parametrize(
    ("command", "status"),
    [(b"perl", 0), (b"help", 0), (b"quit", 0), (b"no such topic", 0), (b"", 2), (b"\xff", 2)],
)
def test_a_command_ends_with_its_status(command: bytes, status: int) -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.request(b"exec", NS(command))
    received = peer.received()
    assert received[2][0] == "CHANNEL_DATA"
    assert received[-2] == ("exit-status", 7, status)


def test_a_command_is_one_line_whatever_is_in_it() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.request(b"exec", NS(b"perl\ncobol"))
    answer = peer.output()
    assert b"perl cobol" in answer
    assert answer.count(b"\n") == 1


def test_a_command_reads_no_input() -> None:
    peer = ConnectionPeer()
    peer.open(window=0)
    peer.request(b"exec", NS(b"perl"))
    peer.data(b"cobol\n")
    peer.eof()
    peer.received()
    peer.adjust(100)
    assert peer.output() == b"Line noise.\n"


def test_a_command_at_a_terminal_has_the_terminals_line_endings() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.pty()
    peer.request(b"exec", NS(b"perl"))
    assert peer.output() == b"Line noise.\r\n"


def test_every_door_answers_alike() -> None:
    lines = [b"perl", b"cobol", b"topics", b"help", b"", b"\xff"]
    piped = ConnectionPeer()
    piped.shell()
    for line in lines:
        command = ConnectionPeer()
        command.open()
        command.request(b"exec", NS(line))
        piped.data(line + b"\n")
        assert piped.output() == command.output()


NOTE = "Mind the gap."


def test_a_person_at_a_terminal_is_warned_above_the_line_in_progress() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.pty()
    peer.request(b"shell")
    peer.data(b"co")
    peer.received()
    peer.service.warn_sessions(NOTE)
    assert b"Mind the gap.\r\n> co" in peer.output()


def test_a_person_at_a_terminal_is_told_why_the_session_ends() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.pty()
    peer.request(b"shell")
    peer.received()
    peer.service.end_sessions(NOTE)
    *data, end, status, close = peer.received()
    assert b"Mind the gap.\r\n" in b"".join(item[2] for item in data)
    assert (end[0], status, close[0]) == ("CHANNEL_EOF", ("exit-status", 7, 3), "CHANNEL_CLOSE")


def test_a_pipe_is_not_warned_and_hears_of_the_end_beside_the_answers() -> None:
    peer = ConnectionPeer()
    peer.shell()
    peer.service.warn_sessions(NOTE)
    assert not peer.received()
    peer.service.end_sessions(NOTE)
    assert peer.received() == [
        ("CHANNEL_EXTENDED_DATA", 7, 1, b"Mind the gap.\n"),
        ("CHANNEL_EOF", 7),
        ("exit-status", 7, 3),
        ("CHANNEL_CLOSE", 7),
    ]


def test_a_pipe_whose_window_is_shut_just_ends() -> None:
    peer = ConnectionPeer()
    peer.shell(window=3)
    peer.service.end_sessions(NOTE)
    assert [item[0] for item in peer.received()] == ["CHANNEL_EOF", "exit-status", "CHANNEL_CLOSE"]


def test_what_is_over_keeps_its_own_end() -> None:
    peer = ConnectionPeer()
    peer.open(window=4)
    peer.request(b"exec", NS(b"perl"))
    peer.received()
    peer.service.end_sessions(NOTE)
    peer.adjust(100)
    assert peer.received()[-2:] == [("exit-status", 7, 0), ("CHANNEL_CLOSE", 7)]


def test_ending_what_has_not_begun_changes_nothing() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.received()
    peer.service.warn_sessions(NOTE)
    peer.service.end_sessions(NOTE)
    assert not peer.received()
    peer.request(b"exec", NS(b"perl"))
    assert peer.output() == b"Line noise.\n"


def test_a_resized_window_lays_the_line_out_anew() -> None:
    peer = ConnectionPeer()
    peer.open()
    peer.pty(80)
    peer.request(b"shell")
    peer.data(b"a long line in progress")
    peer.received()
    peer.request(b"window-change", struct.pack(">4L", 10, 24, 0, 0), wants_reply=False)
    assert b"long" in peer.output()
