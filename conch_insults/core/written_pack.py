"""A pack file as it is written: every text with its line, and everything that is wrong with it.

What the formats read into and write from. What a pack is when it is used, merged with others and
without line numbers, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from conch_insults.rating import Rating

if TYPE_CHECKING:
    from conch_insults.core.grammar import Template

__all__ = ["MAX_INSULTS", "MAX_PROBLEMS", "Alias", "PackInfo", "Problem", "Row", "WrittenPack"]

MAX_INSULTS = 100_000
"""The most texts one file may hold."""
MAX_PROBLEMS = 1_000
"""The most problems that are told of one file."""


@dataclass(frozen=True, slots=True)
class PackInfo:
    """Where texts come from; what a file does not say is empty.

    Attributes:
        name: of the pack.
        file: as the operator named it.
        version: of the pack, in any form.
        language: a tag such as `en` (BCP 47).
        licence: a name that people know, such as `MIT`.
        author: whom to praise.
        rating: of every text that has none of its own.
    """

    name: str
    file: str
    version: str = ""
    language: str = ""
    licence: str = ""
    author: str = ""
    rating: Rating | None = None


class Problem(NamedTuple):
    """Why a line cannot be used."""

    line: int
    reason: str


class Alias(NamedTuple):
    """Another name for a topic."""

    line: int
    name: str
    topic: str


class Row(NamedTuple):
    """A text, and where it stands.

    Attributes:
        line: the line's number, from 1.
        topic: what it is said about; in a rule, the symbol; nothing when any topic will do.
        text: as it is written, for a template with its gaps.
        rating: its own, if it has one.
        weight: how many lots it has among the others.
        template: what to fill the gaps of, where the text has such.
    """

    line: int
    topic: str
    text: str
    rating: Rating | None = None
    weight: int = 1
    template: Template | None = None


@dataclass(slots=True)
class WrittenPack:
    """One pack file.

    Attributes:
        info: what it says about itself.
        format: how it is written.
        rows: what it has to say, in the order of the file.
        unknown: what it has to say about topics that nobody knows.
        aliases: other names of its topics.
        rules: the alternatives for each symbol of its grammar.
        problems: what cannot be used; none of the pack is when there is any.
    """

    info: PackInfo
    format: Literal["fortune", "talk", "toml"]
    rows: list[Row] = field(default_factory=list)
    unknown: list[Row] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    rules: dict[str, list[Row]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, line: int, reason: str) -> None:
        """Note a problem."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(line, reason))
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append(Problem(line, "and more problems from here on; mend these first"))

    def rating_of(self, row: Row) -> Rating:
        """Return how rude a text counts; what nobody has rated counts as the rudest."""
        return row.rating or self.info.rating or Rating.R
