"""What a server and its workers have agreed on: descriptors, words, and how a log gets through.

A worker's log goes through a pipe into that of its parent: events, one a line, as JSON. Between
them go single words. Neither end may grow without bound, and what comes out of the pipe is never
taken for more than a log and these words. What they lead to is not known here.
"""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

from twisted.logger import ILogObserver, InvalidLogLevelError, LogLevel, eventAsText, formatEvent
from twisted.protocols.basic import LineReceiver
from typing_extensions import override
from zope.interface import implementer

from conch_insults.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.interfaces import IReactorTime
    from twisted.logger import LogEvent

__all__ = [
    "FIRST_SOCKET",
    "LOG",
    "LONGEST_LINE",
    "ORDERS",
    "PROVISIONS",
    "RELOAD",
    "SERVING",
    "LogReceiver",
    "LogSender",
]

ORDERS = 0
"""The worker's descriptor that brings orders; it ends when the worker has nobody to work for."""
LOG = 1
"""The one that takes its log."""
PROVISIONS = 3
"""The one that brings all that it needs."""
FIRST_SOCKET = 4
"""The first of those that listen, one for each door."""

RELOAD = b"reload"
"""An order; and a wish, if it comes from a worker: all of them should."""
SERVING = b"serving"
"""What a worker says when it has begun."""

LONGEST_LINE = 64 * 1024
"""The most bytes of an event in the pipe; a longer one is cut to its text, or its beginning."""

# What is known about every event, beside its level; and the values that get through.
_KEPT = ("log_time", "log_namespace", "log_system")
_PLAIN = (str, int, float, type(None))
_LONGEST_TEXT = 4096  # characters
_HELD_FOR = 0.02  # seconds
_MOST_HELD = 16 * 1024  # bytes, before the last line
_LONGEST_WORDS = 200


@implementer(ILogObserver)
class LogSender:
    """A log observer that writes into a pipe; also from other threads.

    Args:
        fd: the pipe, which blocks while it is full.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self._held = bytearray()
        self._clock: IReactorTime | None = None
        self._thread = 0

    def hold(self, clock: IReactorTime) -> None:
        """Write what is no warning a moment later from now on, with what else comes until then.

        Each write wakes whoever reads. It is for the thread of the clock's reactor to call.
        """
        self._clock, self._thread = clock, threading.get_ident()

    def hold_no_more(self) -> None:
        """Write everything at once, what has been held too."""
        self._clock = None
        self._write(b"")

    def __call__(self, event: LogEvent) -> None:
        """Send an event: with its values if they get through, else as its text."""
        is_in_words = event.get("log_format") == "{text}" and isinstance(event.get("text"), str)
        # With what an error of ours has to say for itself, if it is one.
        text = (
            event["text"]
            if is_in_words
            else eventAsText(event, includeTimestamp=False, includeSystem=False)
        )
        if not text:
            return
        level = event.get("log_level", LogLevel.info).name
        kept = {name: event[name] for name in _KEPT if name in event} | {"log_level": level}
        values = {name: value for name, value in event.items() if isinstance(value, _PLAIN)}
        in_words = {"log_format": "{text}", "text": text}
        has_values = is_in_words or formatEvent(values) == text
        line = json.dumps(kept | (values if has_values else in_words))
        if len(line) > LONGEST_LINE:
            line = json.dumps(kept | in_words | {"text": f"{text[:_LONGEST_TEXT]} (cut)"})
        is_urgent = LogLevel.levelWithName(level) >= LogLevel.warn
        if is_urgent or self._clock is None or threading.get_ident() != self._thread:
            self.say(line.encode())
            return
        with self._lock:
            is_first = not self._held
            self._held += line.encode() + b"\n"
        if len(self._held) > _MOST_HELD:
            self._write(b"")
        elif is_first:
            self._clock.callLater(_HELD_FOR, self._write, b"")

    def say(self, word: bytes) -> None:
        """Send a word, or whatever is one line, after what has been held."""
        self._write(word + b"\n")

    def _write(self, last: bytes) -> None:
        with self._lock:
            data = bytes(self._held) + last
            self._held.clear()
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                # Nobody listens any more, and somebody else sees to that.
                return


class LogReceiver(LineReceiver):
    """What comes out of a worker's pipe.

    Args:
        worker: the worker's number, which its events are marked with.
        publish: takes the events.
        words: what to do on a word.

    Attributes:
        last_words: the last line that was neither, cleaned: of somebody in trouble, the trouble.
    """

    delimiter = b"\n"
    MAX_LENGTH = 2 * LONGEST_LINE

    def __init__(
        self,
        worker: int,
        publish: Callable[[LogEvent], None],
        words: Mapping[bytes, Callable[[], None]],
    ) -> None:
        self.last_words = ""
        self._worker = worker
        self._publish = publish
        self._words = words

    @override
    def lineReceived(self, line: bytes) -> None:
        if line in self._words:
            self._words[line]()
            return
        event = _event(line)
        if event is None:
            self._note(line)
            return
        namespace, level = event.get("log_namespace"), event["log_level"].name
        system = event.get("log_system") or f"{namespace}#{level}"
        self._publish({**event, "log_system": f"{system} worker={self._worker}"})

    @override
    def lineLengthExceeded(self, line: bytes) -> None:
        # LineReceiver has dropped it already.
        self._note(line)

    def _note(self, line: bytes) -> None:
        text = printable(line[: 4 * _LONGEST_WORDS].decode(errors="replace"), _LONGEST_WORDS)
        self.last_words = text.strip() or self.last_words


def _event(line: bytes) -> LogEvent | None:
    if not line.startswith(b"{"):
        return None
    try:
        event: LogEvent = json.loads(line)
        level = LogLevel.levelWithName(event["log_level"])
        time = float(event["log_time"])
    except (InvalidLogLevelError, KeyError, RecursionError, TypeError, ValueError):
        return None
    return {**event, "log_level": level, "log_time": time}
