"""Finding what has been written: the texts that have a word in them.

All texts are kept in one long string, so that looking through a hundred thousand of them is one
search of the interpreter's own. Knows nothing of who asks.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING

from conch_insults.core.pack_text import fold_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["TextSearch"]


class TextSearch:
    """Texts to look through, known by their number.

    Args:
        texts: each of one line.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        folded = [fold_topic(text) for text in texts]
        self._all = "\n".join(folded)
        self._starts = array("L")
        start = 0
        for text in folded:
            self._starts.append(start)
            start += len(text) + 1

    def find(self, word: str) -> Iterator[int]:
        """Yield the numbers of the texts that hold a word or a part of one, in their order.

        Letters match in any case and form, and white space matches white space.
        """
        wanted = fold_topic(word)
        position = self._all.find(wanted) if wanted else -1
        while position >= 0:
            number = bisect_right(self._starts, position) - 1
            yield number
            if number + 1 == len(self._starts):
                return
            position = self._all.find(wanted, self._starts[number + 1])
