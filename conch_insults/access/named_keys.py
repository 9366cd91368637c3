"""The keys that somebody means by a user's name, a fingerprint or a file.

For taking access away: also a key that could never come in is found, and one on a line that cannot
be used. What is done with them is not known here.
"""

from __future__ import annotations

import binascii
import contextlib
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.access.authorized_keys import (
    MAXIMUM_FILE_BYTES,
    key_in_line,
    parse_line,
    too_large,
)
from conch_insults.access.key_directory import users
from conch_insults.access.key_files import KeyFiles, authorized_keys_path, user_ca_path
from conch_insults.access.listed_key import listed_blob
from conch_insults.access.public_key import PublicKey, parse_public_key
from conch_insults.errors import KeyFileError, PublicKeyError, at_line
from conch_insults.wire import Fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["UserKeys", "has_authorities", "key_with_fingerprint", "keys_in_file", "keys_of_user"]


class UserKeys(NamedTuple):
    """What is in a user's file: the user's own keys, and authorities, which may sign for others."""

    own: tuple[PublicKey, ...]
    authorities: tuple[PublicKey, ...]


def keys_of_user(keys_dir: Path, user: str) -> UserKeys | None:
    """Return the keys in a user's file, or None when there is no such file.

    Raises:
        KeyFileError: it cannot be read.
    """
    try:
        content = _read(keys_dir, authorized_keys_path(keys_dir, user))
    except FileNotFoundError:
        return None
    own: dict[bytes, PublicKey] = {}
    authorities: dict[bytes, PublicKey] = {}
    for raw in content.split(b"\n"):
        key = key_in_line(raw)
        if key is not None:
            (authorities if _names_authority(raw) else own).setdefault(key.blob, key)
    return UserKeys(tuple(own.values()), tuple(authorities.values()))


def has_authorities(keys_dir: Path) -> bool:
    """Say whether there is a user_ca.pub, whose authorities may let in anybody."""
    return user_ca_path(keys_dir).exists()


def key_with_fingerprint(keys_dir: Path, fingerprint: str) -> PublicKey | None:
    """Look for a key in user_ca.pub and in every user's file; a file that is unreadable is skipped.

    Args:
        keys_dir: the keys directory.
        fingerprint: the key's SHA256 fingerprint as OpenSSH prints it.

    Raises:
        KeyFileError: the keys directory is missing or cannot be read.
    """
    for content in _contents(keys_dir):
        for raw in content.split(b"\n"):
            key = key_in_line(raw)
            if key is not None and key.fingerprint == fingerprint:
                return key
    return None


def keys_in_file(content: bytes, name: str) -> tuple[PublicKey, ...]:
    """Read keys and certificates, a line each, with or without options; of these, their keys.

    Args:
        content: lines as in a `.pub` or authorized_keys file.
        name: what to call the file in an error.

    Raises:
        PublicKeyError: a line is neither, or there are none.
    """
    if len(content) > MAXIMUM_FILE_BYTES:
        raise PublicKeyError(too_large(name))
    keys: dict[bytes, PublicKey] = {}
    for number, line in enumerate(content.split(b"\n"), 1):
        raw = line.strip(b" \t\r")
        if not raw or raw.startswith(b"#"):
            continue
        try:
            key = key_in_line(raw) or _unfit_key(raw)
        except PublicKeyError as error:
            raise PublicKeyError(at_line(name, number, str(error))) from error
        keys.setdefault(key.blob, key)
    if not keys:
        raise PublicKeyError(f"{name}: holds no public key")
    return tuple(keys.values())


def _unfit_key(raw: bytes) -> PublicKey:
    """Read what could never come in by itself: a certificate's key, a weak or a DSA key."""
    text = raw.decode("latin-1").replace("\t", " ")
    _, _, rest = text.partition(" ")
    encoded, _, comment = rest.lstrip(" ").partition(" ")
    try:
        blob = listed_blob(binascii.a2b_base64(encoded, strict_mode=True))
    except (ValueError, PublicKeyError):
        # That fails as well, with a better reason.
        return parse_public_key(text)
    return PublicKey(Fields(blob).string().decode("latin-1"), blob, comment)


def _names_authority(raw: bytes) -> bool:
    with contextlib.suppress(PublicKeyError):
        entry = parse_line(raw, 1)
        return entry is not None and entry.options.is_authority
    # Of a line that cannot be used, nobody knows what it was meant to be.
    return b"cert-authority" in raw.lower()


def _contents(keys_dir: Path) -> Iterator[bytes]:
    paths = [user_ca_path(keys_dir)]
    paths += [authorized_keys_path(keys_dir, user) for user in users(keys_dir)]
    for path in paths:
        with contextlib.suppress(FileNotFoundError, KeyFileError):
            yield _read(keys_dir, path)


def _read(keys_dir: Path, path: Path) -> bytes:
    try:
        return KeyFiles(keys_dir, strict_modes=False).read(path, MAXIMUM_FILE_BYTES).content
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
