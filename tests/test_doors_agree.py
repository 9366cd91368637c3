"""Every line is answered with the same bytes at every door: TCP, pipe, command, terminal.

What each door adds of its own is undone first: the greeting of TCP; the prompt, the echo and the
line endings of a terminal. In memory each line meets the same die at each door; a real `ssh` then
goes round all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.conch.ssh.common import NS
from twisted.internet.address import IPv4Address
from twisted.internet.testing import StringTransport

from conch_insults.core.dialogue import MAX_LINE
from conch_insults.core.packs import builtin_pack
from tests.real_server import needs_openssh
from tests.real_terminal import Person
from tests.ssh_peer import ConnectionPeer, started_conversations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.real_server import RealServer

PACK = builtin_pack()
# Wide enough that nothing is wrapped.
COLUMNS = 1000
LEAVING = b"\x1b[?2004l"
PROMPT, COLOURED_PROMPT = b"> ", b"\x1b[1;32m> \x1b[m"


def utf8(*lines: str) -> list[bytes]:
    return [line.encode() for line in lines]


TOPICS = utf8(
    "perl",
    "PERL",
    "  perl  ",
    "c++",
    "pl",
    "code review",
    "CODE   REVIEW",
    "fax machines",
    "kubernets",
    "quit smoking",
    "who",
    "kick alice",
    "reload",
    "#topic#",
    "café",
    "日本語",
    "👩‍🔧 on call",
    "e\u0301tude",
    "x" * 500,
)
COMMANDS = utf8(
    "help",
    "HELP",
    "help random",
    "help nothing",
    "topics",
    "topics p",
    "topics zzz",
    "random",
    "again",
    "insult help",
    "insult",
    "search boss",
    "search zzz",
    "why",
    "why 0",
    "rating",
    "rating g",
    "rating x",
    "quiet",
    "quiet maybe",
    "color",
    "colour on",
    "color red",
    "plain",
    "plain off",
    "quit",
    "exit",
    "bye",
)
OPTIONS = utf8(
    "perl --json",
    "--json perl",
    "fax machines --json",
    "perl -n 3",
    "-n3 perl",
    "perl -n 3 --seed 7 --json",
    "kubernets --count=2 --seed=7",
    "random -n 100",
    "topics --json",
    "help --json",
    "search boss --json",
    "rating --json",
    "why --json",
    "-- -n",
    "-n",
    "-n 0 perl",
    "perl --seed -1",
    "perl --frobnicate",
    "perl --frobnicate --json",
    "help --seed 1",
    "--json",
)
EMPTY = utf8("", "   ", "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{NO-BREAK SPACE}")
# At a terminal these are keys, or more than its line holds.
HOSTILE = [
    b"\xfe",
    b"perl \xc3",
    b"perl\x00",
    b"\x1b[2Jperl",
    b"perl\tcode\tgolf",
    b"\x7f",
    "perl\N{CONTROL SEQUENCE INTRODUCER}31m".encode(),
    b"\xff\xfb\x01perl",
    b"x" * MAX_LINE,
    b"x" * (MAX_LINE + 1),
    b"x" * 20_000,
    "ü".encode() * MAX_LINE,
]


def over_tcp(lines: Sequence[bytes]) -> bytes:
    protocol = started_conversations(PACK).buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
    assert protocol is not None
    transport = StringTransport()
    protocol.makeConnection(transport)
    for line in lines:
        protocol.dataReceived(line + b"\n")
    said: bytes = transport.value()
    return said


def through_a_pipe(lines: Sequence[bytes]) -> bytes:
    peer = ConnectionPeer(started_conversations(PACK))
    peer.shell()
    for line in lines:
        peer.data(line + b"\n")
    return peer.output()


def as_a_command(line: bytes) -> bytes:
    peer = ConnectionPeer(started_conversations(PACK))
    peer.open()
    peer.request(b"exec", NS(line))
    return peer.output()


def at_a_terminal(lines: Sequence[bytes]) -> bytes:
    """Return the answers alone, without the rows of the lines and without prompts."""
    peer = ConnectionPeer(started_conversations(PACK))
    peer.open()
    peer.request(b"env", NS(b"NO_COLOR") + NS(b"1"))
    peer.pty(COLUMNS, 0)
    peer.request(b"shell")
    answers = b""
    for line in lines:
        peer.data(line)
        peer.received()
        peer.data(b"\r")
        screen = b""
        while shown := peer.output():
            screen += shown
            peer.clock.advance(0)
        assert screen.startswith(b"\r\n")
        for end in (COLOURED_PROMPT, PROMPT, LEAVING):
            screen = screen.removesuffix(end)
        answers += screen.removeprefix(b"\r\n").replace(b"\r\n", b"\n")
    return answers


@pytest.mark.no_cover
@pytest.mark.parametrize("line", TOPICS + COMMANDS + OPTIONS + EMPTY, ids=ascii)
def test_a_line_is_answered_alike_at_every_door(line: bytes) -> None:
    answer = over_tcp([line])
    assert answer.endswith(b"\n")
    assert through_a_pipe([line]) == answer
    assert as_a_command(line) == answer
    assert at_a_terminal([line]) == answer


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: ascii(line[:20]))
def test_bytes_that_no_person_types_are_answered_alike_where_nobody_edits(line: bytes) -> None:
    answer = over_tcp([line])
    assert answer.endswith(b"\n")
    assert b"\x1b" not in answer
    assert through_a_pipe([line]) == answer
    assert as_a_command(line) == answer


CONVERSATION = utf8(
    "why",
    "perl",
    "why",
    "again",
    "perl -n 3",
    "kubernets",
    "quiet",
    "kubernets",
    "again --json",
    "rating g",
    "perl",
    "rating",
    "plain",
    "color off",
    "insult quit",
    "search perl",
    "random -n 5",
    "quit",
    "perl",
)


@pytest.mark.parametrize("door", [through_a_pipe, at_a_terminal])
def test_a_conversation_goes_alike_at_every_door(door: Callable[[list[bytes]], bytes]) -> None:
    answers = over_tcp(CONVERSATION)
    assert answers.endswith(b"\nGoodbye, loser.\n")
    if door is at_a_terminal:
        # Nothing can be typed once the session is over.
        assert door(CONVERSATION[:-1]) == answers
    else:
        assert door(CONVERSATION) == answers


@pytest.mark.parametrize("line", [b"whoami", b"whoami --json"])
def test_only_who_somebody_is_depends_on_the_door(line: bytes) -> None:
    answer = through_a_pipe([line])
    assert b"alice" in answer
    assert as_a_command(line) == at_a_terminal([line]) == answer
    assert b"Nobody in particular." in over_tcp([line])


REAL_LINES = (
    "perl --seed 7",
    "kubernets -n 2 --seed 7",
    "random -n 3 --json --seed 7",
    "café",
    "日本語",
    "topics c",
    "help",
    "why 0",
    "perl --frobnicate",
)


@needs_openssh
def test_a_real_ssh_hears_the_same_at_every_door(server: RealServer) -> None:
    content = "".join(f"{line}\n" for line in REAL_LINES).encode()
    answers = [server.ssh(line).stdout for line in REAL_LINES]
    assert all(answers)
    said = b"".join(answers)
    assert server.ssh(input=content).stdout == said
    greeting, _, rest = server.tcp(content).partition(answers[0])
    assert greeting.count(b"\n") == 2
    assert answers[0] + rest == said
    with Person(server, "-o", "SetEnv=NO_COLOR=1", columns=COLUMNS, rows=60) as alice:
        alice.sees(">")
        seen = b""
        for line, answer in zip(REAL_LINES, answers, strict=True):
            alice.types(f"{line}\r")
            alice.sees(f"> {line}", *answer.decode().splitlines(), ">")
            seen += f"> {line}\n".encode() + answer
        assert seen + b"> " in alice.received.replace(b"\r\n", b"\n")
