"""How fast one person may ask, and what a conversation does with what comes too fast."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from conch_insults.conversations import InsultFactory
from conch_insults.core.person import Person
from conch_insults.pace import BURST, Pace
from conch_insults.rating import Rating
from tests.ssh_peer import insult_pack

# A line every two seconds.
PER_MINUTE = 30


@pytest.fixture
def clock() -> Clock:
    return Clock()


def spent_at_once(pace: Pace) -> int:
    """Count the lines that may come now; the last of them says that the next must wait."""
    lines = 1
    while pace.spend():
        lines += 1
        assert lines < 1000
    return lines


def test_so_many_lines_may_come_at_once(clock: Clock) -> None:
    assert spent_at_once(Pace(clock, PER_MINUTE)) == BURST


def test_the_next_line_may_come_when_it_is_due(clock: Clock) -> None:
    pace = Pace(clock, PER_MINUTE)
    spent_at_once(pace)
    due: list[float] = []
    pace.call_when_due(lambda: due.append(clock.seconds()))
    clock.pump([0.25] * 20)
    assert due == [2.0]


def test_a_line_that_asks_for_many_answers_counts_as_many_lines(clock: Clock) -> None:
    pace = Pace(clock, PER_MINUTE)
    assert not pace.spend(BURST + 90)
    due: list[float] = []
    pace.call_when_due(lambda: due.append(clock.seconds()))
    clock.pump([0.5] * 400)
    assert due == [182.0]


def test_after_a_long_silence_no_more_may_come_than_at_first(clock: Clock) -> None:
    pace = Pace(clock, PER_MINUTE)
    spent_at_once(pace)
    clock.advance(1e6)
    assert spent_at_once(pace) == BURST


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 6000), st.integers(1, 4))
def test_in_the_long_run_it_is_the_rate_however_many_ask_together(rate: int, askers: int) -> None:
    clock = Clock()
    pace = Pace(clock, rate)
    lines: Counter[int] = Counter()

    def ask(asker: int) -> None:
        lines[asker] += 1
        while pace.spend():
            lines[asker] += 1
        pace.call_when_due(lambda: ask(asker))

    for asker in range(askers):
        ask(asker)
    interval = 60 / rate
    clock.pump([interval / 4] * 400)
    # What each of them said before it learned that it was too much, and one for rounding.
    assert abs(lines.total() - (100 + BURST)) <= askers + 1
    assert max(lines.values()) - min(lines.values()) <= BURST + 1


# A conversation at a pace


class CountingTransport(StringTransport):
    """One that counts how often it is asked for more input."""

    asked_for_more = 0

    def resumeProducing(self) -> None:
        self.asked_for_more += 1
        super().resumeProducing()


def conversations(clock: Clock) -> InsultFactory:
    factory = InsultFactory(insult_pack(), lambda _: None, clock)
    factory.doStart()
    return factory


class Talk:
    """A conversation of somebody who may say so much, over a transport that can be slow."""

    def __init__(self, clock: Clock, *, pace: Pace | None = None) -> None:
        self.transport = CountingTransport()
        self.protocol = conversations(clock).converse(
            Person(Rating.R), (), lambda _: None, pace=pace or Pace(clock, PER_MINUTE)
        )
        self.protocol.makeConnection(self.transport)

    @property
    def answers(self) -> int:
        return bytes(self.transport.value()).count(b"\n")


@pytest.fixture
def talk(clock: Clock) -> Talk:
    return Talk(clock)


def test_nothing_is_lost_and_all_is_answered_in_order_at_the_pace(clock: Clock, talk: Talk) -> None:
    talk.protocol.dataReceived(b"perl\ncobol\n" * 10)
    assert talk.answers == BURST
    assert talk.transport.producerState == "paused"
    for seconds in range(1, 25):
        clock.advance(1)
        assert talk.answers == min(20, BURST + seconds // 2)
    assert talk.transport.value() == b"Line noise.\nFossil.\n" * 10
    assert talk.transport.producerState == "producing"


@pytest.mark.parametrize("options", [b"-n 100", b"-n 100 --json", b"-n 100 --seed 1"])
@pytest.mark.parametrize("topic", [b"perl", b"mumps", b"random"])
def test_a_line_that_asks_for_a_hundred_is_as_slow_as_a_hundred_lines(
    clock: Clock, talk: Talk, topic: bytes, options: bytes
) -> None:
    talk.protocol.dataReceived(topic + b" " + options + b"\nhelp\n")
    assert talk.protocol.lines_served == 1
    clock.pump([1] * 2 * (100 - BURST))
    assert talk.protocol.lines_served == 1
    clock.pump([1] * 2)
    assert talk.protocol.lines_served == 2


def test_what_comes_meanwhile_waits_too(clock: Clock, talk: Talk) -> None:
    talk.protocol.dataReceived(b"perl\n" * BURST)
    talk.protocol.dataReceived(b"cob")
    talk.protocol.dataReceived(b"ol\nperl\n")
    assert talk.answers == BURST
    clock.pump([1] * 4)
    assert talk.transport.value().endswith(b"Line noise.\nFossil.\nLine noise.\n")


def test_a_line_that_is_too_long_is_as_slow_as_any(clock: Clock, talk: Talk) -> None:
    talk.protocol.dataReceived(b"perl\n" * (BURST - 1) + b"x" * 3000 + b"\nperl\n")
    assert talk.answers == BURST
    clock.pump([1] * 2)
    assert talk.answers == BURST + 1
    assert talk.transport.value().endswith(b"Line noise.\n")


def test_the_end_of_input_waits_for_the_last_answer(clock: Clock, talk: Talk) -> None:
    talk.protocol.dataReceived(b"perl\n" * (BURST + 1) + b"cobol")
    talk.protocol.readConnectionLost()
    clock.pump([1] * 3)
    assert not talk.transport.disconnecting
    clock.advance(1)
    assert talk.transport.value().endswith(b"Fossil.\n")
    assert talk.transport.disconnecting


def test_who_is_done_need_not_wait_for_a_turn_that_nobody_will_use(talk: Talk) -> None:
    talk.protocol.dataReceived(b"perl\n" * BURST)
    talk.protocol.readConnectionLost()
    assert talk.transport.value() == b"Line noise.\n" * BURST
    assert talk.transport.disconnecting


def test_no_more_is_taken_before_what_has_come_is_answered(clock: Clock, talk: Talk) -> None:
    talk.protocol.dataReceived(b"perl\n" * (BURST + 3))
    clock.pump([1] * 7)
    assert talk.answers == BURST + 3
    assert talk.transport.asked_for_more == 0
    clock.advance(1)
    assert talk.transport.asked_for_more == 1


def slow_then_held(talk: Talk, clock: Clock) -> None:
    talk.protocol.pauseProducing()
    clock.pump([1] * 10)
    assert talk.answers == BURST
    talk.protocol.resumeProducing()


def held_longer_than_slow(talk: Talk, clock: Clock) -> None:
    talk.protocol.pauseProducing()
    clock.advance(1)
    talk.protocol.resumeProducing()
    assert talk.answers == BURST
    clock.advance(1)


@pytest.mark.parametrize("pauses", [slow_then_held, held_longer_than_slow])
def test_it_goes_on_when_both_the_pace_and_the_peer_allow(
    clock: Clock, talk: Talk, pauses: object
) -> None:
    assert callable(pauses)
    talk.protocol.dataReceived(b"perl\n" * (BURST + 1))
    assert talk.transport.producerState == "paused"
    pauses(talk, clock)
    assert talk.answers == BURST + 1


def test_a_peer_that_goes_meanwhile_leaves_no_timer(clock: Clock, talk: Talk) -> None:
    talk.protocol.dataReceived(b"perl\n" * 20)
    assert clock.getDelayedCalls()
    talk.protocol.connectionLost()
    assert not clock.getDelayedCalls()
    clock.pump([1] * 5)
    assert talk.answers == BURST


def test_whoever_is_sent_away_meanwhile_hears_one_last_line_only(clock: Clock, talk: Talk) -> None:
    talk.protocol.dataReceived(b"perl\n" * 20)
    talk.protocol.farewell("Enough.")
    clock.pump([1] * 20)
    assert talk.transport.value() == b"Line noise.\n" * BURST + b"Enough.\n"


def test_two_conversations_of_one_person_have_one_pace(clock: Clock) -> None:
    pace = Pace(clock, PER_MINUTE)
    talks = [Talk(clock, pace=pace) for _ in range(2)]
    for talk in talks:
        talk.protocol.dataReceived(b"perl\n" * 100)
    clock.pump([1] * 60)
    assert sum(talk.answers for talk in talks) <= BURST + PER_MINUTE + 1
    assert min(talk.answers for talk in talks) >= PER_MINUTE // 2


def test_without_a_pace_nobody_waits_longer_than_for_the_others(clock: Clock) -> None:
    transport = StringTransport()
    protocol = conversations(clock).converse(Person(Rating.R), (), lambda _: None)
    protocol.makeConnection(transport)
    protocol.dataReceived(b"perl\n" * 1000)
    while clock.getDelayedCalls():
        clock.advance(0)
    assert transport.value().count(b"\n") == 1000


def test_a_slow_peer_can_send_no_more_before_what_it_sent_is_answered(clock: Clock) -> None:
    class SlowTransport(CountingTransport):
        """One that takes a write, and then no more for now."""

        def write(self, data: bytes) -> None:
            super().write(data)
            protocol.pauseProducing()

    transport = SlowTransport()
    protocol = conversations(clock).converse(Person(Rating.R), (), lambda _: None)
    protocol.makeConnection(transport)
    protocol.dataReceived(b"perl\n" * 2_000)
    while transport.value().count(b"\n") < 2_000:
        protocol.resumeProducing()
        clock.advance(0)
        assert transport.asked_for_more == 0
    protocol.resumeProducing()
    assert transport.asked_for_more == 1
