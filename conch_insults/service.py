"""Assembly: from settings to a service with all doors; the only module that knows every room.

Everything that comes from a file is read here, before anything listens and before the process
gives up its user, group or root. Nothing is decided here.
"""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from twisted.application.service import MultiService, Service
from twisted.conch.ssh.transport import DISCONNECT_BY_APPLICATION
from twisted.cred.portal import Portal
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.usage import Options
from typing_extensions import override

from conch_insults.access.policy import Policy
from conch_insults.config import Settings, load_settings
from conch_insults.core.packs import read_packs
from conch_insults.errors import ConchInsultsError, PackError, SettingsError
from conch_insults.events import (
    ConnectionsRefused,
    KeyLineSkipped,
    Listening,
    PacksLoaded,
    PacksRefused,
    ShuttingDown,
)
from conch_insults.limits import ConnectionLimits, Gate, MaxStartups, Outcome
from conch_insults.protocol import InsultFactory
from conch_insults.ssh.checker import PublicKeyChecker
from conch_insults.ssh.factory import InsultSSHFactory
from conch_insults.ssh.host_keys import load_host_keys
from conch_insults.ssh.realm import InsultRealm
from conch_insults.telemetry import EventLog, QuietLogger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType
    from typing import Any

    from twisted.internet.interfaces import IListeningPort, IReactorTime, IStreamServerEndpoint
    from twisted.internet.protocol import Factory
    from twisted.python.failure import Failure

    from conch_insults.events import EventSink
    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = ["CannotStart", "InsultService", "Options", "makeService", "make_service"]

FAREWELL = "The server is going down. It was not because of you. Probably."

# What people get to leave by themselves after the farewell, in seconds; then they are disconnected
# and get as long again for that to reach them.
_GRACE = 2.0
_LOOK_AGAIN = 0.05
_REPORT_EVERY = 60.0


class CannotStart(SystemExit, Exception):  # noqa: N818 - it is an exit, too
    """The service cannot start; the text is for the operator.

    To twistd's parent, which waits for the daemon, it is an error to report; in front it ends the
    process with the text and exit status 1, without a traceback.
    """


class Door(Service):
    """One way in: a factory at an endpoint."""

    def __init__(
        self,
        name: str,
        description: str,
        endpoint: IStreamServerEndpoint,
        factory: Factory[Any],
        emit: EventSink,
    ) -> None:
        self.setName(name)
        self._description = description
        self._endpoint = endpoint
        self._factory = factory
        self._emit = emit
        self._listening: Deferred[Any] | None = None
        self._failure: Failure | None = None

    @override
    def privilegedStartService(self) -> None:
        """Listen, while the process may still open any port.

        Raises:
            CannotStart: the endpoint cannot be listened on.
        """
        super().privilegedStartService()
        listening = self._endpoint.listen(self._factory)
        self._listening = listening.addCallbacks(self._opened, self._failed)
        if self._failure is not None:
            error = self._failure.value
            reason = error.socketError if isinstance(error, CannotListenError) else error
            # twistd's daemon has less than 100 bytes for this.
            raise CannotStart(
                f"conch_insults: {getattr(reason, 'strerror', None) or reason}: "
                f"{self.name}.endpoint = {self._description}"
            )

    @override
    def startService(self) -> None:
        super().startService()
        if self._listening is None:
            self.privilegedStartService()

    @override
    def stopService(self) -> Deferred[Any] | None:
        """Let nobody else in."""
        super().stopService()
        if self._listening is None:
            return None
        return self._listening.addCallback(lambda port: port and port.stopListening())

    def _opened(self, port: IListeningPort) -> IListeningPort:
        host = port.getHost()
        if isinstance(host, UNIXAddress):
            where = os.fsdecode(host.name or b"")
        else:
            where = f"{getattr(host, 'host', host)}:{getattr(host, 'port', '')}"
        self._emit(Listening(str(self.name), where))
        return port

    def _failed(self, failure: Failure) -> None:
        self._failure = failure


class RefusalReport(Service):
    """Tells once a minute how many connections the gate has refused, if any."""

    def __init__(self, gate: Gate, emit: EventSink, clock: IReactorTime) -> None:
        self._gate = gate
        self._emit = emit
        self._timer = LoopingCall(self._report)
        self._timer.clock = clock

    @override
    def startService(self) -> None:
        super().startService()
        self._timer.start(_REPORT_EVERY, now=False)

    @override
    def stopService(self) -> None:
        super().stopService()
        self._timer.stop()

    def _report(self) -> None:
        refused = self._gate.take_refusals()
        if refused:
            counts = ", ".join(f"{limit} {count}" for limit, count in sorted(refused.items()))
            self._emit(ConnectionsRefused(_REPORT_EVERY, counts))


class InsultService(MultiService):
    """All doors, the packs behind them, and an orderly end.

    Args:
        packs: the pack files and folders, to be read again on SIGHUP.
        conversations: those of every door.
        ssh: the SSH door's factory, if that door is open.
        emit: is told of what happens.
        reactor: runs it all.
    """

    def __init__(
        self,
        packs: Sequence[Path],
        conversations: InsultFactory,
        ssh: InsultSSHFactory | None,
        emit: EventSink,
        reactor: Any,  # noqa: ANN401 - a reactor has many interfaces
    ) -> None:
        super().__init__()
        self._packs = packs
        self._conversations = conversations
        self._ssh = ssh
        self._emit = emit
        self._reactor = reactor

    @override
    def startService(self) -> None:
        self._tell_of_pack()
        # Held for the SSH door, whose conversations are this factory's too.
        self._conversations.doStart()
        super().startService()
        # After the reactor's own handlers, which make a process die of the signal it stops on.
        self._reactor.callWhenRunning(self._handle_signals)

    @property
    def _connections(self) -> set[InsultSSHTransport]:
        return self._ssh.connections if self._ssh else set()

    @override
    def stopService(self) -> Deferred[Any]:
        """Let nobody else in, say farewell, and wait a little for people to leave."""
        self._emit(ShuttingDown(len(self._conversations.sessions)))
        closed = super().stopService()
        for connection in list(self._connections):
            connection.end_sessions(FAREWELL)
        for conversation in list(self._conversations.connections):
            conversation.farewell(FAREWELL)
        left: Deferred[object] = Deferred()
        self._wait_until_left(left, self._reactor.seconds())
        return gatherResults([closed, left]).addCallback(lambda _: self._conversations.doStop())

    def reload(self) -> None:
        """Read the packs again; if one is bad, go on with what there was."""
        try:
            pack = read_packs(self._packs)
        except PackError as error:
            self._emit(PacksRefused(str(error)))
        else:
            self._conversations.pack = pack
            self._tell_of_pack()

    def _tell_of_pack(self) -> None:
        pack = self._conversations.pack
        self._emit(PacksLoaded(len(pack.topics()), pack.insult_count()))

    def _wait_until_left(self, left: Deferred[object], since: float) -> None:
        waited = self._reactor.seconds() - since
        if waited >= 2 * _GRACE or not (self._conversations.sessions or self._connections):
            left.callback(None)
            return
        if waited >= _GRACE or not self._conversations.sessions:
            for connection in list(self._connections):
                connection.sendDisconnect(DISCONNECT_BY_APPLICATION, FAREWELL.encode())
        self._reactor.callLater(_LOOK_AGAIN, self._wait_until_left, left, since)

    def _handle_signals(self) -> None:
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        # Whoever insists gets the signal's own effect.
        signal.signal(number, signal.SIG_DFL)
        self._reactor.callFromThread(self._reactor.stop)


def make_service(settings: Settings, reactor: Any) -> InsultService:  # noqa: ANN401 - as above
    """Build the service, reading every key and pack it needs; nothing listens yet.

    Raises:
        ConchInsultsError: something the settings name cannot be used.
    """
    emit = EventLog(Logger(namespace="conch_insults"))
    gate = Gate(_connection_limits(settings), reactor, SystemRandom())
    conversations = InsultFactory(
        read_packs(settings.insults.packs),
        emit,
        reactor,
        greeting=settings.tcp.greeting,
        classic=settings.insults.unknown_topic == "classic",
        admit=partial(_admit_at_once, gate),
    )
    ssh = (
        _ssh_factory(settings, conversations, gate, emit, reactor)
        if settings.ssh.endpoint
        else None
    )
    service = InsultService(settings.insults.packs, conversations, ssh, emit, reactor)
    doors: list[tuple[str, str, Factory[Any] | None]] = [
        ("ssh", settings.ssh.endpoint, ssh),
        ("tcp", settings.tcp.endpoint, conversations),
    ]
    for name, description, factory in doors:
        if description and factory:
            endpoint = _endpoint(reactor, name, description)
            Door(name, description, endpoint, factory, emit).setServiceParent(service)
    if not list(service):
        raise SettingsError('ssh.endpoint and tcp.endpoint are both "": nobody could come in')
    RefusalReport(gate, emit, reactor).setServiceParent(service)
    return service


def _admit_at_once(gate: Gate, address: str) -> Callable[[], None] | None:
    """Let a connection in that needs no login."""
    admission = gate.admit(address)
    if admission is None:
        return None
    admission.authenticated()
    return partial(admission.ended, Outcome.FINE)


def _ssh_factory(
    settings: Settings,
    conversations: InsultFactory,
    gate: Gate,
    emit: EventSink,
    reactor: Any,  # noqa: ANN401 - as above
) -> InsultSSHFactory:
    access = settings.access
    policy = Policy(
        access.keys_dir, lambda reason: emit(KeyLineSkipped(reason)), access.minimum_rsa_bits
    )
    realm = InsultRealm(conversations, emit, reactor)
    log_class = Logger if settings.log.level == "debug" else QuietLogger
    return InsultSSHFactory(
        Portal(realm, [PublicKeyChecker(policy)]),
        load_host_keys(access.keys_dir),
        gate,
        ssh_settings=settings.ssh,
        limits=settings.limits,
        emit=emit,
        log=log_class(namespace="conch_insults.ssh"),
        clock=reactor,
    )


def _connection_limits(settings: Settings) -> ConnectionLimits:
    limits = settings.limits
    try:
        max_startups = MaxStartups.parse(limits.max_startups)
    except ValueError as error:
        raise SettingsError(f"limits.max_startups: {limits.max_startups!r}: {error}") from error
    return ConnectionLimits(
        max_startups=max_startups,
        max_connections=limits.max_connections,
        connections_per_source=limits.connections_per_source,
        rate_per_source=limits.rate_per_source,
        exempt_sources=limits.exempt_sources,
    )


def _endpoint(reactor: Any, name: str, description: str) -> IStreamServerEndpoint:  # noqa: ANN401 - as above
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, description)
    # Each endpoint parser fails in its own way.
    except (ImportError, IndexError, KeyError, OSError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{name}.endpoint: {description!r} is not a Twisted endpoint string: {error}"
        ) from error
    return endpoint


def makeService(_options: Options) -> InsultService:
    """Build the service for `twist conch-insults`, with the settings of the working directory."""
    from twisted.internet import reactor  # noqa: PLC0415 - twist installs the reactor first

    try:
        return make_service(load_settings(Path.cwd()), reactor)
    except ConchInsultsError as error:
        raise CannotStart(f"conch_insults: {error}") from error
