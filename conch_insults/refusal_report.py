"""How many connections the gate has refused, told once a minute.

Each by itself would fill the log of whoever is attacked. Decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from typing_extensions import override

from conch_insults.events import ConnectionsRefused

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from conch_insults.events import EventSink
    from conch_insults.limits import Gate

__all__ = ["RefusalReport"]

# In seconds.
_REPORT_EVERY = 60.0


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
