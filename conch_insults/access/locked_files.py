"""Changing a file that others may be changing too.

Whoever changes a file holds the lock of its folder meanwhile, so that no change is lost. What the
files hold is not known here.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conch_insults.access.regular_files import Snapshot

__all__ = ["changing"]


@contextlib.contextmanager
def changing(path: Path, read: Callable[[Path], Snapshot]) -> Iterator[Snapshot | None]:
    """Hold everybody else off the folder while one file in it changes; None when there is no file.

    Args:
        path: the file.
        read: reads it, once the lock is held.

    Raises:
        KeyFileError: the file cannot be read or written.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield _read_if_there(path, read)
        finally:
            os.close(folder)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be changed: {error.strerror}") from error


def _read_if_there(path: Path, read: Callable[[Path], Snapshot]) -> Snapshot | None:
    try:
        return read(path)
    except FileNotFoundError:
        return None
