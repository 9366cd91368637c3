"""The insulter: a topic in, an insult out, as rude as the listener will have it.

What a person has been told is the person's own (`Heard`); the pack is everybody's and may be
replaced at any moment. A topic of which nothing may be said is as unknown as any other. Knows
nothing of lines, commands or connections, and rolls no dice that it was not given.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.core.grammar import Template
from conch_insults.core.heard import Heard
from conch_insults.core.near_misses import NearMisses
from conch_insults.core.pack_text import fold_topic
from conch_insults.core.text_search import TextSearch

if TYPE_CHECKING:
    import random

    from conch_insults.core.pack_model import Insult, Pack, Topic
    from conch_insults.rating import Rating

__all__ = ["MAX_SUGGESTIONS", "Heard", "Insulter", "Meant", "Said"]

MAX_SUGGESTIONS = 3
"""The most topics that are suggested in place of one that is not known."""

# The most texts with a word in them that are looked at for those that may be shown.
_MAX_FOUND = 5_000
# Lines that are known to be nothing but a topic, and the bytes of one.
_MOST_NOTED = 16_384
_LONGEST_NOTED = 64
# Where what fits any topic is remembered; no topic has this name.
_ANY_TOPIC = ""


class Said(NamedTuple):
    """An insult as it was said.

    Attributes:
        text: what was said, fit for a terminal and of at most `MAX_INSULT` characters.
        topic: what there was to say.
        position: which of its lots this was.
    """

    text: str
    topic: Topic
    position: int

    @property
    def insult(self) -> Insult:
        """What it was made from; put together only for those who ask."""
        return self.topic.insult(self.position)


class Meant(NamedTuple):
    """What a line means that is nothing but a topic.

    Attributes:
        typed: the topic, as it was typed.
        key: its folded name.
        topic: what there is to say.
    """

    typed: str
    key: str
    topic: Topic


class Insulter:
    """Says something about a topic.

    Where a method takes `random` it decides in place of the insulter's own. For an answer that can
    be made again, give a `random.Random` with a seed and a new `Heard`: then it depends on
    nothing but the seed, the topic, the pack and the ceiling.

    Attributes:
        random: where every other choice comes from.
    """

    def __init__(self, pack: Pack, random: random.Random) -> None:
        self.random = random
        self.pack = pack

    @property
    def pack(self) -> Pack:
        """What can be said; may be replaced while people are being insulted."""
        return self._pack

    @pack.setter
    def pack(self, pack: Pack) -> None:
        self._pack = pack
        # Made when somebody first needs them.
        self._near: NearMisses | None = None
        self._search: TextSearch | None = None
        self._by_id: dict[str, list[int]] | None = None
        # Of topics only, and of this pack's: what else people type is not kept.
        self._meant: dict[bytes, Meant] = {}
        # Every lot has a number: the topics in their order, then what fits any.
        self._topics = (*pack.by_key.values(), pack.unknown)
        self._ends = list(accumulate(len(topic.lots) for topic in self._topics))

    def meant(self, line: bytes) -> Meant | None:
        """Return what a line was noted to mean."""
        return self._meant.get(line)

    def note(self, line: bytes, topic: str) -> None:
        """Note that a line is nothing but a topic, if it is one that is known.

        Args:
            line: as it came, of which the short ones are kept.
            topic: its words.
        """
        key = self._pack.key_of(topic)
        if key is not None and len(line) <= _LONGEST_NOTED:
            if len(self._meant) >= _MOST_NOTED:
                self._meant.clear()
            self._meant[line] = Meant(topic, key, self._pack.by_key[key])

    def insult_meant(self, meant: Meant, heard: Heard, ceiling: Rating) -> Said | None:
        """Return an insult about what a line means; see `insult`."""
        return self._say(meant.key, meant.topic, meant.typed, heard, ceiling, None)

    def insult(
        self, topic: str, heard: Heard, ceiling: Rating, random: random.Random | None = None
    ) -> Said | None:
        """Return an insult that this person has not heard lately.

        Args:
            topic: as it was typed.
            heard: what the person has been told; this is added to it.
            ceiling: how rude the insult may be.
            random: decides, see the class.

        Returns:
            nothing, where the topic is not known or nothing may be said about it.
        """
        key = self._pack.key_of(topic)
        return (
            None
            if key is None
            else self._say(key, self._pack.by_key[key], topic, heard, ceiling, random)
        )

    def improvise(
        self, topic: str, heard: Heard, ceiling: Rating, random: random.Random | None = None
    ) -> Said | None:
        """Return something that fits any topic, built around this one; see `insult`.

        Returns:
            nothing, where no pack has such a thing up to the ceiling.
        """
        return self._say(_ANY_TOPIC, self._pack.unknown, topic, heard, ceiling, random)

    def topics(self, ceiling: Rating) -> tuple[str, ...]:
        """Return the names of all topics that have something up to a ceiling, sorted."""
        return self._pack.topics(ceiling)

    def random_topic(self, ceiling: Rating, random: random.Random | None = None) -> str | None:
        """Return any of the topics, none where there is none."""
        topics = self.topics(ceiling)
        return (random or self.random).choice(topics) if topics else None

    def knows(self, topic: str, ceiling: Rating) -> bool:
        """Whether a topic of that name has something up to a ceiling."""
        return self._is_heard_of(self._pack.key_of(topic), ceiling)

    def suggestions(self, topic: str, ceiling: Rating) -> tuple[str, ...]:
        """Return at most three names of topics that may have been meant, as they can be typed.

        Each is another topic; there are none for a topic that is known.
        """
        if self.knows(topic, ceiling):
            return ()
        if self._near is None:
            names = [(key, key) for key in self._pack.by_key]
            self._near = NearMisses([*names, *self._pack.aliases.items()])
        near = self._near.of(fold_topic(topic))
        by_key = self._pack.by_key
        found = [name for name in near if self.knows(name, ceiling)][:MAX_SUGGESTIONS]
        return tuple(by_key[name].name if name in by_key else name for name in found)

    def search(self, word: str, ceiling: Rating, limit: int) -> list[Insult]:
        """Return texts that hold a word, or a part of one, in the order of their topics.

        Templates are left out: what they become is not known yet.
        """
        if self._search is None:
            self._search = TextSearch(
                "" if isinstance(lot, Template) else lot
                for topic in self._topics
                for lot in topic.lots
            )
        places = map(self._place, islice(self._search.find(word), _MAX_FOUND))
        found = (topic.insult(at) for topic, at in places if at < topic.size(ceiling))
        return list(islice(found, limit))

    def by_id(self, name: str, ceiling: Rating) -> tuple[Insult, ...]:
        """Return what has a short name: hardly ever more than one text, often none."""
        if self._by_id is None:
            self._by_id = {}
            for number in range(self._ends[-1]):
                topic, at = self._place(number)
                self._by_id.setdefault(topic.insult(at).id, []).append(number)
        places = map(self._place, self._by_id.get(name.strip().lower(), ()))
        found = (topic.insult(at) for topic, at in places if at < topic.size(ceiling))
        # A text with several lots is one.
        return tuple(dict.fromkeys(found))

    def _is_heard_of(self, key: str | None, ceiling: Rating) -> bool:
        return key is not None and self._pack.by_key[key].size(ceiling) > 0

    def _say(  # noqa: PLR0913, PLR0917 - what a choice depends on
        self,
        key: str,
        topic: Topic,
        typed: str,
        heard: Heard,
        ceiling: Rating,
        random: random.Random | None,
    ) -> Said | None:
        chance = random or self.random
        position = heard.draw(key, topic, ceiling, chance)
        if position is None:
            return None
        lot = topic.lots[position]
        text = lot.expand(typed, chance) if isinstance(lot, Template) else lot
        return Said(text, topic, position)

    def _place(self, number: int) -> tuple[Topic, int]:
        """Return the topic and the position of the lot with a number."""
        at = bisect_right(self._ends, number)
        return self._topics[at], number - (self._ends[at - 1] if at else 0)
