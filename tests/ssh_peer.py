"""An SSH peer in memory: it sends messages to a service of ours and reads what comes back.

A test reads as a transcript: `peer.send(...)`, then what is in `peer.received()`.
"""

from __future__ import annotations

import struct
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from twisted.conch.ssh import connection as ssh_connection
from twisted.conch.ssh.common import NS
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.logger import Logger

from conch_insults.access.grants import Grant, Offer
from conch_insults.config import LimitSettings
from conch_insults.conversations import InsultFactory
from conch_insults.core.pack_model import Pack, build_pack
from conch_insults.core.packs import parse_written
from conch_insults.ssh.connection import InsultConnection
from conch_insults.ssh.realm import InsultAvatar, Peer
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from conch_insults.events import Event

PACK = b"perl: Line noise.\ncobol: Fossil.\n"
UNKNOWN = b'name = "unknown"\nunknown = ["What is #topic#?"]\n'
GRANT = Grant(Offer("alice", "ssh-ed25519", b"a key", "192.0.2.1"), "alice:1")

_NAMES = {number: name.removeprefix("MSG_") for number, name in ssh_connection.messages.items()}


@cache
def insult_pack(content: bytes = PACK) -> Pack:
    """Make a pack of lines in the talk's format, with an answer to whatever else is asked."""
    return build_pack([parse_written(content, "test"), parse_written(UNKNOWN, "unknown.toml")])


def started_conversations(pack: Pack | None = None) -> InsultFactory:
    events: list[Event] = []
    factory = InsultFactory(pack or insult_pack(), events.append, Clock())
    factory.doStart()
    assert factory._insulter is not None
    factory._insulter.random = Random(1)
    return factory


def take_turns(conversations: InsultFactory) -> None:
    """Let the reactor's turns pass that conversations have asked for."""
    clock = cast("Clock", conversations._clock)
    while any(call.getTime() <= clock.seconds() for call in clock.getDelayedCalls()):
        clock.advance(0)


def describe(number: int, payload: bytes) -> tuple[Any, ...]:
    """Say what a message of ours is, by its name and the fields that matter."""
    name, fields = _NAMES[number], Fields(payload)
    if name == "CHANNEL_OPEN_CONFIRMATION":
        return name, fields.uint32(), fields.uint32()
    if name == "CHANNEL_OPEN_FAILURE":
        return name, fields.uint32(), fields.uint32(), fields.string()
    if name == "CHANNEL_DATA":
        return name, fields.uint32(), fields.string()
    if name == "CHANNEL_EXTENDED_DATA":
        return name, fields.uint32(), fields.uint32(), fields.string()
    if name == "CHANNEL_WINDOW_ADJUST":
        return name, fields.uint32(), fields.uint32()
    if name == "CHANNEL_REQUEST":
        channel, request, wants_reply = fields.uint32(), fields.string(), fields.boolean()
        assert not wants_reply
        return request.decode(), channel, *struct.unpack(">L", fields.rest())
    if name in {"REQUEST_SUCCESS", "REQUEST_FAILURE"}:
        return (name,)
    return name, fields.uint32()


class ConnectionPeer:
    """The client of an `InsultConnection` under test, in place of its transport."""

    def __init__(
        self, conversations: InsultFactory | None = None, limits: LimitSettings | None = None
    ) -> None:
        self.conversations = conversations or started_conversations()
        self.clock = Clock()
        self.avatar = InsultAvatar(GRANT, self.conversations, self.clock)
        self.peer = Peer("c0ffee", "192.0.2.1")
        self._log = Logger()
        self._received: list[tuple[Any, ...]] = []
        self.disconnected: bytes | None = None
        self.transport = self
        self.factory = SimpleNamespace(clock=self.clock, limits=limits or LimitSettings())
        self.last_heard = 0.0
        self.output_is_blocked = False
        self.waiting = self.noise = 0
        self.aborted = False
        self.service = InsultConnection()
        self.service.transport = self  # type: ignore[assignment]
        self.service.serviceStarted()

    # What a transport offers a service.

    def sendPacket(self, number: int, payload: bytes) -> None:  # noqa: N802 - Conch's
        self._received.append(describe(number, payload))

    def count_noise(self) -> None:
        self.noise += 1

    def check_waiting(self, elsewhere: int) -> None:
        self.waiting = elsewhere

    def abort(self) -> None:
        self.aborted = True

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.1", 1)

    def sendDisconnect(self, reason: int, text: bytes) -> None:  # noqa: N802 - Conch's
        self.disconnected = text

    # What a client does.

    def received(self) -> list[tuple[Any, ...]]:
        """Return what has come since the last call."""
        received, self._received = self._received, []
        return received

    def output(self, channel: int = 7) -> bytes:
        """Return the data that has come for a channel since the last call of any kind."""
        return b"".join(
            item[2] for item in self.received() if item[:2] == ("CHANNEL_DATA", channel)
        )

    def send(self, number: int, payload: bytes = b"") -> None:
        try:
            self.service.packetReceived(number, payload)
        except ProtocolError as error:
            self.disconnected = str(error).encode()
        take_turns(self.conversations)

    def open(
        self,
        channel: int = 7,
        *,
        window: int = 1 << 20,
        max_packet: int = 32768,
        kind: bytes = b"session",
    ) -> None:
        self.send(
            ssh_connection.MSG_CHANNEL_OPEN,
            NS(kind) + struct.pack(">3L", channel, window, max_packet),
        )

    def request(
        self, name: bytes, data: bytes = b"", *, to: int = 0, wants_reply: bool = True
    ) -> None:
        self.send(
            ssh_connection.MSG_CHANNEL_REQUEST,
            struct.pack(">L", to) + NS(name) + bytes((wants_reply,)) + data,
        )

    def pty(self, columns: int = 80, rows: int = 24, *, to: int = 0) -> None:
        self.request(
            b"pty-req", NS(b"xterm") + struct.pack(">4L", columns, rows, 0, 0) + NS(b""), to=to
        )

    def data(self, data: bytes, *, to: int = 0) -> None:
        self.send(ssh_connection.MSG_CHANNEL_DATA, struct.pack(">L", to) + NS(data))

    def adjust(self, count: int, *, to: int = 0) -> None:
        self.send(ssh_connection.MSG_CHANNEL_WINDOW_ADJUST, struct.pack(">2L", to, count))

    def eof(self, *, to: int = 0) -> None:
        self.send(ssh_connection.MSG_CHANNEL_EOF, struct.pack(">L", to))

    def close(self, *, to: int = 0) -> None:
        self.send(ssh_connection.MSG_CHANNEL_CLOSE, struct.pack(">L", to))

    def shell(self, channel: int = 7, *, window: int = 1 << 20) -> None:
        """Open a channel and start a shell without a terminal, and forget the answers."""
        number = self.service.localChannelID
        self.open(channel, window=window)
        self.request(b"shell", to=number)
        self.received()
