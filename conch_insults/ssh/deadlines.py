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
    """Calls to be made unless something happens before."""

    __slots__ = ("_calls", "_clock")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._calls: dict[str, IDelayedCall] = {}

    def start(self, name: str, seconds: float, action: Callable[[], object]) -> None:
        """Call `action` in so many seconds, in place of what was started under this name."""
        self.cancel(name)
        self._calls[name] = self._clock.callLater(seconds, self._due, name, action)

    def cancel(self, name: str) -> None:
        """Call off what was started under a name, if anything."""
        call = self._calls.pop(name, None)
        if call is not None:
            call.cancel()

    def cancel_all(self) -> None:
        """Call everything off."""
        for name in list(self._calls):
            self.cancel(name)

    def _due(self, name: str, action: Callable[[], object]) -> None:
        del self._calls[name]
        action()
