"""How fast one person may ask: some lines at once, then so many a minute.

Nothing is refused, and nothing lost: what is too fast waits. Knows nothing of lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["BURST", "Pace"]

BURST = 10
"""How many lines may come at once."""


class Pace:
    """The pace of one person, in all of their conversations at once.

    Whoever has asked too often, in several conversations, is in debt: each answer counts, however
    many of them a line asks for, and each conversation waits for its own turn (the generic cell
    rate algorithm, ITU-T I.371).

    Args:
        clock: measures it.
        lines_per_minute: the most, in the long run.
    """

    def __init__(self, clock: IReactorTime, lines_per_minute: int) -> None:
        self._clock = clock
        self._interval = 60.0 / lines_per_minute
        # When all lines until now would have come, had they kept to the interval.
        self._on_time = clock.seconds()

    def spend(self, answers: int = 1) -> bool:
        """Count so many answers, and say whether the next line may come at once."""
        self._on_time = max(self._on_time, self._clock.seconds()) + answers * self._interval
        return self._wait() <= 0

    def call_when_due(self, action: Callable[[], None]) -> IDelayedCall:
        """Call `action` when the line after the last one counted may come."""
        return self._clock.callLater(max(0.0, self._wait()), action)

    def _wait(self) -> float:
        return self._on_time - (BURST - 1) * self._interval - self._clock.seconds()
