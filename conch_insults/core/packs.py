"""Packs: from paths to what can be said.

Decides which format a file is in, refuses a bad file whole, and adds what is built in. Knows
nothing of who is insulted, or of what has been said already.
"""

from __future__ import annotations

import codecs
import functools
from importlib import resources
from pathlib import PurePath
from typing import TYPE_CHECKING

from conch_insults.core.fortune_format import is_fortune, read_fortune
from conch_insults.core.pack_files import MAX_PACK_BYTES, find_pack_files, read_pack_file
from conch_insults.core.pack_model import Pack, Topic, build_pack
from conch_insults.core.pack_text import MAX_INSULT, MAX_TOPIC, fold_topic
from conch_insults.core.printable import printable
from conch_insults.core.talk_format import read_talk
from conch_insults.core.toml_format import read_toml
from conch_insults.core.written_pack import MAX_INSULTS, PackInfo, WrittenPack
from conch_insults.errors import PackError, at_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "MAX_INSULT",
    "MAX_INSULTS",
    "MAX_PACK_BYTES",
    "MAX_TOPIC",
    "Pack",
    "Topic",
    "builtin_pack",
    "builtin_written",
    "fold_topic",
    "parse_pack",
    "parse_written",
    "read_pack",
    "read_packs",
    "read_written",
    "usable",
]


def parse_written(content: bytes, name: str) -> WrittenPack:
    """Read a pack from a file's content; what cannot be used of it is among its problems.

    A name that ends in `.toml` says that it is TOML. Otherwise a line that is a single `%` says
    that it is a fortune file, and what is left is the talk's format.

    Args:
        content: all of the file, in UTF-8.
        name: what errors call the file.

    Raises:
        PackError: it is too large or no text.
    """
    if len(content) > MAX_PACK_BYTES:
        raise PackError(f"{name}: larger than {MAX_PACK_BYTES // 1024**2} MiB; split the pack")
    if PurePath(name).suffix == ".dat" and b"\0" in content:
        raise PackError(f"{name}: an index of strfile's; name the fortune file beside it")
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise PackError(at_line(name, number, "not UTF-8; save the file as UTF-8")) from None
    path = PurePath(name)
    info = PackInfo(path.stem, name)
    if path.suffix == ".toml":
        return read_toml(text, info)
    if is_fortune(text):
        return read_fortune(text, info)
    return read_talk(text, info)


def read_written(path: Path) -> WrittenPack:
    """Read one pack file as `parse_written` does.

    Raises:
        PackError: the file cannot be read, is too large or no text.
    """
    return parse_written(read_pack_file(path), printable(str(path)))


def usable(pack: WrittenPack) -> WrittenPack:
    """Return a pack as it is.

    Raises:
        PackError: it has a problem; the first one is told.
    """
    for line, reason in pack.problems:
        raise PackError(at_line(pack.info.file, line, reason))
    return pack


def parse_pack(content: bytes, name: str) -> Pack:
    """Read a pack from a file's content, see `parse_written`.

    Raises:
        PackError: a line, named by its number, cannot be used; nothing of the file is.
    """
    return build_pack([usable(parse_written(content, name))])


def read_pack(path: Path) -> Pack:
    """Read one pack file.

    Raises:
        PackError: the file cannot be read, or `parse_pack` refuses it.
    """
    return build_pack([usable(read_written(path))])


def read_packs(paths: Iterable[Path], *, offensive: bool = False) -> Pack:
    """Read the built-in packs and, joined with them, the packs given.

    Args:
        paths: files and folders, see `pack_files.find_pack_files`.
        offensive: whether to read what is offensive by its name; what is passed over is told in
            the pack's `skipped`.

    Raises:
        PackError: one of them is missing, unreadable or refused, or a folder holds no pack.
    """
    found = find_pack_files(paths, offensive=offensive)
    written = [usable(read_written(path)) for path in found.files]
    return build_pack([*builtin_written(), *written], found.skipped)


# Cached, so that a reload finds the packs also inside a chroot, where their files are out of reach.
@functools.cache
def builtin_written() -> tuple[WrittenPack, ...]:
    """Return the pack files that come with the product."""
    folder = resources.files("conch_insults").joinpath("packs")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith((".toml", ".txt"))),
        key=lambda file: file.name,
    )
    return tuple(usable(parse_written(file.read_bytes(), str(file))) for file in files)


@functools.cache
def builtin_pack() -> Pack:
    """Return the built-in packs, joined."""
    return build_pack(builtin_written())
