"""Reading a file that somebody else may have put there.

Only a regular file is read, only so much of it, and opening never waits. What the bytes mean is not
known here.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Snapshot", "read_regular_file"]


class Snapshot(NamedTuple):
    """A file's content, and its status just before it was read."""

    content: bytes
    status: os.stat_result


def read_regular_file(path: Path, limit: int, *, follow_link: bool) -> Snapshot:
    """Read the first `limit` bytes of a file.

    Args:
        path: the file.
        limit: the most bytes to read.
        follow_link: whether `path` itself may be a symbolic link.

    Raises:
        FileNotFoundError: there is none.
        KeyFileError: it cannot be read, or is no regular file.
    """
    # Opening a pipe would wait for somebody to write.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_link else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileError(f"{path}: is not a regular file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return Snapshot(file.read(limit), status)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        is_link = not follow_link and path.is_symlink()
        reason = "is a symbolic link" if is_link else f"cannot be read: {error.strerror}"
        raise KeyFileError(f"{path}: {reason}") from error
