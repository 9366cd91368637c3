"""The processes that serve in the place of this one: started, told, listened to and replaced.

This process keeps what there is one of: the log, the pid file, the signals, and the sockets, so
that no caller is lost while a worker is replaced. It serves nobody; how that is done is for
`worker`, on the other side of the pipes.

Written against Twisted 26.10, whose ProcessMonitor hands a process nothing but its arguments.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import globalLogPublisher
from twisted.runner.procmon import ProcessMonitor
from typing_extensions import override

from conch_insults.door import CannotStart
from conch_insults.events import WorkerDied, WorkerServing
from conch_insults.worker_pipes import (
    FIRST_SOCKET,
    LOG,
    ORDERS,
    PROVISIONS,
    RELOAD,
    SERVING,
    LogReceiver,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from twisted.logger import LogEvent
    from twisted.python.failure import Failure

    from conch_insults.events import EventSink
    from conch_insults.shared_door import SharedDoor

__all__ = ["Workers"]

_MODULE = "conch_insults.worker"
_STDERR = 2


class Workers(ProcessMonitor):
    """Keeps as many workers as are wanted.

    Args:
        count: how many these are.
        doors: where they serve.
        provisions: what each of them needs, as bytes.
        emit: is told of what happens to them.
        reactor: starts them.
        publish: takes their log.
    """

    # All in seconds. One that dies in its first moments is replaced later and later, but those who
    # are kept for it wait that long, too.
    threshold = 10
    maxRestartDelay = 30  # noqa: N815 - ProcessMonitor's
    # More than people get to leave.
    killTime = 10  # noqa: N815 - as above

    protocols: dict[str, _Worker]  # type: ignore[assignment]  # ProcessMonitor's own have no orders

    def __init__(  # noqa: PLR0913 - what workers are made of and belong to
        self,
        count: int,
        doors: Sequence[SharedDoor],
        provisions: bytes,
        emit: EventSink,
        reactor: Any,  # noqa: ANN401 - a reactor has many interfaces
        *,
        publish: Callable[[LogEvent], None] = globalLogPublisher,
    ) -> None:
        super().__init__(reactor)
        self._doors = doors
        self._provisions = provisions
        self._emit = emit
        self._publish = publish
        self._is_open = False
        self._all_ended: Deferred[None] | None = None
        # The worker finds every module where this process did, and nothing in its own directory.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        for number in range(1, count + 1):
            # The number is for whoever looks at a list of processes.
            arguments = [sys.executable, "-P", "-m", _MODULE, str(number)]
            self.addProcess(str(number), arguments, env=environment)

    @override
    def privilegedStartService(self) -> None:
        """Listen, while the process may still open any port.

        Raises:
            CannotStart: an address cannot be listened on.
        """
        super().privilegedStartService()
        self._is_open = True
        for door in self._doors:
            door.open()

    @override
    def startService(self) -> None:
        """Start the workers.

        Raises:
            CannotStart: Python is out of reach for whom or where the server is by now.
        """
        if not self._is_open:
            self.privilegedStartService()
        effective = os.access in os.supports_effective_ids
        if not os.access(sys.executable, os.X_OK, effective_ids=effective):
            # twistd's daemon has less than 100 bytes for this.
            raise CannotStart(
                f"conch_insults: server.workers: cannot run {sys.executable} here; use 1"
            )
        super().startService()

    @override
    def stopService(  # type: ignore[override]  # IService's may take its time, its own does not
        self,
    ) -> Deferred[None] | None:
        """Let nobody else in, and wait for the workers to end in order."""
        super().stopService()
        for door in self._doors:
            door.close()
        if self.protocols:
            self._all_ended = Deferred()
        return self._all_ended

    def reload(self) -> None:
        """Have every worker read again what it reads again."""
        for worker in self.protocols.values():
            worker.order(RELOAD)

    @override
    def startProcess(self, name: str) -> None:
        """Start a worker and give it all it needs."""
        if name in self.protocols:
            return
        process = self._processes[name]
        worker = _Worker(int(name), self._provisions, self, self._emit, self._publish)
        self.protocols[name] = worker
        self.timeStarted[name] = self._clock.seconds()
        descriptors = {ORDERS: "w", LOG: "r", _STDERR: "r", PROVISIONS: "w"}
        sockets = [door.sockets[worker.number - 1].fileno() for door in self._doors]
        try:
            self._reactor.spawnProcess(
                worker,
                process.args[0],
                process.args,
                env=process.env,
                childFDs=descriptors | dict(enumerate(sockets, FIRST_SOCKET)),
            )
        except OSError as error:
            self.ended(worker, f"cannot be started: {error.strerror}")

    def ended(self, worker: _Worker, how: str) -> None:
        """Note that a worker has ended; another one takes its place, unless it is the end of all.

        Args:
            worker: the one.
            how: empty if it ended in order.
        """
        name = str(worker.number)
        # Without the reason, which it would log with a traceback.
        self._monitoredProcessExited(name)
        then = "the server is stopping"
        if self.running:
            wait = self.restart[name].getTime() - self._clock.seconds()
            then = f"another one starts in {wait:.2f} s"
        # One that was still about to serve ends by the signal itself.
        if self.running or how not in {"", "SIGTERM"}:
            self._emit(
                WorkerDied(worker.number, worker.pid, how or "exit 0", worker.last_words, then)
            )
        if self._all_ended is not None and not self.protocols:
            self._all_ended.callback(None)


class _Worker(ProcessProtocol):
    """What this process knows of a worker.

    Attributes:
        number: which one, from 1 on.
        pid: its process id, 0 if it has none.
    """

    transport: Any

    def __init__(
        self,
        number: int,
        provisions: bytes,
        workers: Workers,
        emit: EventSink,
        publish: Callable[[LogEvent], None],
    ) -> None:
        self.number = number
        self.pid = 0
        self._provisions = provisions
        self._workers = workers
        self._emit = emit
        words = {RELOAD: workers.reload, SERVING: self._serving}
        self._log = LogReceiver(number, publish, words)
        # What comes here is not written by us: Python itself in trouble, or the system.
        self._errors = LogReceiver(number, publish, {})

    @property
    def last_words(self) -> str:
        """What it said last, outside of its log."""
        return self._errors.last_words or self._log.last_words or "-"

    def order(self, word: bytes) -> None:
        """Tell it something."""
        self.transport.write(word + b"\n")

    @override
    def connectionMade(self) -> None:
        self.pid = self.transport.pid
        self.transport.writeToChild(PROVISIONS, self._provisions)
        self.transport.closeChildFD(PROVISIONS)

    @override
    def outReceived(self, data: bytes) -> None:
        self._log.dataReceived(data)

    @override
    def errReceived(self, data: bytes) -> None:
        self._errors.dataReceived(data)

    @override
    def processEnded(self, reason: Failure) -> None:
        for each in (self._log, self._errors):
            # Whatever it was in the middle of.
            each.dataReceived(b"\n")
        self._workers.ended(self, _how(reason.value))

    def _serving(self) -> None:
        self._emit(WorkerServing(self.number, self.pid))


def _how(reason: BaseException | None) -> str:
    """Say how a process ended, empty if it was in order."""
    if not isinstance(reason, ProcessTerminated):
        return ""
    if reason.signal is None:
        return f"exit {reason.exitCode}"
    try:
        return signal.Signals(reason.signal).name
    except ValueError:
        return f"signal {reason.signal}"
