"""What the files that decide about people look like from outside, to see when they have changed.

A look is a system call or two for each file and reads nothing, so that everybody who is in can be
looked after every second. What the files say must not be known here.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.access.key_files import (
    FOLDER,
    is_user_name,
    revoked_keys_path,
    user_ca_path,
    version_of,
)
from conch_insults.access.known_files import SETTLED_AFTER

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from datetime import datetime
    from pathlib import Path

__all__ = ["KeysWatch", "Standing"]


class Standing(NamedTuple):
    """What decisions about one user depend on.

    Attributes:
        versions: equal as long as nothing has changed that can be seen.
        settled: whether a change from now on must be seen: it comes too late to look like the
            last one.
    """

    versions: Hashable
    settled: bool


class KeysWatch:
    """Looks at the files of a keys directory.

    Args:
        keys_dir: the directory.
    """

    def __init__(self, keys_dir: Path) -> None:
        self._keys_dir = str(keys_dir)
        self._folder = str(keys_dir / FOLDER)
        self._shared = (str(revoked_keys_path(keys_dir)), str(user_ca_path(keys_dir)))

    def look(self, users: Iterable[str], now: datetime) -> dict[str, Standing]:
        """Return the standing of each of these users.

        Args:
            users: names, of which some may be none that a user can have.
            now: the time.
        """
        files = [_file(path) for path in self._shared]
        shared = (_folder(self._keys_dir), _folder(self._folder), *(seen for seen, _ in files))
        shared_changed = max(changed for _, changed in files)
        # In ns since 1970, as the times of files.
        long_ago = (now.timestamp() - SETTLED_AFTER) * 1e9
        found = {}
        for user in users:
            own, changed = _file(f"{self._folder}/{user}") if is_user_name(user) else (None, 0)
            settled = max(changed, shared_changed) <= long_ago
            found[user] = Standing((shared, own), settled)
        return found


def _file(path: str) -> tuple[Hashable, int]:
    """Return what is to be seen of a file, or of a link and what is behind it, and its ctime."""
    try:
        status = os.lstat(path)
    except OSError as error:
        return error.errno, 0
    version = version_of(status)
    if not stat.S_ISLNK(status.st_mode):
        return version, version.changed
    try:
        behind = version_of(os.stat(path))  # noqa: PTH116 - a Path costs more than the call
    except OSError as error:
        return (version, error.errno), version.changed
    return (version, behind), max(version.changed, behind.changed)


def _folder(path: str) -> Hashable:
    """Return what of a folder decides whether its files may be trusted; not when it changed."""
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
    except OSError as error:
        return error.errno
    return status.st_dev, status.st_ino, status.st_mode, status.st_uid
