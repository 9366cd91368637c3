"""What operators can do to the server from a session: see who is here, send away, reload.

Connections are known by the random name that the log has for them, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from twisted.internet.interfaces import IReactorTime

    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = ["ConnectionOperations"]

KICKED = "An operator has had enough of you. Most people have."


class ConnectionOperations:
    """Operations on the connections of an SSH door.

    Args:
        connections: those that are open, at any time.
        reload: reads packs, keys and lists again.
        clock: measures how long somebody has been here.
    """

    def __init__(
        self,
        connections: Collection[InsultSSHTransport],
        reload: Callable[[], None],
        clock: IReactorTime,
    ) -> None:
        self._connections = connections
        self._reload = reload
        self._clock = clock

    def who(self) -> Sequence[str]:
        """List everybody who is in: connection, user, address, since how long."""
        now = self._clock.seconds()
        return tuple(
            f"{each.peer.connection} {each.avatar.grant.user} {each.peer.address}"
            f" for {now - each.avatar.since:.0f} s"
            for each in self._here()
        )

    def kick(self, connection: str) -> str | None:
        """Send somebody away; None when there is no such connection."""
        for each in self._here():
            if each.peer.connection == connection:
                each.send_away(KICKED)
                return f"{each.avatar.grant.user} is gone."
        return None

    def reload(self) -> str:
        """Read packs, keys and lists again; what is wrong with them is in the log."""
        self._reload()
        return "Reloaded. If something was wrong, the log says what."

    def _here(self) -> list[InsultSSHTransport]:
        here = [each for each in self._connections if each.is_authenticated and not each.is_leaving]
        return sorted(here, key=lambda each: each.avatar.since)
