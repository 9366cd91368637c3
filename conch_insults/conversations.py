"""The conversations of all doors: whom they are with, what there is to say, and who is here.

Makes the protocol of each. Knows neither SSH nor terminals, and nothing of lines.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from twisted.internet.protocol import Factory
from typing_extensions import override

from conch_insults.core.dialogue import Dialogue
from conch_insults.core.insulter import Insulter
from conch_insults.core.person import Person
from conch_insults.events import SessionEnded
from conch_insults.protocol import InsultProtocol
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IAddress, IReactorTime

    from conch_insults.core.packs import Pack
    from conch_insults.events import EventSink
    from conch_insults.pace import Pace

__all__ = ["InsultFactory"]


class InsultFactory(Factory[InsultProtocol]):
    """Conversations over TCP, and the one insulter that those of every door share.

    Args:
        pack: what there is to say.
        emit: is told when somebody who came over TCP has gone.
        clock: measures how long they stayed, and gives each of them their turn.
        greeting: what they are told first, a line each.
        classic: whether unknown topics get the classic reply.
        ceiling: the most that anybody may hear.
        admit: says whether an address may connect over TCP: with what to call when the
            connection has ended, or with None.

    Attributes:
        ceiling: as above.
        sessions: the conversations under way, at every door.
        connections: of these, those over TCP.
    """

    noisy = False

    def __init__(  # noqa: PLR0913 - what a server is made of
        self,
        pack: Pack,
        emit: EventSink,
        clock: IReactorTime,
        *,
        greeting: Sequence[str] = (),
        classic: bool = False,
        ceiling: Rating = Rating.R,
        admit: Callable[[str], Callable[[], None] | None] = lambda _: lambda: None,
    ) -> None:
        self.sessions: set[InsultProtocol] = set()
        self.connections: set[InsultProtocol] = set()
        self._insulter: Insulter | None = None
        self._pack = pack
        self._emit = emit
        self._clock = clock
        self._greeting = greeting
        self._classic = classic
        self.ceiling = ceiling
        self._admit = admit
        self._connections = 0

    @override
    def startFactory(self) -> None:
        self._insulter = Insulter(self._pack, Random())  # noqa: S311 - a joke, not a key

    @override
    def stopFactory(self) -> None:
        self._insulter = None

    @property
    def pack(self) -> Pack:
        """What there is to say; a new one counts from the next line on."""
        return self._pack

    @pack.setter
    def pack(self, pack: Pack) -> None:
        self._pack = pack
        if self._insulter is not None:
            self._insulter.pack = pack

    @override
    def buildProtocol(self, addr: IAddress | None) -> InsultProtocol | None:
        address = getattr(addr, "host", "-")
        leave = self._admit(address)
        if leave is None:
            return None
        self._connections += 1
        connection = f"tcp-{self._connections}"
        started = self._clock.seconds()

        def ended(protocol: InsultProtocol) -> None:
            leave()
            self.connections.discard(protocol)
            duration = self._clock.seconds() - started
            self._emit(
                SessionEnded(connection, "tcp", "-", address, duration, protocol.lines_served)
            )

        protocol = self.converse(Person(self.ceiling), self._greeting, ended)
        protocol.factory = self
        self.connections.add(protocol)
        return protocol

    def converse(
        self,
        person: Person,
        greeting: Sequence[str],
        ended: Callable[[InsultProtocol], None],
        *,
        pace: Pace | None = None,
    ) -> InsultProtocol:
        """Make the protocol of one conversation, of whatever door.

        Args:
            person: whom it is with.
            greeting: what they are told first, a line each.
            ended: is called once, when the conversation's connection is lost.
            pace: how fast this person may ask, None for as fast as they can.
        """
        if self._insulter is None:
            raise RuntimeError("the factory has not been started")

        def forget(protocol: InsultProtocol) -> None:
            self.sessions.discard(protocol)
            ended(protocol)

        dialogue = Dialogue(self._insulter, person, classic=self._classic)
        protocol = InsultProtocol(dialogue, greeting, forget, pace, self._clock)
        self.sessions.add(protocol)
        return protocol
