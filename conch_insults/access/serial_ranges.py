"""A set of 64-bit numbers, kept as ranges that neither meet nor overlap.

A billion numbers in a row cost as much as one, and a look-up is a bisection. What is numbered is
not known here.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["LARGEST", "SerialRanges", "runs_of"]

LARGEST = 2**64 - 1

_ONES = re.compile("1+")


class SerialRanges:
    """The numbers of all ranges given.

    Args:
        ranges: the first and last number of each, from 0 to `LARGEST`, in any order; may overlap.
    """

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._firsts = array("Q")
        self._lasts = array("Q")
        for first, last in sorted(ranges):
            if self._lasts and first <= self._lasts[-1] + 1:
                self._lasts[-1] = max(last, self._lasts[-1])
            else:
                self._firsts.append(first)
                self._lasts.append(last)

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self._lasts, number)
        return at < len(self._lasts) and self._firsts[at] <= number

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)


def runs_of(bitmap: int, offset: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last number of each run of ones in a bitmap, the lowest first.

    Args:
        bitmap: a number whose bit N stands for the number `offset` + N.
        offset: what bit 0 stands for.
    """
    # Digits are searched in one go; shifting a long bitmap for each of its bits would be quadratic.
    for run in _ONES.finditer(f"{bitmap:b}"[::-1]):
        yield offset + run.start(), offset + run.end() - 1
