"""How fast one person may ask: some lines at once, then so many a minute.

Nothing is refused, and nothing lost: what is too fast waits. Knows nothing of lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.allowance import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

__all__ = ["BURST", "Pace"]

BURST = 10
"""How many lines may come at once."""


class Pace:
    """The pace of one conversation.

    Args:
        clock: measures it.
        lines_per_minute: the most, in the long run.
    """

    def __init__(self, clock: IReactorTime, lines_per_minute: int) -> None:
        self._clock = clock
        self._interval = 60.0 / lines_per_minute
        self._allowance = Allowance(clock, BURST, 1 / self._interval)

    def spend(self) -> bool:
        """Count a line, and say whether the next may come at once."""
        return self._allowance.spend()

    def call_when_due(self, action: Callable[[], None]) -> None:
        """Call `action` when the next line may come."""
        self._clock.callLater(self._interval, action)
