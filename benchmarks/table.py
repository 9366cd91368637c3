"""The table of insults that every server answers from, in the talk's format of packs.

Topics are numbered, so that the generator needs no file; the texts are as long as real ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ANSWER", "topic", "topics_of", "write_table"]

ANSWER = b"Insult "
"""What every answer has in it, and no echo of a question."""

_TEXTS_OF_A_TOPIC = 10
_TEXTS_OF_A_FILE = 20_000


def topic(number: int) -> str:
    """Return the name of a topic."""
    return f"thing{number}"


def topics_of(texts: int) -> int:
    """Return how many topics a table of so many texts has."""
    return max(1, texts // _TEXTS_OF_A_TOPIC)


def write_table(folder: Path, texts: int) -> list[Path]:
    """Write a table: ten texts a topic, 80 to 90 bytes each, one `topic: text` a line.

    Returns:
        its files; a large table has several, as packs have a largest size.
    """
    paths = []
    for first in range(0, topics_of(texts) * _TEXTS_OF_A_TOPIC, _TEXTS_OF_A_FILE):
        numbers = range(first, min(first + _TEXTS_OF_A_FILE, texts))
        path = folder / f"table{first}.txt"
        path.write_text("".join(map(_line, numbers)), encoding="utf-8")
        paths.append(path)
    return paths


def _line(number: int) -> str:
    return (
        f"{topic(number // _TEXTS_OF_A_TOPIC)}: Insult {number}: whoever chose that "
        "would also put a fence around the moon, and forget the gate.\n"
    )
