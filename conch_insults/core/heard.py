"""What one person has been told, so that nobody hears anything twice before its time.

A shuffle bag for each topic that came up, the same for all ceilings: whoever lowers the ceiling and
raises it again goes on where they were. The history is bounded, and holds no text and no pack, so
that one that is replaced can be forgotten. Rolls no dice that it was not given.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from conch_insults.core.grammar import MAX_WEIGHT

if TYPE_CHECKING:
    import random

    from conch_insults.core.pack_model import Topic
    from conch_insults.rating import Rating

__all__ = ["MAX_TEXTS_HEARD", "MAX_TOPICS_HEARD", "Heard", "ShuffleBag"]

MAX_TOPICS_HEARD = 128
"""The most topics that are remembered of one person; the ones not asked for longest go first."""
MAX_TEXTS_HEARD = 5_000
"""The most texts that are remembered of one person, in all these topics together.

Whoever asks about one topic only hears as many before any comes again.
"""


class _Layer:
    """The lots of one rating, drawn in random order.

    A draw costs the same however many lots there are, and memory grows with what has been drawn:
    this is the Fisher-Yates shuffle, done one step a draw, with only the moved noted. Most layers
    of most people are never drawn from, so that these note nothing at all.

    Attributes:
        left: how many are still to be drawn in this round; they are in the slots below this one.
        moved: which lot is in a slot; where nothing is noted, the one that was there at first.
        drawn: what was drawn in this round, by hash.
        size: how many lots there are.
    """

    __slots__ = ("drawn", "left", "moved", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.refill()

    def refill(self) -> None:
        self.left = self.size
        self.moved: dict[int, int] | None = None
        self.drawn: array[int] | None = None

    def lot(self, slot: int) -> int:
        return slot if self.moved is None else self.moved.get(slot, slot)

    def take(self, slot: int, mark: int) -> None:
        self.left -= 1
        # The end moves into the gap, so that what is left stays in one row.
        end = self.lot(self.left)
        if self.moved is not None:
            self.moved.pop(self.left, None)
        if slot != self.left:
            if self.moved is None:
                self.moved = {}
            self.moved[slot] = end
        if self.drawn is None:
            self.drawn = array("q")
        self.drawn.append(mark)


# Nothing is ever drawn from it, so that all who have nothing of a rating may share it.
_NO_LOTS = _Layer(0)


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
        self._layers: tuple[_Layer, ...] = ()
        self._mark: int | None = None
        self._last: int | None = None

    def draw(self, topic: Topic, ceiling: Rating, random: random.Random) -> int:
        """Take a lot out and return its position; there must be one up to the ceiling."""
        if topic.mark != self._mark:
            self._follow(topic)
        layers = self._layers[:ceiling]
        choices = 0
        for layer in layers:
            choices += layer.left
        if not choices:
            choices = self._refill(layers)
        start = int(random.random() * choices)
        # A text has at most so many lots, so that a different one is among one more.
        for step in range(min(choices, MAX_WEIGHT + 1)):
            base, layer, slot = self._slot((start + step) % choices)
            position = base + layer.lot(slot)
            mark = hash(topic.lots[position])
            if mark != self._last:
                break
        layer.take(slot, mark)
        self.remembered += 1
        self._last = mark
        return position

    def _refill(self, layers: tuple[_Layer, ...]) -> int:
        for layer in layers:
            self.remembered -= len(layer.drawn or ())
            layer.refill()
        return sum(layer.size for layer in layers)

    def _slot(self, number: int) -> tuple[int, _Layer, int]:
        """Find a slot among all that are left: where its layer begins, and the layer."""
        base = 0
        for layer in self._layers:
            if number < layer.left:
                return base, layer, number
            number -= layer.left
            base += layer.size
        raise IndexError(number)

    def _follow(self, topic: Topic) -> None:
        drawn = {mark for layer in self._layers for mark in layer.drawn or ()}
        begin, layers = 0, []
        for end in topic.ends:
            layer = _Layer(end - begin) if end > begin else _NO_LOTS
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
        bag = self._bags.pop(key, None) or ShuffleBag()
        self._bags[key] = bag
        self._remembered -= bag.remembered
        position = bag.draw(topic, ceiling, random)
        self._remembered += bag.remembered
        while len(self._bags) > MAX_TOPICS_HEARD or self._remembered > MAX_TEXTS_HEARD:
            oldest = next(iter(self._bags))
            self._remembered -= self._bags.pop(oldest).remembered
        return position
