"""Private keys in files: making a pair as ssh-keygen does, and reading one with suspicion.

A private key is there whole or not at all, is never replaced, and is of no use once others can read
it. Whether it is a host's or a person's is not known here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from conch_insults.access.durable_files import create_file, make_directory
from conch_insults.access.public_key import PublicKey, parse_public_key
from conch_insults.access.regular_files import read_regular_file
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PrivateKey", "create_key_pair", "public_half", "read_private_key"]

PrivateKey: TypeAlias = Ed25519PrivateKey | RSAPrivateKey

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644
DIRECTORY_MODE = 0o700
# An RSA key of the greatest length that ssh-keygen makes takes a fifth of this.
MAXIMUM_PRIVATE_BYTES = 64 * 1024


def create_key_pair(private: Path, comment: str) -> bool:
    """Create an Ed25519 pair without a passphrase, in a folder that only its owner may enter.

    Returns:
        False when the private key is there already; nothing is written then.

    Raises:
        OSError: it cannot be written.
    """
    make_directory(private.parent, DIRECTORY_MODE)
    if os.path.lexists(private):
        return False
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    if not create_file(private, secret, PRIVATE_MODE):
        return False
    public = f"{public_half(key).line} {comment}\n".encode()
    create_file(private.with_name(f"{private.name}.pub"), public, PUBLIC_MODE)
    return True


def read_private_key(path: Path) -> PrivateKey:
    """Read an Ed25519 or RSA key that nobody but its owner can read.

    Raises:
        FileNotFoundError: there is none.
        KeyFileError: it cannot be used.
    """
    content = _read_secret(path)
    try:
        is_openssh = content.startswith(b"-----BEGIN OPENSSH")
        load = load_ssh_private_key if is_openssh else load_pem_private_key
        key = load(content, password=None)
    except TypeError as error:
        raise KeyFileError(
            f"{path}: is encrypted: take the passphrase off with `ssh-keygen -p -f {path}`"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(
            f"{path}: is not a private key: restore it, or move it away and run"
            " `conch-insults init`"
        ) from error
    if not isinstance(key, Ed25519PrivateKey | RSAPrivateKey):
        raise KeyFileError(f"{path}: is neither an Ed25519 nor an RSA key")
    return key


def public_half(key: PrivateKey) -> PublicKey:
    """Return the public key that belongs to a private one.

    Raises:
        PublicKeyError: the key is too weak to be used.
    """
    return parse_public_key(
        key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    )


def _read_secret(path: Path) -> bytes:
    content, status = read_regular_file(path, MAXIMUM_PRIVATE_BYTES, follow_link=True)
    if status.st_mode & 0o077:
        raise KeyFileError(f"{path}: is open to others: run `chmod 600 {path}`")
    if not content.strip():
        raise KeyFileError(
            f"{path}: is empty: restore it, or remove it and run `conch-insults init`"
        )
    return content
