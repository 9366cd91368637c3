"""How often something may happen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from conch_insults.allowance import Allowance


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_so_many_at_once_and_no_more(clock: Clock) -> None:
    allowance = Allowance(clock, 3, 0)
    assert [allowance.spend() for _ in range(5)] == [True, True, True, False, False]
    clock.advance(1e6)
    assert not allowance.spend()


def test_more_as_time_passes_up_to_the_most(clock: Clock) -> None:
    allowance = Allowance(clock, 2, 0.5)
    assert [allowance.spend() for _ in range(3)] == [True, True, False]
    clock.advance(1)
    assert not allowance.spend()
    clock.advance(1)
    assert [allowance.spend() for _ in range(2)] == [True, False]
    clock.advance(1000)
    assert [allowance.spend() for _ in range(3)] == [True, True, False]


def test_more_when_it_is_earned_up_to_the_most(clock: Clock) -> None:
    allowance = Allowance(clock, 2, 0)
    allowance.earn(5)
    assert [allowance.spend() for _ in range(3)] == [True, True, False]
    allowance.earn(0.5)
    assert not allowance.spend()
    allowance.earn(0.5)
    assert [allowance.spend() for _ in range(2)] == [True, False]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 50), max_size=50))
def test_never_more_than_the_burst_and_what_time_allows(pauses: list[int]) -> None:
    clock = Clock()
    allowance = Allowance(clock, 5, 0.125)
    spent = 0
    for pause in pauses:
        clock.advance(pause)
        spent += allowance.spend()
    assert spent <= 5 + sum(pauses) * 0.125
