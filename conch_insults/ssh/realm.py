"""Who somebody is once they are in: the avatar, made from a grant and nothing else.

An avatar is the only place where identity exists. Knows neither packets nor key files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.conch.avatar import ConchUser
from twisted.conch.error import ConchError
from twisted.conch.interfaces import IConchUser
from twisted.conch.ssh.connection import (
    OPEN_ADMINISTRATIVELY_PROHIBITED,
    OPEN_UNKNOWN_CHANNEL_TYPE,
)
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm
from typing_extensions import override
from zope.interface import implementer

from conch_insults.access.grants import Grant
from conch_insults.access.key_options import Role
from conch_insults.core.person import Person
from conch_insults.events import LoginAccepted, SessionEnded
from conch_insults.pace import Pace
from conch_insults.ssh.about import AboutLogin
from conch_insults.ssh.channel import InsultChannel
from conch_insults.ssh.regulars import Memory, Regulars

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IReactorTime

    from conch_insults.conversations import InsultFactory
    from conch_insults.core.person import Operations
    from conch_insults.events import EventSink
    from conch_insults.protocol import InsultProtocol
    from conch_insults.ssh.about import Protection
    from conch_insults.ssh.connection import InsultConnection

__all__ = ["InsultAvatar", "InsultRealm", "Peer"]

# Channel types that ask for forwarding of some kind; everything else is just unknown.
_FORWARDING = {
    b"auth-agent@openssh.com",
    b"direct-streamlocal@openssh.com",
    b"direct-tcpip",
    b"forwarded-streamlocal@openssh.com",
    b"forwarded-tcpip",
    b"tun@openssh.com",
    b"x11",
}


@dataclass(frozen=True, slots=True)
class Peer:
    """The connection that somebody comes over.

    Attributes:
        connection: a random name, unlike any other connection's.
        address: their network address, as text.
    """

    connection: str
    address: str


class InsultAvatar(ConchUser):
    """Somebody who is in: their grant, and what they have been told so far.

    Args:
        grant: what lets them in.
        conversations: whose conversations they get.
        clock: runs what their sessions do later.
        operations: what they can do to the server, if they are an operator.
        memory: what is remembered of them.

    Attributes:
        clock: as above.
        history: the lines that they have typed at a terminal.
        since: when they came in, by that clock.
        lines_served: how many of their lines have been answered, in sessions that are over.
    """

    # Conch's, which its connection sets when it starts.
    conn: InsultConnection

    def __init__(
        self,
        grant: Grant,
        conversations: InsultFactory,
        clock: IReactorTime,
        operations: Operations | None = None,
        memory: Memory | None = None,
    ) -> None:
        super().__init__()
        memory = memory or Memory()
        self.clock = clock
        self.history = memory.history
        self.since = clock.seconds()
        self.lines_served = 0
        self._conversations = conversations
        self._operations = operations
        self._person = Person(conversations.ceiling, AboutLogin(self), heard=memory.heard)
        lines_per_minute = grant.terms.lines_per_minute
        # One for all of their sessions.
        self._pace = Pace(clock, lines_per_minute) if lines_per_minute else None
        self.grant = grant

    @property
    def grant(self) -> Grant:
        """What lets them in; when they are judged again, its terms count from then on."""
        return self._grant

    @grant.setter
    def grant(self, grant: Grant) -> None:
        self._grant = grant
        terms, ceiling = grant.terms, self._conversations.ceiling
        self._person.ceiling = ceiling if terms.rating is None else min(ceiling, terms.rating)
        is_operator = terms.role is Role.OPERATOR
        self._person.operations = self._operations if is_operator else None

    def operate_no_more(self) -> None:
        """Take what operators can do away for good, whatever grant may come."""
        self._operations = self._person.operations = None

    @property
    def protection(self) -> Protection:
        """How their connection is protected."""
        return self.conn.transport.protection

    @property
    def greeting(self) -> Sequence[str]:
        """What a person at a terminal is told first."""
        grant = self._grant
        if grant.is_guest:
            limits = "; ".join(grant.terms.restrictions)
            welcome = f"Oh. A guest: {limits}." if limits else "Oh. A guest."
        else:
            welcome = f"Oh. It's you, {grant.user}."
        return (
            welcome,
            "Name a topic and be insulted about it; help says what else, quit gets you out.",
        )

    def converse(self, greeting: Sequence[str] = ()) -> InsultProtocol:
        """Start a conversation with this person.

        Args:
            greeting: what they are told first, a line each.
        """
        return self._conversations.converse(
            self._person, greeting, self._conversation_ended, pace=self._pace
        )

    def _conversation_ended(self, conversation: InsultProtocol) -> None:
        self.lines_served += conversation.lines_served

    @override
    def lookupChannel(
        self, channelType: bytes, windowSize: int, maxPacket: int, data: bytes
    ) -> InsultChannel:
        """Open a session, and nothing but sessions.

        Raises:
            ConchError: with the text and the reason code of an OPEN_FAILURE.
        """
        if channelType == b"session":
            return InsultChannel(windowSize, maxPacket, self)
        if channelType in _FORWARDING:
            raise ConchError("nothing is forwarded here", OPEN_ADMINISTRATIVELY_PROHIBITED)
        raise ConchError("unknown channel type", OPEN_UNKNOWN_CHANNEL_TYPE)


@implementer(IRealm)
class InsultRealm:
    """Makes avatars, and tells of their coming and going.

    Args:
        conversations: whose conversations they get.
        emit: is told of each login and each end.
        clock: measures how long they stayed.
        operations: what operators can do to the server.
    """

    def __init__(
        self,
        conversations: InsultFactory,
        emit: EventSink,
        clock: IReactorTime,
        operations: Operations | None = None,
    ) -> None:
        self._conversations = conversations
        self._emit = emit
        self._clock = clock
        self._operations = operations
        self._regulars = Regulars()

    def requestAvatar(
        self, avatar_id: object, mind: object, *interfaces: object
    ) -> tuple[type[IConchUser], InsultAvatar, Callable[[], None]]:
        """Let a grant's holder in.

        Args:
            avatar_id: the `Grant`, as the checker gave it.
            mind: the `Peer`.
            interfaces: what may be asked for; only `IConchUser` can be had.

        Raises:
            UnauthorizedLogin: there is no grant, or nothing to be had for it.
        """
        if not (
            isinstance(avatar_id, Grant) and isinstance(mind, Peer) and IConchUser in interfaces
        ):
            raise UnauthorizedLogin("only holders of a grant may come in, as SSH users")
        grant, peer = avatar_id, mind
        memory = None if grant.is_guest else self._regulars.welcome(grant.user)
        avatar = InsultAvatar(grant, self._conversations, self._clock, self._operations, memory)
        certificate = grant.certificate
        self._emit(
            LoginAccepted(
                peer.connection,
                grant.user,
                peer.address,
                grant.key_type or "none",
                grant.fingerprint or "-",
                grant.source,
                f"{certificate.key_id}/{certificate.serial}" if certificate else "-",
            )
        )

        def logout() -> None:
            duration = self._clock.seconds() - avatar.since
            self._emit(
                SessionEnded(
                    peer.connection, "ssh", grant.user, peer.address, duration, avatar.lines_served
                )
            )

        return IConchUser, avatar, logout
