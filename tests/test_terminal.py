"""A terminal between a transport and an application, both stood in for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from typing_extensions import override
from zope.interface import implementer
from zope.interface.verify import verifyClass

from conch_insults.core.appearance import Appearance
from conch_insults.core.history import History
from conch_insults.line_transport import LineTransport
from conch_insults.terminal import CookedTransport, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.internet.interfaces import IAddress

START, STOP = "\x1b[?2004h", "\x1b[?2004l"
GONE = Failure(ConnectionDone())


class Wire(LineTransport):
    """A transport that can hold at most `room` writes before it asks for a pause."""

    def __init__(self, room: int | None = None) -> None:
        self.disconnecting = False
        self.writes: list[bytes] = []
        self.reading = True
        self.calls: list[str] = []
        self.producer: IPushProducer | None = None
        self.room = room

    @override
    def write(self, data: bytes) -> None:
        assert not self.disconnecting
        self.writes.append(data)
        if self.room is not None:
            self.room -= 1
            if self.room == 0 and self.producer is not None:
                self.producer.pauseProducing()

    @override
    def writeSequence(self, data: Iterable[bytes]) -> None:
        raise AssertionError

    @override
    def loseConnection(self) -> None:
        assert self.producer is None
        self.disconnecting = True

    @override
    def getPeer(self) -> IAddress:
        return IPv4Address("TCP", "192.0.2.1", 1)

    @override
    def getHost(self) -> IAddress:
        return IPv4Address("TCP", "192.0.2.2", 2)

    @override
    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        assert streaming
        self.producer = producer

    @override
    def unregisterProducer(self) -> None:
        self.producer = None

    @override
    def pauseProducing(self) -> None:
        self.reading = False
        self.calls.append("pause")

    @override
    def resumeProducing(self) -> None:
        self.reading = True
        self.calls.append("resume")

    def drain(self, room: int | None = None) -> None:
        """Take everything and ask for more."""
        self.room = room
        if self.producer is not None:
            self.producer.resumeProducing()

    @property
    def text(self) -> str:
        return b"".join(self.writes).decode()


@implementer(IPushProducer)
class Parrot(LineReceiver):
    """Says every line back; leaves on quit and at the end of the input."""

    delimiter = b"\n"
    transport: LineTransport

    def __init__(self) -> None:
        self.ends: list[Failure] = []
        self.lines: list[bytes] = []

    @override
    def connectionMade(self) -> None:
        self.transport.registerProducer(self, streaming=True)
        self.transport.write(b"hello\n")

    @override
    def lineReceived(self, line: bytes) -> None:
        self.lines.append(line)
        if line == b"quit":
            self.go(b"bye\n")
        elif line.isdigit():
            for number in range(int(line)):
                self.transport.write(b"%d\n" % (number + 1))
        else:
            self.transport.writeSequence([b"<", line, b">\n"])

    def readConnectionLost(self) -> None:
        self.go(b"end\n")

    def go(self, words: bytes) -> None:
        self.transport.write(words)
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    @override
    def connectionLost(self, reason: Failure = GONE) -> None:
        self.ends.append(reason)


class Turns:
    """A reactor whose turns are taken one by one."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def call_later(self, delay: float, call: Callable[[], None]) -> None:
        assert delay == 0
        self.calls.append(call)

    def take(self) -> bool:
        """Take a turn; return whether anybody waited for it."""
        calls, self.calls = self.calls, []
        for call in calls:
            call()
        return bool(calls)


class Session:
    def __init__(
        self,
        room: int | None = None,
        width: int = 80,
        turns: Turns | None = None,
        **comforts: Any,
    ) -> None:
        self.parrot = Parrot()
        call_later = None if turns is None else turns.call_later
        self.terminal = Terminal(self.parrot, width, call_later=call_later, **comforts)
        self.wire = Wire(room)
        self.terminal.makeConnection(self.wire)

    def type(self, data: bytes) -> str:
        """Return what is printed while `data` is read."""
        self.wire.writes.clear()
        self.terminal.dataReceived(data)
        return self.wire.text


def test_it_is_what_twisted_expects() -> None:
    verifyClass(IPushProducer, Terminal)
    verifyClass(IHalfCloseableProtocol, Terminal)


def test_a_terminal_without_an_editor_gets_its_line_endings() -> None:
    wire = Wire()
    parrot = Parrot()
    parrot.makeConnection(CookedTransport(wire, Appearance()))
    parrot.dataReceived(b"one\nquit\n")
    assert wire.text == "hello\r\n<one>\r\nbye\r\n"
    assert wire.disconnecting


class TestConversation:
    def test_begins_with_what_the_application_says_and_a_prompt_in_one_write(self) -> None:
        assert Session().wire.writes == [f"hello\r\n{START}> ".encode()]

    def test_lines_are_answered_below_themselves(self) -> None:
        session = Session()
        assert session.type("perlé".encode()) == "perlé"
        assert session.type(b"\r") == "\r\n<perlé>\r\n> "

    def test_one_read_is_one_write(self) -> None:
        session = Session()
        printed = session.type(b"one\rtwo\rthr")
        assert printed == "one\r\n<one>\r\n> two\r\n<two>\r\n> thr"
        assert len(session.wire.writes) == 1

    @pytest.mark.no_cover
    def test_a_long_read_is_written_in_parts(self) -> None:
        session = Session()
        session.type(b"x\r" * 10_000)
        assert 3 <= len(session.wire.writes) <= 20
        assert len(session.parrot.lines) == 10_000

    def test_output_comes_above_the_line_in_progress(self) -> None:
        session = Session()
        session.type(b"per")
        session.wire.writes.clear()
        session.parrot.transport.write("neuf\nnew é\n".encode())
        assert session.wire.writes == ["\r\x1b[Jneuf\r\nnew é\r\n> per".encode()]

    def test_a_notice_may_come_from_elsewhere(self) -> None:
        session = Session()
        assert session.type(b"per") == "per"
        session.terminal.say(b"Still there?\n")
        assert session.wire.text == "per\r\x1b[JStill there?\r\n> per"
        assert session.type(b"l\r") == "l\r\n<perl>\r\n> "

    def test_a_new_width_shows_the_line_again(self) -> None:
        session = Session()
        session.type(b"perl")
        session.wire.writes.clear()
        session.terminal.windowChanged(4)
        assert session.wire.text == "\r\x1b[J> pe\r\nrl"
        session.terminal.windowChanged(4)
        assert len(session.wire.writes) == 1

    def test_the_application_sees_the_addresses(self) -> None:
        transport = Session().parrot.transport
        assert transport.getPeer() == IPv4Address("TCP", "192.0.2.1", 1)
        assert transport.getHost() == IPv4Address("TCP", "192.0.2.2", 2)


class TestControlKeys:
    def test_interrupt_drops_the_line(self) -> None:
        session = Session()
        assert session.type(b"perl\x03") == "perl^C\r\n> "
        assert session.type(b"x\r") == "x\r\n<x>\r\n> "

    def test_interrupt_on_an_empty_line_says_how_to_leave(self) -> None:
        session = Session()
        assert session.type(b"\x03") == "^C\r\nType quit or press Ctrl-D to leave.\r\n> "
        assert session.parrot.lines == []

    def test_ctrl_d_on_an_empty_line_leaves_politely(self) -> None:
        session = Session()
        assert session.type(b"\x04") == f"\r\nbye\r\n{STOP}"
        assert session.parrot.lines == [b"quit"]
        assert session.wire.disconnecting


class TestLeaving:
    def test_takes_no_more_lines_and_prints_no_more(self) -> None:
        session = Session()
        assert session.type(b"quit\rperl\r") == f"quit\r\nbye\r\n{STOP}"
        assert session.wire.disconnecting
        assert session.type(b"perl\r") == ""
        session.parrot.transport.write(b"more\n")
        session.terminal.say(b"notice\n")
        session.parrot.transport.loseConnection()
        session.terminal.windowChanged(20)
        session.terminal.readConnectionLost()
        assert session.wire.text == ""
        assert session.parrot.lines == [b"quit"]

    def test_a_farewell_while_someone_types_leaves_no_prompt_behind(self) -> None:
        session = Session()
        session.type(b"per")
        session.wire.writes.clear()
        session.parrot.go(b"shutting down\n")
        assert session.wire.text == (f"\r\x1b[Jshutting down\r\n> per\r\x1b[J{STOP}")
        assert session.wire.disconnecting

    def test_an_application_that_leaves_at_once_gets_no_prompt(self) -> None:
        class Hasty(Parrot):
            @override
            def connectionMade(self) -> None:
                self.go(b"full\n")

        terminal, wire = Terminal(Hasty(), 80), Wire()
        terminal.makeConnection(wire)
        assert wire.text == f"full\r\n{STOP}"

    def test_the_end_of_the_input_reaches_the_application_after_the_lines(self) -> None:
        session = Session()
        session.type(b"perl\rdraft")
        session.wire.writes.clear()
        session.terminal.readConnectionLost()
        assert session.wire.text == f"\r\x1b[Jend\r\n{STOP}"
        assert session.wire.disconnecting
        session.terminal.writeConnectionLost()

    def test_the_loss_of_the_connection_reaches_the_application_once(self) -> None:
        session = Session()
        session.terminal.connectionLost(GONE)
        session.terminal.connectionLost(GONE)
        assert session.parrot.ends == [GONE]
        session.wire.writes.clear()
        session.parrot.transport.write(b"too late\n")
        session.terminal.dataReceived(b"perl\r")
        assert session.wire.text == ""
        assert session.parrot.lines == []

    def test_an_application_that_stops_producing_leaves(self) -> None:
        session = Session()
        session.parrot.transport.unregisterProducer()
        session.parrot.stopProducing()
        assert session.wire.disconnecting


class TestFlowControl:
    def test_a_full_transport_stops_reading_and_answering(self) -> None:
        session = Session(room=2)
        session.type(b"one\r")
        assert session.wire.calls == ["pause"]
        assert session.parrot.paused
        assert session.type(b"two\rthree\r") == ""
        assert session.parrot.lines == [b"one"]

    def test_a_drained_transport_goes_on_in_order(self) -> None:
        session = Session(room=2)
        session.type(b"one\r")
        session.type(b"two\rthr")
        session.type(b"ee\rfo")
        session.terminal.readConnectionLost()
        assert session.wire.text == ""
        session.wire.drain()
        assert session.wire.text == (
            "two\r\n<two>\r\n> three\r\n<three>\r\n> fo\r\x1b[Jend\r\n" + STOP
        )
        assert not session.parrot.paused

    def test_reading_goes_on_when_all_is_answered(self) -> None:
        session = Session(room=2)
        session.type(b"one\r")
        session.wire.drain()
        assert session.wire.calls == ["pause", "resume"]

    @pytest.mark.no_cover
    def test_a_long_read_stops_in_the_middle(self) -> None:
        session = Session(room=2)
        session.type(b"x\r" * 20_000)
        assert 0 < len(session.parrot.lines) < 5_000
        session.wire.drain(room=1)
        assert 0 < len(session.parrot.lines) < 10_000
        assert session.wire.calls == ["pause"]
        session.wire.drain()
        assert len(session.parrot.lines) == 20_000
        assert session.wire.calls == ["pause", "resume"]

    def test_an_application_that_wants_no_lines_gets_none(self) -> None:
        session = Session()
        session.parrot.pauseProducing()
        assert session.type(b"one\rtwo\r") == ""
        assert not session.wire.reading
        session.parrot.resumeProducing()
        assert session.parrot.lines == [b"one", b"two"]
        assert session.wire.reading

    def test_an_application_that_wants_no_more_lines_has_its_answer_shown(self) -> None:
        class Slow(Parrot):
            @override
            def lineReceived(self, line: bytes) -> None:
                super().lineReceived(line)
                self.pauseProducing()

        parrot, wire = Slow(), Wire()
        terminal = Terminal(parrot, 80)
        terminal.makeConnection(wire)
        wire.writes.clear()
        terminal.dataReceived(b"one\rtwo\r")
        assert wire.text == "one\r\n<one>\r\n> "
        assert not wire.reading
        parrot.resumeProducing()
        assert wire.text == "one\r\n<one>\r\n> two\r\n<two>\r\n> "

    def test_a_producer_that_comes_while_the_transport_is_full_is_paused(self) -> None:
        session = Session()
        session.terminal.pauseProducing()
        session.parrot.transport.unregisterProducer()
        session.parrot.resumeProducing()
        assert not session.parrot.paused
        session.parrot.transport.registerProducer(session.parrot, streaming=True)
        assert session.parrot.paused

    def test_an_application_that_is_no_producer_is_not_fed_meanwhile(self) -> None:
        session = Session()
        session.parrot.transport.unregisterProducer()
        session.terminal.pauseProducing()
        assert session.type(b"one\r") == ""
        assert session.parrot.lines == []
        session.terminal.resumeProducing()
        assert session.parrot.lines == [b"one"]

    def test_windows_that_change_while_the_transport_is_full_cost_nothing(self) -> None:
        session = Session(width=80)
        session.type(b"x" * 1024)
        session.terminal.pauseProducing()
        session.wire.writes.clear()
        for _ in range(5_000):
            session.terminal.windowChanged(1)
            session.terminal.windowChanged(2)
        assert session.wire.writes == []
        session.wire.drain()
        assert len(session.wire.writes) == 1
        assert session.wire.text.endswith("> \r\n" + "xx\r\n" * 512)
        assert len(session.wire.text) < 2_100

    def test_notices_while_the_transport_is_full_do_not_repeat_the_line(self) -> None:
        session = Session()
        session.type(b"x" * 1024)
        session.terminal.pauseProducing()
        session.wire.writes.clear()
        for _ in range(10):
            session.terminal.say(b"Still there?\n")
        assert session.wire.text == "\x1b[12A\r\x1b[J" + "Still there?\r\n" * 10
        session.terminal.windowChanged(2_000)
        session.wire.writes.clear()
        session.wire.drain()
        assert session.wire.text == "> " + "x" * 998 + "\r\n" + "x" * 26

    def test_a_transport_that_takes_nothing_any_more_is_not_fed(self) -> None:
        session = Session()
        session.terminal.stopProducing()
        assert session.type(b"one\r") == ""
        assert not session.wire.reading


class TestComforts:
    def test_a_history_may_be_shared(self) -> None:
        history = History()
        Session(history=history).type(b"perl\r")
        assert Session(history=history).type(b"\x10\r") == "perl\r\n<perl>\r\n> "

    def test_tab_completes(self) -> None:
        session = Session(complete=lambda text: [f"{text}rl"])
        assert session.type(b"pe\t\r") == "perl\r\n<perl>\r\n> "

    def test_the_appearance_counts_as_it_is_when_something_is_written(self) -> None:
        appearance = Appearance(dumb=True)
        session = Session(appearance=appearance)
        assert session.wire.text == "hello\r\n> "
        appearance.ascii = True
        assert session.type("é\r".encode()) == "e\r\n<e>\r\n> "

    def test_what_is_said_is_wrapped(self) -> None:
        session = Session(width=10)
        session.type(b"")
        session.terminal.say(b"a few words too many\n")
        assert session.wire.text == "\r\x1b[Ja few\r\nwords too\r\nmany\r\n> "


class TestPages:
    """In a window of four rows."""

    QUESTION = "-- 2 more: space, Enter, q --"
    ERASE = "\r\x1b[K"

    def test_an_answer_waits_for_whoever_reads_it(self) -> None:
        session = Session(height=4)
        assert session.type(b"5\r") == f"5\r\n1\r\n2\r\n3\r\n{self.QUESTION}"
        assert session.wire.reading
        assert session.type(b" ") == f"{self.ERASE}4\r\n5\r\n> "
        assert session.parrot.lines == [b"5"]

    def test_greetings_and_notices_do_not(self) -> None:
        session = Session(height=1)
        assert session.wire.text == f"hello\r\n{START}> "
        session.wire.writes.clear()
        session.terminal.say(b"1\n2\n3\n")
        assert session.wire.text == "\r\x1b[J1\r\n2\r\n3\r\n> "

    def test_a_stream_of_lines_runs_through(self) -> None:
        session = Session(height=4)
        session.type(b"9\r" * 50)
        session.type(b"q")
        session.type(b"perl\r" + b"9\r" * 50 + b"quit\r")
        assert session.parrot.lines == [b"9"] * 50 + [b"perl"] + [b"9"] * 50 + [b"quit"]
        assert session.wire.disconnecting

    def test_the_end_of_the_input_ends_the_waiting(self) -> None:
        session = Session(height=4)
        session.type(b"5\r")
        session.wire.writes.clear()
        session.terminal.readConnectionLost()
        assert session.wire.text == f"{self.ERASE}4\r\n5\r\n> \r\x1b[Jend\r\n{STOP}"

    def test_a_farewell_comes_instead_of_the_rest(self) -> None:
        session = Session(height=4)
        session.type(b"5\r")
        session.wire.writes.clear()
        session.parrot.go(b"shutting down\n")
        assert session.wire.text == (
            f"{self.ERASE}shutting down\r\n{self.QUESTION}{self.ERASE}{STOP}"
        )
        assert session.wire.disconnecting

    def test_an_answer_that_is_the_last_word_does_not_wait(self) -> None:
        class Talker(Parrot):
            @override
            def lineReceived(self, line: bytes) -> None:
                self.go(b"1\n2\n3\n4\n5\n")

        terminal, wire = Terminal(Talker(), 80, height=4), Wire()
        terminal.makeConnection(wire)
        terminal.dataReceived(b"x\r")
        assert wire.text.endswith(f"> x\r\n1\r\n2\r\n3\r\n4\r\n5\r\n{STOP}")

    def test_a_new_height_counts_from_the_next_answer_on(self) -> None:
        session = Session(height=4)
        session.terminal.windowChanged(80, 10)
        assert session.type(b"5\r").endswith("5\r\n> ")
        session.terminal.windowChanged(80, 4)
        assert session.type(b"5\r").endswith(self.QUESTION)
        session.type(b"q")
        session.terminal.windowChanged(80)
        assert session.type(b"500\r").endswith("500\r\n> ")

    def test_a_long_answer_stops_with_the_transport(self) -> None:
        session = Session(room=2)
        session.type(b"50000\r")
        assert not session.wire.reading
        assert 30_000 < len(session.wire.text) < 36_000
        while not session.wire.reading:
            session.wire.drain(room=1)
        assert session.wire.text.endswith("\r\n50000\r\n> ")

    def test_a_notice_in_the_middle_of_an_answer_waits_for_nothing(self) -> None:
        session = Session(room=2)
        session.type(b"50000\r")
        session.terminal.say(b"Still there?\n")
        session.wire.drain()
        assert session.wire.text.count("Still there?\r\n") == 1
        assert session.wire.text.count("> ") == 1


class TestTurns:
    """A line of a thousand characters is recalled and run with two bytes."""

    RECALLS = b"x" * 1024 + b"\r" + b"\x10\r" * 200

    def test_others_get_theirs_in_the_middle_of_a_read(self) -> None:
        turns = Turns()
        session, at_once = Session(turns=turns), Session()
        at_once.terminal.dataReceived(self.RECALLS)
        printed = [len(session.wire.text)]
        session.terminal.dataReceived(self.RECALLS)
        while turns.calls:
            assert len(turns.calls) == 1
            assert not session.wire.reading
            printed.append(len(session.wire.text))
            turns.take()
        in_turns = [after - before for before, after in pairwise(printed)]
        assert len(in_turns) > 10
        assert max(in_turns) < 36 * 1024
        assert session.wire.reading
        assert session.wire.text == at_once.wire.text
        assert len(session.parrot.lines) == 201

    def test_what_comes_meanwhile_waits(self) -> None:
        turns = Turns()
        session = Session(turns=turns)
        session.terminal.dataReceived(self.RECALLS)
        size = len(session.wire.text)
        session.terminal.dataReceived(b"last\r")
        session.terminal.readConnectionLost()
        session.terminal.windowChanged(40)
        assert len(session.wire.text) == size
        while turns.take():
            pass
        assert session.parrot.lines[-1] == b"last"
        assert session.wire.text.endswith(f"end\r\n{STOP}")

    def test_windows_that_change_all_the_time_are_drawn_a_few_times_in_each(self) -> None:
        turns = Turns()
        session = Session(turns=turns)
        session.type(b"x" * 1024)
        session.wire.writes.clear()
        for _ in range(1_000):
            session.terminal.windowChanged(1)
            session.terminal.windowChanged(2)
        session.terminal.windowChanged(3)
        assert 8 * 1024 <= len(session.wire.text) < 40 * 1024
        assert len(turns.calls) == 1
        session.wire.writes.clear()
        turns.take()
        assert 0 < len(session.wire.text) < 4 * 1024
        assert turns.calls == []

    def test_a_pause_and_a_turn_end_in_any_order(self) -> None:
        turns = Turns()
        session = Session(turns=turns)
        session.terminal.dataReceived(self.RECALLS)
        size = len(session.wire.text)
        session.terminal.pauseProducing()
        turns.take()
        assert len(session.wire.text) == size
        session.terminal.resumeProducing()
        assert len(session.wire.text) > size
        size = len(session.wire.text)
        session.terminal.pauseProducing()
        session.terminal.resumeProducing()
        assert len(session.wire.text) == size
        turns.take()
        assert len(session.wire.text) > size

    def test_a_hundred_questions_at_once_take_several(self) -> None:
        turns = Turns()
        asked: list[str] = []

        def complete(text: str) -> list[str]:
            asked.append(text)
            return []

        session = Session(turns=turns, complete=complete)
        session.terminal.dataReceived(b"\t" * 100)
        counts = [len(asked)]
        while turns.take():
            counts.append(len(asked))
        assert counts[-1] == 100
        assert max(after - before for before, after in pairwise([0, *counts])) <= 16

    def test_many_short_lines_take_several(self) -> None:
        turns = Turns()
        session = Session(turns=turns)
        session.terminal.dataReceived(b"x\r" * 100)
        counts = [len(session.parrot.lines)]
        while turns.take():
            counts.append(len(session.parrot.lines))
        assert counts[-1] == 100
        assert max(after - before for before, after in pairwise([0, *counts])) <= 32

    def test_a_long_answer_takes_several(self) -> None:
        turns = Turns()
        session = Session(turns=turns)
        session.terminal.dataReceived(b"50000\r")
        assert len(session.wire.text) < 40_000
        while turns.take():
            pass
        assert session.wire.text.endswith("\r\n50000\r\n> ")

    def test_none_is_taken_after_the_end(self) -> None:
        turns = Turns()
        session = Session(turns=turns)
        session.terminal.dataReceived(self.RECALLS)
        size, lines = len(session.wire.text), len(session.parrot.lines)
        session.terminal.connectionLost(GONE)
        turns.take()
        assert len(session.wire.text) == size
        assert len(session.parrot.lines) == lines
        assert turns.calls == []


@given(st.lists(st.binary(max_size=12) | st.just(b"word\r"), max_size=20), st.integers(1, 4))
@settings(deadline=None, max_examples=100)
def test_a_slow_reader_sees_what_a_quick_one_sees(reads: list[bytes], room: int) -> None:
    quick, slow = Session(), Session(room=room)
    for read in reads:
        quick.terminal.dataReceived(read)
        slow.terminal.dataReceived(read)
        if not slow.wire.room:
            slow.wire.drain(room)
    while not slow.wire.reading and not slow.wire.disconnecting:
        slow.wire.drain(room)
    assert slow.wire.text == quick.wire.text
    assert slow.parrot.lines == quick.parrot.lines


@pytest.mark.parametrize("width", [0, 1, 65535])
def test_any_width_that_a_client_claims_will_do(width: int) -> None:
    session = Session(width=width)
    session.type("日本 perl".encode())
    session.type(b"\r")
    assert session.parrot.lines == ["日本 perl".encode()]
