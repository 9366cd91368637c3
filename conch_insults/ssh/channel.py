"""The wire side of one session (RFC 4254, section 6): requests, flow control, the end.

A channel turns a peer's requests into calls of its `InsultSession` and keeps Conch's promises that
stock Conch does not: input waits for the application, the application waits for the peer, and
its end is told exactly once, with an exit status. Knows nothing of what a session runs.

Written against Twisted 26.10.
"""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from twisted.conch.ssh.session import SSHSession, SSHSessionProcessProtocol
from twisted.internet.interfaces import IPushProducer
from typing_extensions import override
from zope.interface import implementer

from conch_insults.ssh.session import InsultSession
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conch_insults.ssh.connection import InsultConnection
    from conch_insults.ssh.realm import InsultAvatar

__all__ = ["InsultChannel", "SessionTransport"]

# How much a peer may send before the application has read it, in bytes.
WINDOW_SIZE = 64 * 1024


@implementer(IPushProducer)
class SessionTransport(SSHSessionProcessProtocol):
    """Conch's end of a session, fit to be the transport of an application.

    To Conch's process protocol it adds what `LineReceiver` and producers look for.
    """

    session: InsultChannel

    def __init__(self, channel: InsultChannel) -> None:
        super().__init__(channel)
        self.disconnecting = False

    @override
    def connectionMade(self) -> None:
        """Do nothing: Conch's own takes the channel's output buffer for early input."""

    @override
    def write(self, data: bytes) -> None:
        if not self.disconnecting:
            self.session.write(data)

    @override
    def loseConnection(self) -> None:
        """Close when everything written has been sent."""
        self.disconnecting = True
        self.session.loseConnection()

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:  # noqa: FBT001 - IConsumer's
        """Pause `producer` while the peer takes no more."""
        del streaming
        self.session.producer = producer
        self.session.update_producer()

    def unregisterProducer(self) -> None:
        """Pause nobody any more."""
        self.session.producer = None

    def pauseProducing(self) -> None:
        """Stop reopening the window: the peer can send no more than it has been promised."""
        self.session.reading = False

    def resumeProducing(self) -> None:
        """Reopen the window for what has been read in the meantime."""
        self.session.reading = True
        self.session.conn.reopen_window(self.session)

    def stopProducing(self) -> None:
        """Deliver no input any more."""
        self.loseConnection()


class InsultChannel(SSHSession):
    """A session channel.

    Attributes:
        producer: who writes to this channel, to be paused while the peer takes no more.
        reading: whether the application takes input now.
    """

    client: SessionTransport | None
    id: int  # type: ignore[assignment]  # Conch gives it its value when the channel opens
    conn: InsultConnection
    avatar: InsultAvatar

    def __init__(self, remote_window: int, remote_max_packet: int, avatar: InsultAvatar) -> None:
        super().__init__(
            localWindow=WINDOW_SIZE,
            remoteWindow=remote_window,
            remoteMaxPacket=remote_max_packet,
            avatar=avatar,
        )
        self.producer: IPushProducer | None = None
        self.reading = False
        self.insult_session = InsultSession(avatar)
        self._early_input = b""
        self.input_ended = False
        self._has_pty = False
        self._producer_is_paused = False
        self._start: Callable[[], None] | None = None

    @override
    def channelOpen(self, specificData: bytes) -> None:
        """Do nothing: a session starts with its shell or exec request."""

    # Requests (RFC 4254, sections 6.2 to 6.10)

    @override
    def requestReceived(self, requestType: bytes, data: bytes) -> bool:
        """Grant or refuse a request; one that is malformed or unknown is refused."""
        grant = self._REQUESTS.get(requestType)
        if grant is None:
            return False
        try:
            return grant(self, Fields(data))
        except ProtocolError:
            return False

    def request_answered(self) -> None:
        """Start what was granted, now that the peer has been told so."""
        if self._start is not None:
            start, self._start = self._start, None
            self.reading = True
            start()
            self._deliver_early_input()

    def _grant_pty(self, fields: Fields) -> bool:
        term = fields.string()
        columns, rows, x_pixels, y_pixels = (fields.uint32() for _ in range(4))
        if self._has_pty or self.client is not None or not self.insult_session.may_have_terminal:
            return False
        self._has_pty = True
        # Terminal modes are for programs behind a tty driver; there is none here.
        self.insult_session.getPty(term, (rows, columns, x_pixels, y_pixels), [])
        return True

    def _grant_window_change(self, fields: Fields) -> bool:
        columns, rows, x_pixels, y_pixels = (fields.uint32() for _ in range(4))
        self.insult_session.windowChanged((rows, columns, x_pixels, y_pixels))
        return True

    def _grant_env(self, fields: Fields) -> bool:
        name, value = fields.string(), fields.string()
        self.insult_session.setEnv(name, value)
        return True

    def _may_start(self) -> bool:
        return self.client is None and self.conn.takes_channels

    def _grant_shell(self, _fields: Fields) -> bool:
        if not self._may_start():
            return False
        self.client = SessionTransport(self)
        self._start = partial(self.insult_session.openShell, self.client)
        return True

    def _grant_exec(self, fields: Fields) -> bool:
        command = fields.string()
        if not self._may_start():
            return False
        self.client = SessionTransport(self)
        self._start = partial(self.insult_session.execCommand, self.client, command)
        return True

    _REQUESTS: ClassVar[dict[bytes, Callable[[InsultChannel, Fields], bool]]] = {
        b"pty-req": _grant_pty,
        b"window-change": _grant_window_change,
        b"env": _grant_env,
        b"shell": _grant_shell,
        b"exec": _grant_exec,
    }

    # Input

    @override
    def dataReceived(self, data: bytes) -> None:
        if self.client is not None and self.client.transport is not None:
            self.client.transport.write(data)
        else:
            # No more than the window: it is not reopened before somebody reads.
            self._early_input += data

    @override
    def extReceived(self, dataType: int, data: bytes) -> None:
        """Drop it: a client has no second input stream (RFC 4254, section 5.2)."""

    @override
    def eofReceived(self) -> None:
        self.input_ended = True
        if self.client is not None and self.client.transport is not None:
            self.insult_session.eofReceived()

    def _deliver_early_input(self) -> None:
        early, self._early_input = self._early_input, b""
        if early:
            self.dataReceived(early)
        if self.input_ended:
            self.insult_session.eofReceived()
        self.conn.reopen_window(self)

    # Output

    @override
    def write(self, data: bytes) -> None:
        size = len(data)
        if not self.buf and 0 < size < self.remoteWindowLeft and size <= self.remoteMaxPacket:
            # Nearly every answer: it all goes, and so can the next.
            self.remoteWindowLeft -= size
            self.conn.sendData(self, data)
            return
        super().write(data)
        self.update_producer()
        if self.buf:
            self.conn.transport.check_waiting(self.conn.waiting_output)

    @override
    def writeExtended(self, dataType: int, data: bytes) -> None:
        """Send data of another type if it can go at once; a note beside the answers may be lost."""
        room = min(self.remoteWindowLeft, self.remoteMaxPacket)
        if not self.buf and len(data) <= room:
            self.remoteWindowLeft -= len(data)
            self.conn.sendExtendedData(self, dataType, data)

    @override
    def addWindowBytes(self, data: int) -> None:
        """Send what waits for the window; only then may the producer go on."""
        self.remoteWindowLeft += data
        if self.buf:
            waiting, self.buf = self.buf, b""
            super().write(waiting)
        self.update_producer()

    def update_producer(self) -> None:
        """Have the producer stop while anything that it writes would have to wait."""
        if self.producer is None:
            return
        blocked = bool(self.buf) or not self.remoteWindowLeft or self.conn.output_is_blocked
        if blocked != self._producer_is_paused:
            self._producer_is_paused = blocked
            if blocked:
                self.producer.pauseProducing()
            else:
                self.producer.resumeProducing()

    # The end

    @override
    def loseConnection(self) -> None:
        """Say EOF, exit status and CLOSE, in that order, once everything has been sent."""
        self.closing = True
        if not self.buf and not self.localClosed:
            self.conn.sendEOF(self)
            self.conn.sendRequest(
                self, b"exit-status", struct.pack(">L", self.insult_session.exit_status)
            )
            self.conn.sendClose(self)

    @override
    def closeReceived(self) -> None:
        """Close from our side too; what is still unsent will be read by nobody."""
        self.buf = b""
        self.loseConnection()

    @override
    def closed(self) -> None:
        """Tell the application, which hears it here and nowhere else."""
        if self.client is not None and self.client.transport is not None:
            self.client.transport.loseConnection()
            self.insult_session.closed()
