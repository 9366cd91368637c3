"""Packs: which topics there are and what can be said about each.

Reads the format of one `topic: insult` a line, refuses a bad file whole, and merges files into
one immutable `Pack`. Knows nothing of who is insulted, or of what has been said already.
"""

from __future__ import annotations

import codecs
import functools
import unicodedata
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

from conch_insults.core.printable import printable
from conch_insults.errors import PackError, at_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = [
    "MAX_INSULT",
    "MAX_INSULTS",
    "MAX_PACK_BYTES",
    "MAX_TOPIC",
    "Pack",
    "Topic",
    "builtin_pack",
    "fold_topic",
    "merge_packs",
    "parse_pack",
    "read_pack",
    "read_packs",
]

MAX_TOPIC = 64
"""The most characters a topic may have."""
MAX_INSULT = 512
"""The most characters an insult may have."""
MAX_INSULTS = 100_000
"""The most insults one file may hold."""
MAX_PACK_BYTES = 4 * 1024 * 1024
"""The most bytes one file may have."""


def fold_topic(text: str) -> str:
    """Return the key that topics match by: NFKC, case folded, runs of white space as one space."""
    if text.isascii():
        return " ".join(text.lower().split())
    # Folding case can undo normalisation, so that is done again: a key's key is itself.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its name as first written, and its insults, each once."""

    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """What can be said about what; every name and text in it is fit for a terminal.

    Attributes:
        by_key: the topics by folded name, in the order of these.
    """

    by_key: Mapping[str, Topic]

    def topics(self) -> tuple[str, ...]:
        """Return the names of all topics, sorted."""
        return tuple(topic.name for topic in self.by_key.values())

    def texts(self, topic: str) -> tuple[str, ...]:
        """Return what can be said about a topic, nothing when it is unknown."""
        found = self.by_key.get(fold_topic(topic))
        return found.texts if found else ()

    def insult_count(self) -> int:
        """Return how many insults there are in all topics together."""
        return sum(len(topic.texts) for topic in self.by_key.values())


def parse_pack(content: bytes, name: str) -> Pack:
    """Read a pack from a file's content.

    Args:
        content: lines of `topic: insult`, comments and blank lines, in UTF-8.
        name: what errors call the file.

    Raises:
        PackError: a line, named by its number, cannot be used; nothing of the file is.
    """
    if len(content) > MAX_PACK_BYTES:
        raise PackError(f"{name}: larger than {MAX_PACK_BYTES // 1024**2} MiB; split the pack")
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise PackError(at_line(name, number, "not UTF-8; save the file as UTF-8")) from None
    said: list[tuple[str, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            entry = _parse_line(line.removesuffix("\r"))
        except PackError as error:
            raise PackError(at_line(name, number, str(error))) from None
        if entry:
            said.append(entry)
        if len(said) > MAX_INSULTS:
            reason = f"more than {MAX_INSULTS} insults; split the pack"
            raise PackError(at_line(name, number, reason))
    return _gather(said)


def read_pack(path: Path) -> Pack:
    """Read one pack file.

    Raises:
        PackError: the file cannot be read, or `parse_pack` refuses it.
    """
    name = printable(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PACK_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None
    return parse_pack(content, name)


def read_packs(paths: Iterable[Path]) -> Pack:
    """Read the built-in pack and, merged into it, the packs given.

    Args:
        paths: files, and folders whose visible `*.txt` files are meant.

    Raises:
        PackError: one of them is missing, unreadable or refused, or a folder holds no pack.
    """
    files = [file for path in paths for file in _pack_files(path)]
    return merge_packs([builtin_pack(), *map(read_pack, files)])


def merge_packs(packs: Iterable[Pack]) -> Pack:
    """Join packs: a topic in several of them has the insults of all, each once."""
    topics = (topic for pack in packs for topic in pack.by_key.values())
    return _gather((topic.name, text) for topic in topics for text in topic.texts)


# Cached, so that a reload finds the pack also inside a chroot, where its files are out of reach.
@functools.cache
def builtin_pack() -> Pack:
    """Return the pack that comes with the product."""
    folder = resources.files("conch_insults").joinpath("packs")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".txt")),
        key=lambda file: file.name,
    )
    return merge_packs(parse_pack(file.read_bytes(), file.name) for file in files)


def _parse_line(line: str) -> tuple[str, str] | None:
    """Return the topic and the insult of a line, none for a comment or a blank line."""
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    topic, colon, insult = line.partition(":")
    if not colon:
        raise PackError('no colon; write "topic: insult"')
    topic = _checked("topic", topic, MAX_TOPIC)
    return " ".join(topic.split()), _checked("insult", insult, MAX_INSULT)


def _checked(part: str, text: str, limit: int) -> str:
    """Return a part of a line without the space around it, or say why it cannot be used."""
    text = text.strip(" \t")
    if printable(text) != text:
        culprit = next(character for character in text if printable(character) != character)
        raise PackError(f"control character U+{ord(culprit):04X} in the {part}; remove it")
    text = text.strip()
    if not text:
        raise PackError(f'empty {part}; write "topic: insult"')
    if len(text) > limit:
        raise PackError(f"{part} of {len(text)} characters; at most {limit} are allowed")
    return text


def _gather(said: Iterable[tuple[str, str]]) -> Pack:
    """Make a pack of topics and insults in any order."""
    names: dict[str, str] = {}
    # Dictionaries stand in for sets that keep their order.
    texts: dict[str, dict[str, None]] = {}
    for name, text in said:
        key = fold_topic(name)
        names.setdefault(key, name)
        texts.setdefault(key, {})[text] = None
    return Pack(
        MappingProxyType({key: Topic(names[key], tuple(texts[key])) for key in sorted(names)})
    )


def _pack_files(path: Path) -> list[Path]:
    """Return the files that a path of the settings means."""
    name = printable(str(path))
    try:
        files = sorted(
            entry
            for entry in path.iterdir()
            if entry.suffix == ".txt" and not entry.name.startswith(".") and not entry.is_dir()
        )
    except NotADirectoryError:
        return [path]
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None
    if not files:
        raise PackError(f"{name}: no *.txt file in this folder; add one or name a file")
    return files


def _unreadable(name: str, error: OSError | ValueError) -> PackError:
    """Say why a path cannot be read, without the path that the error repeats."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return PackError(f"{name}: {reason}; check the path and its permissions")
