"""What a reader would object to in packs, beyond what makes them unusable.

Everything that is wrong is found, with its file and line: in each pack, among the packs given, and
between these and others. Knows nothing of how packs are read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.core.deny_list import denied_words
from conch_insults.core.pack_text import fold_topic
from conch_insults.errors import at_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conch_insults.core.written_pack import Row, WrittenPack

__all__ = ["Finding", "check_packs"]

_WORDS = re.compile(r"[^\W_]+")
# What would be a gap in a template.
_GAP = re.compile(r"#[a-z][a-z0-9_]*(\.[a-z]+)*#")


class Finding(NamedTuple):
    """Something to object to.

    Attributes:
        file: the pack file, as the operator named it.
        line: the line's number, from 1.
        reason: what is wrong there, and what to do.
        is_warning: whether a pack may stay like that.
    """

    file: str
    line: int
    reason: str
    is_warning: bool = False

    def __str__(self) -> str:
        """Return it as compilers do, in one line."""
        warning = "warning: " if self.is_warning else ""
        return at_line(self.file, self.line, f"{warning}{self.reason}")


def check_packs(given: Sequence[WrittenPack], others: Sequence[WrittenPack] = ()) -> list[Finding]:
    """Return everything to object to in packs, by file in the order given and by line.

    Args:
        given: what to look at.
        others: what stands beside it and is not looked at itself.
    """
    seen = _Seen({}, {}, {}, {})
    for pack in (*given, *others):
        for row in pack.rows:
            seen.topics.setdefault(fold_topic(row.topic), _place(pack, row.line))
    for pack in others:
        # Only for what is then seen already.
        list(_compared(pack, seen))
    findings: list[Finding] = []
    for pack in given:
        found = [*_own(pack), *_denied(pack), *_compared(pack, seen)]
        findings += sorted(found, key=lambda finding: finding.line)
    return findings


class _Seen(NamedTuple):
    """What stands where, in the packs looked at so far, each as `file:line`.

    Attributes:
        topics: by folded name, in all packs there are.
        aliases: by folded name.
        texts: by their words alone.
        names: of the packs.
    """

    topics: dict[str, str]
    aliases: dict[str, str]
    texts: dict[str, str]
    names: dict[str, str]


def _place(pack: WrittenPack, line: int) -> str:
    return f"{pack.info.file}:{line}"


def _own(pack: WrittenPack) -> Iterator[Finding]:
    """Find what is wrong with a pack by itself."""
    file = pack.info.file
    for line, reason in pack.problems:
        yield Finding(file, line, reason)
    if pack.problems and not pack.rows:
        return
    if not pack.rows and not pack.unknown:
        yield Finding(file, 1, "nothing in it; add a topic")
    is_native = pack.format == "toml"
    if not pack.info.licence:
        remedy = 'add licence = "..."' if is_native else "say it with `packs import --licence`"
        yield Finding(file, 1, f"no licence; {remedy}", is_warning=not is_native)
    if not pack.info.rating and not all(row.rating for row in (*pack.rows, *pack.unknown)):
        remedy = 'add rating = "..."' if is_native else "say otherwise with `packs import --rating`"
        yield Finding(file, 1, f"texts without a rating count as r; {remedy}", is_warning=True)
    for row in pack.rows if is_native else ():
        if row.template is None and (gap := _GAP.search(row.text)):
            reason = f"{gap[0]} is not filled in a text; move it to templates"
            yield Finding(file, row.line, reason, is_warning=True)
    for symbol, rows in pack.rules.items():
        yield from _repeated(pack, {}, rows, f" for #{symbol}#")


def _denied(pack: WrittenPack) -> Iterator[Finding]:
    """Find words that no pack may hold."""
    texts = [(row.line, row.text) for row in _all_rows(pack)]
    texts += [(alias.line, alias.name) for alias in pack.aliases]
    topics = {row.topic: row.line for row in reversed(pack.rows)}
    texts += [(line, topic) for topic, line in topics.items()]
    for line, text in texts:
        for word in denied_words(text):
            reason = f'"{word}" is on the list of slurs and of words for who people are'
            yield Finding(pack.info.file, line, f"{reason}; leave it out")


def _compared(pack: WrittenPack, seen: _Seen) -> Iterator[Finding]:
    """Find what stands somewhere else already, and note what this pack has."""
    file, name = pack.info.file, pack.info.name
    if pack.format == "toml":
        if name in seen.names:
            yield Finding(file, 1, f'"{name}" is the name of {seen.names[name]}, too; change one')
        seen.names.setdefault(name, file)
    yield from _repeated(pack, seen.texts, (*pack.rows, *pack.unknown), "")
    for line, alias, topic in pack.aliases:
        key = fold_topic(alias)
        if key == fold_topic(topic):
            yield Finding(file, line, f'alias "{alias}" is the topic itself; remove it')
        elif key in seen.topics:
            where = seen.topics[key]
            yield Finding(file, line, f'alias "{alias}" is a topic, see {where}; remove one')
        elif key in seen.aliases:
            where = seen.aliases[key]
            yield Finding(file, line, f'alias "{alias}" is one already, see {where}; remove one')
        else:
            seen.aliases[key] = _place(pack, line)


def _repeated(
    pack: WrittenPack, said: dict[str, str], rows: Iterable[Row], where: str
) -> Iterator[Finding]:
    """Find texts that differ from an earlier one in signs and case at most."""
    for row in rows:
        words = " ".join(_WORDS.findall(fold_topic(row.text))) or row.text
        if words in said:
            reason = f"says the same{where} as {said[words]}; keep one"
            yield Finding(pack.info.file, row.line, reason)
        said.setdefault(words, _place(pack, row.line))


def _all_rows(pack: WrittenPack) -> list[Row]:
    return [*pack.rows, *pack.unknown, *(row for rows in pack.rules.values() for row in rows)]
