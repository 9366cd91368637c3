"""The table of commands: what each is called, what it takes, and what it does.

Help, completion and the page in `docs/` are made from it too. A command is found here and nowhere
else; how a line is taken apart is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from conch_insults.core import answers, manners
from conch_insults.core.pack_text import fold_topic
from conch_insults.core.reply import Reply, objects, said, wrong_usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conch_insults.core.command_line import CommandLine
    from conch_insults.core.person import Person
    from conch_insults.core.talk import Talk

__all__ = ["COMMANDS", "GOODBYE", "Command", "completions", "explained", "find_command", "manual"]

GOODBYE = "Goodbye, loser."
"""What everybody hears who leaves."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: its first word.
        run: answers it, given the talk, what follows the name, and the line.
        summary: what it does, in a few words.
        argument: what follows the name, as help writes it; in brackets if it may be missing. With
            more than a command takes, a line is a topic: `quit smoking`, `help me now`.
        aliases: other names.
        is_insult: whether it takes `-n` and `--seed`.
        for_operators: whether others have it as a topic.
        values: what the argument may be, where that is known.
    """

    name: str
    run: Callable[[Talk, str, CommandLine], Reply]
    summary: str
    argument: str = ""
    aliases: tuple[str, ...] = ()
    is_insult: bool = False
    for_operators: bool = False
    values: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """How it is typed."""
        names = ", ".join((self.name, *self.aliases))
        return f"{names} {self.argument}".rstrip()

    @property
    def needs_argument(self) -> bool:
        """Whether it means nothing alone."""
        return bool(self.argument) and not self.argument.startswith("[")

    @property
    def takes_words(self) -> bool:
        """Whether the argument may be several words."""
        return self.argument in _OF_WORDS


_OF_WORDS = {"TOPIC", "[PREFIX]", "WORD"}


def _help(talk: Talk, name: str, line: CommandLine) -> Reply:
    known = list(_for(talk.person))
    if name:
        known = [command for command in known if name in (command.name, *command.aliases)]
        if not known:
            return wrong_usage("There is no such command: help lists them.", as_json=line.as_json)
    if line.as_json:
        return objects(
            {"command": command.name, "usage": command.usage, "summary": command.summary}
            for command in known
        )
    if name:
        (command,) = known
        options = "--json, -n COUNT, --seed N" if command.is_insult else "--json"
        return said((f"{command.usage}: {command.summary}.", f"Options: {options}."))
    width = max(len(command.usage) for command in known)
    return said(
        (
            "Type a topic, press Enter, regret it. Besides topics, I listen to:",
            *(f"  {command.usage:<{width}}  {command.summary}" for command in known),
            "Options, anywhere in a line: --json, -n COUNT, --seed N, --help; -- ends them.",
            f"I know {len(talk.insulter.topics(talk.person.rating))} topics, and enough of others.",
        )
    )


def _quit(_talk: Talk, _argument: str, line: CommandLine) -> Reply:
    return Reply(said((GOODBYE,), as_json=line.as_json).lines, finished=True)


COMMANDS = (
    Command("help", _help, "what can be typed, or how", "[COMMAND]"),
    Command("topics", answers.list_topics, "every topic, or those that begin so", "[PREFIX]"),
    Command("random", answers.random_insult, "about whatever comes to mind", is_insult=True),
    Command("again", answers.again, "more about the last topic", is_insult=True),
    Command(
        "insult",
        answers.insult,
        "about TOPIC, be it called like a command",
        "TOPIC",
        is_insult=True,
    ),
    Command("search", answers.search, "topics and texts with WORD in them", "WORD"),
    Command("why", answers.why, "where the last insult is from, or that with ID", "[ID]"),
    Command(
        "rating",
        manners.rate,
        "how rude I may be, at most",
        "[g|pg|r]",
        values=("g", "pg", "r"),
    ),
    Command("quiet", manners.be_quiet, "no suggestions", "[on|off]", values=("on", "off")),
    Command(
        "color",
        manners.colour,
        "colours at a terminal",
        "[on|off|auto]",
        aliases=("colour",),
        values=("on", "off", "auto"),
    ),
    Command(
        "plain",
        manners.be_plain,
        "for screen readers: no colour, nothing redrawn",
        "[on|off]",
        values=("on", "off"),
    ),
    Command("whoami", manners.whoami, "who you are here, and what let you in"),
    Command("explain", manners.explain, "the same, and how this connection is protected"),
    Command("quit", _quit, "leave with what is left of your dignity", aliases=("exit", "bye")),
    Command("who", manners.who, "who is here", for_operators=True),
    Command("kick", manners.kick, "send somebody away", "CONNECTION", for_operators=True),
    Command("reload", manners.reload, "read packs, keys and lists again", for_operators=True),
)
_BY_NAME = MappingProxyType(
    {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
)


def find_command(words: str, talk: Talk) -> tuple[Command, str] | None:
    """Return the command that a line is, and its argument; None for a topic.

    A line that a command has no use for is a topic if there is one of that name.

    Args:
        words: the line without its options.
        talk: who typed it, and what there is to talk about.
    """
    name, _, argument = words.partition(" ")
    command = _command_called(name, talk.person)
    if command is None or (" " in argument and not command.takes_words):
        return None
    if argument and not command.argument:
        return None
    fits = bool(argument) or not command.needs_argument
    if argument and not command.takes_words:
        value = fold_topic(argument)
        fits = value in _values(command, talk.person)
        argument = value if fits else argument
    if not fits and talk.insulter.knows(words, talk.person.rating):
        return None
    return command, argument


def begins_with_command(words: str) -> bool:
    """Whether a line begins with a command's name, be it one that not everybody has."""
    return fold_topic(words.partition(" ")[0]) in _BY_NAME


def explained(line: CommandLine, talk: Talk) -> Reply:
    """Answer a line that asks for help: about its command, if it names one."""
    command = _command_called(line.words.partition(" ")[0], talk.person)
    return _help(talk, command.name if command else "", line)


def completions(typed: str, talk: Talk) -> Sequence[str]:
    """Return what a line may become: commands, their arguments, and topics.

    Args:
        typed: what stands before the cursor.
        talk: for whom, and what there is to talk about.

    Returns:
        each possibility as the whole text before the cursor.
    """
    start = typed.lstrip()
    name, blank, rest = start.partition(" ")
    command = _BY_NAME.get(fold_topic(name)) if blank else None
    if command is None:
        words = [each.name for each in _for(talk.person)]
        found = _beginning_with(start, (*words, *talk.insulter.topics(talk.person.rating)))
        if len(found) == 1 and found[0] in words and _BY_NAME[found[0]].argument:
            # Nothing else can be meant, and there is more to type.
            return [f"{found[0]} "]
        return found
    values: Sequence[str] = command.values
    if command.takes_words:
        values = talk.insulter.topics(talk.person.rating)
    elif command.argument == "[COMMAND]":
        values = [each.name for each in _for(talk.person)]
    return [f"{name} {value}" for value in _beginning_with(rest.lstrip(), values)]


def manual() -> str:
    """Return the documentation page of all commands, in Markdown."""
    rows = [
        f"| `{command.usage.replace('|', '&#124;')}` | {command.summary}"
        f"{' (operators)' if command.for_operators else ''} |"
        for command in COMMANDS
    ]
    return "\n".join(("| line | what it does |", "|---|---|", *rows))


def _command_called(name: str, person: Person) -> Command | None:
    command = _BY_NAME.get(name) or _BY_NAME.get(fold_topic(name))
    if command is None or (command.for_operators and person.operations is None):
        return None
    return command


def _values(command: Command, person: Person) -> Sequence[str]:
    """Return what the argument may be, by any of its names."""
    if command.argument != "[COMMAND]":
        return command.values
    return [name for each in _for(person) for name in (each.name, *each.aliases)]


def _for(person: Person) -> Iterator[Command]:
    return (each for each in COMMANDS if not each.for_operators or person.operations is not None)


def _beginning_with(start: str, candidates: Sequence[str]) -> list[str]:
    key = fold_topic(start) if start else ""
    return list(dict.fromkeys(each for each in candidates if fold_topic(each).startswith(key)))
