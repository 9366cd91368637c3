"""An SSH client that offers anything: keys, certificates and signatures wrong in any way.

with connect(port) as connection:
    log_in(connection, identity)           # a Verdict, or None

with connect(port) as connection:
    ask(connection, identities)            # which of many the server would take
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh

from tests.real_server import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.identities import Identity

__all__ = ["LOOPBACK", "OWN_COMMAND", "SHELL", "USER", "Verdict", "ask", "connect", "log_in"]

LOOPBACK = "127.0.0.1"
# The account that needs nobody's leave to be logged in to.
_ACCOUNT = pwd.getpwuid(os.getuid())
USER, SHELL = _ACCOUNT.pw_name, _ACCOUNT.pw_shell

OWN_COMMAND = "echo own"


@dataclass(frozen=True)
class Verdict:
    """How somebody is in.

    Attributes:
        pty: whether they may have a terminal.
        said: what a command says, where one is run; `own` if it is the client's own.
    """

    pty: bool = True
    said: str | None = None


def connect(port: int, address: str = LOOPBACK, *, to: str = LOOPBACK) -> socket.socket:
    """Return a connection from an address of this machine."""
    client = socket.create_connection((to, port), DEADLINE, source_address=(address, 0))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.setblocking(False)
    return client


def log_in(connection: socket.socket, identity: Identity, *, run: bool = False) -> Verdict | None:
    """Log in over a connection and end it; None if the server says no."""
    return asyncio.run(_log_in(connection, _Asking([identity], sign=True), run=run))


def ask(connection: socket.socket, offers: Iterable[Identity]) -> list[bool]:
    """Say of each identity whether the server would take it, without logging in.

    The next one is asked for when the server has answered the one before.
    """
    client = _Asking(offers)
    assert asyncio.run(_log_in(connection, client, run=False)) is None
    return [pair.is_wanted for pair in client.offered]


class _Pair(asyncssh.SSHKeyPair):
    """An identity as asyncssh wants it; `is_wanted` once the server has asked for a signature."""

    def __init__(self, identity: Identity, *, sign: bool) -> None:
        algorithm = identity.algorithm.encode()
        # Which signature algorithm it is matters to nobody here but the server.
        super().__init__(algorithm, algorithm, (b"ssh-ed25519",), (), identity.blob, None)
        self.is_wanted = False
        self._identity = identity
        self._may_sign = sign

    def set_sig_algorithm(self, sig_algorithm: bytes) -> None:
        """Keep the algorithm that the identity names."""

    def sign(self, data: bytes) -> bytes:
        self.is_wanted = True
        if not self._may_sign:
            # asyncssh goes on with the next key.
            raise ValueError("only asking")
        return self._identity.sign(data)


class _Asking(asyncssh.SSHClient):
    """Offers one identity after the other."""

    def __init__(self, offers: Iterable[Identity], *, sign: bool = False) -> None:
        self.offered: list[_Pair] = []
        self._offers = iter(offers)
        self._sign = sign

    def public_key_auth_requested(self) -> _Pair | None:
        for identity in self._offers:
            self.offered.append(_Pair(identity, sign=self._sign))
            return self.offered[-1]
        return None


async def _log_in(connection: socket.socket, client: _Asking, *, run: bool) -> Verdict | None:
    try:
        async with (
            asyncio.timeout(DEADLINE),
            asyncssh.connect(
                sock=connection,
                config=None,
                known_hosts=None,
                username=USER,
                agent_path=None,
                client_keys=None,
                client_factory=lambda: client,
                kex_algs=["curve25519-sha256"],
                preferred_auth="publickey",
            ) as session,
        ):
            pty = await _gets_terminal(session)
            said = (await session.run(OWN_COMMAND)).stdout if run else None
            return Verdict(pty, str(said) if run else None)
    except asyncssh.PermissionDenied:
        return None


async def _gets_terminal(session: asyncssh.SSHClientConnection) -> bool:
    """Ask for a terminal, and then for a service that no server has."""
    try:
        await session.create_process(term_type="xterm", subsystem="no-such-service")
    except asyncssh.ChannelOpenError as error:
        return error.code != asyncssh.OPEN_REQUEST_PTY_FAILED
    raise AssertionError("the server has a service that no server has")
