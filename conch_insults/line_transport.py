"""What lines are written to where TCP is not directly under a protocol.

Hands everything on, and knows nothing of what is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IPushProducer, ITransport
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from twisted.internet.interfaces import IAddress

__all__ = ["LineTransport"]


@implementer(ITransport, IPushProducer)
class LineTransport:
    """What an `InsultProtocol` writes to where TCP is not directly under it.

    It hands everything on to an outer transport, and adds what `LineReceiver` needs to know:
    that the connection is being closed, after which nothing more is written.
    """

    # The outer transport is an ITransport, IConsumer and IPushProducer in one.
    def __init__(self, outer: Any) -> None:  # noqa: ANN401 - for which there is no type
        self.disconnecting = False
        self._outer = outer

    def write(self, data: bytes) -> None:
        """Send some bytes."""
        if not self.disconnecting:
            self._outer.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send some bytes that come in pieces."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close when everything written has been sent."""
        if not self.disconnecting:
            self.disconnecting = True
            self._outer.loseConnection()

    def getPeer(self) -> IAddress:
        """Return the address of the other side."""
        peer: IAddress = self._outer.getPeer()
        return peer

    def getHost(self) -> IAddress:
        """Return the address of this side."""
        host: IAddress = self._outer.getHost()
        return host

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:  # noqa: FBT001 - IConsumer's
        """Let the outer transport pause whoever writes here."""
        self._outer.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Pause nobody any more."""
        self._outer.unregisterProducer()

    def pauseProducing(self) -> None:
        """Stop delivering input."""
        self._outer.pauseProducing()

    def resumeProducing(self) -> None:
        """Deliver input again."""
        self._outer.resumeProducing()

    def stopProducing(self) -> None:
        """Deliver no input any more."""
        self._outer.loseConnection()
