"""Where the keys directory keeps what, and how it is read without being fooled.

Only a valid user name ever becomes part of a path; only a regular file of bounded size that no
stranger could have written is read, and no link leads out of the directory. What a file means is
not known here.
"""

from __future__ import annotations

import os
import re
import stat
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES, too_large
from conch_insults.access.regular_files import Snapshot, read_regular_file
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FOLDER",
    "KeyFiles",
    "KeyFolderError",
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


class KeyFolderError(KeyFileError):
    """A directory that nothing is read from: missing, not to be searched, or open to others."""


class _Found(NamedTuple):
    """A file behind all links, its status, and to whom the keys directory belongs."""

    path: Path
    status: os.stat_result
    owner: int


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
    """Read one authorized_keys file to change it; links are not followed.

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
            KeyFolderError: nothing in its directory may be.
        """
        return version_of(self._look_at(path).status)

    def read(self, path: Path, limit: int) -> Snapshot:
        """Read a file of at most `limit` bytes.

        Raises:
            FileNotFoundError: there is none.
            KeyFileError: it cannot be read, must not be, or is larger.
            KeyFolderError: nothing in its directory may be.
        """
        found = self._look_at(path)
        self._check(path, found.status, found.status.st_size, limit, found.owner)
        try:
            file = read_regular_file(found.path, limit + 1, follow_link=False)
        except FileNotFoundError as error:
            # Only the next look can tell a file that was taken away from one that was replaced.
            raise KeyFileError(f"{path}: went away while it was read") from error
        # It may be another one than was looked at.
        self._check(path, file.status, len(file.content), limit, found.owner)
        return file

    def _look_at(self, path: Path) -> _Found:
        """Find a file behind links that stay inside, in directories that can be trusted."""
        try:
            folders = _folders(self._root, path)
            owner = folders[-1][1].st_uid
            for folder, status in folders:
                if not _is_link(status):
                    self._refuse_strangers(folder, status, owner, KeyFolderError)
            found = _Found(path, os.lstat(path), owner)
        except FileNotFoundError as error:
            # A directory that is gone, such as a disk's, says nothing of who may come in.
            if os.path.isdir(path.parent):  # noqa: PTH112 - a Path's may raise an error
                raise
            raise KeyFolderError(
                f"{path.parent}: there is no such directory: run `conch-insults init`"
            ) from error
        except OSError as error:
            raise KeyFolderError(f"{path.parent}: cannot be searched: {error.strerror}") from error
        if _is_link(found.status) or any(_is_link(status) for _, status in folders):
            return self._look_behind_links(path, owner)
        return found

    def _look_behind_links(self, path: Path, owner: int) -> _Found:
        try:
            root, real = self._root.resolve(strict=True), path.resolve(strict=True)
            if not real.is_relative_to(root):
                raise KeyFileError(f"{path}: is a link out of the keys directory")
            for folder, status in _folders(root, real):
                self._refuse_strangers(folder, status, owner)
            return _Found(real, os.lstat(real), owner)
        except FileNotFoundError as error:
            raise KeyFileError(f"{path}: is a link that leads nowhere") from error
        # What `resolve` raises for a circle depends on Python's version.
        except (OSError, RuntimeError) as error:
            raise KeyFileError(f"{path}: is a link that cannot be followed") from error

    def _check(self, path: Path, status: os.stat_result, size: int, limit: int, owner: int) -> None:
        if size > limit:
            raise KeyFileError(f"{path}: is larger than {limit} bytes: nothing in it is used")
        self._refuse_strangers(path, status, owner)

    def _refuse_strangers(
        self,
        path: Path,
        status: os.stat_result,
        owner: int,
        error: type[KeyFileError] = KeyFileError,
    ) -> None:
        if not self._strict_modes:
            return
        if status.st_mode & _WRITABLE_BY_OTHERS:
            raise error(
                f"{path}: others may write to it: run `chmod go-w {path}`,"
                " or set access.strict_modes = false"
            )
        if status.st_uid not in {0, owner} and status.st_uid != os.geteuid():
            raise error(
                f"{path}: belongs to user {status.st_uid}, who could write to it: give it to"
                " whom the keys directory belongs to, or set access.strict_modes = false"
            )


def _folders(root: Path, path: Path) -> list[tuple[Path, os.stat_result]]:
    """Return the directories that a file is in, up to the root, each with its status.

    Links below the root have the status of links.
    """
    *below, top = _above(root, path.parent)
    return [*((folder, os.lstat(folder)) for folder in below), (top, top.stat())]


# Every login asks for the same two, and paths are dear to take apart.
@lru_cache(maxsize=16)
def _above(root: Path, folder: Path) -> tuple[Path, ...]:
    """Return a directory and those that it is in, up to the root."""
    above = (folder, *folder.parents)
    return above[: above.index(root) + 1] if root in above else above


def _is_link(status: os.stat_result) -> bool:
    return stat.S_ISLNK(status.st_mode)
