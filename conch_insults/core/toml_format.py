"""The native format of packs: a TOML file with a header, topics and a grammar.

It can say all that a pack can be. Every key is checked: one that is not known is a problem, since
it may be a slip of the pen. Knows nothing of files.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conch_insults.core.grammar import (
    MAX_WEIGHT,
    SYMBOL,
    TOPIC,
    Grammar,
    Nodes,
    Template,
    parse_template,
)
from conch_insults.core.grammar_check import grammar_problems
from conch_insults.core.pack_text import MAX_INSULT, MAX_TOPIC, cleaned
from conch_insults.core.printable import printable
from conch_insults.core.toml_lines import Lines, find_lines
from conch_insults.core.written_pack import MAX_INSULTS, Alias, PackInfo, Row, WrittenPack
from conch_insults.errors import PackError
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["MAX_ALTERNATIVES", "MAX_HEADER", "PACK_NAME", "is_language", "read_toml"]

PACK_NAME = re.compile(r"[a-z0-9-]{1,32}")
"""What a pack is called."""
MAX_ALTERNATIVES = 5_000
"""The most alternatives that all rules of a pack have together."""
MAX_HEADER = 128
"""The most characters that a line of the header may have."""

_MAX_ALIASES = 50
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_HEADER = ("name", "version", "language", "licence", "author")
# What an entry of each kind of list may say.
_KEYS = {
    "text": ("rating", "text"),
    "template": ("rating", "text", "weight"),
    "alternative": ("text", "weight"),
}
_SYMBOL_RULE = (
    "a symbol has up to 32 of a-z 0-9 _, starts with a letter, and is not"
    f' "{TOPIC}", which is what was typed'
)
_REMEDY = "write something or remove it"
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def is_language(text: str) -> bool:
    """Whether a text has the form of a language tag, such as `en` (BCP 47)."""
    return _LANGUAGE.fullmatch(text) is not None


def read_toml(text: str, info: PackInfo) -> WrittenPack:
    """Read a pack; what cannot be used is among its problems.

    Args:
        text: all of the file.
        info: what is known about it otherwise; the file overrides it.
    """
    pack = WrittenPack(info, "toml")
    lines = find_lines(text)
    if lines.problem:
        pack.refuse(*lines.problem)
        return pack
    try:
        document = tomllib.loads(text[: lines.understood])
    except (ValueError, RecursionError) as error:
        pack.refuse(*_where_and_why(str(error), text))
        return pack
    if lines.understood < len(text):
        line = text.count("\n", 0, lines.understood) + 1
        pack.refuse(line, "not TOML; check quotes, brackets and commas")
        return pack
    _Reader(pack, lines, document).read()
    pack.problems.sort()
    return pack


def _where_and_why(message: str, text: str) -> tuple[int, str]:
    """Take the line out of a message of the TOML parser."""
    found = _AT.search(message)
    reason = printable(_AT.sub("", message))
    line = int(found[1]) if found and found[1] else text.rstrip().count("\n") + 1
    return line, f"not TOML: {reason[:1].lower()}{reason[1:200]}"


class _Reader:
    """Turns a document into rows, and what does not fit into problems."""

    def __init__(self, pack: WrittenPack, lines: Lines, document: dict[str, Any]) -> None:
        self._pack = pack
        self._lines = lines
        self._document = document
        self._grammar: Grammar | None = None
        self._rules: dict[str, list[tuple[Row, Nodes]]] = {}

    def read(self) -> None:
        self._only({*_HEADER, "rating", "topics", "grammar", "unknown"}, self._document)
        self._read_header()
        self._read_grammar(self._table("grammar"))
        unknown = self._document.get("unknown", [])
        self._pack.unknown += self._templates("", ("unknown",), unknown)
        for name, table in self._table("topics").items():
            self._read_topic(name, table)
        templates = [
            (row, row.template.nodes)
            for row in (*self._pack.unknown, *self._pack.rows)
            if row.template
        ]
        for problem in grammar_problems(self._grammar, self._rules, templates):
            self._pack.refuse(*problem)

    def _refuse(self, path: tuple[str | int, ...], reason: str) -> None:
        self._pack.refuse(self._lines.of(*path), reason)

    def _only(self, known: Collection[str], table: dict[str, Any], *path: str | int) -> None:
        for key in table:
            if key not in known:
                shown = printable(key, MAX_TOPIC)
                self._refuse((*path, key), f'unknown key "{shown}"; use {", ".join(sorted(known))}')

    def _table(self, key: str) -> dict[str, Any]:
        table = self._document.get(key, {})
        if isinstance(table, dict):
            return table
        self._refuse((key,), f"{key} is no table; write [{key}]")
        return {}

    def _string(self, part: str, value: object, limit: int, *path: str | int) -> str | None:
        """Return a text that may be used, or note why it may not."""
        if not isinstance(value, str):
            self._refuse(path, f"{part} is no string; write it in quotes")
            return None
        try:
            return cleaned(part, value, limit, _REMEDY)
        except PackError as error:
            self._refuse(path, str(error))
            return None

    def _read_header(self) -> None:
        found: dict[str, Any] = {}
        for key in _HEADER:
            if key in self._document:
                value = self._string(key, self._document[key], MAX_HEADER, key)
                found[key] = value or ""
        name, language = found.get("name"), found.get("language")
        if name is None:
            self._pack.refuse(1, 'no name; begin with name = "..."')
        elif name and not PACK_NAME.fullmatch(name):
            self._refuse(("name",), "a pack's name has up to 32 of a-z 0-9 -")
        if language and not is_language(language):
            self._refuse(("language",), 'language is no tag such as "en" or "de-AT"')
        if "rating" in self._document:
            found["rating"] = self._rating(self._document["rating"], "rating")
        self._pack.info = replace(self._pack.info, **found)

    def _rating(self, value: object, *path: str | int) -> Rating | None:
        try:
            return Rating.parse(str(value))
        except ValueError as error:
            self._refuse(path, str(error))
            return None

    def _read_topic(self, written: str, table: object) -> None:
        path = ("topics", written)
        name = self._string("topic", written, MAX_TOPIC, *path)
        if not isinstance(table, dict):
            self._refuse(path, "a topic is a table with texts; write [topics.name]")
            return
        self._only(("aliases", "templates", "texts"), table, *path)
        topic = " ".join((name or "").split())
        rows = [
            *self._rows("text", topic, (*path, "texts"), table.get("texts", [])),
            *self._templates(topic, (*path, "templates"), table.get("templates", [])),
        ]
        if not table.get("texts") and not table.get("templates"):
            self._refuse(path, "a topic without texts; add some or remove it")
        if len(self._pack.rows) + len(rows) > MAX_INSULTS:
            self._refuse(path, f"more than {MAX_INSULTS} texts; split the pack")
            return
        self._pack.rows += rows
        self._read_aliases(topic, (*path, "aliases"), table.get("aliases", []))

    def _read_aliases(self, topic: str, path: tuple[str | int, ...], values: object) -> None:
        if not isinstance(values, list) or len(values) > _MAX_ALIASES:
            self._refuse(path, f"aliases is no list of at most {_MAX_ALIASES} names")
            return
        for at, value in enumerate(values):
            name = self._string("alias", value, MAX_TOPIC, *path, at)
            if name:
                line = self._lines.of(*path, at)
                self._pack.aliases.append(Alias(line, " ".join(name.split()), topic))

    def _rows(
        self, kind: str, topic: str, path: tuple[str | int, ...], values: object
    ) -> Iterator[Row]:
        """Yield the usable ones of a list of texts, each a string or a table with one."""
        if not isinstance(values, list):
            self._refuse(path, f"{path[-1]} is no list; write [...]")
            return
        for at, value in enumerate(values):
            table = value if isinstance(value, dict) else {"text": value}
            self._only(_KEYS[kind], table, *path, at)
            text = self._string(kind, table.get("text"), MAX_INSULT, *path, at)
            rating = self._rating(table["rating"], *path, at) if "rating" in table else None
            weight = self._weight(table.get("weight", 1), *path, at)
            if text is not None:
                yield Row(self._lines.of(*path, at), topic, text, rating, weight)

    def _templates(self, topic: str, path: tuple[str | int, ...], values: object) -> Iterator[Row]:
        for row in self._rows("template", topic, path, values):
            nodes = self._nodes(row)
            if nodes:
                # Where there is no grammar there is a problem, and the pack is never used.
                grammar = self._grammar or Grammar({})
                yield row._replace(template=Template(row.text, nodes, grammar))

    def _weight(self, value: object, *path: str | int) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_WEIGHT:
            return value
        self._refuse(path, f"weight is no number from 1 to {MAX_WEIGHT}")
        return 1

    def _nodes(self, row: Row) -> Nodes | None:
        try:
            return parse_template(row.text)
        except PackError as error:
            self._pack.refuse(row.line, str(error))
            return None

    def _read_grammar(self, table: dict[str, Any]) -> None:
        for symbol, values in table.items():
            path = ("grammar", symbol)
            if not SYMBOL.fullmatch(symbol) or symbol == TOPIC:
                self._refuse(path, _SYMBOL_RULE)
                continue
            rows = list(self._rows("alternative", symbol, path, values))
            if values == []:
                self._refuse(path, f"#{symbol}# has no alternatives; add some or remove it")
            self._pack.rules[symbol] = rows
            self._rules[symbol] = [(row, nodes) for row in rows if (nodes := self._nodes(row))]
        if sum(map(len, self._rules.values())) > MAX_ALTERNATIVES:
            self._refuse(("grammar",), f"more than {MAX_ALTERNATIVES} alternatives; split the pack")
        elif all(rule and len(rule) == len(table[symbol]) for symbol, rule in self._rules.items()):
            # With an alternative missing, others might seem to be wrong.
            self._grammar = Grammar(
                {
                    symbol: [(nodes, row.weight) for row, nodes in rule]
                    for symbol, rule in self._rules.items()
                }
            )
