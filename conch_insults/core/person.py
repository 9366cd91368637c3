"""The person that a dialogue talks to: what they have heard, what they may hear, what they may ask.

Where they come from and how they proved who they are is known to whoever answers for them
(`About`), not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from conch_insults.core.insulter import Heard
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["About", "Operations", "Person", "Stranger"]


class About(Protocol):
    """What can be said about a person and how they came here; each text is a line."""

    def whoami(self) -> Sequence[str]:
        """Say who they are here."""

    def explain(self) -> Sequence[str]:
        """Say what let them in, on which terms, and how the connection is protected."""


class Operations(Protocol):
    """What an operator can do from a session; each text returned is a line."""

    def who(self) -> Sequence[str]:
        """List who is here."""

    def kick(self, connection: str) -> str | None:
        """End the connection of that name; None when there is none."""

    def reload(self) -> str:
        """Read packs, keys and lists again, as SIGHUP does."""


class Stranger:
    """Somebody of whom nothing is known, over a connection that nothing protects."""

    def whoami(self) -> Sequence[str]:
        """Say that nobody knows."""
        return ("Nobody in particular. This door asks for no name, and you gave none.",)

    def explain(self) -> Sequence[str]:
        """Say that nothing let them in and nothing protects them."""
        return (
            "You came in over plain TCP: nobody asked who you are.",
            "Nothing is encrypted. Whoever reads along on the way feels better about themselves.",
        )


class Person:
    """One person, in all of their conversations at once.

    Args:
        ceiling: the most that they may hear, whatever they ask for.
        about: answers for them.
        operations: what they can do to the server; None for everybody but operators.
        heard: what they have been told before.

    Attributes:
        ceiling: as above; may change while they are here.
        wanted: the most that they want to hear.
    """

    def __init__(
        self,
        ceiling: Rating,
        about: About | None = None,
        operations: Operations | None = None,
        heard: Heard | None = None,
    ) -> None:
        self.ceiling = ceiling
        self.wanted = Rating.R
        self.about: About = about or Stranger()
        self.operations = operations
        self.heard = heard or Heard()

    @property
    def rating(self) -> Rating:
        """The most that they hear now."""
        return min(self.ceiling, self.wanted)
