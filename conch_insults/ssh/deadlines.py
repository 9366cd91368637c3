"""The timers of one connection, by name, so that none outlives it.

Knows when, not why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["Deadlines"]


class Deadlines:
    """Calls to be made unless something happens before.

    They share one timer, which is due when the first of them may be: most are called off, and a
    server has as many of these as connections.
    """

    __slots__ = ("_clock", "_due", "_timer")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._due: dict[str, tuple[float, Callable[[], object]]] = {}
        self._timer: IDelayedCall | None = None

    def start(self, name: str, seconds: float, action: Callable[[], object]) -> None:
        """Call `action` in so many seconds, in place of what was started under this name."""
        when = self._clock.seconds() + seconds
        self._due[name] = (when, action)
        self._look_in(seconds, when)

    def cancel(self, name: str) -> None:
        """Call off what was started under a name, if anything."""
        if self._due.pop(name, None) and not self._due:
            self.cancel_all()

    def cancel_all(self) -> None:
        """Call everything off."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Do what is due, the first first; each may start and call off others."""
        self._timer = None
        now = self._clock.seconds()
        due = sorted((when, name) for name, (when, _) in self._due.items() if when <= now)
        try:
            for when, name in due:
                if name in self._due and self._due[name][0] == when:
                    _, action = self._due.pop(name)
                    action()
        finally:
            if self._due:
                first = min(when for when, _ in self._due.values())
                self._look_in(max(0.0, first - now), first)

    def _look_in(self, seconds: float, when: float) -> None:
        if self._timer is not None:
            if when >= self._timer.getTime():
                return
            # Not `reset`, for which the reactor searches all timers there are.
            self._timer.cancel()
        self._timer = self._clock.callLater(seconds, self._look)
