"""Judging those who are in again: when a file has changed, when time is up, when asked to.

Access that is taken away ends sessions that it had begun, with a sentence and an event. What the
rules are is the policy's business; knows connections by who is on them and by their end.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from typing_extensions import override

from conch_insults.access.grants import Grant
from conch_insults.events import AccessEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from twisted.internet.interfaces import IReactorTime

    from conch_insults.access.policy import Policy
    from conch_insults.events import EventSink
    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = ["Rejudging"]

# In seconds. A change must be seen twice, unchanged: an editor may write a file in two steps, and
# nobody should be sent away for what is in it in between.
_LOOK_EVERY = 1.0


class Rejudging(Service):
    """Judges everybody on a set of connections again, as often as needed.

    A change of the files counts within three seconds, the end of a key's or certificate's time
    within one.

    Args:
        policy: decides.
        connections: those to watch.
        emit: is told when somebody's access has ended.
        clock: says when to look.
        now: says what time it is.
    """

    def __init__(
        self,
        policy: Policy,
        connections: Iterable[InsultSSHTransport],
        emit: EventSink,
        clock: IReactorTime,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._policy = policy
        self._connections = connections
        self._emit = emit
        self._now = now
        # What decided about a user when they were judged, and what was seen last, by user.
        self._judged: dict[str, Hashable] = {}
        self._seen: dict[str, Hashable] = {}
        self._timer = LoopingCall(self.look)
        self._timer.clock = clock

    @override
    def startService(self) -> None:
        super().startService()
        self._timer.start(_LOOK_EVERY, now=False)

    @override
    def stopService(self) -> None:
        super().stopService()
        self._timer.stop()

    def look(self) -> None:
        """Judge those whose files have changed and stayed so, and those whose time is up."""
        now = self._now()
        judged: dict[str, Hashable] = {}
        seen: dict[str, Hashable] = {}
        for user, connections in self._by_user().items():
            due = connections
            standing, is_settled = self._policy.standing(user, now)
            seen[user] = standing
            if user in self._judged and standing == self._judged[user]:
                judged[user] = standing
                due = [each for each in connections if _is_over(each.avatar.grant, now)]
            elif user in self._seen and standing != self._seen[user]:
                # Whatever it says now may be half of what it will say in a moment.
                if user in self._judged:
                    judged[user] = self._judged[user]
                continue
            elif is_settled:
                judged[user] = standing
            for connection in due:
                self._judge(connection, now)
        self._judged, self._seen = judged, seen

    def judge_all(self) -> None:
        """Judge everybody at once."""
        now = self._now()
        for connections in self._by_user().values():
            for connection in connections:
                self._judge(connection, now)

    def _by_user(self) -> dict[str, list[InsultSSHTransport]]:
        by_user: dict[str, list[InsultSSHTransport]] = {}
        for connection in self._connections:
            if connection.is_authenticated and not connection.is_leaving:
                by_user.setdefault(connection.avatar.grant.offer.user, []).append(connection)
        return by_user

    def _judge(self, connection: InsultSSHTransport, now: datetime) -> None:
        avatar, peer = connection.avatar, connection.peer
        decision = self._policy.decide(avatar.grant.offer, now)
        if isinstance(decision, Grant):
            avatar.grant = decision
            return
        self._emit(
            AccessEnded(
                peer.connection, avatar.grant.user, peer.address, decision.reason, decision.source
            )
        )
        connection.send_away(f"Your access has ended: {decision.reason}.")


def _is_over(grant: Grant, now: datetime) -> bool:
    expires = grant.terms.expires
    return expires is not None and now >= expires
