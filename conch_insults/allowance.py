"""How often something may happen: a token bucket (RFC 2697 in small).

Knows a clock, not what it counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

__all__ = ["Allowance"]


class Allowance:
    """So many at once, and so many more as time passes or something is earned.

    Args:
        clock: tells the time.
        most: how many at once.
        per_second: how many more each second, up to `most`.
    """

    __slots__ = ("_clock", "_left", "_most", "_per_second", "_since")

    def __init__(self, clock: IReactorTime, most: float, per_second: float) -> None:
        self._clock = clock
        self._most = most
        self._per_second = per_second
        self._left = most
        self._since = clock.seconds()

    def earn(self, amount: float) -> None:
        """Allow so many more, up to the most."""
        self._left = min(self._most, self._left + amount)

    def spend(self) -> bool:
        """Use one, and say whether there was one."""
        now = self._clock.seconds()
        self.earn((now - self._since) * self._per_second)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
