"""A process that serves for another one, which has started it: `python -m conch_insults.worker`.

Everything it needs comes through descriptors, see `worker_pipes`. It has no settings, log or
sockets of its own, reads no host key, and ends when nobody is left to tell it to.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.endpoints import AdoptedStreamServerEndpoint
from twisted.internet.error import ReactorNotRunning
from twisted.internet.process import ProcessReader
from twisted.logger import Logger, globalLogBeginner
from twisted.protocols.basic import LineReceiver
from typing_extensions import override

from conch_insults.errors import ConchInsultsError
from conch_insults.events import Listening
from conch_insults.provisions import Provisions
from conch_insults.service import CannotStart, doors_of, make_insult_service
from conch_insults.telemetry import EventLog
from conch_insults.worker_pipes import (
    FIRST_SOCKET,
    LOG,
    ORDERS,
    PROVISIONS,
    RELOAD,
    SERVING,
    LogSender,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from twisted.python.failure import Failure

    from conch_insults.events import Event
    from conch_insults.service import InsultService

__all__ = ["Orders", "main", "make_worker"]


class Orders(LineReceiver):
    """What the server has to say; its silence is an order to end.

    Args:
        reload: what to do when it says so.
        stop: what to do when it is gone.
    """

    delimiter = b"\n"

    def __init__(self, reload: Callable[[], None], stop: Callable[[], None]) -> None:
        self._reload = reload
        self._stop = stop

    @override
    def lineReceived(self, line: bytes) -> None:
        if line == RELOAD:
            self._reload()

    # What a ProcessReader calls.

    def childDataReceived(self, _name: str, data: bytes) -> None:  # noqa: N802 - Twisted's
        """Take what has come."""
        self.dataReceived(data)

    def childConnectionLost(self, _name: str, _reason: Failure) -> None:  # noqa: N802 - Twisted's
        """Take it that the server is gone."""
        self._stop()


def make_worker(
    provisions: Provisions,
    ask_to_reload: Callable[[], None],
    reactor: Any,  # noqa: ANN401 - a reactor has many interfaces
) -> InsultService:
    """Build the service, at sockets that listen already.

    Args:
        provisions: the settings, and what they name.
        ask_to_reload: has all workers reload, this one too.
        reactor: runs it all.
    """
    log = EventLog(Logger(namespace="conch_insults"))
    sockets = {name: FIRST_SOCKET + door for door, name in enumerate(doors_of(provisions.settings))}

    def emit(event: Event) -> None:
        # The server has told of its doors.
        if not isinstance(event, Listening):
            log(event)

    def endpoint_of(name: str, _description: str) -> AdoptedStreamServerEndpoint:
        descriptor = sockets[name]
        with socket.socket(fileno=os.dup(descriptor)) as listening:
            return AdoptedStreamServerEndpoint(reactor, descriptor, listening.family)

    return make_insult_service(
        provisions, reactor, emit=emit, endpoint_of=endpoint_of, reload=ask_to_reload
    )


def main() -> None:
    """Serve until told to stop, or nobody is left to tell."""
    # Ctrl-C and a terminal that goes away reach everybody: the server decides what they mean.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    provisions = _received()
    from twisted.internet import reactor as installed  # noqa: PLC0415 - importing it installs it

    reactor: Any = installed
    log = LogSender(LOG)
    # What Python itself has to say in the end is for standard error, which is read for that.
    globalLogBeginner.beginLoggingTo([log], redirectStandardIO=False)
    try:
        service = make_worker(provisions, partial(log.say, RELOAD), reactor)
        service.privilegedStartService()
        service.startService()
    except (CannotStart, ConchInsultsError) as error:
        sys.exit(str(error))
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)

    def stop() -> None:
        # Told twice, by the server and by whoever told everybody, it still ends in order.
        try:
            reactor.stop()
        except ReactorNotRunning:
            return

    signal.signal(signal.SIGTERM, lambda *_: reactor.callFromThread(stop))
    ProcessReader(reactor, Orders(service.reload, stop), "orders", ORDERS)
    log.hold(reactor)
    # The last phase of the end, in which nothing is called later.
    reactor.addSystemEventTrigger("after", "shutdown", log.hold_no_more)
    reactor.callWhenRunning(log.say, SERVING)
    reactor.run(installSignalHandlers=False)


def _received() -> Provisions:
    try:
        with os.fdopen(PROVISIONS, "rb") as pipe:
            return Provisions.from_bytes(pipe.read())
    except OSError:
        sys.exit("conch_insults.worker: only a server starts this; see server.workers")


if __name__ == "__main__":
    main()
