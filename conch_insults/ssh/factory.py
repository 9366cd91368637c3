"""Where the SSH door's parts meet: host keys, services, one transport for each connection.

Knows what Conch asks a factory for; what is said behind the door is the portal's.

Written against Twisted 26.10.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Any

from twisted.conch.ssh.factory import SSHFactory
from twisted.internet.protocol import Factory
from typing_extensions import override

from conch_insults.ssh.algorithms import PROFILES, ServerOffer
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

    from conch_insults.config import LimitSettings, SshSettings
    from conch_insults.events import EventSink
    from conch_insults.limits import Gate

__all__ = ["InsultSSHFactory"]

# In bits; what is weaker is not offered.
_SMALLEST_RSA_HOST_KEY = 3072


class InsultSSHFactory(SSHFactory):
    """The SSH server.

    Args:
        portal: turns credentials into avatars.
        host_keys: the server's own keys by type.
        gate: says who may connect.
        ssh_settings: what is offered.
        limits: how much one connection can have.
        emit: is told of what happens.
        log: takes what Conch has to say.
        clock: runs the timers.

    Attributes:
        connections: those that are open.
        offer: the algorithms.
    """

    noisy = False
    protocol = InsultSSHTransport
    services = {  # noqa: RUF012 - a dict of this class's own, where SSHFactory's is shared by all
        b"ssh-userauth": InsultUserAuthServer,
        b"ssh-connection": InsultConnection,
    }

    def __init__(  # noqa: PLR0913 - what a server is made of
        self,
        portal: Portal,
        host_keys: dict[bytes, Key],
        gate: Gate,
        *,
        ssh_settings: SshSettings,
        limits: LimitSettings,
        emit: EventSink,
        log: Logger,
        clock: IReactorTime,
    ) -> None:
        self.portal = portal
        self.privateKeys = host_keys
        self.publicKeys = {name: key.public() for name, key in host_keys.items()}
        self.primes = None
        self.offer = ServerOffer(PROFILES[ssh_settings.profile], _algorithms(host_keys))
        self.ssh_settings = ssh_settings
        self.limits = limits
        self.emit = emit
        self.clock = clock
        self.connections: set[InsultSSHTransport] = set()
        self._gate = gate
        self._log = log

    @override
    def buildProtocol(  # type: ignore[override]  # Factory's may refuse, SSHFactory's forgot
        self, addr: IAddress | None
    ) -> InsultSSHTransport | None:
        """Make the transport of a connection, unless the gate refuses it."""
        address = getattr(addr, "host", "-")
        admission = self._gate.admit(address)
        if admission is None:
            return None
        # Not SSHFactory's own, which works out for each connection what `offer` holds.
        transport: Any = Factory.buildProtocol(self, addr)
        transport._log = self._log  # noqa: SLF001 - Conch's name for the transport's logger
        transport.peer = Peer(token_hex(4), address)
        transport.admission = admission
        self.connections.add(transport)
        built: InsultSSHTransport = transport
        return built

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


def _algorithms(host_keys: dict[bytes, Key]) -> tuple[bytes, ...]:
    """List what the host keys can sign with, without SHA-1, and without RSA keys that are short."""
    algorithms: list[bytes] = []
    for name, key in host_keys.items():
        if name != b"ssh-rsa":
            algorithms.append(name)
        elif key.size() >= _SMALLEST_RSA_HOST_KEY:
            algorithms += [b"rsa-sha2-512", b"rsa-sha2-256"]
    return tuple(algorithms)
