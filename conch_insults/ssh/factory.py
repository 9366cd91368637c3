"""Where the SSH door's parts meet: host keys, services, one transport for each connection.

Knows what Conch asks a factory for; what is said behind the door is the portal's.

Written against Twisted 26.10.
"""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from twisted.conch.ssh.factory import SSHFactory
from twisted.internet.protocol import Factory
from typing_extensions import override

from conch_insults.access.public_key import fingerprint
from conch_insults.errors import SettingsError
from conch_insults.ssh.algorithms import PROFILES, Profile, ServerOffer
from conch_insults.ssh.connection import InsultConnection
from conch_insults.ssh.host_keys import CertifiedKey
from conch_insults.ssh.realm import Peer
from conch_insults.ssh.transport import InsultSSHTransport
from conch_insults.ssh.userauth import InsultUserAuthServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.conch.ssh.service import SSHService
    from twisted.cred.portal import Portal
    from twisted.internet.interfaces import IAddress, IReactorTime
    from twisted.logger import Logger

    from conch_insults.config import LimitSettings, SshSettings
    from conch_insults.events import EventSink
    from conch_insults.limits import Gate
    from conch_insults.ssh.host_keys import HostKey

__all__ = ["InsultSSHFactory"]

# What a key signs with, the best first and without SHA-1, where that is not called like its type
# (RFC 8332, section 3; OpenSSH, PROTOCOL.certkeys).
_ALGORITHMS = {
    b"ssh-rsa": (b"rsa-sha2-512", b"rsa-sha2-256"),
    b"ssh-rsa-cert-v01@openssh.com": (
        b"rsa-sha2-512-cert-v01@openssh.com",
        b"rsa-sha2-256-cert-v01@openssh.com",
    ),
}
# In bits; what is weaker is not offered.
_SMALLEST_RSA_HOST_KEY = 3072


class InsultSSHFactory(SSHFactory):
    """The SSH server.

    Args:
        portal: turns credentials into avatars.
        host_keys: the server's own keys, as `load_host_keys` returns them.
        gate: says who may connect.
        connections: has those that are open, from now on.
        ssh_settings: what is offered.
        limits: how much one connection can have.
        emit: is told of what happens.
        log: takes what Conch has to say.
        clock: runs the timers.

    Raises:
        SettingsError: nothing of the profile's key exchange can be had here.

    Attributes:
        connections: as above.
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
        host_keys: Mapping[bytes, HostKey],
        gate: Gate,
        connections: set[InsultSSHTransport],
        *,
        ssh_settings: SshSettings,
        limits: LimitSettings,
        emit: EventSink,
        log: Logger,
        clock: IReactorTime,
    ) -> None:
        self.portal = portal
        offered = _by_algorithm(host_keys)
        # Conch looks up plain keys by their type, and all others by their algorithm.
        self.privateKeys = {**host_keys, **offered}
        self.publicKeys = {name: key.public() for name, key in self.privateKeys.items()}
        self.primes = None
        self.offer = ServerOffer(_possible(ssh_settings.profile), tuple(offered))
        self.ssh_settings = ssh_settings
        self.limits = limits
        self.emit = emit
        self.clock = clock
        self.connections = connections
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

    def host_fingerprint(self, algorithm: bytes) -> str:
        """Return the SHA256 fingerprint of the key that signs with an algorithm."""
        key = self.publicKeys[algorithm]
        return fingerprint((key.key if isinstance(key, CertifiedKey) else key).blob())

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


def _possible(profile: str) -> Profile:
    """Leave out of a profile what the OpenSSL under us has never heard of."""
    wanted = PROFILES[profile]
    kex = tuple(name for name in wanted.kex if name in InsultSSHTransport.supportedKeyExchanges)
    if not kex:
        raise SettingsError(
            f"ssh.profile: {profile!r} needs ML-KEM, which the OpenSSL that cryptography uses"
            ' does not have: install cryptography from a wheel, or set "modern"'
        )
    return replace(wanted, kex=kex)


def _by_algorithm(host_keys: Mapping[bytes, HostKey]) -> dict[bytes, HostKey]:
    """Find what each algorithm signs with; RSA keys that are short sign nothing."""
    return {
        algorithm: key
        for name, key in host_keys.items()
        if key.type() != "RSA" or key.size() >= _SMALLEST_RSA_HOST_KEY
        for algorithm in _ALGORITHMS.get(name, (name,))
    }
