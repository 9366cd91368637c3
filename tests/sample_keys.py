"""Keys for tests, the same in every run, and a look into the folders they are kept in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from conch_insults.access.public_key import PublicKey, parse_public_key

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["names_in", "private_key_text", "public_key", "public_rsa_key"]


def public_key(number: int, comment: str = "") -> PublicKey:
    """Return the Ed25519 key of this number."""
    encoded = _private(number).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return parse_public_key(f"{encoded.decode()} {comment}")


def public_rsa_key() -> PublicKey:
    """Return an RSA key of 2048 bits to which nobody has the private half."""
    encoded = RSAPublicNumbers(65537, (1 << 2047) + 1).public_key()
    return parse_public_key(encoded.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def private_key_text(number: int) -> bytes:
    """Return its private half as OpenSSH keeps it."""
    return _private(number).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def names_in(folder: Path) -> list[str]:
    """Return the names of all files in a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def _private(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
