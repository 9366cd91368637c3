"""How many connections were refused, once a minute."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from twisted.internet.task import Clock

from conch_insults.events import ConnectionsRefused, Event
from conch_insults.refusal_report import RefusalReport

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refusals:
    """What of a gate is reported."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def take_refusals(self) -> Mapping[str, int]:
        taken, self.counts = self.counts, Counter()
        return taken


class Report:
    """A report under way; `told` is what it has told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.gate = Refusals()
        self.told: list[Event] = []
        self.service = RefusalReport(self.gate, self.told.append, self.clock)  # type: ignore[arg-type]
        self.service.startService()


@pytest.fixture
def report() -> Report:
    return Report()


def test_a_minute_in_one_line_whatever_happened_in_it(report: Report) -> None:
    report.gate.counts = Counter(total=70_000, rate=3)
    report.clock.advance(59)
    assert report.told == []
    report.clock.advance(1)
    assert report.told == [ConnectionsRefused(60, "rate 3, total 70000")]


def test_each_minute_counts_anew(report: Report) -> None:
    for count in (1, 2):
        report.gate.counts["total"] += count
        report.clock.advance(60)
    assert report.told == [ConnectionsRefused(60, "total 1"), ConnectionsRefused(60, "total 2")]


def test_nothing_is_said_of_a_minute_without_any(report: Report) -> None:
    report.clock.pump([60] * 10)
    assert report.told == []


def test_at_the_end_there_is_no_timer(report: Report) -> None:
    report.service.stopService()
    assert not report.clock.getDelayedCalls()
    report.gate.counts["total"] = 1
    report.clock.advance(120)
    assert report.told == []
