"""The server's own keys: made once, never replaced, refused when others can read them.

Everything is read before the server starts to listen. Must not know who connects, nor which
algorithms are offered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.conch.ssh.keys import Key

from conch_insults.access.key_pair import create_key_pair, public_half, read_private_key
from conch_insults.errors import HostKeyError, KeyFileError, PublicKeyError

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.access.public_key import PublicKey

__all__ = ["create_host_key", "host_key_path", "host_public_keys", "load_host_keys"]

FOLDER = "host"
# The file's name by the type of the key in it; the first is the one that must be there.
_NAMES = {"ssh-ed25519": "ssh_host_ed25519_key", "ssh-rsa": "ssh_host_rsa_key"}


def host_key_path(keys_dir: Path, key_type: str = "ssh-ed25519") -> Path:
    """Return where the host key of a type is kept."""
    return keys_dir / FOLDER / _NAMES[key_type]


def create_host_key(keys_dir: Path) -> bool:
    """Create the Ed25519 host key; return False and leave it as it is when it is there.

    Raises:
        HostKeyError: it cannot be written.
    """
    path = host_key_path(keys_dir)
    try:
        return create_key_pair(path, "conch-insults")
    except OSError as error:
        raise HostKeyError(f"{path}: cannot be created: {error.strerror}") from error


def load_host_keys(keys_dir: Path) -> dict[bytes, Key]:
    """Read the Ed25519 host key, and the RSA one when it is there, by their types.

    Raises:
        HostKeyError: a key is missing, unreadable, malformed, encrypted, or readable by others.
    """
    return {key_type.encode(): key for key_type, (key, _) in _load(keys_dir).items()}


def host_public_keys(keys_dir: Path) -> list[PublicKey]:
    """Return the public host keys, whose fingerprints people compare on their first connection.

    Raises:
        HostKeyError: as `load_host_keys`.
    """
    return [public for _, public in _load(keys_dir).values()]


def _load(keys_dir: Path) -> dict[str, tuple[Key, PublicKey]]:
    found: dict[str, tuple[Key, PublicKey]] = {}
    for key_type in _NAMES:
        path = host_key_path(keys_dir, key_type)
        try:
            private = read_private_key(path)
            public = public_half(private)
        except FileNotFoundError as error:
            if found:
                continue
            raise HostKeyError(_missing(keys_dir, path)) from error
        except KeyFileError as error:
            raise HostKeyError(str(error)) from error
        except PublicKeyError as error:
            raise HostKeyError(f"{path}: {error}") from error
        if public.key_type != key_type:
            raise HostKeyError(f"{path}: holds a key of type {public.key_type}, not {key_type}")
        found[key_type] = (Key(private), public)
    return found


def _missing(keys_dir: Path, path: Path) -> str:
    if not keys_dir.is_dir():
        return (
            f"{keys_dir}: there is no such keys directory: run `conch-insults init`,"
            " or set access.keys_dir"
        )
    return f"{path}: there is no host key: run `conch-insults init`"
