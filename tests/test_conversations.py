"""The conversations of all doors: who is here, what they are told, and what they leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.protocol import connectionDone
from twisted.internet.task import Clock

from conch_insults.conversations import InsultFactory
from conch_insults.core.person import Person
from conch_insults.events import SessionEnded
from conch_insults.protocol import InsultProtocol
from conch_insults.rating import Rating
from tests.ssh_peer import insult_pack
from tests.test_protocol import BYE, NOTHING, PACK, Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IAddress

    from conch_insults.events import Event


class House:
    """A started `InsultFactory` with a clock of its own."""

    def __init__(self, greeting: Sequence[str] = (), *, classic: bool = True) -> None:
        self.events: list[Event] = []
        self.clock = Clock()
        self.factory = InsultFactory(
            PACK, self.events.append, self.clock, greeting=greeting, classic=classic
        )
        self.factory.doStart()

    def visitor(self, address: IAddress | None = None) -> tuple[InsultProtocol, Wire]:
        protocol, wire = self.factory.buildProtocol(address), Wire()
        assert protocol is not None
        protocol.makeConnection(wire)
        return protocol, wire


class TestFactory:
    def test_visitors_are_greeted_and_answered(self) -> None:
        protocol, wire = House(("Oh no.", "Not you.")).visitor()
        protocol.dataReceived(b"perl\n")
        assert wire.writes == [b"Oh no.\nNot you.\n", b"Line noise.\n"]

    @pytest.mark.parametrize("classic", [True, False])
    def test_unknown_topics_are_answered_as_it_was_told(self, classic: bool) -> None:
        protocol, wire = House(classic=classic).visitor()
        protocol.dataReceived(b"mumps\n")
        assert (wire.text == NOTHING) is classic
        assert ("mumps" in wire.text) is not classic

    def test_each_session_ends_in_one_event(self) -> None:
        house = House()
        first, _ = house.visitor(IPv4Address("TCP", "192.0.2.1", 4000))
        house.clock.advance(5)
        second, _ = house.visitor(IPv6Address("TCP", "2001:db8::1", 4000))
        first.dataReceived(b"perl\nperl\n")
        house.clock.advance(2.5)
        assert house.events == []
        second.connectionLost(connectionDone)
        first.connectionLost(connectionDone)
        assert house.events == [
            SessionEnded("tcp-2", "tcp", "-", "2001:db8::1", 2.5, 0),
            SessionEnded("tcp-1", "tcp", "-", "192.0.2.1", 7.5, 2),
        ]

    @pytest.mark.parametrize("address", [None, UNIXAddress("/run/insults")])
    def test_somebody_without_an_address(self, address: IAddress | None) -> None:
        house = House()
        house.visitor(address)[0].connectionLost(connectionDone)
        assert house.events == [SessionEnded("tcp-1", "tcp", "-", "-", 0.0, 0)]

    def test_sessions_are_known_until_they_end(self) -> None:
        house = House()
        first, second = house.visitor()[0], house.visitor()[0]
        assert house.factory.sessions == {first, second}
        first.connectionLost(connectionDone)
        assert house.factory.sessions == {second}
        second.connectionLost(connectionDone)
        assert house.factory.sessions == set()

    def test_conversations_of_other_doors_are_sessions_too(self) -> None:
        house, ended = House(("Not for them.",)), list[InsultProtocol]()
        protocol, wire = house.factory.converse(Person(Rating.R), ("Hello.",), ended.append), Wire()
        assert house.factory.sessions == {protocol}
        protocol.makeConnection(wire)
        protocol.dataReceived(b"perl\n")
        assert wire.text == "Hello.\nLine noise.\n"
        protocol.connectionLost(connectionDone)
        assert ended == [protocol]
        assert house.events == []
        assert house.factory.sessions == set()

    def test_visitors_do_not_disturb_each_other(self) -> None:
        house = House()
        (first, first_wire), (second, second_wire) = house.visitor(), house.visitor()
        first.dataReceived(b"pe")
        second.dataReceived(b"co")
        first.dataReceived(b"rl\n")
        second.dataReceived(b"bol\nquit\n")
        assert (first_wire.text, second_wire.text) == ("Line noise.\n", f"Fossil.\n{BYE}")
        assert not first_wire.disconnecting

    def test_starting_loads_the_insulter_and_stopping_releases_it(self) -> None:
        house = House()
        protocol, wire = house.visitor()
        house.factory.doStop()
        with pytest.raises(RuntimeError, match="has not been started"):
            house.visitor()
        assert house.factory.sessions == {protocol}
        protocol.dataReceived(b"perl\n")
        assert wire.text == "Line noise.\n"
        house.factory.doStart()
        again, wire = house.visitor()
        again.dataReceived(b"perl\n")
        assert wire.text == "Line noise.\n"

    def test_a_new_pack_given_while_stopped_counts_after_the_start(self) -> None:
        house = House()
        new = insult_pack(b"mumps: Get well soon.\n")
        house.factory.doStop()
        house.factory.pack = new
        assert house.factory.pack is new
        house.factory.doStart()
        protocol, wire = house.visitor()
        protocol.dataReceived(b"mumps\n")
        assert wire.text == "Get well soon.\n"

    def test_a_new_pack_reaches_conversations_under_way(self) -> None:
        house = House()
        protocol, wire = house.visitor()
        protocol.dataReceived(b"perl\n")
        house.factory.pack = insult_pack(b"perl: Still?\n")
        protocol.dataReceived(b"perl\ncobol\n")
        assert wire.text == f"Line noise.\nStill?\n{NOTHING}"

    def test_it_says_nothing_of_itself_in_the_log(self) -> None:
        assert not House().factory.noisy

    def test_who_asks_much_leaves_the_others_their_turn(self) -> None:
        house = House()
        (flood, flood_wire), (other, other_wire) = house.visitor(), house.visitor()
        flood.dataReceived(b"perl\n" * 1000)
        other.dataReceived(b"cobol\n")
        assert other_wire.text == "Fossil.\n"
        assert flood.lines_served == 64
        while house.clock.getDelayedCalls():
            house.clock.advance(0)
        assert flood_wire.text == "Line noise.\n" * 1000
