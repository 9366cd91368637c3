"""The processes that serve: how they are started, told, listened to and replaced."""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.logger import formatEvent
from twisted.python.failure import Failure

from conch_insults import service as service_module
from conch_insults.door import CannotStart, parse_endpoint
from conch_insults.events import Event, Listening, WorkerDied, WorkerServing
from conch_insults.shared_door import SharedDoor
from conch_insults.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.logger import LogEvent

PROVISIONS = b"a host key, among other things"


class Process:
    """A process in memory: what it was given, and how it ends."""

    def __init__(self, pid: int, protocol: Any, arguments: list[str], **how: Any) -> None:
        self.pid: int | None = pid
        self.protocol = protocol
        self.arguments = arguments
        self.environment: dict[str, str] = how["env"]
        self.descriptors: dict[int, Any] = how["childFDs"]
        self.orders = b""
        self.given: dict[int, bytes] = {}
        self.closed: list[int] = []
        self.signals: list[str] = []

    def write(self, data: bytes) -> None:
        self.orders += data

    def writeToChild(self, descriptor: int, data: bytes) -> None:  # noqa: N802 - Twisted's
        assert descriptor not in self.closed
        self.given[descriptor] = self.given.get(descriptor, b"") + data

    def closeChildFD(self, descriptor: int) -> None:  # noqa: N802 - Twisted's
        self.closed.append(descriptor)

    def signalProcess(self, number: str) -> None:  # noqa: N802 - Twisted's
        self.signals.append(number)

    def says(self, line: bytes) -> None:
        self.protocol.outReceived(line + b"\n")

    def ends(self, *, status: int | None = None, signal: int | None = None) -> None:
        self.pid = None
        in_order = status is signal is None
        reason = ProcessDone(0) if in_order else ProcessTerminated(status, signal)
        self.protocol.processEnded(Failure(reason))


class Reactor(Clock):
    """A reactor that starts processes in memory, unless it is told that it cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Process] = []
        self.error: OSError | None = None

    def spawnProcess(  # noqa: N802 - Twisted's
        self, protocol: Any, executable: str, arguments: list[str], **how: Any
    ) -> None:
        assert executable == arguments[0] == sys.executable
        if self.error:
            raise self.error
        process = Process(1000 + len(self.started), protocol, arguments, **how)
        self.started.append(process)
        protocol.makeConnection(process)


class Server:
    """Three workers at two doors."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.events: list[Event] = []
        self.log: list[LogEvent] = []
        self.doors = [self._door(name) for name in ("ssh", "tcp")]
        self.workers = Workers(
            3, self.doors, PROVISIONS, self.events.append, self.reactor, publish=self.log.append
        )

    def _door(self, name: str) -> SharedDoor:
        description = "tcp:0:interface=127.0.0.1"
        endpoint = parse_endpoint(MemoryReactor(), name, description)
        return SharedDoor(name, description, endpoint, 3, self.events.append)

    def start(self) -> list[Process]:
        self.workers.privilegedStartService()
        assert not self.reactor.started
        self.workers.startService()
        self.events.clear()
        return list(self.reactor.started)

    def next(self) -> Process:
        """Return the process that was started last."""
        return self.reactor.started[-1]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    for door in server.doors:
        door.close()


def test_each_has_sockets_of_its_own_and_everything_it_needs(server: Server) -> None:
    processes = server.start()
    assert len(processes) == 3
    for number, process in enumerate(processes):
        own = [door.sockets[number].fileno() for door in server.doors]
        assert process.descriptors == {0: "w", 1: "r", 2: "r", 3: "w", 4: own[0], 5: own[1]}
        assert process.given == {3: PROVISIONS}
        assert process.closed == [3]
        assert process.arguments[1:] == ["-P", "-m", "conch_insults.worker", str(number + 1)]
        assert process.environment["PYTHONPATH"].split(os.pathsep) == list(filter(None, sys.path))


def test_doors_open_before_privileges_go_and_without_any(server: Server) -> None:
    server.workers.privilegedStartService()
    assert [type(event) for event in server.events] == [Listening, Listening]
    server.workers.startService()
    assert len(server.events) == 2
    other = Server()
    other.workers.startService()
    assert len(other.reactor.started) == 3
    for door in other.doors:
        door.close()


def test_what_they_say_is_in_the_log(server: Server) -> None:
    process = server.start()[1]
    event = {"log_format": "hello {x}", "x": 1, "log_time": 1.5, "log_level": "info"}
    process.says(json.dumps(event).encode())
    process.says(b"serving")
    assert [(formatEvent(each), each["log_time"]) for each in server.log] == [("hello 1", 1.5)]
    assert server.events == [WorkerServing(2, 1001)]


def test_a_reload_reaches_all_of_them_whoever_asks(server: Server) -> None:
    processes = server.start()
    server.workers.reload()
    assert [process.orders for process in processes] == [b"reload\n"] * 3
    processes[2].says(b"reload")
    assert [process.orders for process in processes] == [b"reload\nreload\n"] * 3


class TestOneThatDies:
    def test_is_replaced_at_once_and_told_of(self, server: Server) -> None:
        process = server.start()[1]
        server.reactor.advance(3600)
        process.protocol.errReceived(b"Fatal Python error: no\n")
        process.ends(signal=9)
        assert server.events == [
            WorkerDied(2, 1001, "SIGKILL", "Fatal Python error: no", "another one starts in 0.00 s")
        ]
        server.reactor.advance(0)
        assert len(server.reactor.started) == 4
        assert server.next().descriptors == process.descriptors
        assert server.next().given == {3: PROVISIONS}
        assert server.next().pid == 1003

    @pytest.mark.parametrize(
        ("ending", "how"),
        [
            ({"status": 1}, "exit 1"),
            ({"signal": 11}, "SIGSEGV"),
            ({"signal": 250}, "signal 250"),
            ({}, "exit 0"),
        ],
    )
    def test_is_told_of_by_how_it_died(
        self, server: Server, ending: dict[str, int], how: str
    ) -> None:
        server.start()[0].ends(**ending)
        (event,) = server.events
        assert event == WorkerDied(1, 1000, how, "-", "another one starts in 1.00 s")

    def test_in_the_middle_of_a_word_is_heard_to_the_end(self, server: Server) -> None:
        process = server.start()[0]
        process.protocol.errReceived(b"Segmen")
        process.ends(signal=11)
        (event,) = server.events
        assert isinstance(event, WorkerDied)
        assert event.said == "Segmen"

    def test_again_and_again_is_replaced_later_and_later(self, server: Server) -> None:
        server.start()
        waits = []
        for _ in range(8):
            server.next().ends(status=1)
            (event,) = server.events
            assert isinstance(event, WorkerDied)
            waits.append(event.then)
            server.events.clear()
            server.reactor.advance(30)
        seconds = ("1.00", "2.00", "4.00", "8.00", "16.00", "30.00", "30.00", "30.00")
        assert waits == [f"another one starts in {wait} s" for wait in seconds]

    def test_before_it_is_born_is_one_too(self, server: Server) -> None:
        server.reactor.error = OSError(11, "Resource temporarily unavailable")
        assert server.start() == []
        server.reactor.error = None
        server.reactor.advance(1)
        assert len(server.reactor.started) == 3

    def test_before_it_is_born_is_told_of(self, server: Server) -> None:
        processes = server.start()
        server.reactor.advance(3600)
        server.reactor.error = OSError(11, "Resource temporarily unavailable")
        processes[0].ends(signal=9)
        server.events.clear()
        server.reactor.advance(0)
        how = "cannot be started: Resource temporarily unavailable"
        assert server.events == [WorkerDied(1, 0, how, "-", "another one starts in 1.00 s")]


class TestTheEnd:
    def test_is_in_order_and_waits_for_all(self, server: Server) -> None:
        processes = server.start()
        over: list[object] = []
        stopping = server.workers.stopService()
        assert stopping
        stopping.addCallback(over.append)
        assert not any(door.sockets for door in server.doors)
        assert [process.signals for process in processes] == [["TERM"]] * 3
        for process in processes:
            assert not over
            process.ends()
        assert over == [None]
        assert not server.events
        assert not server.reactor.getDelayedCalls()
        assert len(server.reactor.started) == 3

    def test_comes_by_force_to_one_that_does_not_heed_it(self, server: Server) -> None:
        process, *others = server.start()
        stopping = server.workers.stopService()
        for other in others:
            other.ends()
        # The sessions of a worker get their time, and a little more.
        server.reactor.advance(2 * service_module._GRACE + 1)
        assert process.signals == ["TERM"]
        server.reactor.advance(10)
        assert process.signals == ["TERM", "KILL"]
        process.ends(signal=9)
        assert server.events == [WorkerDied(1, 1000, "SIGKILL", "-", "the server is stopping")]
        assert stopping
        assert stopping.called

    def test_is_no_death_for_one_that_did_not_serve_yet(self, server: Server) -> None:
        processes = server.start()
        server.workers.stopService()
        for process in processes:
            process.ends(signal=15)
        assert not server.events

    def test_may_come_while_one_is_being_replaced(self, server: Server) -> None:
        processes = server.start()
        processes[0].ends(signal=9)
        stopping = server.workers.stopService()
        for process in processes[1:]:
            process.ends()
        assert stopping
        assert stopping.called
        server.reactor.advance(3600)
        assert len(server.reactor.started) == 3

    def test_may_come_when_there_are_none(self, server: Server) -> None:
        server.reactor.error = OSError(11, "Resource temporarily unavailable")
        server.start()
        assert server.workers.stopService() is None
        assert not server.reactor.getDelayedCalls()


def test_python_must_be_within_reach(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/root-only/python")
    with pytest.raises(CannotStart) as exit_:
        server.start()
    assert str(exit_.value) == (
        "conch_insults: server.workers: cannot run /root-only/python here; use 1"
    )
    assert not server.reactor.started


def test_a_port_in_use_stops_the_start(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        server.doors[1]._port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=r"Address already in use: tcp\.endpoint"):
            server.start()
    assert not server.doors[1].sockets
