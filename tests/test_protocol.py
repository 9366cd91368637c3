"""The line logic on the wire: bytes in, replies out, however they are cut up or held back."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer, ITransport
from twisted.internet.protocol import connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from typing_extensions import override
from zope.interface.verify import verifyClass, verifyObject

from conch_insults.core.dialogue import GOODBYE, Dialogue
from conch_insults.core.insulter import Insulter
from conch_insults.core.person import Person
from conch_insults.line_transport import LineTransport
from conch_insults.protocol import InsultProtocol
from conch_insults.rating import Rating
from tests.ssh_peer import insult_pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IAddress


PACK = insult_pack()
TOO_LONG = "I stopped reading after 1024 bytes, like everyone you send email to.\n"
NOT_UTF8 = "That was not UTF-8. Whatever you meant, mean it in an encoding.\n"
NUDGE = 'An empty line? Even you have more to say. Try a topic, or "help".\n'
NOTHING = "I've got nothing.\n"
BYE = f"{GOODBYE}\n"


class Wire(StringTransport):
    """A transport that notes each write and holds `room` writes before it asks for a pause."""

    def __init__(self, room: int | None = None) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.room = room
        self.closings = 0

    @override
    def write(self, data: bytes) -> None:
        assert not self.disconnecting
        assert data
        self.writes.append(data)
        if self.room is not None:
            self.room -= 1
            if self.room == 0:
                assert isinstance(self.producer, InsultProtocol)
                self.producer.pauseProducing()

    @override
    def loseConnection(self) -> None:
        # While there is a producer a transport waits for it to go on.
        assert self.producer is None
        self.closings += 1
        super().loseConnection()

    @property
    def text(self) -> str:
        return b"".join(self.writes).decode()


class Conversation:
    """An `InsultProtocol` on a wire."""

    def __init__(
        self, room: int | None = None, greeting: Sequence[str] = (), clock: Clock | None = None
    ) -> None:
        self.ended: list[InsultProtocol] = []
        dialogue = Dialogue(Insulter(PACK, Random(1)), Person(Rating.R), classic=True)
        self.protocol = InsultProtocol(dialogue, greeting, self.ended.append, clock=clock)
        self.wire = Wire(room)
        self.protocol.makeConnection(self.wire)

    def hears(self, *reads: bytes) -> str:
        """Return everything said after these reads."""
        for read in reads:
            self.protocol.dataReceived(read)
        return self.wire.text

    def resume(self, room: int | None = None) -> None:
        self.wire.room = room
        if self.wire.producer is not None:
            self.protocol.resumeProducing()

    @property
    def outcome(self) -> tuple[str, int, int, bool]:
        protocol = self.protocol
        return self.wire.text, protocol.lines_served, protocol.status, self.wire.disconnecting


def hears(*reads: bytes) -> str:
    return Conversation().hears(*reads)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(at % (len(data) + 1) for at in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


PIECES = st.one_of(
    st.sampled_from(
        [
            b"perl",
            b"cobol",
            b"perl\n",
            b"cobol\r\n",
            b"quit\n",
            b"\n",
            b"\r",
            b"\r\n",
            b"\xff",
            b"\xff\xfd\x01",
            b"\xff\xfb\n",
            b"\xff\xfa\x18\x01\xff\xf0",
            b"\xff\xf4",
            b"\xc3\xa9",
            b"\xc3",
            b"a" * 1020,
            b"a" * 1024,
            b"b" * 1025,
            b"c" * 1026,
            b"d" * 3000,
        ]
    ),
    st.binary(max_size=8),
)
STREAMS = st.lists(PIECES, max_size=20).map(b"".join)
CUTS = st.lists(st.integers(0, 20_000), max_size=20)


class TestLines:
    @pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
    def test_each_gets_its_reply_in_order(self, ending: bytes) -> None:
        heard = hears(b"perl" + ending + b"fortran" + ending + b"cobol" + ending)
        assert heard == "Line noise.\nI've got nothing.\nFossil.\n"

    def test_nothing_before_its_end(self) -> None:
        conversation = Conversation()
        assert conversation.hears(b"per") == ""
        assert conversation.hears(b"l") == ""
        assert conversation.hears(b"\r") == ""
        assert conversation.hears(b"\n") == "Line noise.\n"

    def test_empty_and_not_utf8(self) -> None:
        assert hears(b"\n\r\n\xc3\nperl\n") == NUDGE + NUDGE + NOT_UTF8 + "Line noise.\n"

    def test_they_are_counted_and_the_last_status_is_kept(self) -> None:
        conversation = Conversation()
        assert (conversation.protocol.lines_served, conversation.protocol.status) == (0, 0)
        conversation.hears(b"perl\nperl\nmumps\n")
        assert (conversation.protocol.lines_served, conversation.protocol.status) == (3, 1)
        conversation.hears(b"perl\n")
        assert (conversation.protocol.lines_served, conversation.protocol.status) == (4, 0)


class TestTelnet:
    @pytest.mark.parametrize(
        "command",
        [
            b"\xff\xfb\x18",  # WILL
            b"\xff\xfc\x18",  # WONT
            b"\xff\xfd\x01",  # DO
            b"\xff\xfe\x01",  # DONT
            b"\xff\xfd\xff",
            b"\xff\xfa\x18\x00xterm\xff\xf0",  # SB ... SE
            b"\xff\xf4",  # IP
            b"\xff\xf1",  # NOP
            b"\xff\xf4\xff\xfd\x06",  # what Ctrl-C sends
        ],
    )
    @pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
    def test_commands_are_no_part_of_a_line(self, command: bytes, ending: bytes) -> None:
        assert hears(command + b"perl" + ending) == "Line noise.\n"
        assert hears(b"pe" + command + b"rl" + ending) == "Line noise.\n"
        assert hears(b"perl" + command + ending) == "Line noise.\n"

    def test_a_line_ending_is_never_an_option(self) -> None:
        assert hears(b"\xff\xfb\nperl\n") == NOT_UTF8 + "Line noise.\n"
        assert hears(b"\xff\xfb\r\nperl\n") == NOT_UTF8 + "Line noise.\n"

    def test_a_lone_iac_is_not_utf8(self) -> None:
        assert hears(b"\xff\nperl\n") == NOT_UTF8 + "Line noise.\n"

    def test_commands_alone_at_the_end_of_input_are_no_line(self) -> None:
        conversation = Conversation()
        conversation.hears(b"perl\n\xff\xfd\x06")
        conversation.protocol.readConnectionLost()
        assert conversation.outcome == ("Line noise.\n", 1, 0, True)


class TestLongLines:
    @pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
    def test_1024_bytes_are_fine(self, ending: bytes) -> None:
        assert hears(b"a" * 1024 + ending) == NOTHING
        assert hears(b"perl" + b" " * 1020 + ending) == "Line noise.\n"

    @pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
    @pytest.mark.parametrize("size", [1025, 1026, 1027, 2048, 100_000])
    def test_more_is_answered_once_and_dropped(self, size: int, ending: bytes) -> None:
        conversation = Conversation()
        line = b"a" * size + ending
        assert conversation.hears(line + b"perl\n" + line + b"cobol\n") == (
            TOO_LONG + "Line noise.\n" + TOO_LONG + "Fossil.\n"
        )
        assert conversation.outcome[1:] == (4, 0, False)

    def test_it_is_answered_before_it_ends(self) -> None:
        conversation = Conversation()
        assert conversation.hears(b"a" * 1025) == ""
        assert conversation.hears(b"a") == TOO_LONG
        assert conversation.protocol.status == 2
        assert conversation.hears(*[b"a" * 5000] * 50) == TOO_LONG
        assert conversation.hears(b"perl\r\nperl\n") == TOO_LONG + "Line noise.\n"

    def test_what_is_dropped_is_not_kept(self) -> None:
        conversation = Conversation()
        conversation.hears(*[b"a" * 5000] * 50)
        assert conversation.protocol.clearLineBuffer() == b""

    def test_a_dropped_line_without_an_end_is_not_answered_again(self) -> None:
        conversation = Conversation()
        conversation.hears(b"a" * 3000)
        conversation.protocol.readConnectionLost()
        assert conversation.outcome == (TOO_LONG, 1, 2, True)


class TestChunks:
    @settings(deadline=None, max_examples=200)
    @given(STREAMS, CUTS)
    def test_any_cuts_give_the_same_replies(self, data: bytes, cuts: list[int]) -> None:
        whole, pieces = Conversation(), Conversation()
        whole.hears(data)
        pieces.hears(*cut(data, cuts))
        assert pieces.outcome == whole.outcome
        for conversation in (whole, pieces):
            conversation.protocol.readConnectionLost()
        assert pieces.outcome == whole.outcome
        assert whole.wire.closings == 1

    @settings(deadline=None, max_examples=50)
    @given(STREAMS)
    def test_nor_does_byte_by_byte(self, data: bytes) -> None:
        whole, pieces = Conversation(), Conversation()
        whole.hears(data)
        pieces.hears(*(bytes([byte]) for byte in data))
        assert pieces.outcome == whole.outcome

    @settings(deadline=None, max_examples=200)
    @given(STREAMS.map(lambda data: data.replace(b"\xff", b"")), CUTS)
    def test_the_replies_are_those_of_the_lines(self, data: bytes, cuts: list[int]) -> None:
        dialogue = Dialogue(Insulter(PACK, Random(1)), Person(Rating.R), classic=True)
        expected: list[str] = []
        *lines, rest = data.split(b"\n")
        for line in [*lines, *([rest] if rest.removesuffix(b"\r") else [])]:
            reply = dialogue.answer(line.removesuffix(b"\r"))
            expected += reply.lines
            if reply.finished:
                break
        conversation = Conversation()
        conversation.hears(*cut(data, cuts))
        conversation.protocol.readConnectionLost()
        assert conversation.wire.text == "".join(f"{line}\n" for line in expected)


class TestWrites:
    def test_replies_of_one_read_are_one_write(self) -> None:
        conversation = Conversation()
        conversation.hears(b"perl\ncobol\n\nmumps\n", b"perl\n")
        assert conversation.wire.writes == [
            f"Line noise.\nFossil.\n{NUDGE}{NOTHING}".encode(),
            b"Line noise.\n",
        ]

    def test_replies_beside_long_lines_are_one_write(self) -> None:
        conversation = Conversation()
        conversation.hears(b"perl\n" + b"a" * 2000 + b"\nperl\n" + b"a" * 2000 + b"\nperl\n")
        assert len(conversation.wire.writes) == 1

    def test_goodbye_goes_out_with_what_came_before(self) -> None:
        conversation = Conversation()
        conversation.hears(b"perl\nquit\n")
        assert conversation.wire.writes == [f"Line noise.\n{BYE}".encode()]

    def test_more_than_32_kib_are_several(self) -> None:
        conversation = Conversation()
        conversation.hears(b"perl\n" * 10_000)
        assert conversation.wire.text == "Line noise.\n" * 10_000
        assert len(conversation.wire.writes) == 4
        assert max(map(len, conversation.wire.writes)) < 32 * 1024 + 12


class TestPauses:
    def test_nothing_is_answered_until_there_is_room(self) -> None:
        conversation = Conversation(room=1)
        conversation.hears(b"perl\n")
        assert conversation.wire.producerState == "paused"
        assert conversation.hears(b"cobol\nperl\n") == "Line noise.\n"
        conversation.resume()
        assert conversation.wire.producerState == "producing"
        assert conversation.wire.text == "Line noise.\nFossil.\nLine noise.\n"
        conversation.hears(b"quit\n")
        assert conversation.wire.text.endswith(BYE)

    def test_a_long_read_stops_in_the_middle(self) -> None:
        conversation = Conversation(room=1)
        conversation.hears(b"perl\n" * 10_000)
        assert 32 * 1024 <= len(conversation.wire.text) < 32 * 1024 + 12
        conversation.resume()
        assert conversation.wire.text == "Line noise.\n" * 10_000

    def test_the_end_of_input_waits(self) -> None:
        conversation = Conversation(room=1)
        conversation.hears(b"perl\n", b"cobol\nmumps")
        conversation.protocol.readConnectionLost()
        assert conversation.wire.text == "Line noise.\n"
        assert not conversation.wire.disconnecting
        conversation.resume()
        assert conversation.outcome == (f"Line noise.\nFossil.\n{NOTHING}", 3, 1, True)

    def test_nothing_counts_after_a_goodbye_that_waited(self) -> None:
        conversation = Conversation(room=1)
        conversation.hears(b"perl\n", b"quit\nmumps")
        conversation.protocol.readConnectionLost()
        conversation.resume()
        assert conversation.outcome == (f"Line noise.\n{BYE}", 2, 0, True)

    def test_nothing_after_the_end_of_input_is_answered(self) -> None:
        conversation = Conversation(room=1)
        conversation.hears(b"perl\n", b"cobol\n")
        conversation.protocol.readConnectionLost()
        conversation.hears(b"mumps\n")
        conversation.resume()
        assert conversation.outcome == ("Line noise.\nFossil.\n", 2, 0, True)

    @settings(deadline=None, max_examples=200)
    @given(STREAMS, CUTS, st.lists(st.integers(1, 3), max_size=30), st.lists(st.booleans()))
    def test_they_lose_nothing(
        self, data: bytes, cuts: list[int], rooms: list[int], waits: list[bool]
    ) -> None:
        expected = Conversation()
        expected.hears(data)
        expected.protocol.readConnectionLost()
        held = Conversation(rooms.pop() if rooms else None)
        for read in cut(data, cuts):
            # A transport may hand out what it had read before it was told to pause.
            held.hears(read)
            if held.protocol.paused and (waits.pop() if waits else True):
                held.resume(rooms.pop() if rooms else None)
        held.protocol.readConnectionLost()
        while held.protocol.paused and not held.wire.disconnecting:
            held.resume(rooms.pop() if rooms else None)
        assert held.outcome == expected.outcome


class TestTurns:
    def test_a_read_full_of_lines_takes_several_and_no_more_is_read_meanwhile(self) -> None:
        clock = Clock()
        conversation = Conversation(clock=clock)
        conversation.hears(b"perl\n" * 200)
        assert conversation.protocol.lines_served == 64
        assert conversation.wire.producerState == "paused"
        clock.advance(0)
        lines = [write.count(b"\n") for write in conversation.wire.writes]
        assert lines == [64, 64, 64, 8]
        assert conversation.wire.text == "Line noise.\n" * 200
        assert conversation.wire.producerState == "producing"

    def test_many_short_reads_are_as_much_as_a_long_one(self) -> None:
        conversation = Conversation(clock=Clock())
        conversation.hears(*[b"perl\n"] * 100)
        assert conversation.protocol.lines_served == 64

    def test_an_answer_of_many_lines_is_as_much_as_many_answers(self) -> None:
        conversation = Conversation(clock=Clock())
        conversation.hears(b"perl -n 100\nperl\n")
        assert conversation.protocol.lines_served == 1

    def test_the_end_of_input_waits_for_all_of_them(self) -> None:
        clock = Clock()
        conversation = Conversation(clock=clock)
        conversation.hears(b"perl\n" * 128 + b"cobol")
        conversation.protocol.readConnectionLost()
        assert conversation.outcome == ("Line noise.\n" * 64, 64, 0, False)
        clock.advance(0)
        assert conversation.outcome == ("Line noise.\n" * 128 + "Fossil.\n", 129, 0, True)

    def test_nothing_is_answered_before_there_is_room_too(self) -> None:
        clock = Clock()
        conversation = Conversation(room=1, clock=clock)
        conversation.hears(b"perl\n" * 80)
        clock.advance(0)
        assert conversation.protocol.lines_served == 64
        conversation.resume()
        assert conversation.protocol.lines_served == 80

    def test_a_farewell_takes_none(self) -> None:
        clock = Clock()
        conversation = Conversation(clock=clock)
        conversation.hears(b"perl\n" * 80)
        conversation.protocol.farewell("Enough.")
        clock.advance(0)
        assert conversation.outcome == ("Line noise.\n" * 64 + "Enough.\n", 64, 0, True)

    def test_whoever_goes_takes_none(self) -> None:
        clock = Clock()
        conversation = Conversation(clock=clock)
        conversation.hears(b"perl\n" * 80)
        conversation.protocol.connectionLost(connectionDone)
        assert clock.getDelayedCalls() == []
        assert conversation.protocol.lines_served == 64

    @settings(deadline=None, max_examples=100)
    @given(STREAMS.map(lambda data: data * 5), CUTS)
    def test_they_change_no_answer(self, data: bytes, cuts: list[int]) -> None:
        clock = Clock()
        in_turns, at_once = Conversation(clock=clock), Conversation()
        at_once.hears(data)
        in_turns.hears(*cut(data, cuts))
        for conversation in (in_turns, at_once):
            conversation.protocol.readConnectionLost()
        while clock.getDelayedCalls():
            if in_turns.wire.disconnecting:
                in_turns.protocol.connectionLost(connectionDone)
            clock.advance(0)
        assert in_turns.outcome == at_once.outcome


class TestEnd:
    def test_of_input_answers_the_last_line_without_its_ending(self) -> None:
        conversation = Conversation()
        conversation.hears(b"perl\ncobol")
        conversation.protocol.readConnectionLost()
        assert conversation.outcome == ("Line noise.\nFossil.\n", 2, 0, True)

    @pytest.mark.parametrize("rest", [b"", b"\r"])
    def test_of_input_after_a_whole_line_adds_nothing(self, rest: bytes) -> None:
        conversation = Conversation()
        conversation.hears(b"perl\n" + rest)
        conversation.protocol.readConnectionLost()
        assert conversation.outcome == ("Line noise.\n", 1, 0, True)

    def test_of_input_in_a_quit(self) -> None:
        conversation = Conversation()
        conversation.hears(b"quit")
        conversation.protocol.readConnectionLost()
        assert conversation.outcome == (BYE, 1, 0, True)
        assert conversation.wire.closings == 1

    def test_of_input_comes_twice(self) -> None:
        conversation = Conversation()
        conversation.hears(b"perl")
        conversation.protocol.readConnectionLost()
        conversation.protocol.readConnectionLost()
        assert conversation.wire.closings == 1

    def test_of_output_is_nothing_to_us(self) -> None:
        conversation = Conversation()
        conversation.protocol.writeConnectionLost()
        assert conversation.hears(b"perl\n") == "Line noise.\n"

    @pytest.mark.parametrize("word", [b"quit", b"exit", b"bye", b" QUIT "])
    def test_goodbye_is_the_last_word(self, word: bytes) -> None:
        conversation = Conversation()
        assert conversation.hears(word + b"\nperl\n", b"perl\n") == BYE
        conversation.protocol.readConnectionLost()
        assert conversation.outcome == (BYE, 1, 0, True)
        assert conversation.wire.closings == 1

    def test_farewell(self) -> None:
        conversation = Conversation()
        conversation.hears(b"perl\n")
        conversation.protocol.farewell("Closing time.")
        assert conversation.outcome == ("Line noise.\nClosing time.\n", 1, 0, True)
        assert conversation.hears(b"perl\n") == "Line noise.\nClosing time.\n"

    def test_no_farewell_after_goodbye(self) -> None:
        conversation = Conversation()
        conversation.hears(b"quit\n")
        conversation.protocol.farewell("Closing time.")
        assert conversation.wire.text == BYE
        assert conversation.wire.closings == 1

    def test_a_lost_connection_is_told_once_and_written_to_no_more(self) -> None:
        conversation = Conversation()
        assert conversation.ended == []
        conversation.protocol.connectionLost(connectionDone)
        assert conversation.ended == [conversation.protocol]
        conversation.protocol.farewell("Closing time.")
        assert conversation.hears(b"perl\n") == ""


class TestGreeting:
    def test_is_one_write(self) -> None:
        conversation = Conversation(greeting=("Oh no.", "Not you."))
        assert conversation.wire.writes == [b"Oh no.\nNot you.\n"]
        assert conversation.protocol.lines_served == 0

    def test_none_writes_nothing(self) -> None:
        assert Conversation().wire.writes == []


class TestInterfaces:
    def test_protocol(self) -> None:
        assert verifyClass(IHalfCloseableProtocol, InsultProtocol)
        assert verifyClass(IPushProducer, InsultProtocol)
        assert Conversation().wire.streaming is True

    def test_transport(self) -> None:
        assert verifyClass(ITransport, LineTransport)
        assert verifyClass(IPushProducer, LineTransport)


class Outer(LineTransport):
    """What a `LineTransport` hands on to: it only notes the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, *tuple[object, ...]]] = []

    @override
    def write(self, data: bytes) -> None:
        self.calls.append(("write", data))

    @override
    def loseConnection(self) -> None:
        self.calls.append(("loseConnection",))

    @override
    def getPeer(self) -> IAddress:
        return IPv4Address("TCP", "192.0.2.1", 1)

    @override
    def getHost(self) -> IAddress:
        return IPv4Address("TCP", "192.0.2.2", 2)

    @override
    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        self.calls.append(("registerProducer", producer, streaming))

    @override
    def unregisterProducer(self) -> None:
        self.calls.append(("unregisterProducer",))

    @override
    def pauseProducing(self) -> None:
        self.calls.append(("pauseProducing",))

    @override
    def resumeProducing(self) -> None:
        self.calls.append(("resumeProducing",))


class TestLineTransport:
    def test_hands_everything_on(self) -> None:
        outer, producer = Outer(), Conversation().protocol
        transport = LineTransport(outer)
        assert verifyObject(ITransport, transport)
        transport.registerProducer(producer, streaming=True)
        transport.write(b"a")
        transport.writeSequence([b"b", b"c"])
        transport.pauseProducing()
        transport.resumeProducing()
        transport.unregisterProducer()
        assert outer.calls == [
            ("registerProducer", producer, True),
            ("write", b"a"),
            ("write", b"bc"),
            ("pauseProducing",),
            ("resumeProducing",),
            ("unregisterProducer",),
        ]
        assert transport.getPeer() == IPv4Address("TCP", "192.0.2.1", 1)
        assert transport.getHost() == IPv4Address("TCP", "192.0.2.2", 2)

    def test_closes_once_and_then_writes_nothing(self) -> None:
        outer = Outer()
        transport = LineTransport(outer)
        assert not transport.disconnecting
        transport.loseConnection()
        assert transport.disconnecting
        transport.write(b"a")
        transport.writeSequence([b"b"])
        transport.loseConnection()
        assert outer.calls == [("loseConnection",)]

    def test_stopping_closes_what_is_outside(self) -> None:
        outer = Outer()
        LineTransport(outer).stopProducing()
        assert outer.calls == [("loseConnection",)]

    def test_a_conversation_ends_through_it(self) -> None:
        outer = Outer()
        protocol = Conversation().protocol
        protocol.makeConnection(LineTransport(outer))
        protocol.dataReceived(b"perl\nquit\nperl\n")
        assert outer.calls[1:] == [
            ("write", f"Line noise.\n{BYE}".encode()),
            ("unregisterProducer",),
            ("loseConnection",),
        ]
