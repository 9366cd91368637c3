"""The insulter: a topic in, an insult out, and nobody hears one twice before its time.

What a person has been told is the person's own (`Heard`); the pack is everybody's and may be
replaced at any moment. Knows nothing of lines, commands or connections, and rolls no dice that
it was not given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core.packs import fold_topic

if TYPE_CHECKING:
    import random

    from conch_insults.core.packs import Pack

__all__ = ["Heard", "Insulter", "ShuffleBag"]


class ShuffleBag:
    """Texts drawn in random order: all of them before any comes again.

    A draw costs the same however many texts there are, and memory grows with what has been
    drawn: this is the Fisher-Yates shuffle, done one step a draw, with only the moved noted.
    """

    __slots__ = ("_last", "_left", "_moved", "_texts")

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = texts
        # Positions below this one are still to be drawn in this round.
        self._left = len(texts)
        # Which text is at a position; where nothing is noted, the one that was there at first.
        self._moved: dict[int, int] = {}
        self._last: int | None = None

    def draw(self, random: random.Random) -> str:
        """Take a text out, from a full bag when this one is empty; never the last one again.

        A bag of one text has no choice. A bag of none cannot be drawn from.
        """
        choices = self._left
        if not choices:
            choices = self._left = len(self._texts)
            if self._last is not None and choices > 1:
                # The text just said waits at the end, out of reach of this one draw.
                choices -= 1
                self._moved = {self._last: choices, choices: self._last}
        position = random.randrange(choices)
        self._left -= 1
        drawn = self._moved.get(position, position)
        # The end moves into the gap, so that what is left stays in one row.
        end = self._moved.pop(self._left, self._left)
        if position != self._left:
            self._moved[position] = end
        self._last = drawn
        return self._texts[drawn]

    def exchange(self, texts: tuple[str, ...]) -> None:
        """Go on with other texts: those already drawn in this round wait for the next."""
        if texts != self._texts:
            waiting = {self._moved.get(position, position) for position in range(self._left)}
            drawn = {text for index, text in enumerate(self._texts) if index not in waiting}
            last = None if self._last is None else self._texts[self._last]
            fresh = [index for index, text in enumerate(texts) if text not in drawn]
            self._left = len(fresh)
            self._moved = {at: index for at, index in enumerate(fresh) if at != index}
            self._last = texts.index(last) if last in texts else None
        self._texts = texts


class Heard:
    """What one person has been told: a shuffle bag for each topic that came up."""

    __slots__ = ("_bags", "_pack")

    def __init__(self) -> None:
        self._bags: dict[str, ShuffleBag] = {}
        self._pack: Pack | None = None

    def bag(self, key: str, pack: Pack) -> ShuffleBag | None:
        """Return the bag to draw from, none for a topic that the pack does not have.

        Args:
            key: the folded topic.
            pack: what can be said now; bags of another pack are carried over to it.
        """
        if pack is not self._pack:
            self._follow(pack)
        bag = self._bags.get(key)
        if bag is None and (topic := pack.by_key.get(key)):
            bag = self._bags[key] = ShuffleBag(topic.texts)
        return bag

    def _follow(self, pack: Pack) -> None:
        self._pack = pack
        self._bags = {key: bag for key, bag in self._bags.items() if key in pack.by_key}
        for key, bag in self._bags.items():
            bag.exchange(pack.by_key[key].texts)


class Insulter:
    """Says something about a topic.

    Attributes:
        pack: what can be said; may be replaced while people are being insulted.
        random: where every choice comes from.
    """

    def __init__(self, pack: Pack, random: random.Random) -> None:
        self.pack = pack
        self.random = random

    def insult(self, topic: str, heard: Heard) -> str | None:
        """Return an insult that this person has not heard lately, none for an unknown topic."""
        bag = heard.bag(fold_topic(topic), self.pack)
        return None if bag is None else bag.draw(self.random)
