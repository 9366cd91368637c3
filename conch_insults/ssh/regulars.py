"""What is remembered of people between their visits: what they heard, and what they typed.

By the name that they proved to have; kept as long as the server runs, for the people who came
last. Guests have no name, and nothing is remembered of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from conch_insults.core.heard import Heard
from conch_insults.core.history import History

__all__ = ["MAXIMUM_REGULARS", "MAXIMUM_TEXTS", "Memory", "Regulars"]

MAXIMUM_REGULARS = 1000
"""How many people are remembered."""
MAXIMUM_TEXTS = 100_000
"""How many texts are remembered to have been heard, by all of them together: some 20 MB."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one person.

    Attributes:
        heard: what they have been told.
        history: the lines that they have typed at a terminal.
    """

    heard: Heard = field(default_factory=Heard)
    history: History = field(default_factory=History)


class Regulars:
    """The people who have been here."""

    def __init__(self) -> None:
        # The one who came last is the last.
        self._memories: dict[str, Memory] = {}

    def welcome(self, user: str) -> Memory:
        """Return what is remembered of a user, who has just come in."""
        memory = self._memories.pop(user) if user in self._memories else Memory()
        self._memories[user] = memory
        texts = sum(each.heard.remembered for each in self._memories.values())
        while len(self._memories) > MAXIMUM_REGULARS or texts > MAXIMUM_TEXTS:
            forgotten = self._memories.pop(next(iter(self._memories)))
            texts -= forgotten.heard.remembered
        return memory
