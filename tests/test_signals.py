"""What signals do to a server."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock

from conch_insults.signals import Signals

pytestmark = pytest.mark.usefixtures("signal_handlers")


class Reactor(MemoryReactorClock):
    """A reactor that notes that it has been stopped."""

    stops = 0

    def callFromThread(self, call: Any, *arguments: Any) -> None:  # noqa: N802 - Twisted's
        call(*arguments)

    def stop(self) -> None:
        self.stops += 1


class Server:
    """A reactor that runs, and what was reloaded."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.reloads = 0
        Signals(self._reload, self.reactor).startService()
        before = signal.getsignal(signal.SIGTERM)
        # Not before the reactor has put its own handlers in place.
        assert signal.getsignal(signal.SIGTERM) is before
        for hook, arguments, keywords in self.reactor.whenRunningHooks:
            hook(*arguments, **keywords)

    def _reload(self) -> None:
        self.reloads += 1


def test_a_hangup_reloads_each_time() -> None:
    server = Server()
    signal.raise_signal(signal.SIGHUP)
    signal.raise_signal(signal.SIGHUP)
    assert (server.reloads, server.reactor.stops) == (2, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_another_one_stops_the_reactor_and_a_second_one_the_process(
    number: signal.Signals,
) -> None:
    server = Server()
    signal.raise_signal(number)
    assert server.reactor.stops == 1
    for either in (signal.SIGTERM, signal.SIGINT):
        assert signal.getsignal(either) is signal.SIG_DFL
