"""Events to log lines, and what Conch says to nobody.

Every value is cleaned on its way into the log. Knows the events by their shape only.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING

from twisted.logger import Logger, LogLevel
from typing_extensions import override

from conch_insults.core.printable import printable
from conch_insults.events import ALL

if TYPE_CHECKING:
    from constantly import NamedConstant

    from conch_insults.events import Event

__all__ = ["EventLog", "QuietLogger"]

# The longest value in a log line, in characters; a stranger's user name is one.
_LONGEST_VALUE = 512

_LEVELS = {level.name: level for level in LogLevel.iterconstants()}
# By kind of event: its fields, and whether each is the value of a `name=value` pair.
_FIELDS = {
    kind: [(field.name, f"={{{field.name}}}" in kind.template) for field in fields(kind)]
    for kind in ALL
}
_PLAIN_VALUE = re.compile(r'[^\s="\\]+')


class EventLog:
    """The event sink that writes one line for each event.

    A log of JSON has its `text`, the name of its kind as `event`, and its values.
    """

    def __init__(self, log: Logger) -> None:
        self._log = log

    def __call__(self, event: Event) -> None:
        """Write the event's line."""
        kind = type(event)
        values = {}
        for name, in_a_pair in _FIELDS[kind]:
            value = getattr(event, name)
            if isinstance(value, str):
                value = printable(value, _LONGEST_VALUE)
                if in_a_pair:
                    value = _quoted(value)
            values[name] = value
        # Twisted's own formatting takes ten times as long, and a login has two lines.
        text = kind.template.format_map(values)
        self._log.emit(_LEVELS[kind.level], "{text}", text=text, event=kind.__name__, **values)


def _quoted(value: str) -> str:
    """Write the value of a `name=value` pair so that it cannot pass for another pair."""
    return value if _PLAIN_VALUE.fullmatch(value) else json.dumps(value, ensure_ascii=False)


class QuietLogger(Logger):
    """A logger for library code: warnings and worse; 18 lines a login are for its developers."""

    @override
    def emit(self, level: NamedConstant, format: str | None = None, **kwargs: object) -> None:
        if level >= LogLevel.warn:
            super().emit(level, format, **kwargs)
