"""Names that somebody may have meant: those a slip of the finger or two away.

A slip is a letter too many, too few or wrong, or two neighbours the wrong way round. The work is
bounded, however many names there are. Knows nothing of what the names stand for.
"""

from __future__ import annotations

from bisect import bisect_left
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
# The most answers that are remembered.
_MAX_REMEMBERED = 1_024
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

    Which names lack a letter is kept as the bits of one number for each letter, so that all names
    are compared at once.

    Args:
        names: pairs of a name, folded, and of what it stands for.
    """

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        short = (pair for pair in names if len(pair[0]) <= MAX_NAME)
        self._names = sorted(short, key=lambda pair: len(pair[0]))
        self._letters = [_letters(name) for name, _ in self._names]
        lengths = [len(name) for name, _ in self._names]
        self._starts = [bisect_left(lengths, length) for length in range(MAX_NAME + 4)]
        self._lacking = [_bits(self._letters, 1 << letter) for letter in range(_LETTERS)]
        self._remembered: dict[str, list[str]] = {}

    def of(self, typed: str) -> list[str]:
        """Return the names near to a folded one, the nearest first, one for each meaning.

        Of fewer than six letters one may be wrong, of fewer than three none, since every short
        name is near to every other.
        """
        limit = (len(typed) >= _ONE_SLIP_FROM) + (len(typed) >= _TWO_SLIPS_FROM)
        if len(typed) > MAX_NAME or not limit:
            return []
        known = self._remembered.get(typed)
        if known is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[typed] = self._measured(typed, limit)
        return known

    def _measured(self, typed: str, limit: int) -> list[str]:
        slips_to = slips_from(typed)
        best: dict[str, tuple[int, bool, str]] = {}
        for name, meaning in islice(self._similar(typed, limit), _MAX_MEASURED):
            slips = slips_to(name)
            if slips <= limit:
                # A name that stands for itself goes before others as near.
                rank = (slips, name != meaning, name)
                best[meaning] = min(rank, best.get(meaning, rank))
        return [name for _, _, name in sorted(best.values())]

    def _similar(self, typed: str, limit: int) -> Iterator[tuple[str, str]]:
        """Yield the names of nearly the same length and with nearly the same letters."""
        letters = _letters(typed)
        lacks_one = lacks_two = lacks_three = 0
        for letter in {ord(letter) % _LETTERS for letter in typed}:
            lacking = self._lacking[letter]
            lacks_three |= lacks_two & lacking
            lacks_two |= lacks_one & lacking
            lacks_one |= lacking
        # A slip takes away at most one letter, and brings at most one.
        too_far = lacks_two if limit == 1 else lacks_three
        left = MAX_COMPARED
        for step in sorted(range(-limit, limit + 1), key=abs):
            start, end = self._starts[len(typed) + step : len(typed) + step + 2]
            end = min(end, start + left)
            left -= end - start
            near = ~(too_far >> start) & ((1 << (end - start)) - 1)
            while near:
                at = start + near.bit_length() - 1
                near ^= 1 << (at - start)
                if (self._letters[at] & ~letters).bit_count() <= limit:
                    yield self._names[at]


def _bits(sets: Iterable[int], letter: int) -> int:
    """Return which of these sets lack a letter, the first as the lowest bit."""
    lacking = "".join("0" if letters & letter else "1" for letters in sets)
    return int(lacking[::-1] or "0", 2)


def _letters(name: str) -> int:
    """Return the set of letters of a name, as bits; some letters share one."""
    bits = 0
    for letter in name:
        bits |= 1 << ord(letter) % _LETTERS
    return bits
