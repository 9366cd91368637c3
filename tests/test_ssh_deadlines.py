"""Timers by name."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from conch_insults.ssh.deadlines import Deadlines


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deadlines(clock: Clock) -> Deadlines:
    return Deadlines(clock)


def test_each_is_due_once_in_its_time(clock: Clock, deadlines: Deadlines) -> None:
    due: list[str] = []
    deadlines.start("late", 3, lambda: due.append("late"))
    deadlines.start("soon", 1, lambda: due.append("soon"))
    clock.advance(1)
    assert due == ["soon"]
    clock.pump([1] * 5)
    assert due == ["soon", "late"]


def test_starting_again_takes_the_place_of_what_was_started(
    clock: Clock, deadlines: Deadlines
) -> None:
    due: list[str] = []
    deadlines.start("it", 2, lambda: due.append("old"))
    clock.advance(1)
    deadlines.start("it", 2, lambda: due.append("new"))
    clock.advance(1)
    assert due == []
    clock.advance(1)
    assert due == ["new"]
    assert not clock.getDelayedCalls()


def test_only_what_is_named_is_cancelled(clock: Clock, deadlines: Deadlines) -> None:
    due: list[str] = []
    for name in ("a", "b"):
        deadlines.start(name, 1, lambda name=name: due.append(name))  # type: ignore[misc]
    deadlines.cancel("a")
    deadlines.cancel("a")
    deadlines.cancel("never started")
    clock.advance(1)
    assert due == ["b"]
    deadlines.cancel("b")


def test_nothing_is_left_after_all_is_cancelled(clock: Clock, deadlines: Deadlines) -> None:
    for name in ("a", "b"):
        deadlines.start(name, 1, lambda: pytest.fail("cancelled"))
    deadlines.cancel_all()
    assert not clock.getDelayedCalls()


def test_what_is_due_can_start_itself_again(clock: Clock, deadlines: Deadlines) -> None:
    due: list[float] = []

    def again() -> None:
        due.append(clock.seconds())
        deadlines.start("it", 1, again)

    again()
    clock.pump([1] * 3)
    assert due == [0, 1, 2, 3]
    deadlines.cancel("it")
    assert not clock.getDelayedCalls()
