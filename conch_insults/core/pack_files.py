"""Which files a path of the settings means, and whether they have changed.

A path is a file or a folder. Offensive ones, by the custom of fortune-mod a folder named `off` and
files whose names end in `-o`, are passed over unless they are asked for. Knows nothing of what is
in a pack.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from conch_insults.core.fortune_format import is_fortune
from conch_insults.core.printable import printable
from conch_insults.errors import PackError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "MAX_PACK_BYTES",
    "MAX_PACK_FILES",
    "PackFiles",
    "PackVersions",
    "find_pack_files",
    "is_offensive",
    "pack_versions",
    "read_pack_file",
]

MAX_PACK_BYTES = 4 * 1024 * 1024
"""The most bytes one file may have."""
MAX_PACK_FILES = 1_000
"""The most pack files one folder may have."""

PackVersions: TypeAlias = tuple[tuple[object, ...], ...]
"""What files look like from outside; see `pack_versions`."""

_OFFENSIVE_FOLDER = "off"
_OFFENSIVE_ENDING = "-o"
_SUFFIXES = {".toml", ".txt"}


@dataclass(slots=True)
class PackFiles:
    """What paths mean.

    Attributes:
        files: the pack files, in the order in which they count.
        skipped: a line for each file or folder that was passed over, with the reason.
    """

    files: list[Path] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def find_pack_files(paths: Iterable[Path], *, offensive: bool = False) -> PackFiles:
    """Return the files that paths mean: themselves, or what a folder holds.

    In a folder these are the visible `*.toml` and `*.txt` files, and those without a suffix that
    are fortune files; a file beside them is passed over in silence.

    Args:
        paths: files and folders.
        offensive: whether to take what is offensive by its name, too.

    Raises:
        PackError: a path cannot be read, or a folder holds no pack.
    """
    found = PackFiles()
    for path in paths:
        _find(path, offensive, found)
    return found


def is_offensive(path: Path) -> bool:
    """Whether a file or a folder is offensive by its name or by the folder it is in."""
    return path.stem.endswith(_OFFENSIVE_ENDING) or _OFFENSIVE_FOLDER in {
        path.name,
        path.parent.name,
    }


def read_pack_file(path: Path) -> bytes:
    """Return a file's content, of which there may be one byte more than is allowed.

    Raises:
        PackError: the file cannot be read, or is a pipe.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
                raise PackError(f"{printable(str(path))}: a pipe; save what comes out of it")
            return file.read(MAX_PACK_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def pack_versions(paths: Iterable[Path]) -> PackVersions:
    """Return what tells that a pack file has changed, come or gone, without reading any.

    Two results are equal as long as nothing has happened; a path that cannot be looked at counts
    as one that is not there.
    """
    versions: list[tuple[object, ...]] = []
    for path in paths:
        versions.append((str(path), *_version(path)))
        for folder in (path, path / _OFFENSIVE_FOLDER):
            try:
                entries = _candidates(folder)
            except (OSError, ValueError, PackError):
                continue
            versions += [(str(entry), *_version(entry)) for entry in entries]
    return tuple(versions)


def _find(path: Path, offensive: bool, found: PackFiles) -> None:  # noqa: FBT001 - passed on
    if is_offensive(path) and not offensive:
        found.skipped.append(_skipped(path))
        return
    try:
        entries = _candidates(path)
        subfolder = path / _OFFENSIVE_FOLDER
        has_subfolder = subfolder.is_dir()
    except NotADirectoryError:
        found.files.append(path)
        return
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    before = len(found.files) + len(found.skipped)
    for entry in entries:
        if not _is_pack(entry):
            continue
        if is_offensive(entry) and not offensive:
            found.skipped.append(_skipped(entry))
        else:
            found.files.append(entry)
    if has_subfolder and path.name != _OFFENSIVE_FOLDER:
        _find(subfolder, offensive, found)
    if len(found.files) + len(found.skipped) == before:
        name = printable(str(path))
        raise PackError(
            f"{name}: no *.toml, *.txt or fortune file in this folder; add one or name a file"
        )


def _candidates(folder: Path) -> list[Path]:
    """Return the visible files of a folder that may be packs by their names, sorted."""
    entries = sorted(
        entry
        for entry in folder.iterdir()
        if (entry.suffix in _SUFFIXES or not entry.suffix)
        and not entry.name.startswith(".")
        and entry.is_file()
    )
    if len(entries) > MAX_PACK_FILES:
        name = printable(str(folder))
        raise PackError(f"{name}: more than {MAX_PACK_FILES} files; name the packs one by one")
    return entries


def _is_pack(path: Path) -> bool:
    """Whether a file in a folder is meant: any by its suffix, or one with fortunes in it."""
    if path.suffix:
        return True
    content = read_pack_file(path)
    return b"\0" not in content and is_fortune(content.decode(errors="replace"))


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; a pipe would keep everybody waiting for somebody to write."""
    return os.open(path, flags | os.O_NONBLOCK)


def _version(path: Path) -> tuple[int, ...]:
    try:
        status = os.stat(path)  # noqa: PTH116 - a path with a NUL in it is a ValueError here
    except (OSError, ValueError):
        return ()
    if path.is_dir():
        # What else comes and goes in a folder makes no difference.
        return (status.st_dev, status.st_ino)
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _skipped(path: Path) -> str:
    name = printable(str(path))
    return f"{name}: passed over, offensive by its name; ask for offensive packs to have it"


def _unreadable(path: Path, error: OSError | ValueError) -> PackError:
    """Say why a path cannot be read, without the path that the error repeats."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return PackError(f"{printable(str(path))}: {reason}; check the path and its permissions")
