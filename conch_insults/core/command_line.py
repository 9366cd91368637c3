"""A line taken apart: its words, and the options among them.

The same at every door. Which commands there are, and which options each of them takes, is not known
here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MAX_COUNT", "CommandLine", "UsageError", "asks_for_json", "parse_command_line"]

MAX_COUNT = 100
"""The most answers that one line may ask for."""
_MAX_SEED = 2**64 - 1


class UsageError(Exception):
    """A line that cannot be understood; the text says why, in one line."""


class CommandLine(NamedTuple):
    """What a line asks for.

    Attributes:
        words: everything but the options, with single blanks between.
        as_json: `--json`: the answer is to be JSON objects, one a line.
        count: `-n`: how many answers, from 1 to `MAX_COUNT`; None if it does not say.
        seed: `--seed`: what every choice is to come from, so that the answer can be had again.
        wants_help: `--help` or `-h`: whether to tell what the line would do instead of doing it.
    """

    words: str
    as_json: bool = False
    count: int | None = None  # type: ignore[assignment]  # a tuple's `count` is of no use here
    seed: int | None = None
    wants_help: bool = False


def parse_command_line(line: str) -> CommandLine:
    """Take a line apart; options may stand before, among and after the words, up to a `--`.

    Raises:
        UsageError: an option is unknown, or its value is missing or out of bounds.
    """
    if "-" not in line:
        return CommandLine(" ".join(line.split()))
    parsed = CommandLine("")
    words: list[str] = []
    rest = iter(line.split())
    for word in rest:
        if word == "--":
            words += rest
        elif word.startswith("-") and word != "-":
            parsed = _with_option(parsed, word, rest)
        else:
            words.append(word)
    return parsed._replace(words=" ".join(words))


def asks_for_json(line: str) -> bool:
    """Whether a line that cannot be understood wants to hear so in JSON."""
    words = line.split()
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def _with_option(parsed: CommandLine, word: str, rest: Iterator[str]) -> CommandLine:
    name, has_value, value = word.partition("=")
    if word == "--json":
        return parsed._replace(as_json=True)
    if word in {"--help", "-h"}:
        return parsed._replace(wants_help=True)
    if not word.startswith("--"):
        # A short option may have its value right behind it.
        name, value = word[:2], word[2:].removeprefix("=")
        has_value = value
    if name not in _VALUED:
        raise UsageError(f"{word[:40]!a} is no option here: help tells which there are")
    if not has_value:
        value = next(rest, "")
    return _VALUED[name](parsed, value)


def _with_count(parsed: CommandLine, value: str) -> CommandLine:
    return parsed._replace(count=_number("-n", value, 1, MAX_COUNT))


def _with_seed(parsed: CommandLine, value: str) -> CommandLine:
    return parsed._replace(seed=_number("--seed", value, 0, _MAX_SEED))


_VALUED: dict[str, Callable[[CommandLine, str], CommandLine]] = {
    "-n": _with_count,
    "--count": _with_count,
    "--seed": _with_seed,
}


def _number(name: str, value: str, least: int, most: int) -> int:
    if not value:
        raise UsageError(f"{name} needs a number from {least} to {most}")
    # Longer than any number that is in bounds; and not every digit is one of ours.
    if value.isascii() and value.isdigit() and len(value) <= len(str(_MAX_SEED)):
        number = int(value)
        if least <= number <= most:
            return number
    raise UsageError(f"{name} takes a number from {least} to {most}, not {value[:40]!a}")
