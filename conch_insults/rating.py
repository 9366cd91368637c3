"""How rude a text is, on the one scale that packs, keys and people share.

Knows neither what is said nor who hears it.
"""

from __future__ import annotations

import enum

__all__ = ["Rating"]


class Rating(enum.IntEnum):
    """From fit for children to fit for nobody; a greater one is ruder."""

    G = 1
    PG = 2
    R = 3

    @classmethod
    def parse(cls, text: str) -> Rating:
        """Return the rating that is written as `g`, `pg` or `r`, in any case.

        Raises:
            ValueError: it is none of them; the text says so in one line.
        """
        try:
            return cls[text.upper()]
        except KeyError:
            raise ValueError(f"{text[:20]!a} is not a rating: use g, pg or r") from None

    def __str__(self) -> str:
        """Return the rating as people write it."""
        return self.name.lower()
