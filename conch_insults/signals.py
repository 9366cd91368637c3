"""What an operator says by signals: reload, stop, and stop at once.

Knows nothing of what is reloaded or stopped.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from twisted.application.service import Service
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

__all__ = ["Signals"]

_STOP = (signal.SIGINT, signal.SIGTERM)


class Signals(Service):
    """SIGHUP reloads, SIGINT and SIGTERM stop the reactor, and a second one the process.

    Args:
        reload: what to do on SIGHUP.
        reactor: is stopped, and calls `reload`.
    """

    def __init__(self, reload: Callable[[], None], reactor: Any) -> None:  # noqa: ANN401 - a reactor has many interfaces
        self._reload = reload
        self._reactor = reactor

    @override
    def startService(self) -> None:
        super().startService()
        # After the reactor's own handlers, which make a process die of the signal it stops on.
        self._reactor.callWhenRunning(self._handle_signals)

    def _handle_signals(self) -> None:
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._reload))
        for number in _STOP:
            signal.signal(number, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        # Whoever insists, by the same signal or the other one, gets that signal's own effect.
        for number in _STOP:
            signal.signal(number, signal.SIG_DFL)
        self._reactor.callFromThread(self._reactor.stop)
