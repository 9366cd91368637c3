"""Packs as they are used: which topics there are, and what can be said about each, how rudely.

Made from pack files, many into one, and never changed. A hundred thousand texts are strings in
tuples: what is known about one is put together when it is said. Knows nothing of files, of who is
insulted, or of what has been said already.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from conch_insults.core.grammar import Template
from conch_insults.core.pack_text import fold_topic
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conch_insults.core.written_pack import PackInfo, Row, WrittenPack

__all__ = ["Insult", "Pack", "Topic", "build_pack", "insult_id"]

_ID_LENGTH = 8


def insult_id(topic: str, text: str) -> str:
    """Return the short name of a text: eight of a-z 2-7, the same in every pack and version.

    It is part of a SHA-256, so that two texts among a hundred thousand share one in a set of two
    hundred such; who looks one up must expect that.
    """
    digest = hashlib.sha256(f"{fold_topic(topic)}\0{text}".encode()).digest()
    return base64.b32encode(digest)[:_ID_LENGTH].decode().lower()


@dataclass(frozen=True, slots=True)
class Insult:
    """Something that can be said.

    Attributes:
        text: as it is written in the pack, for a template with its gaps.
        rating: how rude it counts.
        topic: the topic's name; empty where any topic will do.
        source: the pack that it is from.
        is_template: whether the text has gaps that are filled each time.
    """

    text: str
    rating: Rating
    topic: str
    source: PackInfo
    is_template: bool

    @property
    def pack(self) -> str:
        """The name of its pack."""
        return self.source.name

    @property
    def author(self) -> str:
        """Who wrote it, if anybody admits to it."""
        return self.source.author

    @property
    def licence(self) -> str:
        """What its pack may be used under, if anybody has said."""
        return self.source.licence

    @property
    def id(self) -> str:
        """Its short name, see `insult_id`."""
        return insult_id(self.topic, self.text)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic and its texts, the politest first.

    Attributes:
        name: as it was first written.
        lots: the texts, each as often as its weight says.
        sources: the pack that each of these is from.
        ends: how many of these are rated at most g, pg and r.
        mark: a number that differs when the texts do.
    """

    name: str
    lots: tuple[str | Template, ...]
    sources: tuple[PackInfo, ...]
    ends: tuple[int, int, int]
    mark: int = field(compare=False, repr=False)

    def size(self, ceiling: Rating) -> int:
        """Return how many lots are rated at or below a ceiling."""
        return self.ends[ceiling - 1]

    def insult(self, position: int) -> Insult:
        """Return what is known about the text at a position of `lots`."""
        lot = self.lots[position]
        rating = next(rating for rating in Rating if position < self.size(rating))
        is_template = isinstance(lot, Template)
        text = lot.source if isinstance(lot, Template) else lot
        return Insult(text, rating, self.name, self.sources[position], is_template)

    def insults(self, ceiling: Rating) -> list[Insult]:
        """Return everything that may be said up to a ceiling, each text once."""
        first = {self.lots[position]: position for position in reversed(range(self.size(ceiling)))}
        return [self.insult(position) for position in sorted(first.values())]


@dataclass(frozen=True, slots=True)
class Pack:
    """What can be said about what; every name and text in it is fit for a terminal.

    Attributes:
        by_key: the topics by folded name, in the order of these.
        aliases: the folded names of topics by their other names, folded, too.
        unknown: what can be said about a topic that is not among these.
        infos: the pack files that it is made from.
        skipped: a line for each file that was passed over, with the reason.
        listed: the names of the topics, up to each ceiling.
    """

    by_key: Mapping[str, Topic]
    aliases: Mapping[str, str]
    unknown: Topic
    infos: tuple[PackInfo, ...]
    skipped: tuple[str, ...] = ()
    listed: tuple[tuple[str, ...], ...] = field(default=(), repr=False)

    def topics(self, ceiling: Rating = Rating.R) -> tuple[str, ...]:
        """Return the names of all topics that have something up to a ceiling, sorted."""
        return self.listed[ceiling - 1]

    def key_of(self, topic: str) -> str | None:
        """Return the folded name of the topic that is meant, by any of its names."""
        key = fold_topic(topic)
        return key if key in self.by_key else self.aliases.get(key)

    def texts(self, topic: str, ceiling: Rating = Rating.R) -> tuple[str, ...]:
        """Return what can be said about a topic, nothing when it is unknown."""
        key = self.key_of(topic)
        if key is None:
            return ()
        return tuple(insult.text for insult in self.by_key[key].insults(ceiling))

    def insult_count(self, ceiling: Rating = Rating.R) -> int:
        """Return how many texts there are in all topics together."""
        return sum(len(set(topic.lots[: topic.size(ceiling)])) for topic in self.by_key.values())


def build_pack(written: Iterable[WrittenPack], skipped: Iterable[str] = ()) -> Pack:
    """Join pack files: a topic in several of them has the texts of all, each once.

    A name that is a topic somewhere is no alias, and of two aliases the first one counts.

    Args:
        written: the files, without a problem in any.
        skipped: what was passed over on the way to them.
    """
    packs = list(written)
    gathered: dict[str, _Gathered] = {}
    unknown = _Gathered("")
    names: dict[str, str] = {}
    for pack in packs:
        for row in pack.rows:
            key = names.get(row.topic)
            if key is None:
                key = names[row.topic] = fold_topic(row.topic)
            if key not in gathered:
                gathered[key] = _Gathered(row.topic)
            gathered[key].add(row, pack)
        for row in pack.unknown:
            unknown.add(row, pack)
    by_key = {key: gathered[key].topic() for key in sorted(gathered)}
    aliases: dict[str, str] = {}
    for pack in packs:
        for alias in pack.aliases:
            key, target = fold_topic(alias.name), fold_topic(alias.topic)
            if key not in by_key and target in by_key:
                aliases.setdefault(key, target)
    return Pack(
        MappingProxyType(by_key),
        MappingProxyType(aliases),
        unknown.topic(),
        tuple(pack.info for pack in packs),
        tuple(skipped),
        tuple(
            tuple(topic.name for topic in by_key.values() if topic.size(ceiling))
            for ceiling in Rating
        ),
    )


class _Gathered:
    """A topic being put together."""

    __slots__ = ("_found", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        # Each text once, in the order in which they come; the first one wins.
        self._found: dict[str | Template, tuple[Rating, int, PackInfo]] = {}

    def add(self, row: Row, pack: WrittenPack) -> None:
        lot = row.template or row.text
        if lot not in self._found:
            self._found[lot] = (pack.rating_of(row), row.weight, pack.info)

    def topic(self) -> Topic:
        lots: list[str | Template] = []
        sources: list[PackInfo] = []
        ends = []
        for wanted in Rating:
            for lot, (rating, weight, source) in self._found.items():
                if rating is wanted:
                    lots += [lot] * weight
                    sources += [source] * weight
            ends.append(len(lots))
        g, pg, r = ends
        texts = tuple(lots)
        return Topic(self._name, texts, tuple(sources), (g, pg, r), hash(texts))
