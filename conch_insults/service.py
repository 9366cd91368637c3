"""Assembly: from settings to a service with all doors; with `ssh_door` it knows every room.

Everything that comes from a file is read before anything listens and before the process gives up
its user, group or root. Nothing is decided here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from twisted.application.service import MultiService
from twisted.conch.ssh.transport import DISCONNECT_BY_APPLICATION
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.usage import Options
from typing_extensions import override

from conch_insults.config import Settings, load_settings
from conch_insults.conversations import InsultFactory
from conch_insults.door import CannotStart, Door, parse_endpoint
from conch_insults.errors import ConchInsultsError, SettingsError
from conch_insults.events import ShuttingDown
from conch_insults.limits import ConnectionLimits, Gate, MaxStartups, Outcome
from conch_insults.pack_shelf import PackShelf
from conch_insults.provisions import Provisions
from conch_insults.rating import Rating
from conch_insults.refusal_report import RefusalReport
from conch_insults.shared_door import SharedDoor
from conch_insults.signals import Signals
from conch_insults.ssh_door import make_ssh_door
from conch_insults.telemetry import EventLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from twisted.internet.interfaces import IStreamServerEndpoint
    from twisted.internet.protocol import Factory

    from conch_insults.events import EventSink
    from conch_insults.ssh.rejudging import Rejudging
    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = [
    "CannotStart",
    "InsultService",
    "Options",
    "doors_of",
    "makeService",
    "make_insult_service",
    "make_service",
]

FAREWELL = "The server is going down. It was not because of you. Probably."

# What people get to leave by themselves after the farewell, in seconds; then they are disconnected
# and get as long again for that to reach them.
_GRACE = 2.0
_LOOK_AGAIN = 0.05


class InsultService(MultiService):
    """All doors, the packs behind them, and an orderly end.

    Args:
        packs: what there is to say.
        conversations: those of every door.
        emit: is told of what happens.
        reactor: runs it all.
    """

    def __init__(
        self,
        packs: PackShelf,
        conversations: InsultFactory,
        emit: EventSink,
        reactor: Any,  # noqa: ANN401 - a reactor has many interfaces
    ) -> None:
        super().__init__()
        self._conversations = conversations
        self._packs = packs
        packs.setServiceParent(self)
        self._emit = emit
        self._reactor = reactor
        self._connections: set[InsultSSHTransport] = set()
        self._rejudging: Rejudging | None = None

    def guard(self, connections: set[InsultSSHTransport], rejudging: Rejudging) -> None:
        """Look after an SSH door too.

        Args:
            connections: those that are open, at any time.
            rejudging: judges again who came in by them.
        """
        self._connections = connections
        self._rejudging = rejudging
        rejudging.setServiceParent(self)

    @override
    def startService(self) -> None:
        # Held for the SSH door, whose conversations are this factory's too.
        self._conversations.doStart()
        super().startService()

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
        """Judge everybody by the key files as they are now, and read the packs again."""
        if self._rejudging is not None:
            self._rejudging.judge_all()
        self._packs.reload()

    def _wait_until_left(self, left: Deferred[object], since: float) -> None:
        waited = self._reactor.seconds() - since
        if waited >= 2 * _GRACE or not (self._conversations.sessions or self._connections):
            left.callback(None)
            return
        if waited >= _GRACE or not self._conversations.sessions:
            for connection in list(self._connections):
                connection.sendDisconnect(DISCONNECT_BY_APPLICATION, FAREWELL.encode())
        self._reactor.callLater(_LOOK_AGAIN, self._wait_until_left, left, since)


def make_service(settings: Settings, reactor: Any) -> MultiService:  # noqa: ANN401 - as above
    """Build the service, reading every key and pack it needs; nothing listens yet.

    It is an `InsultService`, or with several workers one that starts as many processes with one
    in each of them.

    Raises:
        ConchInsultsError: something the settings name cannot be used.
    """
    emit = EventLog(Logger(namespace="conch_insults"))
    provisions = Provisions.read(settings)
    service = make_insult_service(
        provisions, reactor, emit=emit, endpoint_of=partial(parse_endpoint, reactor)
    )
    if settings.server.workers > 1:
        # The one above has shown that the settings will do.
        return _make_workers(provisions, reactor, emit)
    Signals(service.reload, reactor).setServiceParent(service)
    return service


def make_insult_service(
    provisions: Provisions,
    reactor: Any,  # noqa: ANN401 - as above
    *,
    emit: EventSink,
    endpoint_of: Callable[[str, str], IStreamServerEndpoint],
    reload: Callable[[], None] | None = None,
) -> InsultService:
    """Build what serves people, in this process.

    Args:
        provisions: the settings, and what they name.
        reactor: runs it all.
        emit: is told of what happens.
        endpoint_of: returns where a door listens, by its name and its setting.
        reload: what operators can ask for; None is this service's own.

    Raises:
        SettingsError: the settings do not fit together.
    """
    settings = provisions.settings
    doors = doors_of(settings)
    insults = settings.insults
    gate = Gate(_connection_limits(settings), reactor, SystemRandom())
    conversations = InsultFactory(
        provisions.pack,
        emit,
        reactor,
        greeting=settings.tcp.greeting,
        classic=insults.unknown_topic == "classic",
        ceiling=Rating.parse(insults.rating),
        admit=partial(_admit_at_once, gate),
    )
    shelf = PackShelf(
        insults.packs,
        conversations,
        emit,
        reactor,
        versions=provisions.pack_versions,
        offensive=insults.offensive,
    )
    service = InsultService(shelf, conversations, emit, reactor)
    factories: dict[str, Factory[Any]] = {"tcp": conversations}
    if "ssh" in doors:
        ssh, rejudging = make_ssh_door(
            settings,
            provisions.host_keys,
            conversations,
            gate,
            reload=reload or service.reload,
            emit=emit,
            reactor=reactor,
        )
        factories["ssh"] = ssh
        service.guard(ssh.connections, rejudging)
    for name, description in doors.items():
        endpoint = endpoint_of(name, description)
        Door(name, description, endpoint, factories[name], emit).setServiceParent(service)
    RefusalReport(gate, emit, reactor).setServiceParent(service)
    return service


def doors_of(settings: Settings) -> dict[str, str]:
    """Return the doors that open, in order, and the setting that says where.

    Raises:
        SettingsError: none does.
    """
    doors = {"ssh": settings.ssh.endpoint, "tcp": settings.tcp.endpoint}
    opening = {name: description for name, description in doors.items() if description}
    if not opening:
        raise SettingsError('ssh.endpoint and tcp.endpoint are both "": nobody could come in')
    return opening


def _make_workers(provisions: Provisions, reactor: Any, emit: EventSink) -> MultiService:  # noqa: ANN401 - as above
    from conch_insults.workers import Workers  # noqa: PLC0415 - procmon installs the reactor

    settings = provisions.settings
    count = settings.server.workers
    doors = [
        SharedDoor(name, description, parse_endpoint(reactor, name, description), count, emit)
        for name, description in doors_of(settings).items()
    ]
    service = MultiService()
    workers = Workers(count, doors, provisions.to_bytes(), emit, reactor)
    workers.setServiceParent(service)
    Signals(workers.reload, reactor).setServiceParent(service)
    return service


def _admit_at_once(gate: Gate, address: str) -> Callable[[], None] | None:
    """Let a connection in that needs no login."""
    admission = gate.admit(address)
    if admission is None:
        return None
    admission.authenticated()
    return partial(admission.ended, Outcome.FINE)


def _connection_limits(settings: Settings) -> ConnectionLimits:
    limits = settings.limits
    try:
        max_startups = MaxStartups.parse(limits.max_startups)
    except ValueError as error:
        raise SettingsError(f"limits.max_startups: {limits.max_startups!r}: {error}") from error
    for_all = ConnectionLimits(
        max_startups=max_startups,
        max_connections=limits.max_connections,
        connections_per_source=limits.connections_per_source,
        rate_per_source=limits.rate_per_source,
        exempt_sources=limits.exempt_sources,
    )
    return _share(for_all, settings.server.workers)


def _share(limits: ConnectionLimits, workers: int) -> ConnectionLimits:
    """Return one worker's part of the limits, rounded up; all of them for one alone."""

    def part(number: int) -> int:
        return -(-number // workers)

    startups = limits.max_startups
    return replace(
        limits,
        max_startups=MaxStartups(part(startups.start), startups.rate, part(startups.full)),
        max_connections=part(limits.max_connections),
        connections_per_source=part(limits.connections_per_source),
        startups_per_source=part(limits.startups_per_source),
        rate_per_source=part(limits.rate_per_source),
    )


def makeService(_options: Options) -> MultiService:
    """Build the service for `twist conch-insults`, with the settings of the working directory."""
    from twisted.internet import reactor  # noqa: PLC0415 - twist installs the reactor first

    try:
        return make_service(load_settings(Path.cwd()), reactor)
    except ConchInsultsError as error:
        raise CannotStart(f"conch_insults: {error}") from error
