"""Where a user's authorized_keys file is, and how it is read without being fooled.

Only a valid user name ever becomes part of a path; only a regular file of bounded size is read.
What a file means is not known here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES, too_large
from conch_insults.access.regular_files import Snapshot, read_regular_file
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    import os
    from pathlib import Path

__all__ = [
    "FOLDER",
    "Version",
    "authorized_keys_path",
    "is_user_name",
    "read_key_file",
    "version_of",
]

FOLDER = "authorized_keys.d"

_USER_NAME = re.compile(r"[a-z_][a-z0-9_.-]{0,31}", re.ASCII)


class Version(NamedTuple):
    """What is different about a file after it has been changed or replaced; times in ns."""

    device: int
    inode: int
    size: int
    modified: int
    # Also moves with the mode, the owner, and a modification time that somebody set back.
    changed: int


def is_user_name(name: str) -> bool:
    """Say whether `name` may be a user's name, and so a file's."""
    return _USER_NAME.fullmatch(name) is not None


def authorized_keys_path(keys_dir: Path, user: str) -> Path:
    """Return the path of a user's file.

    Raises:
        KeyFileError: `user` is not a user name.
    """
    if not is_user_name(user):
        raise KeyFileError(
            f"{user[:40]!a} is not a user name: use up to 32 of a-z 0-9 _ . - and start with"
            " a letter or _"
        )
    return keys_dir / FOLDER / user


def version_of(status: os.stat_result) -> Version:
    """Return what identifies this version of a file."""
    return Version(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def read_key_file(path: Path) -> Snapshot:
    """Read one authorized_keys file; a symbolic link is refused, since it could lead anywhere.

    Raises:
        FileNotFoundError: there is none.
        KeyFileError: it cannot be read or must not be.
    """
    file = read_regular_file(path, MAXIMUM_FILE_BYTES + 1, follow_link=False)
    if len(file.content) > MAXIMUM_FILE_BYTES:
        raise KeyFileError(too_large(str(path)))
    return file
