"""A log goes through a pipe: the same lines come out, and nothing else does any harm."""

from __future__ import annotations

import io
import json
import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import (
    ILogObserver,
    Logger,
    LogLevel,
    LogPublisher,
    eventAsText,
    formatEvent,
    jsonFileLogObserver,
    textFileLogObserver,
)
from twisted.python.failure import Failure
from twisted.python.log import LogPublisher as LegacyPublisher
from zope.interface import implementer

from conch_insults.core.printable import printable
from conch_insults.events import SessionEnded
from conch_insults.telemetry import EventLog
from conch_insults.worker_pipes import LONGEST_LINE, LogReceiver, LogSender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twisted.logger import LogEvent


@implementer(ILogObserver)
class Kept(list["LogEvent"]):
    """A log observer that keeps what it is told."""

    def __call__(self, event: LogEvent) -> None:
        self.append(event)


class Pipe:
    """A log that is written at one end and read at the other."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe()
        os.set_blocking(self.out, False)
        self.sender = LogSender(self.into)
        self.log = Logger(namespace="conch_insults", observer=self.sender)
        self.events: list[LogEvent] = []
        self.wishes: list[str] = []
        words = {b"reload": lambda: self.wishes.append("reload")}
        self.receiver = LogReceiver(2, self.events.append, words)

    def received(self) -> list[LogEvent]:
        """Let what was sent arrive."""
        while True:
            try:
                data = os.read(self.out, 1000)
            except BlockingIOError:
                return self.events
            if not data:
                return self.events
            self.receiver.dataReceived(data)

    def texts(self) -> list[str]:
        """Let what was sent arrive, and return all that has, as text."""
        return [formatEvent(event) for event in self.received()]

    def close(self) -> None:
        for end in (self.out, self.into):
            os.close(end)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


Y = b'{"log_format": "y", "log_time": 1.0, "log_level": "info"}'
ENDED = SessionEnded("tcp-3", "tcp", "-", "192.0.2.3", 61.26, 7)


class TestWhatArrives:
    def test_is_the_line_that_was_written_with_the_workers_number(self, pipe: Pipe) -> None:
        alone = Kept()
        EventLog(Logger(namespace="conch_insults", observer=alone))(ENDED)
        EventLog(pipe.log)(ENDED)
        (event,) = pipe.received()
        written, arrived = (eventAsText(each, includeTimestamp=False) for each in (alone[0], event))
        assert written == (
            "[conch_insults#info] disconnect: tcp user=- from=192.0.2.3 after 61.3 s,"
            " 7 lines served connection=tcp-3"
        )
        assert arrived == written.replace("#info]", "#info worker=2]")
        assert event["log_level"] is LogLevel.info

    def test_has_the_time_at_which_it_happened(self, pipe: Pipe) -> None:
        pipe.sender({"log_format": "x", "log_time": 1234.5, "log_level": LogLevel.info})
        assert pipe.received()[0]["log_time"] == 1234.5

    def test_keeps_its_values_for_a_log_of_json(self, pipe: Pipe) -> None:
        EventLog(pipe.log)(ENDED)
        (event,) = pipe.received()
        log = io.StringIO()
        jsonFileLogObserver(log, recordSeparator="")(event)
        found = json.loads(log.getvalue())
        assert (found["address"], found["duration"], found["lines"]) == ("192.0.2.3", 61.26, 7)
        assert found["event"] == "SessionEnded"
        assert found["log_system"] == "conch_insults#info worker=2"

    def test_is_held_for_a_moment_and_comes_in_order(self, pipe: Pipe) -> None:
        clock = Clock()
        pipe.sender.hold(clock)
        for word in "ab":
            pipe.log.info(word)
        assert pipe.texts() == []
        clock.advance(0.02)
        assert pipe.texts() == ["a", "b"]
        pipe.log.info("c")
        pipe.log.emit(LogLevel.warn, "d")
        assert pipe.texts() == ["a", "b", "c", "d"]
        clock.advance(0.02)
        assert pipe.texts() == ["a", "b", "c", "d"]

    def test_is_not_held_without_bound(self, pipe: Pipe) -> None:
        pipe.sender.hold(Clock())
        while not pipe.texts():
            pipe.log.info("x" * 1000)
        assert 10 < len(pipe.texts()) < 20

    def test_is_held_no_more_in_the_end(self, pipe: Pipe) -> None:
        clock = Clock()
        pipe.sender.hold(clock)
        pipe.log.info("last")
        pipe.sender.hold_no_more()
        pipe.log.info("very last")
        assert pipe.texts() == ["last", "very last"]

    def test_of_another_thread_waits_for_nothing(self, pipe: Pipe) -> None:
        pipe.sender.hold(Clock())
        pipe.log.info("before")
        other = threading.Thread(target=pipe.log.info, args=("other",))
        other.start()
        other.join()
        assert pipe.texts() == ["before", "other"]

    def test_of_values_without_a_form_is_the_text(self, pipe: Pipe) -> None:
        pipe.log.emit(LogLevel.warn, "{what!r} of {who.imag} {on}", what=b"{x}", who=1j, on=Pipe)
        (event,) = pipe.received()
        assert formatEvent(event) == f"b'{{x}}' of 1.0 {Pipe}"
        assert event["log_level"] is LogLevel.warn

    def test_may_be_of_twisteds_older_log(self, pipe: Pipe) -> None:
        legacy = LegacyPublisher(
            observerPublisher=LogPublisher(), publishPublisher=LogPublisher(pipe.sender)
        )
        legacy.msg("(TCP Port 2222 Closed)")
        (event,) = pipe.received()
        assert eventAsText(event, includeTimestamp=False) == ("[- worker=2] (TCP Port 2222 Closed)")

    def test_may_be_an_error_of_ours_with_all_there_is_to_know(self, pipe: Pipe) -> None:
        pipe.log.failure("while serving", Failure(ZeroDivisionError("of course")))
        (event,) = pipe.received()
        log = io.StringIO()
        textFileLogObserver(log)(event)
        assert "[conch_insults#critical worker=2] while serving" in log.getvalue()
        assert "ZeroDivisionError: of course" in log.getvalue()

    def test_is_cut_if_it_is_very_long(self, pipe: Pipe) -> None:
        text = "\N{PILE OF POO}" * LONGEST_LINE
        pipe.log.emit(LogLevel.warn, "{text}", text=text)
        (event,) = pipe.received()
        assert formatEvent(event) == f"{text[:4096]} (cut)"
        assert event["log_level"] is LogLevel.warn

    def test_is_nothing_if_there_is_nothing_to_read(self, pipe: Pipe) -> None:
        pipe.sender({"log_time": 1.0, "log_level": LogLevel.info})
        assert not pipe.received()

    def test_may_be_a_word(self, pipe: Pipe) -> None:
        EventLog(pipe.log)(ENDED)
        pipe.sender.say(b"reload")
        EventLog(pipe.log)(ENDED)
        assert len(pipe.received()) == 2
        assert pipe.wishes == ["reload"]


def test_a_pipe_that_nobody_reads_any_more_harms_nobody() -> None:
    out, into = os.pipe()
    os.close(out)
    LogSender(into)({"log_format": "x"})
    os.close(into)


class TestTheLastWords:
    def heard(self, *chunks: bytes) -> tuple[str, list[LogEvent]]:
        events: list[LogEvent] = []
        receiver = LogReceiver(1, events.append, {})
        for chunk in chunks:
            receiver.dataReceived(chunk)
        return receiver.last_words, events

    def test_are_the_last_line_that_is_no_event(self) -> None:
        traceback = b"Traceback (most recent call last):\n  File x\nImportError: no\n\n"
        assert self.heard(traceback) == ("ImportError: no", [])

    def test_are_clean_and_short(self) -> None:
        words, _ = self.heard(b"\x1b[2J\xff" + b"x" * 1000 + b"\n")
        assert words.startswith("[2J�xxx")
        assert len(words) == 200

    @pytest.mark.parametrize(
        "line",
        [
            b"{",
            b"{]",
            b"{}}",
            b"[]",
            b"1",
            b'{"log_level": 1, "log_time": 1.0}',
            b'{"log_level": "loud", "log_time": 1.0}',
            b'{"log_level": "info", "log_time": []}',
            b'{"a":' * 10_000,
            b"{" * 100_000,
        ],
    )
    def test_may_look_like_an_event(self, line: bytes) -> None:
        words, events = self.heard(line + b"\n")
        assert words
        assert not events

    def test_without_an_end_do_not_pile_up(self) -> None:
        events: list[LogEvent] = []
        receiver = LogReceiver(1, events.append, {})
        for _ in range(1000):
            receiver.dataReceived(b"x" * 10_000)
            assert len(receiver._buffer) <= 3 * LONGEST_LINE
        receiver.dataReceived(b"\n" + Y + b"\n")
        assert receiver.last_words.startswith("xxx")
        assert [formatEvent(event) for event in events] == ["y"]

    @given(st.lists(st.binary() | st.just(b"\n") | st.just(Y + b"\n")))
    def test_of_whatever_kind_are_only_words(self, chunks: list[bytes]) -> None:
        words, events = self.heard(*chunks)
        assert words == printable(words, 200)
        for event in events:
            eventAsText(event)
