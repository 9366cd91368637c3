"""Where the keys directory keeps what, and how it is read without being fooled.

Only a valid user name ever becomes part of a path; only a regular file of bounded size that no
stranger could have written is read, and no link leads out of the directory. What a file means is
not known here.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES, too_large
from conch_insults.access.regular_files import Snapshot, read_regular_file
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FOLDER",
    "KeyFiles",
    "Version",
    "authorized_keys_path",
    "is_user_name",
    "read_key_file",
    "revoked_keys_path",
    "user_ca_path",
    "version_of",
]

FOLDER = "authorized_keys.d"

_USER_NAME = re.compile(r"[a-z_][a-z0-9_.-]{0,31}", re.ASCII)
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


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


def user_ca_path(keys_dir: Path) -> Path:
    """Return the path of the file with the authorities whose user certificates count."""
    return keys_dir / "user_ca.pub"


def revoked_keys_path(keys_dir: Path) -> Path:
    """Return the path of the list of keys that count no more."""
    return keys_dir / "revoked_keys"


def version_of(status: os.stat_result) -> Version:
    """Return what identifies this version of a file."""
    return Version(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def read_key_file(path: Path) -> Snapshot:
    """Read one authorized_keys file to show or change it; links are not followed.

    Raises:
        FileNotFoundError: there is none.
        KeyFileError: it cannot be read or must not be.
    """
    file = read_regular_file(path, MAXIMUM_FILE_BYTES + 1, follow_link=False)
    if len(file.content) > MAXIMUM_FILE_BYTES:
        raise KeyFileError(too_large(str(path)))
    return file


class KeyFiles:
    """Reads the files of one keys directory.

    Args:
        keys_dir: the directory.
        strict_modes: whether files and directories that others may write to are refused, as
            sshd_config(5) StrictModes has it: neither group nor world may write, and the owner is
            root, this process's user, or the owner of the directory.
    """

    def __init__(self, keys_dir: Path, *, strict_modes: bool = True) -> None:
        self._root = keys_dir
        self._strict_modes = strict_modes

    def version(self, path: Path) -> Version:
        """Look at a file without reading it.

        Raises:
            FileNotFoundError: there is none.
            KeyFileError: it is none that may be read.
            OSError: it cannot be looked at.
        """
        return version_of(self._look_at(path)[1])

    def read(self, path: Path, limit: int) -> Snapshot:
        """Read a file of at most `limit` bytes.

        Raises:
            FileNotFoundError: there is none.
            KeyFileError: it cannot be read, must not be, or is larger.
        """
        real, _ = self._look_at(path)
        file = read_regular_file(real, limit + 1, follow_link=False)
        if len(file.content) > limit:
            raise KeyFileError(f"{path}: is larger than {limit} bytes: nothing in it is used")
        if self._strict_modes:
            self._refuse_strangers(path, file.status)
        return file

    def _look_at(self, path: Path) -> tuple[Path, os.stat_result]:
        """Find a file behind links that stay inside, in directories that can be trusted."""
        root, real, status = self._root, path, os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            try:
                root, real = root.resolve(strict=True), path.resolve(strict=True)
            except FileNotFoundError as error:
                raise KeyFileError(f"{path}: is a link that leads nowhere") from error
            # What `resolve` raises for a circle depends on Python's version.
            except (OSError, RuntimeError) as error:
                raise KeyFileError(f"{path}: is a link that cannot be followed") from error
            if not real.is_relative_to(root):
                raise KeyFileError(f"{path}: is a link out of the keys directory")
            status = os.lstat(real)
        if self._strict_modes:
            for folder in real.parents:
                self._refuse_strangers(folder, folder.stat())
                if folder == root:
                    break
        return real, status

    def _refuse_strangers(self, path: Path, status: os.stat_result) -> None:
        if status.st_mode & _WRITABLE_BY_OTHERS:
            raise KeyFileError(
                f"{path}: others may write to it: run `chmod go-w {path}`,"
                " or set access.strict_modes = false"
            )
        if status.st_uid not in {0, os.geteuid()} and status.st_uid != self._root.stat().st_uid:
            raise KeyFileError(
                f"{path}: belongs to user {status.st_uid}, who could write to it: give it to"
                " whom the keys directory belongs to, or set access.strict_modes = false"
            )
