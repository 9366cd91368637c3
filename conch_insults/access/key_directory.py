"""Letting keys in and out: changes to the files in authorized_keys.d.

Whatever else a file holds stays byte for byte as it was, and two changes at the same time both
count. Must not know of commands, nor of the sessions that a key has open.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from conch_insults.access.authorized_keys import (
    MAXIMUM_FILE_BYTES,
    Entry,
    KeyFile,
    KeyRules,
    key_in_line,
    parse_file,
    parse_line,
)
from conch_insults.access.durable_files import make_directory, replace_file
from conch_insults.access.key_files import (
    FOLDER,
    KeyFiles,
    authorized_keys_path,
    is_user_name,
    read_key_file,
)
from conch_insults.access.key_options import parse_options
from conch_insults.access.locked_files import changing
from conch_insults.access.public_key import tidy_comment
from conch_insults.errors import KeyFileError, PublicKeyError, at_line

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.access.public_key import PublicKey

__all__ = ["add_keys", "make_key_directory", "read_user", "remove_key", "users"]

DIRECTORY_MODE = 0o755
# A carriage return ends no line here, as it would for splitlines.
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_DEFAULT_RULES = KeyRules()


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


def read_user(keys_dir: Path, user: str, *, rules: KeyRules = _DEFAULT_RULES) -> KeyFile:
    """Return what a user's file holds, by what the settings ask of its lines.

    Links that stay in the keys directory are followed, as the policy does; whether others may
    write to the file is not asked.

    Raises:
        KeyFileError: there is no such file, or it cannot be read.
    """
    path = authorized_keys_path(keys_dir, user)
    try:
        file = KeyFiles(keys_dir, strict_modes=False).read(path, MAXIMUM_FILE_BYTES)
    except FileNotFoundError as error:
        raise KeyFileError(f"{path}: there is no such file: {user} has no keys") from error
    return parse_file(file.content, str(path), rules=rules)


def add_keys(  # noqa: PLR0913 - what and whose, on which terms, by which rules
    keys_dir: Path,
    user: str,
    content: bytes,
    name: str,
    *,
    options: str = "",
    rules: KeyRules = _DEFAULT_RULES,
) -> tuple[Entry, ...]:
    """Add every key of `content` to a user's file, or none of them.

    Args:
        keys_dir: the keys directory; made when it is missing.
        user: whose keys they are.
        content: lines as in a `.pub` or authorized_keys file.
        name: what to call `content` in an error.
        options: options for each of the keys, after those that its line has.
        rules: what the settings ask of a line.

    Returns:
        The keys with their options, as the user's file holds them now.

    Raises:
        PublicKeyError: `content` holds no key or a line that cannot be used, or the options cannot
            stand before one of its keys.
        KeyFileError: a key is there already, or the file cannot be changed.
    """
    path = authorized_keys_path(keys_dir, user)
    entries = tuple(
        _with_options(entry, options, name, rules) for entry in _new_entries(content, name, rules)
    )
    make_key_directory(keys_dir)
    with changing(path, read_key_file) as file:
        before = file.content if file else b""
        _refuse_keys_there(before, path, entries, rules)
        if before and not before.endswith(b"\n"):
            before += b"\n"
        after = before + "".join(f"{entry.text}\n" for entry in entries).encode()
        written = parse_file(after, str(path), rules=rules).entries[-len(entries) :]
        if [replace(entry, line=0) for entry in written] != [
            replace(entry, line=0) for entry in entries
        ]:
            raise KeyFileError(f"{path}: has no room for {len(entries)} more keys: remove some")
        replace_file(path, after, file.status if file else None)
    return written


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
    with changing(path, read_key_file) as file:
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


def _new_entries(content: bytes, name: str, rules: KeyRules) -> tuple[Entry, ...]:
    """Parse what somebody wants to add, where one bad line is one too many."""
    parsed = parse_file(content, name, rules=rules)
    if parsed.problems:
        raise PublicKeyError(parsed.problems[0])
    if not parsed.entries:
        raise PublicKeyError(f"{name}: holds no public key")
    lines: dict[bytes, int] = {}
    for entry in parsed.entries:
        first = lines.setdefault(entry.key.blob, entry.line)
        if first != entry.line:
            raise PublicKeyError(at_line(name, entry.line, f"is the same key as on line {first}"))
    return tuple(
        replace(entry, key=replace(entry.key, comment=tidy_comment(entry.key.comment)))
        for entry in parsed.entries
    )


def _with_options(entry: Entry, options: str, name: str, rules: KeyRules) -> Entry:
    """Put options behind those that an entry has, and read back the line that comes of it."""
    if not options:
        return entry
    text = ",".join(filter(None, (entry.options.text, options)))
    try:
        changed = replace(entry, options=parse_options(text, rules.permitted_environment))
        parse_line(changed.text.encode(), entry.line, rules=rules)
    except PublicKeyError as error:
        reason = f"with the options {options[:80]!a}: {error}"
        raise PublicKeyError(at_line(name, entry.line, reason)) from error
    return changed


def _refuse_keys_there(
    content: bytes, path: Path, entries: tuple[Entry, ...], rules: KeyRules
) -> None:
    new = {entry.key.blob: entry.key.fingerprint for entry in entries}
    for number, line in enumerate(content.split(b"\n"), 1):
        key = key_in_line(line)
        if key and key.blob in new:
            reason = f"holds {new[key.blob]} already"
            try:
                parse_line(line, number, rules=rules)
            except PublicKeyError as error:
                reason += f", but {error}"
            raise KeyFileError(at_line(path, number, reason))
