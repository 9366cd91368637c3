"""Where the SSH door's parts meet: host keys, services, one transport for each connection.

Knows what Conch asks a factory for; what is said behind the door is the portal's.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from twisted.conch.ssh.factory import SSHFactory
from typing_extensions import override

from conch_insults.ssh.connection import InsultConnection
from conch_insults.ssh.realm import Peer
from conch_insults.ssh.transport import InsultSSHTransport
from conch_insults.ssh.userauth import InsultUserAuthServer

if TYPE_CHECKING:
    from twisted.conch.ssh.keys import Key
    from twisted.conch.ssh.service import SSHService
    from twisted.cred.portal import Portal
    from twisted.internet.interfaces import IAddress, IReactorTime
    from twisted.logger import Logger

    from conch_insults.events import EventSink

__all__ = ["InsultSSHFactory"]


class InsultSSHFactory(SSHFactory):
    """The SSH server.

    Args:
        portal: turns credentials into avatars.
        host_keys: the server's own keys by type.
        emit: is told of what happens.
        log: takes what Conch has to say.
        clock: runs the timers.

    Attributes:
        connections: those that are open.
    """

    noisy = False
    protocol = InsultSSHTransport
    services = {  # noqa: RUF012 - a dict of this class's own, where SSHFactory's is shared by all
        b"ssh-userauth": InsultUserAuthServer,
        b"ssh-connection": InsultConnection,
    }

    def __init__(
        self,
        portal: Portal,
        host_keys: dict[bytes, Key],
        *,
        emit: EventSink,
        log: Logger,
        clock: IReactorTime,
    ) -> None:
        self.portal = portal
        self.privateKeys = host_keys
        self.publicKeys = {name: key.public() for name, key in host_keys.items()}
        self.emit = emit
        self.clock = clock
        self.connections: set[InsultSSHTransport] = set()
        self._log = log

    @override
    def buildProtocol(self, addr: IAddress | None) -> InsultSSHTransport:
        transport = super().buildProtocol(addr)
        assert isinstance(transport, InsultSSHTransport)  # noqa: S101 - what `protocol` makes
        transport._log = self._log  # noqa: SLF001 - Conch's name for the transport's logger
        transport.peer = Peer(token_hex(4), getattr(addr, "host", "-"))
        self.connections.add(transport)
        return transport

    @override
    def getService(self, transport: InsultSSHTransport, service: bytes) -> type[SSHService] | None:
        """Return what comes next: authentication, once, and then the connection, once."""
        if transport.is_authenticated:
            is_next = service == b"ssh-connection" and isinstance(
                transport.service, InsultUserAuthServer
            )
        else:
            is_next = service == b"ssh-userauth" and transport.service is None
        return self.services[service] if is_next else None
