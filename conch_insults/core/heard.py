"""What one person has been told, so that nobody hears anything twice before its time.

A shuffle bag for each topic that came up, the same for all ceilings: whoever lowers the ceiling and
raises it again goes on where they were. The history is bounded, and holds no text and no pack, so
that one that is replaced can be forgotten. Rolls no dice that it was not given.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from conch_insults.core.grammar import MAX_WEIGHT
from conch_insults.rating import Rating

if TYPE_CHECKING:
    import random

    from conch_insults.core.pack_model import Topic

__all__ = ["MAX_TEXTS_HEARD", "MAX_TOPICS_HEARD", "Heard", "ShuffleBag"]

MAX_TOPICS_HEARD = 128
"""The most topics that are remembered of one person; the ones not asked for longest go first."""
MAX_TEXTS_HEARD = 5_000
"""The most texts that are remembered of one person, in all these topics together.

Whoever asks about one topic only hears as many before any comes again.
"""


_RATINGS = tuple(Rating)

# Of all layers that nothing has been drawn from.
_NONE_MOVED: Final[dict[int, int]] = {}


class _Layer:
    """The lots of one rating, drawn in random order.

    A draw costs the same however many lots there are, and memory grows with what has been drawn:
    this is the Fisher-Yates shuffle, done one step a draw, with only the moved noted. Most layers
    of most people are never drawn from, so that these note nothing at all.

    Attributes:
        rating: theirs.
        begin: the position of the first in the topic's lots.
        size: how many there are.
        left: how many are still to be drawn in this round; they are in the slots below this one.
        moved: which lot is in a slot; where nothing is noted, the one that was there at first.
        drawn: what was drawn in this round, by hash.
    """

    __slots__ = ("begin", "drawn", "left", "moved", "rating", "size")

    def __init__(self, rating: Rating, begin: int, end: int) -> None:
        self.rating = rating
        self.begin = begin
        self.size = end - begin
        self.refill()

    def refill(self) -> None:
        self.left = self.size
        self.moved: dict[int, int] = _NONE_MOVED
        self.drawn: array[int] | None = None

    def take(self, slot: int, mark: int) -> None:
        left = self.left = self.left - 1
        if self.drawn is None:
            self.drawn, self.moved = array("q"), {}
        self.drawn.append(mark)
        # The end moves into the gap, so that what is left stays in one row.
        end = self.moved.pop(left, left)
        if slot != left:
            self.moved[slot] = end


class ShuffleBag:
    """The lots of one topic: all up to a ceiling are drawn before any of these comes again.

    The same text is not drawn twice in a row while there is another. When the topic has other
    texts than last time, those already drawn in this round wait for the next.

    Attributes:
        remembered: how many texts are noted as drawn.
    """

    __slots__ = ("_last", "_layers", "_mark", "remembered")

    def __init__(self) -> None:
        self.remembered = 0
        # Those that have any lots, the politest first.
        self._layers: tuple[_Layer, ...] = ()
        self._mark: int | None = None
        self._last: int | None = None

    def draw(self, topic: Topic, ceiling: Rating, random: random.Random) -> int:
        """Take a lot out and return its position; there must be one up to the ceiling."""
        if topic.mark != self._mark:
            self._follow(topic)
        choices = 0
        for layer in self._layers:
            if layer.rating <= ceiling:
                choices += layer.left
        if not choices:
            choices = self._refill(ceiling)
        start = int(random.random() * choices)
        layer, slot, position = self._find(start)
        mark = hash(topic.lots[position])
        # A text has at most so many lots, so that a different one is among one more.
        steps = 1 if mark != self._last else min(choices, MAX_WEIGHT + 1)
        for step in range(1, steps):
            layer, slot, position = self._find((start + step) % choices)
            mark = hash(topic.lots[position])
            if mark != self._last:
                break
        layer.take(slot, mark)
        self.remembered += 1
        self._last = mark
        return position

    def _refill(self, ceiling: Rating) -> int:
        layers = [layer for layer in self._layers if layer.rating <= ceiling]
        for layer in layers:
            self.remembered -= len(layer.drawn or ())
            layer.refill()
        return sum(layer.size for layer in layers)

    def _find(self, number: int) -> tuple[_Layer, int, int]:
        """Find a lot among all that are left: its layer, its slot there, its position."""
        for layer in self._layers:
            if number < layer.left:
                return layer, number, layer.begin + layer.moved.get(number, number)
            number -= layer.left
        raise IndexError(number)

    def _follow(self, topic: Topic) -> None:
        drawn = {mark for layer in self._layers for mark in layer.drawn or ()}
        begin, layers = 0, []
        for rating, end in zip(_RATINGS, topic.ends, strict=True):
            if end == begin:
                continue
            layer = _Layer(rating, begin, end)
            if drawn:
                found = [
                    (slot, mark)
                    for slot in range(layer.size)
                    if (mark := hash(topic.lots[begin + slot])) in drawn
                ]
                # From the end on, so that the slots to come are still as they were at first.
                for slot, mark in reversed(found):
                    layer.take(slot, mark)
            layers.append(layer)
            begin = end
        self._layers = tuple(layers)
        self._mark = topic.mark
        self.remembered = sum(len(layer.drawn or ()) for layer in layers)


class Heard:
    """What one person has been told, in all topics."""

    __slots__ = ("_bags", "_remembered")

    def __init__(self) -> None:
        # The topic that was asked for last is the last.
        self._bags: dict[str, ShuffleBag] = {}
        self._remembered = 0

    @property
    def remembered(self) -> int:
        """How many texts are remembered, at most `MAX_TEXTS_HEARD`."""
        return self._remembered

    def draw(self, key: str, topic: Topic, ceiling: Rating, random: random.Random) -> int | None:
        """Choose what to say next, none where nothing may be said.

        Args:
            key: the folded topic.
            topic: what there is to say about it now.
            ceiling: how rude it may be.
            random: decides.

        Returns:
            a position in the topic's `lots`.
        """
        if not topic.ends[ceiling - 1]:
            return None
        bags = self._bags
        bag = bags.pop(key, None) or ShuffleBag()
        bags[key] = bag
        before = bag.remembered
        position = bag.draw(topic, ceiling, random)
        self._remembered += bag.remembered - before
        while len(bags) > MAX_TOPICS_HEARD or self._remembered > MAX_TEXTS_HEARD:
            oldest = next(iter(bags))
            self._remembered -= bags.pop(oldest).remembered
        return position
