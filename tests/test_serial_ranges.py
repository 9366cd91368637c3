from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.serial_ranges import LARGEST, SerialRanges, runs_of

NUMBERS = st.integers(0, 40)
RANGES = st.lists(st.tuples(NUMBERS, NUMBERS).map(lambda pair: (min(pair), max(pair))))


class TestRanges:
    @settings(deadline=None)
    @given(RANGES)
    def test_they_hold_what_each_of_them_holds(self, given_ranges: list[tuple[int, int]]) -> None:
        ranges = SerialRanges(given_ranges)
        for number in range(-1, 43):
            assert (number in ranges) == any(low <= number <= high for low, high in given_ranges)

    @settings(deadline=None)
    @given(RANGES)
    def test_they_neither_meet_nor_overlap(self, given_ranges: list[tuple[int, int]]) -> None:
        kept = list(SerialRanges(given_ranges))
        assert all(before[1] + 1 < after[0] for before, after in pairwise(kept))

    def test_a_long_one_costs_what_a_short_one_does(self) -> None:
        ranges = SerialRanges([(1, LARGEST), (5, 6)])
        assert list(ranges) == [(1, LARGEST)]
        assert LARGEST in ranges
        assert 0 not in ranges

    def test_none_hold_nothing(self) -> None:
        assert 0 not in SerialRanges([])


class TestRuns:
    @pytest.mark.parametrize(
        ("bitmap", "runs"),
        [
            (0, []),
            (1, [(7, 7)]),
            (0b0110_1000, [(10, 10), (12, 13)]),
            (2**2048 - 1, [(7, 2054)]),
        ],
    )
    def test_of_a_bitmap(self, bitmap: int, runs: list[tuple[int, int]]) -> None:
        assert list(runs_of(bitmap, 7)) == runs

    @settings(deadline=None)
    @given(st.sets(st.integers(0, 200)))
    def test_they_are_its_ones(self, ones: set[int]) -> None:
        found = [range(low, high + 1) for low, high in runs_of(sum(1 << bit for bit in ones), 0)]
        assert [number for run in found for number in run] == sorted(ones)
