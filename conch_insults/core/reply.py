"""What is said in answer to a line, and what it means to a script.

Values only: who says it, and why, is not known here.
"""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Reply", "Status", "objects", "said", "wrong_usage"]


class Status(enum.IntEnum):
    """What a reply means to a script: the exit status of a command over SSH."""

    ANSWERED = 0
    UNKNOWN_TOPIC = 1
    USAGE = 2
    REFUSED = 3


class Reply(NamedTuple):
    """The answer to one line.

    Attributes:
        lines: what to say, a line each, fit for a terminal.
        finished: whether this was the last word.
        status: a `Status`.
        answers: how many answers this counts as; a list is one, many insults are many.
    """

    lines: tuple[str, ...]
    finished: bool = False
    status: int = Status.ANSWERED
    answers: int = 1


def said(lines: Iterable[str], status: Status = Status.ANSWERED, *, as_json: bool = False) -> Reply:
    """Make a reply of lines, or of an object with `text` for each."""
    if as_json:
        return objects(({"text": line} for line in lines), status)
    return Reply(tuple(map(printable, lines)), status=status)


def objects(values: Iterable[Mapping[str, object]], status: Status = Status.ANSWERED) -> Reply:
    """Make a reply of JSON objects, one a line."""
    lines = (printable(json.dumps(value, ensure_ascii=False)) for value in values)
    return Reply(tuple(lines), status=status)


def wrong_usage(reason: str, *, as_json: bool = False) -> Reply:
    """Make a reply that says what was wrong with a line."""
    if as_json:
        return objects(({"error": reason},), Status.USAGE)
    return said((reason,), Status.USAGE)
