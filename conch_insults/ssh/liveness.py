"""Whether anybody is still there: keepalives, idleness, and how long a connection may last.

Watches one authenticated connection by the clock. Knows channels only by their number and by what
their sessions can be told.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from conch_insults.ssh.deadlines import Deadlines

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from conch_insults.config import LimitSettings
    from conch_insults.ssh.connection import InsultConnection

__all__ = ["Liveness"]

IDLE_WARNING = "Still there? A minute more of this silence and I am leaving you."
IDLE_END = "You have nothing to say, and I have heard enough of it."
LIMIT_END = "Your time is up. It was mostly mine anyway."

# How long before the end the warning comes, how long a connection may do without a channel, how
# long a peer has to close what has ended, and how long when access has; all in seconds.
_WARNING = 60.0
_WITHOUT_CHANNEL = 60.0
_LEAVING = 60.0
_LEAVING_AT_ONCE = 2.0


class Liveness:
    """The clock's side of one connection.

    Args:
        connection: what is watched.
        settings: how patient to be.
        clock: runs the timers.
    """

    def __init__(
        self, connection: InsultConnection, settings: LimitSettings, clock: IReactorTime
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._clock = clock
        self._deadlines = Deadlines(clock)
        self._last_activity = self._asked = clock.seconds()
        self._unanswered = 0
        self._has_warned = self._has_ended = False

    def start(self) -> None:
        """Begin to watch."""
        settings = self._settings
        self._deadlines.start("keepalive", settings.keepalive_interval, self._ask)
        self.channels_changed()
        if settings.idle_timeout:
            self._watch_idleness()
        limits = (
            (settings.session_limit, _LEAVING),
            # Who may stay for a few seconds is not given a minute to leave.
            (self._connection.session_limit, _LEAVING_AT_ONCE),
        )
        for limit, patience in sorted((limit, patience) for limit, patience in limits if limit)[:1]:
            self._deadlines.start("limit", limit, partial(self._reached_limit, patience))

    def stop(self) -> None:
        """Watch no more."""
        self._deadlines.cancel_all()

    def active(self) -> None:
        """Note that the peer has done something on a channel."""
        self._last_activity = self._connection.transport.last_heard
        self._has_warned = self._has_ended = False

    def channels_changed(self) -> None:
        """Note that a channel has been opened or closed."""
        if self._connection.channels:
            self._deadlines.cancel("channel")
        else:
            self._deadlines.start("channel", _WITHOUT_CHANNEL, self._is_of_no_use)

    def _is_of_no_use(self) -> None:
        self._connection.disconnect("nothing is open on this connection")

    def _ask(self) -> None:
        """Ask for a sign of life, if there has been none of itself."""
        interval = self._settings.keepalive_interval
        heard, now = self._connection.transport.last_heard, self._clock.seconds()
        if heard >= self._asked:
            self._unanswered = 0
        silence = now - heard
        if silence < interval:
            self._deadlines.start("keepalive", interval - silence, self._ask)
            return
        if self._unanswered >= self._settings.keepalive_count:
            self._connection.transport.abort()
            return
        self._unanswered += 1
        self._asked = now
        self._connection.send_keepalive()
        self._deadlines.start("keepalive", interval, self._ask)

    def _watch_idleness(self) -> None:
        """Warn, end the sessions, send away: each after so long a silence."""
        timeout = self._settings.idle_timeout
        warning, leaving = timeout - min(_WARNING, timeout / 2), timeout + _LEAVING
        silence = self._clock.seconds() - self._last_activity
        if silence >= leaving:
            self._connection.disconnect("nothing has come for too long")
            return
        if silence >= timeout and not self._has_ended:
            self._has_ended = True
            self._connection.end_sessions(IDLE_END)
        elif silence >= warning and not self._has_warned:
            self._has_warned = True
            self._connection.warn_sessions(IDLE_WARNING)
        next_step = next(step for step in (warning, timeout, leaving) if step > silence)
        self._deadlines.start("idle", next_step - silence, self._watch_idleness)

    def send_away(self, text: str) -> None:
        """End the sessions with a sentence, and the connection soon after."""
        self._end(text, text, _LEAVING_AT_ONCE)

    def _reached_limit(self, patience: float) -> None:
        self._end(LIMIT_END, "this has lasted too long", patience)

    def _end(self, text: str, reason: str, patience: float) -> None:
        self._connection.take_no_more_channels()
        # Whoever does not leave now is sent away, even if an error keeps a session from ending.
        self._deadlines.start("limit", patience, partial(self._connection.disconnect, reason))
        self._connection.end_sessions(text)
