"""Words that are finished for whoever began them.

Knows candidates, and how a list of them is laid out. Must not know what they mean, nor where they
come from.
"""

from __future__ import annotations

from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from conch_insults.core.cells import clipped, text_width
from conch_insults.core.printable import printable
from conch_insults.core.transliteration import to_ascii

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conch_insults.core.appearance import Appearance
    from conch_insults.core.window import Window

__all__ = ["completed", "listed"]

_GAP = 2
# A list is there to be read: of more than these, only the number is of interest.
_MOST_LISTED = 500


def completed(typed: str, candidates: Sequence[str]) -> str:
    """Return what `typed` becomes: as much as all candidates agree on, letter case aside.

    Args:
        typed: what stands before the cursor.
        candidates: what may come of it, each as the whole text before the cursor; at least one.
    """
    if len(candidates) == 1:
        return printable(candidates[0])
    first, last = min(candidates, key=str.casefold), max(candidates, key=str.casefold)
    pairs = takewhile(
        lambda pair: pair[0].casefold() == pair[1].casefold(), zip(first, last, strict=False)
    )
    common = printable("".join(character for character, _ in pairs))
    return common if len(common) > len(typed) else typed


def listed(
    typed: str, candidates: Sequence[str], window: Window, appearance: Appearance
) -> list[str]:
    """Return candidates as rows of a list, in columns that are read downwards.

    What was typed up to its last blank is left out, where all candidates begin with that. There
    are no more rows than can be read above the prompt; the last says how many are left out.

    Args:
        typed: what stands before the cursor.
        candidates: what may come of it, each as the whole text before the cursor; at least one.
        window: what the list must fit into.
        appearance: says whether there are columns, and which characters.
    """
    begun = typed[: typed.rfind(" ") + 1]
    skipped = len(begun) if all(each.startswith(begun) for each in candidates) else 0
    shown = to_ascii if appearance.ascii else str
    fitting = partial(clipped, width=window.columns, ellipsis=shown("…"))
    words = [fitting(shown(printable(each[skipped:]))) for each in candidates[:_MOST_LISTED]]
    width = max(map(text_width, words)) + _GAP
    columns = 1 if appearance.is_final else max(1, (window.columns + _GAP) // width)
    rows = window.answer_rows
    if len(candidates) > min(rows * columns, _MOST_LISTED):
        words = words[: max(1, rows - 1) * columns]
    height = -(-len(words) // columns)
    lines = [_side_by_side(words[row::height], width) for row in range(height)]
    left_out = len(candidates) - len(words)
    if left_out:
        lines.append(fitting(shown(f"… and {left_out} more")))
    return lines


def _side_by_side(words: Sequence[str], width: int) -> str:
    """Put words in columns of some width; there is nothing behind the last."""
    *others, last = words
    return "".join(word + " " * (width - text_width(word)) for word in others) + last
