"""The dialogue: a line somebody typed in, the lines to answer out, the same at every door.

This is the only place that decodes what comes from the wire. Knows nothing of how lines arrive
or where they go, and greets nobody: a door that wants a greeting brings its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core import answers
from conch_insults.core.command_line import (
    CommandLine,
    UsageError,
    asks_for_json,
    parse_command_line,
)
from conch_insults.core.commands import (
    GOODBYE,
    begins_with_command,
    completions,
    explained,
    find_command,
)
from conch_insults.core.printable import printable
from conch_insults.core.reply import Reply, Status, wrong_usage
from conch_insults.core.talk import Talk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conch_insults.core.appearance import Appearance
    from conch_insults.core.insulter import Insulter
    from conch_insults.core.person import Person

__all__ = ["GOODBYE", "MAX_LINE", "Dialogue", "Reply", "Status"]

MAX_LINE = 1024
"""The most bytes a line may have, without its ending."""

_NUDGE = Reply(
    ('An empty line? Even you have more to say. Try a topic, or "help".',), status=Status.USAGE
)
_NOT_UTF8 = "That was not UTF-8. Whatever you meant, mean it in an encoding."
_TOO_LONG = f"I stopped reading after {MAX_LINE} bytes, like everyone you send email to."


class Dialogue:
    """One conversation, of which a person may have several at once.

    Args:
        insulter: who thinks of the answers.
        person: whom it is with.
        classic: whether an unknown topic gets the terse answer of old, and status 1.
    """

    def __init__(self, insulter: Insulter, person: Person, *, classic: bool = False) -> None:
        self._talk = Talk(insulter, person, classic)

    @property
    def appearance(self) -> Appearance:
        """How this person wants things shown; changes with what they say."""
        return self._talk.appearance

    @appearance.setter
    def appearance(self, appearance: Appearance) -> None:
        self._talk.appearance = appearance

    def complete(self, typed: str) -> Sequence[str]:
        """Return what a line may become, each time as a whole.

        Args:
            typed: what stands before the cursor.
        """
        return completions(typed, self._talk)

    def answer(self, line: bytes) -> Reply:
        """Answer a line, given without its ending."""
        meant = self._talk.insulter.meant(line)
        if meant is not None:
            # What nearly every line is.
            reply = answers.insult_at_once(self._talk, meant)
            if reply is not None:
                return reply
        if len(line) > MAX_LINE:
            return _unread(_TOO_LONG, line)
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return _unread(_NOT_UTF8, line)
        if not text.isprintable():
            # Tabs and the like are white space first; only then do controls vanish.
            text = printable(" ".join(text.split()))
        if not text or text.isspace():
            return _NUDGE
        try:
            parsed = parse_command_line(text)
        except UsageError as error:
            return wrong_usage(f"{error}.", as_json=asks_for_json(text))
        if parsed == CommandLine(parsed.words) and not begins_with_command(parsed.words):
            self._talk.insulter.note(line, parsed.words)
        return self._answer(parsed)

    def too_long(self) -> Reply:
        """Answer a line of more than `MAX_LINE` bytes, which the caller has thrown away."""
        return wrong_usage(_TOO_LONG)

    def _answer(self, line: CommandLine) -> Reply:
        if line.wants_help:
            return explained(line, self._talk)
        if not line.words:
            return wrong_usage("Options, but of what? Name a topic.", as_json=line.as_json)
        found = find_command(line.words, self._talk)
        if found is None:
            return answers.insult(self._talk, line.words, line)
        command, argument = found
        if command.needs_argument and not argument:
            return wrong_usage(f"It is: {command.usage}.", as_json=line.as_json)
        if not command.is_insult and (line.count is not None or line.seed is not None):
            return wrong_usage(f"{command.name} takes no -n and no --seed.", as_json=line.as_json)
        return command.run(self._talk, argument, line)


def _unread(reason: str, line: bytes) -> Reply:
    return wrong_usage(reason, as_json=asks_for_json(line.decode(errors="replace")))
