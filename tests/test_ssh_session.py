"""What runs on a channel: terminal, pipe, command."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from twisted.conch.interfaces import ISession, ISessionSetEnv
from twisted.conch.ssh.common import NS
from zope.interface.verify import verifyClass

from conch_insults.access.authorized_keys import KeyRules
from conch_insults.access.grants import Terms
from conch_insults.access.policy import AccessRules
from conch_insults.ssh.session import InsultSession
from tests import ssh_client as ssh
from tests.access_door import ALICE, AccessDoor
from tests.ssh_client import uint32
from tests.ssh_peer import ConnectionPeer, insult_pack, started_conversations

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ssh_client import SshClient


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
    assert screen.endswith(b"> \x1b[m")
    assert b"\x1bc" not in screen
    peer.data(b"perl\r")
    assert b"Line noise.\r\n\x1b[1;32m> \x1b[m" in peer.output()
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
    assert b"Mind the gap.\r\n\x1b[1;32m> \x1b[mco" in peer.output()


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


# How a terminal looks, and what it remembers

COLOUR = b"\x1b[1;32m"
PACK = "café: Überheblich… naïve.\n".encode()
UP = b"\x1b[A"


def terminal(
    peer: ConnectionPeer,
    variables: dict[bytes, bytes] | None = None,
    *,
    channel: int = 7,
    term: bytes = b"xterm",
) -> bytes:
    """Open another channel with a terminal, and return what it shows first."""
    number = peer.service.localChannelID
    peer.open(channel)
    for name, value in (variables or {}).items():
        peer.request(b"env", NS(name) + NS(value), to=number)
    peer.request(b"pty-req", NS(term) + struct.pack(">4L", 80, 24, 0, 0) + NS(b""), to=number)
    peer.request(b"shell", to=number)
    return peer.output(channel)


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [
        ({}, True),
        ({b"COLORTERM": b"truecolor"}, True),
        ({b"NO_COLOR": b""}, True),
        ({b"NO_COLOR": b"1"}, False),
        ({b"CLICOLOR": b"0"}, False),
        ({b"CLICOLOR": b"0", b"CLICOLOR_FORCE": b"1"}, True),
        ({b"NO_COLOR": b"x" * 257}, True),
        ({b"no_color": b"1"}, True),
    ],
)
def test_a_client_says_whether_there_is_colour(
    variables: dict[bytes, bytes], *, is_coloured: bool
) -> None:
    assert (COLOUR in terminal(ConnectionPeer(), variables)) is is_coloured


def test_variables_that_say_nothing_about_looks_are_forgotten() -> None:
    session = InsultSession(ConnectionPeer().avatar)
    for number in range(1000):
        session.setEnv(b"LC_%d" % number, b"C")
    session.setEnv(b"LANG", b"C")
    assert session._environment == {"LANG": "C"}


@pytest.mark.parametrize(
    ("variables", "answer"),
    [
        ({}, "Überheblich… naïve."),
        ({b"LANG": b"de_DE.UTF-8"}, "Überheblich… naïve."),
        ({b"LANG": b"C"}, "Uberheblich... naive."),
        ({b"LANG": b"C", b"LC_ALL": b"C.utf8"}, "Überheblich… naïve."),
        ({b"LANG": b"\xff\x00"}, "Überheblich… naïve."),
    ],
)
def test_a_client_says_which_characters_it_can_show(
    variables: dict[bytes, bytes], answer: str
) -> None:
    peer = ConnectionPeer(started_conversations(insult_pack(PACK)))
    terminal(peer, variables)
    peer.data("café\r".encode())
    assert f"\r\n{answer}\r\n".encode() in peer.output()


@pytest.mark.parametrize(
    ("locale", "answer"), [(b"C", "Uberheblich... naive."), (b"C.utf8", "Überheblich… naïve.")]
)
def test_a_command_at_a_terminal_gets_those_characters_too(locale: bytes, answer: str) -> None:
    peer = ConnectionPeer(started_conversations(insult_pack(PACK)))
    peer.open()
    peer.pty()
    peer.request(b"env", NS(b"LC_ALL") + NS(locale))
    peer.request(b"exec", NS("café".encode()))
    assert peer.output().decode() == f"{answer}\r\n"


def test_a_pipe_gets_what_was_written_whatever_its_variables_say() -> None:
    peer = ConnectionPeer(started_conversations(insult_pack(PACK)))
    peer.open()
    peer.request(b"env", NS(b"LANG") + NS(b"C"))
    peer.request(b"shell")
    peer.received()
    peer.data("café\n".encode())
    assert peer.output().decode() == "Überheblich… naïve.\n"


@pytest.mark.parametrize("term", [b"dumb", b"", b"unknown"])
def test_a_terminal_without_escape_sequences_gets_none(term: bytes) -> None:
    peer = ConnectionPeer()
    screen = terminal(peer, term=term)
    peer.data(b"perk\x7fl\r" + UP + b"\r")
    screen += peer.output()
    assert b"\x1b" not in screen
    assert screen.count(b"Line noise.\r\n") == 2


def test_each_session_looks_as_it_was_asked_to() -> None:
    peer = ConnectionPeer()
    terminal(peer)
    assert COLOUR in terminal(peer, channel=8)
    peer.data(b"color off\r", to=0)
    assert COLOUR not in peer.output()
    peer.data(b"perl\r", to=1)
    assert COLOUR in peer.output(8)


def test_what_was_typed_at_one_terminal_can_be_had_at_the_next() -> None:
    peer = ConnectionPeer()
    terminal(peer)
    peer.data(b"perl\r\x04")
    peer.close()
    peer.received()
    terminal(peer, channel=8)
    peer.data(UP, to=1)
    assert peer.output(8) == b"perl"


def test_what_was_piped_was_not_typed() -> None:
    peer = ConnectionPeer()
    peer.shell()
    peer.data(b"perl\n")
    peer.received()
    terminal(peer, channel=8)
    peer.data(UP, to=1)
    assert b"perl" not in peer.output(8)


def test_topics_can_be_completed() -> None:
    peer = ConnectionPeer()
    terminal(peer)
    peer.data(b"cob\t")
    assert peer.output().endswith(b"ol")


# What the person's key allows


def by_key(folder: Path, options: str, *variables: str) -> SshClient:
    """Return alice's client, who is in by a key with options, with a channel open."""
    rules = AccessRules(keys=KeyRules(permitted_environment=frozenset(variables)))
    door = AccessDoor(folder, rules)
    door.let_in("alice", ALICE, options)
    client = door.client("alice", ALICE)
    client.open()
    client.read()
    return client


@pytest.mark.parametrize("options", ["no-pty", "restrict"])
def test_a_key_without_a_terminal_has_a_pipe(tmp_path: Path, options: str) -> None:
    client = by_key(tmp_path, options)
    client.pty()
    assert client.numbers() == [ssh.FAILURE]
    client.request(b"shell")
    assert client.numbers() == [ssh.SUCCESS]
    client.data(b"perl\n")
    assert client.output() == b"Line noise.\n"


def test_a_restricted_key_can_be_given_a_terminal(tmp_path: Path) -> None:
    client = by_key(tmp_path, "restrict,pty")
    client.pty()
    assert client.numbers() == [ssh.SUCCESS]


FORCED = 'command="cobol"'


@pytest.mark.parametrize(
    ("request_type", "data"), [(b"shell", b""), (b"exec", NS(b"perl")), (b"exec", NS(b""))]
)
def test_a_key_with_a_command_runs_that_whatever_is_asked_for(
    tmp_path: Path, request_type: bytes, data: bytes
) -> None:
    client = by_key(tmp_path, FORCED)
    client.request(request_type, data)
    client.data(b"perl\n")
    messages = client.read()
    output = b"".join(data[8:] for number, data in messages if number == ssh.DATA)
    assert output == b"Fossil.\n"
    assert [number for number, _ in messages][-3:] == [ssh.EOF, ssh.REQUEST, ssh.CLOSE]
    assert messages[-2][1] == uint32(0) + NS(b"exit-status") + b"\0" + uint32(0)


def test_a_forced_command_at_a_terminal_has_no_prompt_and_reads_nothing(tmp_path: Path) -> None:
    client = by_key(tmp_path, FORCED)
    client.pty()
    client.request(b"shell")
    client.data(b"perl\r")
    assert client.output() == b"Fossil.\r\n"


def test_a_forced_command_that_is_quoted_is_one_line_of_input(tmp_path: Path) -> None:
    client = by_key(tmp_path, r'command="no \"such\" topic"')
    client.request(b"exec", NS(b"perl"))
    assert b'no "such" topic' in client.output()


def test_variables_of_a_key_are_kept_and_those_of_a_client_are_not(tmp_path: Path) -> None:
    client = by_key(tmp_path, 'environment="LANG=C"', "LANG")
    client.request(b"env", NS(b"LANG") + NS(b"de_DE"))
    assert client.numbers() == [ssh.SUCCESS]
    assert client.server.avatar.grant.terms.environment == (("LANG", "C"),)


def test_variables_of_a_key_count_more_than_those_of_a_client(tmp_path: Path) -> None:
    client = by_key(tmp_path, 'environment="NO_COLOR=1"', "NO_COLOR")
    client.request(b"env", NS(b"NO_COLOR") + NS(b""))
    client.pty()
    client.request(b"shell")
    screen = client.output()
    assert screen.endswith(b"> ")
    assert COLOUR not in screen


# Guests


def guest(folder: Path, terms: Terms) -> tuple[AccessDoor, SshClient]:
    door = AccessDoor(folder, AccessRules(guests="anyone", guest_terms=terms))
    client = door.client("visitor", None)
    client.shell()
    return door, client


def test_a_guest_is_answered_at_their_pace_and_loses_nothing(tmp_path: Path) -> None:
    door, client = guest(tmp_path, Terms(lines_per_minute=30))
    client.data(b"perl\ncobol\n" * 8)
    client.send(ssh.EOF, uint32(0))
    assert client.output() == b"Line noise.\nFossil.\n" * 5
    door.pass_time(11)
    assert client.output() == b"Line noise.\nFossil.\n" * 2 + b"Line noise.\n"
    door.pass_time(1)
    numbers = client.numbers()
    assert numbers == [ssh.DATA, ssh.EOF, ssh.REQUEST, ssh.CLOSE]


def test_a_guest_who_is_too_fast_can_send_no_more_than_the_window(tmp_path: Path) -> None:
    door, client = guest(tmp_path, Terms(lines_per_minute=30))
    for _ in range(8):
        client.data(b"perl\n" * 1600)
    door.pass_time(60)
    assert ssh.ADJUST not in client.numbers()
    client.link.lose()
    assert not door.conversations.sessions


def test_a_guest_may_stay_only_so_long(tmp_path: Path) -> None:
    door, client = guest(tmp_path, Terms(session_limit=30))
    door.pass_time(29)
    assert client.read() == []
    door.pass_time(1)
    assert client.numbers() == [ssh.EXTENDED_DATA, ssh.EOF, ssh.REQUEST, ssh.CLOSE]


def test_a_guest_whose_time_is_up_begins_nothing_and_is_gone_soon(tmp_path: Path) -> None:
    door, client = guest(tmp_path, Terms(session_limit=10))
    for channel in (1, 2):
        client.open(channel)
    door.pass_time(9.75)
    client.request(b"exec", NS(b"perl"), 1)
    assert ssh.DATA in client.numbers()
    door.pass_time(0.25)
    client.read()
    client.request(b"exec", NS(b"perl"), 2)
    assert client.numbers() == [ssh.FAILURE]
    door.pass_time(2)
    assert client.disconnected() == (11, b"this has lasted too long")
