"""What the names and texts in a pack must be like, and how topics are compared.

All formats share these limits, so that a pack says the same however it is written. Knows nothing
of files and formats.
"""

from __future__ import annotations

import unicodedata

from conch_insults.core.printable import printable
from conch_insults.errors import PackError

__all__ = ["MAX_INSULT", "MAX_TOPIC", "cleaned", "cleaned_topic", "fold_topic"]

MAX_TOPIC = 64
"""The most characters a topic may have."""
MAX_INSULT = 512
"""The most characters an insult may have, also one that a template has become."""


def fold_topic(text: str) -> str:
    """Return the key that topics match by: NFKC, case folded, runs of white space as one space."""
    if text.isascii():
        return " ".join(text.lower().split())
    # Folding case can undo normalisation, so that is done again: a key's key is itself.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def cleaned(part: str, text: str, limit: int, remedy: str) -> str:
    """Return a part of a pack without the space around it, or say why it cannot be used.

    Args:
        part: what errors call it.
        text: as it is written in the file.
        limit: the most characters it may have.
        remedy: what to do where it is empty.

    Raises:
        PackError: it holds a control character, nothing, or too much.
    """
    text = text.strip(" \t")
    if printable(text) != text:
        culprit = next(character for character in text if printable(character) != character)
        raise PackError(f"control character U+{ord(culprit):04X} in the {part}; remove it")
    text = text.strip()
    if not text:
        raise PackError(f"empty {part}; {remedy}")
    if len(text) > limit:
        raise PackError(f"{part} of {len(text)} characters; at most {limit} are allowed")
    return text


def cleaned_topic(text: str) -> str:
    """Return a topic that somebody typed as it may be shown: one line of at most `MAX_TOPIC`."""
    return printable(" ".join(text.split()), MAX_TOPIC)
