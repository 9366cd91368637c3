"""Letting keys in and out: changes to the files in authorized_keys.d.

Whatever else a file holds stays byte for byte as it was, and two changes at the same time both
count. Must not know of commands, nor of the sessions that a key has open.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from typing import TYPE_CHECKING

from conch_insults.access.authorized_keys import Entry, KeyFile, key_in_line, parse_file, parse_line
from conch_insults.access.durable_files import make_directory, replace_file
from conch_insults.access.key_files import (
    FOLDER,
    authorized_keys_path,
    is_user_name,
    read_key_file,
)
from conch_insults.access.public_key import MINIMUM_RSA_BITS
from conch_insults.errors import KeyFileError, PublicKeyError, at_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conch_insults.access.public_key import PublicKey
    from conch_insults.access.regular_files import Snapshot

__all__ = ["add_keys", "make_key_directory", "read_user", "remove_key", "users"]

DIRECTORY_MODE = 0o755
# A carriage return ends no line here, as it would for splitlines.
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


def make_key_directory(keys_dir: Path) -> bool:
    """Make the keys directory and its authorized_keys.d; return False when both are there.

    Raises:
        KeyFileError: they cannot be made.
    """
    try:
        made = make_directory(keys_dir, DIRECTORY_MODE)
        return make_directory(keys_dir / FOLDER, DIRECTORY_MODE) or made
    except OSError as error:
        raise KeyFileError(f"{error.filename}: cannot be made: {error.strerror}") from error


def users(keys_dir: Path) -> list[str]:
    """Return the names of everybody who has a file, sorted.

    Raises:
        KeyFileError: the keys directory is missing or cannot be read.
    """
    folder = keys_dir / FOLDER
    try:
        return sorted(path.name for path in folder.iterdir() if is_user_name(path.name))
    except OSError as error:
        raise KeyFileError(
            f"{folder}: cannot be read: {error.strerror}: run `conch-insults init`"
        ) from error


def read_user(keys_dir: Path, user: str) -> KeyFile:
    """Return what a user's file holds.

    Raises:
        KeyFileError: there is no such file, or it cannot be read.
    """
    path = authorized_keys_path(keys_dir, user)
    try:
        return parse_file(read_key_file(path).content, str(path))
    except FileNotFoundError as error:
        raise KeyFileError(f"{path}: there is no such file: {user} has no keys") from error


def add_keys(
    keys_dir: Path,
    user: str,
    content: bytes,
    name: str,
    *,
    minimum_rsa_bits: int = MINIMUM_RSA_BITS,
) -> tuple[PublicKey, ...]:
    """Add every key of `content` to a user's file, or none of them.

    Args:
        keys_dir: the keys directory; made when it is missing.
        user: whose keys they are.
        content: lines as in a `.pub` or authorized_keys file.
        name: what to call `content` in an error.
        minimum_rsa_bits: an RSA key of fewer is refused.

    Returns:
        The keys, in the order of their lines.

    Raises:
        PublicKeyError: `content` holds no key or a line that cannot be used.
        KeyFileError: a key is there already, or the file cannot be changed.
    """
    path = authorized_keys_path(keys_dir, user)
    entries = _new_entries(content, name, minimum_rsa_bits)
    make_key_directory(keys_dir)
    with _changing(path) as file:
        before = file.content if file else b""
        _refuse_keys_there(before, path, entries)
        if before and not before.endswith(b"\n"):
            before += b"\n"
        after = before + "".join(f"{entry.text}\n" for entry in entries).encode()
        understood = {entry.key.blob for entry in parse_file(after, str(path)).entries}
        if not understood.issuperset(entry.key.blob for entry in entries):
            raise KeyFileError(f"{path}: has no room for {len(entries)} more keys: remove some")
        replace_file(path, after, file.status if file else None)
    return tuple(entry.key for entry in entries)


def remove_key(keys_dir: Path, user: str, fingerprint: str) -> PublicKey:
    """Remove one key from a user's file, with its line; return the key.

    A line that cannot be used, because of an option that is not understood, goes as well.

    Args:
        keys_dir: the keys directory.
        user: whose key it is.
        fingerprint: the key's SHA256 fingerprint as OpenSSH prints it.

    Raises:
        KeyFileError: the user has no such key, or the file cannot be changed.
    """
    path = authorized_keys_path(keys_dir, user)
    with _changing(path) as file:
        if file is None:
            raise KeyFileError(f"{path}: there is no such file: {user} has no keys")
        removed: PublicKey | None = None
        kept: list[bytes] = []
        for line in _LINE.findall(file.content):
            key = key_in_line(line)
            if key and key.fingerprint == fingerprint:
                removed = key
            else:
                kept.append(line)
        if removed is None:
            raise KeyFileError(
                f"{path}: holds no key {fingerprint[:64]!a}:"
                f" `conch-insults keys list {user}` shows those it holds"
            )
        replace_file(path, b"".join(kept), file.status)
    return removed


def _new_entries(content: bytes, name: str, minimum_rsa_bits: int) -> tuple[Entry, ...]:
    """Parse what somebody wants to add, where one bad line is one too many."""
    parsed = parse_file(content, name, minimum_rsa_bits=minimum_rsa_bits)
    if parsed.problems:
        raise PublicKeyError(parsed.problems[0])
    if not parsed.entries:
        raise PublicKeyError(f"{name}: holds no public key")
    lines: dict[bytes, int] = {}
    for entry in parsed.entries:
        first = lines.setdefault(entry.key.blob, entry.line)
        if first != entry.line:
            raise PublicKeyError(at_line(name, entry.line, f"is the same key as on line {first}"))
    return parsed.entries


def _refuse_keys_there(content: bytes, path: Path, entries: tuple[Entry, ...]) -> None:
    new = {entry.key.blob: entry.key.fingerprint for entry in entries}
    for number, line in enumerate(content.split(b"\n"), 1):
        key = key_in_line(line)
        if key and key.blob in new:
            reason = f"holds {new[key.blob]} already"
            try:
                parse_line(line, number)
            except PublicKeyError as error:
                reason += f", but {error}"
            raise KeyFileError(at_line(path, number, reason))


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[Snapshot | None]:
    """Hold everybody else off the folder while one file in it changes; None when there is no file.

    Raises:
        KeyFileError: the file cannot be read or written.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield _read_if_there(path)
        finally:
            os.close(folder)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be changed: {error.strerror}") from error


def _read_if_there(path: Path) -> Snapshot | None:
    try:
        return read_key_file(path)
    except FileNotFoundError:
        return None
