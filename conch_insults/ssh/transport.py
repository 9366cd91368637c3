"""The SSH transport (RFC 4253) of one connection.

It carries who the peer is, tells clients what keys they may sign with, and stops reading from a
peer that does not read. Knows neither authentication nor channels.

Written against Twisted 26.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.conch.ssh.transport import SSHServerTransport
from twisted.internet.interfaces import IPushProducer
from typing_extensions import override
from zope.interface import implementer

from conch_insults.access.signature import ALGORITHMS

if TYPE_CHECKING:
    from typing import Any

    from twisted.python.failure import Failure

    from conch_insults.ssh.factory import InsultSSHFactory
    from conch_insults.ssh.realm import InsultAvatar, Peer

__all__ = ["InsultSSHTransport"]

_SIGNATURE_ALGORITHMS = ",".join(ALGORITHMS).encode()


@implementer(IPushProducer)
class InsultSSHTransport(SSHServerTransport):
    """One connection.

    Attributes:
        peer: who is at the other end.
    """

    factory: InsultSSHFactory
    avatar: InsultAvatar
    peer: Peer
    # The reactor's: ITCPTransport, IConsumer and IPushProducer in one.
    transport: Any

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody has proved who they are."""
        return hasattr(self, "avatar")

    @override
    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, streaming=True)
        super().connectionMade()

    @override
    def connectionLost(self, reason: Failure | None = None) -> None:
        super().connectionLost(reason)
        self.factory.connections.discard(self)

    @override
    def receiveError(self, reasonCode: int, description: bytes) -> None:
        """Do nothing: a peer that says why it leaves is no error of ours."""

    @override
    def sendExtInfo(self, extensions: list[tuple[bytes, bytes]]) -> None:
        """Say what users may sign with, which stock Conch derives from the host keys."""
        super().sendExtInfo([(b"server-sig-algs", _SIGNATURE_ALGORITHMS)])

    def pauseProducing(self) -> None:
        """Stop reading: the peer must take what it has asked for first."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again, or finish closing: TCP waits for a paused producer before it closes."""
        if self.transport.disconnecting:
            self.transport.unregisterProducer()
        else:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """Do nothing: the connection is gone."""
