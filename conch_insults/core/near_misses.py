"""Names that somebody may have meant: those a slip of the finger or two away.

A slip is a letter too many, too few or wrong, or two neighbours the wrong way round. The work is
bounded, however many names there are. Knows nothing of what the names stand for.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["MAX_COMPARED", "MAX_NAME", "NearMisses", "slips_from"]

MAX_NAME = 64
"""The most characters of a name that is compared at all."""
MAX_COMPARED = 4_000
"""The most names that are looked at, those of the most similar length first."""

# Of these, the most with nearly the same letters, which are looked at letter by letter.
_MAX_MEASURED = 400
_ONE_SLIP_FROM = 3
_TWO_SLIPS_FROM = 6
_LETTERS = 64


def slips_from(typed: str) -> Callable[[str], int]:
    """Return what counts the slips between what was typed, which is not empty, and a name.

    This is the optimal string alignment distance, with a column of the usual table as the bits of
    a number (H. Hyyro, "A bit-vector algorithm for computing Levenshtein and Damerau edit
    distances", 2003): an addition carries what would be a loop.
    """
    last = 1 << (len(typed) - 1)
    column = (1 << len(typed)) - 1
    where: dict[str, int] = {}
    for at, letter in enumerate(typed):
        where[letter] = where.get(letter, 0) | 1 << at

    def slips(name: str) -> int:
        count = len(typed)
        # Going down the column, the count goes up by one (more) or down by one (less).
        more, less = column, 0
        same = matches_before = 0
        for letter in name:
            matches = where.get(letter, 0)
            swapped = ((~same & matches) << 1) & matches_before
            same = ((((matches & more) + more) ^ more) | matches | less | swapped) & column
            across_more = (less | ~(same | more)) & column
            across_less = same & more
            count += bool(across_more & last) - bool(across_less & last)
            across_more = (across_more << 1) | 1
            more = ((across_less << 1) | ~(same | across_more)) & column
            less = across_more & same
            matches_before = matches
        return count

    return slips


class NearMisses:
    """The names to choose from.

    Args:
        names: pairs of a name, folded, and of what it stands for.
    """

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self._by_length: dict[int, list[tuple[int, str, str]]] = {}
        for name, meaning in names:
            if len(name) <= MAX_NAME:
                self._by_length.setdefault(len(name), []).append((_letters(name), name, meaning))

    def of(self, typed: str) -> list[str]:
        """Return what names near to a folded one stand for, the nearest first, each once.

        Of fewer than six letters one may be wrong, of fewer than three none, since every short
        name is near to every other.
        """
        limit = (len(typed) >= _ONE_SLIP_FROM) + (len(typed) >= _TWO_SLIPS_FROM)
        if len(typed) > MAX_NAME or not limit:
            return []
        slips_to = slips_from(typed)
        found: dict[str, int] = {}
        for name, meaning in islice(self._similar(typed, limit), _MAX_MEASURED):
            slips = slips_to(name)
            if slips <= found.get(meaning, limit):
                found[meaning] = slips
        return sorted(found, key=lambda meaning: (found[meaning], meaning))

    def _similar(self, typed: str, limit: int) -> Iterator[tuple[str, str]]:
        """Yield the names of nearly the same length and with nearly the same letters."""
        letters = _letters(typed)
        left = MAX_COMPARED
        for step in sorted(range(-limit, limit + 1), key=abs):
            names = self._by_length.get(len(typed) + step, [])[:left]
            left -= len(names)
            for others, name, meaning in names:
                # A slip changes at most two of the letters that a name has at all.
                if (letters ^ others).bit_count() <= 2 * limit:
                    yield name, meaning


def _letters(name: str) -> int:
    """Return the set of letters of a name, as bits; some letters share one."""
    bits = 0
    for letter in name:
        bits |= 1 << ord(letter) % _LETTERS
    return bits
