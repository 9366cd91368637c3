"""The client between a console and a server, all in memory."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,  # noqa: A004 - Twisted's, which a connection attempt fails with
    DNSLookupError,
    TimeoutError,  # noqa: A004 - as above
)
from twisted.internet.interfaces import IHalfCloseableProtocol, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from typing_extensions import override
from zope.interface import implementer
from zope.interface.verify import verifyObject

from conch_insults.client import run_client
from conch_insults.core.dialogue import Dialogue
from conch_insults.core.insulter import Insulter
from conch_insults.core.packs import parse_pack
from conch_insults.core.person import Person
from conch_insults.errors import ClientError
from conch_insults.protocol import InsultProtocol
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.interfaces import IProtocolFactory

PACK = parse_pack(b"perl: Line noise.\ncobol: Fossil.\n", "test")
GREETING = "Oh no.\nNot you.\n"
BYE = "Goodbye, loser.\n"


class TalkServer(LineReceiver):
    """Behaves as the server of the talk did in 2010: CRLF, and nothing but CRLF."""

    transport: StringTransport

    @override
    def connectionMade(self) -> None:
        self.sendLine(b"Oh no.")
        self.sendLine(b"Not you.")

    @override
    def lineReceived(self, line: bytes) -> None:
        topic = line.lower()
        if topic == b"quit":
            self.sendLine(b"Goodbye, loser.")
            self.transport.loseConnection()
        elif topic == b"perl":
            self.sendLine(b"Line noise.")
        else:
            self.sendLine(b"I've got nothing.")


def todays_server() -> InsultProtocol:
    dialogue = Dialogue(Insulter(PACK, Random(1)), Person(Rating.R), classic=True)
    return InsultProtocol(dialogue, ("Oh no.", "Not you."))


class Scripted(Protocol):
    """A server that says what the test tells it to, and keeps what it hears."""

    def __init__(self) -> None:
        self.heard = b""

    @override
    def dataReceived(self, data: bytes) -> None:
        self.heard += data


@implementer(IStreamClientEndpoint)
class Endpoint:
    """Where a protocol waits, or a failure."""

    def __init__(self, server: Protocol, error: Exception | None = None) -> None:
        self.server, self.error = server, error
        self.here, self.there = StringTransport(), StringTransport()
        self.client: Any = None

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        if self.error is not None:
            return fail(self.error)
        self.client = factory.buildProtocol(self.here.getPeer())
        self.client.makeConnection(self.here)
        self.server.makeConnection(self.there)
        return succeed(self.client)


class Talk:
    """Somebody at a console, a client, and a server."""

    def __init__(self, server: Protocol, *, is_terminal: bool = False) -> None:
        self.endpoint = Endpoint(server)
        self.console_wire = StringTransport()
        self.results: list[Any] = []
        self.lost = False
        talk = run_client(self.endpoint, "moo:1", self._open_console, is_terminal=is_terminal)
        talk.addBoth(self.results.append)
        self.pump()

    def _open_console(self, console: Protocol) -> None:
        self.console: Any = console
        console.makeConnection(self.console_wire)

    def types(self, *chunks: bytes) -> str:
        """Return everything shown after this has been typed and answered."""
        for chunk in chunks:
            self.console.dataReceived(chunk)
            self.pump()
        return self.screen

    def ends_input(self) -> str:
        self.console.readConnectionLost()
        self.pump()
        return self.screen

    def hears(self, *chunks: bytes) -> str:
        """Return everything shown after a scripted server has said this."""
        for chunk in chunks:
            self.endpoint.there.write(chunk)
            self.pump()
        return self.screen

    def loses_server(self) -> None:
        self.endpoint.there.loseConnection()
        self.pump()

    @property
    def screen(self) -> str:
        shown: bytes = self.console_wire.value()
        return shown.decode()

    def pump(self) -> None:
        """Carry everything to the other side, then the news of who has left."""
        here, there = self.endpoint.here, self.endpoint.there
        while here.value() or there.value():
            said, answered = here.value(), there.value()
            here.clear()
            there.clear()
            if said and not there.disconnecting:
                self.endpoint.server.dataReceived(said)
            if answered:
                self.endpoint.client.dataReceived(answered)
        if (here.disconnecting or there.disconnecting) and not self.lost:
            self.lost = True
            self.endpoint.server.connectionLost(connectionDone)
            self.endpoint.client.connectionLost(connectionDone)
        if self.console_wire.disconnecting and not self.results:
            self.console.connectionLost(connectionDone)
            self.pump()

    @property
    def failure(self) -> str:
        (result,) = self.results
        assert isinstance(result, Failure)
        assert isinstance(result.value, ClientError)
        return str(result.value)


SERVERS = pytest.mark.parametrize("server", [TalkServer, todays_server])


class TestPiped:
    @SERVERS
    def test_every_line_is_answered_and_the_end_is_silent(self, server: Any) -> None:
        talk = Talk(server())
        assert talk.types(b"Perl\nmumps\n") == GREETING + "Line noise.\nI've got nothing.\n"
        assert talk.ends_input() == GREETING + "Line noise.\nI've got nothing.\n"
        assert talk.results == [None]

    @SERVERS
    def test_also_a_last_line_without_its_ending(self, server: Any) -> None:
        talk = Talk(server())
        talk.types(b"mumps\npe", b"rl")
        assert talk.ends_input() == GREETING + "I've got nothing.\nLine noise.\n"
        assert talk.results == [None]

    @SERVERS
    def test_lines_with_crlf(self, server: Any) -> None:
        talk = Talk(server())
        assert talk.types(b"perl\r\nperl\r\n") == GREETING + "Line noise.\n" * 2

    @SERVERS
    @pytest.mark.parametrize("at_once", [True, False])
    def test_a_goodbye_that_was_asked_for_is_shown(self, server: Any, at_once: bool) -> None:
        talk = Talk(server())
        if at_once:
            # The end of input is there before the answer is.
            talk.console.dataReceived(b"perl\nQuit\nperl\n")
            talk.ends_input()
        else:
            talk.types(b"perl\nQuit\n")
        assert talk.screen == GREETING + "Line noise.\n" + BYE
        assert talk.results == [None]

    def test_a_server_that_just_closes_at_the_end_is_fine(self) -> None:
        talk = Talk(Scripted())
        talk.ends_input()
        talk.loses_server()
        assert talk.results == [None]

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.sampled_from([b"perl", b"x", b"\n", b"\r\n", b"\xff", b"a" * 3000])))
    def test_any_chunks_are_the_same_to_the_server(self, chunks: list[bytes]) -> None:
        pieces, whole = Talk(Scripted()), Talk(Scripted())
        pieces.types(*chunks)
        whole.types(b"".join(chunks))
        for talk in (pieces, whole):
            talk.ends_input()
        assert isinstance(pieces.endpoint.server, Scripted)
        assert isinstance(whole.endpoint.server, Scripted)
        assert pieces.endpoint.server.heard == whole.endpoint.server.heard
        assert whole.endpoint.server.heard.endswith(b"quit\r\n")


class TestTerminal:
    @SERVERS
    def test_a_person_gets_a_prompt(self, server: Any) -> None:
        talk = Talk(server(), is_terminal=True)
        # The greeting takes the first prompt's place.
        assert talk.screen == "> \r" + GREETING + "> "
        assert talk.types(b"perl\n") == "> \r" + GREETING + "> Line noise.\n> "
        assert talk.types(b"quit\n") == "> \r" + GREETING + f"> Line noise.\n> {BYE}"
        assert talk.results == [None]

    @SERVERS
    def test_ctrl_d_leaves_politely(self, server: Any) -> None:
        talk = Talk(server(), is_terminal=True)
        assert talk.ends_input() == "> \r" + GREETING + f"> \n{BYE}"
        assert talk.results == [None]

    def test_a_line_out_of_turn_takes_the_prompts_place(self) -> None:
        talk = Talk(Scripted(), is_terminal=True)
        assert talk.hears(b"The server is going down.\n") == "> \rThe server is going down.\n> "

    def test_a_reply_in_pieces_has_one_prompt_at_its_end(self) -> None:
        talk = Talk(Scripted(), is_terminal=True)
        talk.types(b"perl\n")
        assert talk.hears(b"Line ", b"noise.\n") == "> > \rLine noise.\n> "

    def test_the_shell_prompt_after_a_loss_has_its_own_line(self) -> None:
        talk = Talk(Scripted(), is_terminal=True)
        talk.loses_server()
        assert talk.screen == "> \n"
        assert talk.failure == "moo:1: the connection was lost"


class TestServersLines:
    def test_what_a_terminal_would_act_on_is_not_shown(self) -> None:
        talk = Talk(Scripted())
        assert talk.hears(b"a\x1b[2Jb\x07\xc2\x9bc\r\n\xff\n") == "a[2Jbc\n\ufffd\n"

    def test_a_last_one_without_its_ending_is_shown(self) -> None:
        talk = Talk(Scripted())
        talk.hears(b"Segmentation fau")
        talk.loses_server()
        assert talk.screen == "Segmentation fau\n"
        assert talk.failure == "moo:1: the connection was lost"

    def test_a_very_long_one_comes_in_pieces_and_the_next_are_not_held_up(self) -> None:
        talk = Talk(Scripted())
        limit = 64 * 1024
        talk.hears(b"a" * (2 * limit + 5) + b"\nnext\nand next\n")
        assert talk.screen.split("\n") == [
            "a" * limit,
            "a" * limit,
            "a" * 5,
            "next",
            "and next",
            "",
        ]

    def test_a_very_long_one_is_shown_before_it_ends(self) -> None:
        talk = Talk(Scripted())
        assert talk.hears(b"a" * 70_000) == "a" * 64 * 1024 + "\n"
        assert talk.hears(b"\nb\n").endswith("a\nb\n")

    def test_goodbye_ends_it(self) -> None:
        talk = Talk(Scripted())
        assert talk.hears(BYE.encode()) == BYE
        assert talk.results == [None]
        assert talk.endpoint.here.disconnecting


class TestLongInput:
    @pytest.mark.parametrize("size", [65_536, 65_537, 65_538, 300_000])
    def test_it_reaches_the_server_as_one_line(self, size: int) -> None:
        server = Scripted()
        talk = Talk(server)
        line = b"a" * size
        talk.types(line + b"\nperl\n")
        assert server.heard == line + b"\r\nperl\r\n"
        talk.types(line[:100_000], line[100_000:], b"\nperl\n")
        assert server.heard == (line + b"\r\nperl\r\n") * 2

    def test_it_is_not_kept(self) -> None:
        talk = Talk(Scripted())
        talk.types(*[b"a" * 50_000] * 20)
        assert len(talk.console.clearLineBuffer()) <= 64 * 1024

    def test_todays_server_answers_it_once(self) -> None:
        talk = Talk(todays_server())
        assert talk.types(b"a" * 200_000 + b"\nperl\n").count("\n") == 4
        assert talk.screen.endswith("Line noise.\n")


class TestLeaving:
    def test_a_lost_connection_is_an_error(self) -> None:
        talk = Talk(todays_server())
        talk.loses_server()
        assert talk.failure == "moo:1: the connection was lost"

    def test_nobody_reading_any_more_is_none(self) -> None:
        talk = Talk(todays_server())
        talk.console.writeConnectionLost()
        talk.pump()
        assert talk.results == [None]
        assert talk.endpoint.here.disconnecting

    def test_what_is_typed_after_goodbye_goes_nowhere(self) -> None:
        server = Scripted()
        talk = Talk(server)
        talk.endpoint.client.dataReceived(BYE.encode())
        talk.console.dataReceived(b"a" * 70_000)
        talk.console.dataReceived(b"\nperl\n")
        talk.console.readConnectionLost()
        talk.pump()
        assert server.heard == b""
        assert talk.results == [None]

    def test_console_can_close_half(self) -> None:
        assert verifyObject(IHalfCloseableProtocol, Talk(Scripted()).console)


class TestBackpressure:
    def test_each_side_stops_reading_while_the_other_cannot_take_more(self) -> None:
        talk = Talk(Scripted())
        for full, reading in (
            (talk.console_wire, talk.endpoint.here),
            (talk.endpoint.here, talk.console_wire),
        ):
            assert full.producer is reading
            assert full.streaming
            reading.pauseProducing()
            assert reading.producerState == "paused"


class TestConnecting:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (ConnectionRefusedError(111, "whatever"), "Connection refused"),
            (ConnectError(101, "whatever"), "Network is unreachable"),
            (ConnectError(string="no route"), "An error occurred while connecting: no route"),
            (DNSLookupError("no results"), "DNS lookup failed: no results"),
            (TimeoutError(), "User timeout caused connection failure"),
            (ValueError("invalid hostname: a b"), "invalid hostname: a b"),
        ],
    )
    def test_a_failure_is_one_clear_line(self, error: Exception, reason: str) -> None:
        opened: list[Protocol] = []
        results: list[Any] = []
        endpoint = Endpoint(Scripted(), error)
        talk = run_client(endpoint, "moo:1", opened.append, is_terminal=True)
        talk.addBoth(results.append)
        assert isinstance(results[0].value, ClientError)
        assert str(results[0].value) == f"cannot connect to moo:1: {reason}"
        assert opened == []
