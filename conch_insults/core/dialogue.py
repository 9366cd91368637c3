"""The dialogue: a line somebody typed in, the lines to answer out, the same at every door.

This is the only place that decodes what comes from the wire. Knows nothing of how lines arrive
or where they go, and greets nobody: a door that wants a greeting brings its own.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wcwidth import wcswidth

from conch_insults.core.insulter import ShuffleBag
from conch_insults.core.packs import MAX_TOPIC, fold_topic
from conch_insults.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conch_insults.core.insulter import Insulter
    from conch_insults.core.person import Operations, Person

__all__ = ["GOODBYE", "MAX_LINE", "Dialogue", "Reply", "Status"]

MAX_LINE = 1024
"""The most bytes a line may have, without its ending."""

GOODBYE = "Goodbye, loser."
"""What everybody hears who leaves."""

_HELP_COLUMNS = 78
_HELP = (
    "Type a topic, press Enter, regret it. Besides topics, I listen to:",
    "  help             this",
    "  topics           every topic, one a line",
    "  whoami           who you are here, and what let you in",
    "  explain          the same, and how this connection is protected",
    "  quit, exit, bye  leave with what is left of your dignity",
    "Topics:",
)
_SHRUGS = (
    "I have never heard of {topic}, and now that you use it I see why.",
    "{topic}? You made that up, and even your imagination has technical debt.",
    "Nobody has written an insult about {topic} yet. Nobody thought you would admit to it.",
    "{topic}: unknown to me, which makes two of us who can't explain it.",
    "I looked up {topic}. The search engine asked whether I was all right.",
    "My lawyers advise me not to comment on {topic} while you are still maintaining it.",
    "Let me guess: {topic} was the only thing left that would still have you.",
    "You come to an insult server and open with {topic}? Save some humiliation for me.",
)


class Status(enum.IntEnum):
    """What a reply means to a script: the exit status of a command over SSH."""

    ANSWERED = 0
    UNKNOWN_TOPIC = 1
    USAGE = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one line.

    Attributes:
        lines: what to say, a line each, fit for a terminal.
        finished: whether this was the last word.
        status: a `Status`.
    """

    lines: tuple[str, ...]
    finished: bool = False
    status: int = 0


_FAREWELL = Reply((GOODBYE,), finished=True)
_NUDGE = Reply(
    ('An empty line? Even you have more to say. Try a topic, or "help".',), status=Status.USAGE
)
_NOT_UTF8 = Reply(
    ("That was not UTF-8. Whatever you meant, mean it in an encoding.",), status=Status.USAGE
)
_TOO_LONG = Reply(
    (f"I stopped reading after {MAX_LINE} bytes, like everyone you send email to.",),
    status=Status.USAGE,
)
_CLASSIC = Reply(("I've got nothing.",), status=Status.UNKNOWN_TOPIC)


class Dialogue:
    """One conversation, of which a person may have several at once.

    Args:
        insulter: who thinks of the answers.
        person: whom it is with.
        classic: whether an unknown topic gets the terse answer of old, and status 1.
    """

    def __init__(self, insulter: Insulter, person: Person, *, classic: bool = False) -> None:
        self._insulter = insulter
        self._person = person
        self._classic = classic
        self._shrugs = ShuffleBag(_SHRUGS)

    def answer(self, line: bytes) -> Reply:
        """Answer a line, given without its ending."""
        if len(line) > MAX_LINE:
            return _TOO_LONG
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return _NOT_UTF8
        # Tabs and the like are white space first; only then do controls vanish.
        topic = printable(" ".join(text.split())).strip()
        return self._command(fold_topic(topic)) or self._insult(topic)

    def too_long(self) -> Reply:
        """Answer a line of more than `MAX_LINE` bytes, which the caller has thrown away."""
        return _TOO_LONG

    def _command(self, key: str) -> Reply | None:
        match key:
            case "":
                return _NUDGE
            case "help":
                return Reply((*_HELP, *_wrapped(self._insulter.pack.topics())))
            case "topics":
                return Reply(self._insulter.pack.topics())
            case "quit" | "exit" | "bye":
                return _FAREWELL
        return self._say_about(key)

    def _say_about(self, key: str) -> Reply | None:
        match key:
            case "whoami":
                return _said(self._person.about.whoami())
            case "explain":
                return _said(self._person.about.explain())
        operations = self._person.operations
        return None if operations is None else _operate(operations, key)

    def _insult(self, topic: str) -> Reply:
        insult = self._insulter.insult(topic, self._person.heard)
        if insult is not None:
            return Reply((insult,))
        if self._classic:
            return _CLASSIC
        shrug = self._shrugs.draw(self._insulter.random)
        return Reply((shrug.format(topic=printable(topic, MAX_TOPIC)),))


def _operate(operations: Operations, key: str) -> Reply | None:
    """Do what only operators may; None for what is no command of theirs."""
    command, _, argument = key.partition(" ")
    match command:
        case "who" if not argument:
            return _said(operations.who())
        case "reload" if not argument:
            return _said((operations.reload(),))
        case "kick":
            said = operations.kick(argument)
            if said is None:
                return Reply(("Kick whom? who lists the connections.",), status=Status.USAGE)
            return _said((said,))
    return None


def _said(lines: Iterable[str]) -> Reply:
    return Reply(tuple(printable(line) for line in lines))


def _wrapped(topics: Iterable[str]) -> Iterator[str]:
    """Yield lines with all topics; only a topic that is wider by itself makes a wider line."""
    line, columns = "", 0
    for topic in topics:
        width = len(topic) if topic.isascii() else wcswidth(topic)
        # Two columns for the indent or for the comma and the space, one for a comma at the end.
        if line and columns + 2 + width + 1 > _HELP_COLUMNS:
            yield f"{line},"
            line = ""
        line, columns = (
            (f"{line}, {topic}", columns + 2 + width) if line else (f"  {topic}", 2 + width)
        )
    if line:
        yield line
