"""The one way out for text that somebody else wrote.

Whatever a stranger typed, a username, a pack's line or a log value passes through here before a
terminal or a log sees it. Knows nothing of where text comes from or goes to.
"""

from __future__ import annotations

import unicodedata

__all__ = ["printable"]

# Joiners that emoji sequences and several scripts need; no terminal acts on them.
_HARMLESS_FORMATS = "\u200c\u200d"
# Controls (C0, C1, ESC, DEL), formats (bidi overrides among them), surrogates, line separators.
_DROPPED_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: str, limit: int | None = None) -> str:
    """Return `text` without anything that a terminal or a log could act on.

    Args:
        text: anything at all.
        limit: the most characters to return; a longer text ends in an ellipsis.
    """
    if not text.isprintable():
        text = "".join(
            character
            for character in text
            if character in _HARMLESS_FORMATS
            or unicodedata.category(character) not in _DROPPED_CATEGORIES
        )
    if limit is not None and len(text) > limit:
        return text[: limit - 1] + "…"
    return text
