"""Conversations for tests: a small pack, a person, a die that always falls alike."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

from conch_insults.core.dialogue import Dialogue
from conch_insults.core.insulter import Insulter
from conch_insults.core.packs import Pack, parse_pack
from conch_insults.core.person import Person
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from conch_insults.core.person import About, Operations
    from conch_insults.core.reply import Reply

PACK = b"""
name = "small"
version = "1"
language = "en"
licence = "MIT"
author = "Nobody"
rating = "pg"
unknown = ["What is #topic#?", {text = "No #topic#, child.", rating = "g"}]

[topics.perl]
aliases = ["pl"]
texts = ["Perl one.", "Perl two.", {text = "Damn Perl.", rating = "r"}]

[topics."c++"]
texts = [{text = "Plus plus what?", rating = "g"}]

[topics."code review"]
texts = ["Looks good to nobody."]

[topics.beer]
texts = [{text = "Cheers, damn it.", rating = "r"}]

[topics.quit]
texts = ["You never finish anything."]
"""


def small_pack(content: bytes = PACK) -> Pack:
    return parse_pack(content, "small.toml")


class Operator:
    """Operations that are only noted."""

    def __init__(self) -> None:
        self.kicked: list[str] = []
        self.reloads = 0

    def who(self) -> tuple[str, ...]:
        return ("c0ffee alice 192.0.2.1 for 3 s",)

    def kick(self, connection: str) -> str | None:
        self.kicked.append(connection)
        return "alice is gone." if connection == "c0ffee" else None

    def reload(self) -> str:
        self.reloads += 1
        return "Reloaded."


class Chat:
    """One dialogue, line by line."""

    def __init__(
        self,
        content: bytes = PACK,
        *,
        ceiling: Rating = Rating.PG,
        classic: bool = False,
        about: About | None = None,
        operations: Operations | None = None,
        seed: int = 0,
    ) -> None:
        self.person = Person(ceiling, about, operations)
        self.insulter = Insulter(small_pack(content), Random(seed))
        self.dialogue = Dialogue(self.insulter, self.person, classic=classic)

    def says(self, line: str) -> Reply:
        return self.dialogue.answer(line.encode())

    def lines(self, line: str) -> list[str]:
        return list(self.says(line).lines)

    def objects(self, line: str) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.lines(line)]
