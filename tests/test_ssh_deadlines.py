"""Timers by name."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
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


def test_what_is_started_from_one_that_is_due_delays_no_other(
    clock: Clock, deadlines: Deadlines
) -> None:
    due: list[str] = []
    deadlines.start("second", 2, lambda: due.append("second"))
    deadlines.start("first", 1, lambda: deadlines.start("last", 9, lambda: due.append("last")))
    clock.pump([1] * 2)
    assert due == ["second"]
    clock.pump([1] * 8)
    assert due == ["second", "last"]


def test_one_that_fails_takes_no_other_with_it(clock: Clock, deadlines: Deadlines) -> None:
    due: list[str] = []
    deadlines.start("bad", 1, lambda: 1 // 0)
    deadlines.start("good", 2, lambda: due.append("good"))
    with pytest.raises(ZeroDivisionError):
        clock.advance(1)
    clock.advance(1)
    assert due == ["good"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.sampled_from("abc"), st.integers(0, 5)),
        st.tuples(st.just("cancel"), st.sampled_from("abc"), st.just(0)),
        st.tuples(st.just("advance"), st.just(""), st.integers(0, 4)),
    ),
    max_size=30,
)


@given(STEPS)
def test_they_are_due_as_if_each_had_a_timer_of_its_own(steps: list[tuple[str, str, int]]) -> None:
    clock = Clock()
    deadlines = Deadlines(clock)
    due: list[tuple[float, str]] = []
    expected: list[tuple[float, str]] = []
    waiting: dict[str, float] = {}

    def note(name: str) -> None:
        due.append((clock.seconds(), name))

    for step, name, number in steps:
        if step == "start":
            deadlines.start(name, number, partial(note, name))
            waiting[name] = clock.seconds() + number
        elif step == "cancel":
            deadlines.cancel(name)
            waiting.pop(name, None)
        else:
            # A second at a time, so that each is due at its own time.
            for _ in range(number):
                clock.advance(1)
        clock.advance(0)
        over = sorted((when, name) for name, when in waiting.items() if when <= clock.seconds())
        expected += over
        for _, gone in over:
            del waiting[gone]
    assert due == expected
    assert bool(clock.getDelayedCalls()) == bool(waiting)
