"""Judging those who are in again: when a file has changed, when time is up, when asked to.

Access that is taken away ends sessions that it had begun, with a sentence and an event. What the
rules are is the policy's business; knows connections by who is on them and by their end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from typing_extensions import override

from conch_insults.access.grants import Grant, Refusal
from conch_insults.core.printable import printable
from conch_insults.events import AccessEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from twisted.internet.interfaces import IReactorTime
    from twisted.logger import Logger

    from conch_insults.access.policy import Policy
    from conch_insults.access.standing import KeysWatch, Standing
    from conch_insults.events import EventSink
    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = ["Rejudging"]

# In seconds. A change must be seen twice, unchanged: an editor may write a file in two steps, and
# nobody should be sent away for what is in it in between.
_LOOK_EVERY = 1.0

# A user's name that nobody has: it stands for the files that count for everybody.
_NOBODY = ""

# Files that never stop changing are not waited for longer than for so many looks.
_MOST_WAITS = 3


@dataclass(slots=True)
class _Watched:
    """What is known of the files that decide about one user.

    Attributes:
        seen: what they looked like when they were looked at last.
        judged: what they looked like when the user was judged for good; None before that.
        waits: how many looks in a row have found them changed.
    """

    seen: Hashable
    judged: Hashable = None
    waits: int = 0

    def is_due(self, standing: Standing) -> bool:
        """Take note of another look, and say whether the user is to be judged."""
        versions = standing.versions
        if versions == self.judged:
            self.seen, self.waits = versions, 0
            return False
        if versions != self.seen and self.waits < _MOST_WAITS:
            # Whatever they say now may be half of what they will say in a moment.
            self.seen, self.waits = versions, self.waits + 1
            return False
        self.seen, self.waits = versions, 0
        self.judged = versions if standing.settled else None
        return True


class Rejudging(Service):
    """Judges everybody on a set of connections again, as often as needed.

    A change of the files counts within four seconds, the end of a key's or certificate's time
    within one. What is wrong with the files that count for everybody is told as soon, whether
    anybody is there or not.

    Args:
        policy: decides.
        keys: says when decisions may have changed.
        connections: those to watch.
        emit: is told when somebody's access has ended.
        log: takes errors of ours.
        clock: says when to look.
        now: says what time it is.
    """

    def __init__(  # noqa: PLR0913 - what it takes to judge
        self,
        policy: Policy,
        keys: KeysWatch,
        connections: Iterable[InsultSSHTransport],
        *,
        emit: EventSink,
        log: Logger,
        clock: IReactorTime,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._policy = policy
        self._keys = keys
        self._connections = connections
        self._emit = emit
        self._log = log
        self._now = now
        self._watched: dict[str, _Watched] = {}
        self._timer = LoopingCall(self.look)
        self._timer.clock = clock

    @override
    def startService(self) -> None:
        super().startService()
        self._keep_looking()

    @override
    def stopService(self) -> None:
        super().stopService()
        self._timer.stop()

    def look(self) -> None:
        """Judge those whose files have changed and stayed so, and those whose time is up."""
        now = self._now()
        by_user = self._by_user()
        by_user.setdefault(_NOBODY, [])
        standings = self._keys.look(by_user, now)
        watched, self._watched = self._watched, {}
        for user, standing in standings.items():
            known = self._watched[user] = watched.get(user) or _Watched(standing.versions)
            is_due = user in watched and known.is_due(standing)
            for connection in by_user[user]:
                if is_due or _is_over(connection.avatar.grant, now):
                    self._judge(connection, now)
            if is_due and user == _NOBODY:
                self._policy.read_shared_files(now)

    def judge_all(self) -> None:
        """Judge everybody at once."""
        now = self._now()
        for connections in self._by_user().values():
            for connection in connections:
                self._judge(connection, now)
        self._policy.read_shared_files(now)

    def _keep_looking(self) -> None:
        self._timer.start(_LOOK_EVERY, now=False).addErrback(self._go_on)

    def _go_on(self, reason: Failure) -> None:
        """Look again after an error of ours: nobody must stay because of one."""
        self._log.failure("while judging again who is in", reason)
        self._keep_looking()

    def _by_user(self) -> dict[str, list[InsultSSHTransport]]:
        by_user: dict[str, list[InsultSSHTransport]] = {}
        for connection in self._connections:
            if connection.is_authenticated and not connection.is_leaving:
                by_user.setdefault(connection.avatar.grant.offer.user, []).append(connection)
        return by_user

    def _judge(self, connection: InsultSSHTransport, now: datetime) -> None:
        """Judge one connection; an error of ours keeps no other from being judged."""
        try:
            self._apply_decision(connection, now)
        except Exception:  # noqa: BLE001 - whatever it is, it is logged and tried again
            self._log.failure("while judging again who is in", Failure())
            known = self._watched.get(connection.avatar.grant.offer.user)
            if known is not None:
                # The next look finds it due.
                known.judged = None

    def _apply_decision(self, connection: InsultSSHTransport, now: datetime) -> None:
        avatar, peer = connection.avatar, connection.peer
        decision = _ruling(avatar.grant, self._policy.decide(avatar.grant.offer, now))
        if isinstance(decision, Grant):
            avatar.grant = decision
            return
        reason = decision.reason
        ended = AccessEnded(
            peer.connection, avatar.grant.user, peer.address, reason, decision.source
        )
        try:
            self._emit(ended)
        finally:
            connection.send_away(f"Your access has ended: {printable(reason)}.")


def _ruling(grant: Grant, decision: Grant | Refusal) -> Grant | Refusal:
    """Say what a decision of today means for somebody who is in by an earlier one."""
    if isinstance(decision, Refusal):
        return decision
    if decision.user != grant.user:
        # A removed user may come in as a guest, but does not become one.
        return Refusal(f"what you came with makes you {decision.user} now", decision.source)
    had, has = grant.terms, decision.terms
    if had.command != has.command or (had.pty and not has.pty):
        # What runs was begun on other terms.
        return Refusal("its terms have changed, come in again", decision.source)
    return decision


def _is_over(grant: Grant, now: datetime) -> bool:
    expires = grant.terms.expires
    return expires is not None and now >= expires
