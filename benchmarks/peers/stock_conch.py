"""Stock Conch with the smallest correct shell: its own factory, checker, session and recvline.

Without `--log` nothing is logged, which is the fastest that Conch can be; with it everything is, as
`twistd` does.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from twisted.conch.avatar import ConchUser
from twisted.conch.checkers import InMemorySSHKeyDB, SSHPublicKeyChecker
from twisted.conch.error import ConchError
from twisted.conch.insults.insults import ServerProtocol
from twisted.conch.interfaces import IConchUser, ISession
from twisted.conch.recvline import HistoricRecvLine
from twisted.conch.ssh.factory import SSHFactory
from twisted.conch.ssh.keys import Key
from twisted.conch.ssh.session import SSHSession, SSHSessionProcessProtocol, wrapProtocol
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.python.components import registerAdapter
from typing_extensions import override
from zope.interface import implementer

from benchmarks.peers.common import Job, read_job

JOB: Job = read_job()


@implementer(IHalfCloseableProtocol)
class Shell(Protocol):
    """A conversation without a terminal; the answers of one read go out in one write."""

    _unread = b""

    @property
    def wire(self) -> SSHSessionProcessProtocol:
        """What the conversation is carried by."""
        return cast("SSHSessionProcessProtocol", self.transport)

    @override
    def dataReceived(self, data: bytes) -> None:
        """Answer; LineReceiver cannot be used, as it wants more of its transport."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        if lines:
            answers = "".join(f"{JOB.answer(line.decode())}\n" for line in lines)
            self.wire.write(answers.encode())

    def readConnectionLost(self) -> None:
        """Close when the input has ended."""
        self.wire.loseConnection()

    def writeConnectionLost(self) -> None:
        """Do nothing."""


class TerminalShell(HistoricRecvLine):
    """A conversation at a terminal, with Conch's line editor."""

    @override
    def lineReceived(self, line: bytes) -> None:
        """Answer."""
        self.terminal.write(JOB.answer(line.decode()).encode())
        self.terminal.nextLine()


class Avatar(ConchUser):
    """Whoever has come in."""

    def __init__(self) -> None:
        super().__init__()
        self.channelLookup = {b"session": SSHSession}


@implementer(ISession)
class Session:
    """A session of an avatar."""

    def __init__(self, _: Avatar) -> None:
        self._has_terminal = False

    def getPty(self, *_: object) -> None:
        """Note that there is a terminal."""
        self._has_terminal = True

    def openShell(self, transport: SSHSessionProcessProtocol) -> None:
        """Start talking."""
        protocol = ServerProtocol(TerminalShell) if self._has_terminal else Shell()
        protocol.makeConnection(transport)
        transport.makeConnection(wrapProtocol(protocol))
        self._protocol = protocol

    def execCommand(self, _: SSHSessionProcessProtocol, __: bytes) -> None:
        """Refuse: nobody asks."""
        raise ConchError("there are no commands here")

    def windowChanged(self, *_: object) -> None:
        """Do nothing."""

    def eofReceived(self) -> None:
        """End the conversation."""
        if isinstance(self._protocol, Shell):
            self._protocol.readConnectionLost()

    def closed(self) -> None:
        """Do nothing."""


@implementer(IRealm)
class Realm:
    """Where avatars are made."""

    def requestAvatar(self, _: object, __: object, *___: object) -> tuple[Any, Avatar, Any]:
        """Make one."""
        return IConchUser, Avatar(), lambda: None


def main() -> None:
    """Serve until killed."""
    registerAdapter(Session, Avatar, ISession)
    authorized = Key.fromFile(str(JOB.authorized_keys))
    portal = Portal(Realm(), [SSHPublicKeyChecker(InMemorySSHKeyDB({b"bench": [authorized]}))])
    if JOB.logs:
        globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)])
    factory: Any = SSHFactory()
    host_key = Key.fromFile(str(JOB.host_key))
    factory.privateKeys = {b"ssh-ed25519": host_key}
    factory.publicKeys = {b"ssh-ed25519": host_key.public()}
    factory.portal = portal
    reactor.listenTCP(JOB.port, factory, backlog=1024, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main()
