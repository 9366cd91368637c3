"""A door that several processes accept at: a socket for each of them, all at the same address.

The kernel spreads connections over them (SO_REUSEPORT). Opens and closes the sockets, and says why
it cannot; who accepts at them, and what comes in, is not known here.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from twisted.internet.abstract import isIPv6Address
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint, serverFromString
from twisted.internet.protocol import Factory

from conch_insults.door import cannot_listen
from conch_insults.errors import SettingsError
from conch_insults.events import Listening

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.interfaces import IStreamServerEndpoint

    from conch_insults.events import EventSink

__all__ = ["SharedDoor"]


class SharedDoor:
    """One way in, for several processes.

    Args:
        name: the door's name.
        description: its endpoint, as the settings have it.
        endpoint: the same, parsed.
        count: how many processes accept at it.
        emit: is told when it is open.

    Attributes:
        sockets: one that listens for each process, while it is open.

    Raises:
        SettingsError: the endpoint cannot be shared.
    """

    def __init__(
        self,
        name: str,
        description: str,
        endpoint: IStreamServerEndpoint,
        count: int,
        emit: EventSink,
    ) -> None:
        if not hasattr(socket, "SO_REUSEPORT"):
            raise SettingsError(
                "server.workers: this system cannot share a port (SO_REUSEPORT); use 1"
            )
        if not isinstance(endpoint, TCP4ServerEndpoint | TCP6ServerEndpoint):
            raise SettingsError(
                f"{name}.endpoint: {description!r} cannot be shared;"
                " use tcp: or tcp6:, or server.workers = 1"
            )
        self.sockets: list[socket.socket] = []
        self._name = name
        self._description = description
        self._count = count
        self._emit = emit
        wanted = _Wanted()
        serverFromString(wanted, description).listen(Factory())
        self._port, self._backlog, self._interface = wanted.port, wanted.backlog, wanted.interface

    def open(self) -> None:
        """Listen, while the process may still open any port.

        Raises:
            CannotStart: the address cannot be listened on.
        """
        port = self._port
        try:
            if port:
                # Another server there might share the port with us, and take half of our callers.
                self._bound(port, shared=False).close()
            for _ in range(self._count):
                listening = self._bound(port, shared=True)
                self.sockets.append(listening)
                listening.listen(self._backlog)
                host, port = listening.getsockname()[:2]
        except OSError as error:
            self.close()
            raise cannot_listen(self._name, self._description, error) from error
        self._emit(Listening(self._name, f"{host}:{port}"))

    def close(self) -> None:
        """Let nobody else in by these sockets; a process that has one of them closes its own."""
        while self.sockets:
            self.sockets.pop().close()

    def _bound(self, port: int, *, shared: bool) -> socket.socket:
        family = socket.AF_INET
        address: tuple[Any, ...] = (self._interface, port)
        if isIPv6Address(self._interface):
            family = socket.AF_INET6
            # With the number of the interface, where a link-local address has its name.
            address = socket.getaddrinfo(self._interface, port, family, socket.SOCK_STREAM)[0][4]
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setblocking(False)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
        return bound


class _Wanted:
    """Stands in for a reactor, and notes what a TCP endpoint wants of one."""

    port: int
    backlog: int
    interface: str

    def listenTCP(  # noqa: N802 - IReactorTCP's name
        self, port: int, _factory: Factory[Any], backlog: int, interface: str
    ) -> None:
        self.port, self.backlog, self.interface = port, backlog, interface
