"""Events become log lines, cleaned; what Conch tells its developers does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import ILogObserver, Logger, LogLevel, formatEvent
from zope.interface import implementer

from conch_insults.events import (
    EverybodyRefused,
    KeyLineSkipped,
    LoginRefused,
    PacksLoaded,
    PacksRefused,
    SessionEnded,
)
from conch_insults.telemetry import EventLog, QuietLogger

if TYPE_CHECKING:
    from twisted.logger import LogEvent

    from conch_insults.events import Event


@implementer(ILogObserver)
class Records(list["LogEvent"]):
    """A log observer that keeps what it is told."""

    def __call__(self, event: LogEvent) -> None:
        self.append(event)


def logged(*events: Event) -> Records:
    records = Records()
    sink = EventLog(Logger(namespace="test", observer=records))
    for event in events:
        sink(event)
    return records


def line_for(event: Event) -> str | None:
    (record,) = logged(event)
    return formatEvent(record)


class TestEventLog:
    def test_one_line_for_each_event_in_order(self) -> None:
        records = logged(PacksLoaded(60, 200), SessionEnded("tcp-1", "tcp", "-", "::1", 1.25, 3))
        assert [formatEvent(record) for record in records] == [
            "packs: 60 topics, 200 insults",
            "disconnect: tcp user=- from=::1 after 1.2 s, 3 lines served connection=tcp-1",
        ]
        assert {record["log_level"] for record in records} == {LogLevel.info}
        assert {record["log_namespace"] for record in records} == {"test"}

    def test_what_somebody_must_do_something_about_is_a_warning(self) -> None:
        records = logged(PacksRefused("x:1: no"), KeyLineSkipped("alice:1: no"), PacksLoaded(1, 2))
        levels = [record["log_level"] for record in records]
        assert levels == [LogLevel.warn, LogLevel.warn, LogLevel.info]

    def test_what_keeps_everybody_out_is_critical(self) -> None:
        (record,) = logged(EverybodyRefused("krl: is cut short"))
        assert record["log_level"] == LogLevel.critical

    def test_values_stay_values(self) -> None:
        (record,) = logged(PacksLoaded(60, 200))
        assert (record["topics"], record["insults"]) == (60, 200)
        assert (record["event"], record["text"]) == (
            "PacksLoaded",
            "packs: 60 topics, 200 insults",
        )

    def test_what_a_terminal_or_a_log_would_act_on_is_gone(self) -> None:
        user = "al\x1b[2Jice\r\nlogin: user=root\x00\x7f\x9b\u202e"
        assert line_for(LoginRefused("ssh-1", user, "::1", "unknown\nuser", 1)) == (
            'refused: user="al[2Jicelogin: user=root" from=::1 reason=unknownuser attempts=1'
            " connection=ssh-1"
        )

    @pytest.mark.parametrize(
        "user", ["x from=9.9.9.9", 'x"', "x\\", "x=y", "", "x\u00a0y", "\u3000"]
    )
    def test_no_value_passes_for_another_pair(self, user: str) -> None:
        line = line_for(LoginRefused("ssh-1", user, "::1", "no", 1)) or ""
        assert line == (
            f"refused: user={json.dumps(user, ensure_ascii=False)} from=::1 reason=no"
            " attempts=1 connection=ssh-1"
        )

    def test_braces_are_only_braces(self) -> None:
        assert line_for(KeyLineSkipped("{attempts} {reason!r:>999}")) == (
            "key skipped: {attempts} {reason!r:>999}"
        )

    def test_a_long_value_is_cut(self) -> None:
        assert line_for(KeyLineSkipped("a" * 512)) == "key skipped: " + "a" * 512
        assert line_for(KeyLineSkipped("a" * 513)) == "key skipped: " + "a" * 511 + "…"

    @settings(deadline=None, max_examples=200)
    @given(st.text())
    def test_whatever_it_is_it_is_one_line(self, text: str) -> None:
        line = line_for(KeyLineSkipped(text)) or ""
        assert line.startswith("key skipped: ")
        assert len(line.splitlines()) == 1
        assert "\x1b" not in line


class TestQuietLogger:
    @pytest.mark.parametrize(
        ("level", "heard"),
        [("debug", False), ("info", False), ("warn", True), ("error", True), ("critical", True)],
    )
    def test_only_trouble_is_heard(self, level: str, heard: bool) -> None:
        records = Records()
        log = QuietLogger(namespace="test", observer=records)
        getattr(log, level)("it is {what}", what="so")
        assert [formatEvent(record) for record in records] == ["it is so"] * heard
