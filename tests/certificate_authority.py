"""Certificates for tests: real ones by ssh-keygen, and drafts that can be wrong in any field.

authority = Authority(folder, "ca", "-t", "ed25519")
authority.certify(public_key_file, "-I", "alice@laptop", "-n", "alice")   # a Path

Draft(key=blob, principals=(b"alice",)).signed()                          # a blob
"""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conch_insults.access.certified_key import certificate_name
from tests.sample_keys import public_key
from tests.software_authenticator import string

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Signer: TypeAlias = "Callable[[bytes], bytes]"

__all__ = [
    "KEY_OPTIONS",
    "Authority",
    "Draft",
    "blob_in",
    "needs_ssh_keygen",
    "pairs",
    "ssh_keygen",
]

needs_ssh_keygen = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed"
)

# What makes ssh-keygen make a key of each type; security keys would need a device.
KEY_OPTIONS = {
    "ssh-ed25519": ("-t", "ed25519"),
    "ssh-rsa": ("-t", "rsa", "-b", "2048"),
    "ecdsa-sha2-nistp256": ("-t", "ecdsa", "-b", "256"),
    "ecdsa-sha2-nistp384": ("-t", "ecdsa", "-b", "384"),
    "ecdsa-sha2-nistp521": ("-t", "ecdsa", "-b", "521"),
}

_AUTHORITY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)


def ssh_keygen(*args: str | Path) -> str:
    """Run ssh-keygen, which must succeed, and return what it says."""
    finished = subprocess.run(
        ["ssh-keygen", *args], capture_output=True, text=True, timeout=30, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def blob_in(path: Path) -> bytes:
    """Return the wire form of what a `.pub` file holds."""
    return b64decode(path.read_text(encoding="utf-8").split()[1])


class Authority:
    """A key pair made by ssh-keygen that signs certificates."""

    def __init__(self, folder: Path, name: str, *options: str) -> None:
        self.private = folder / name
        self.public = folder / f"{name}.pub"
        ssh_keygen("-q", "-N", "", "-C", name, "-f", self.private, *options)

    def certify(self, public: Path, *options: str) -> Path:
        """Sign a public key and return the file with the certificate, written anew each time."""
        ssh_keygen("-q", "-s", self.private, *options, public)
        return public.with_name(f"{public.stem}-cert.pub")


def pairs(*options: tuple[bytes, bytes]) -> bytes:
    """Pack options, each a name and its raw data."""
    return b"".join(string(name) + string(data) for name, data in options)


@dataclass(frozen=True)
class Draft:
    """A certificate to be, with every field raw; `key` and `authority` are plain blobs."""

    key: bytes = public_key(1).blob
    certificate_type: bytes | None = None
    nonce: bytes = b"n" * 32
    serial: int = 7
    kind: int = 1
    key_id: bytes = b"alice@laptop"
    principals: tuple[bytes, ...] = (b"alice",)
    valid_after: int = 0
    valid_before: int = 2**64 - 1
    critical: bytes = b""
    extensions: bytes = b""
    reserved: bytes = b""
    authority: bytes = string(b"ssh-ed25519") + string(
        _AUTHORITY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    )

    def signed(self, sign: Signer | None = None) -> bytes:
        """Return the wire form; `sign` returns a signature's wire form."""
        sign = sign or (lambda data: string(b"ssh-ed25519") + string(_AUTHORITY.sign(data)))
        return self.body + string(sign(self.body))

    @property
    def body(self) -> bytes:
        """All that is signed."""
        plain_size = int.from_bytes(self.key[:4], "big")
        plain = self.key[4 : 4 + plain_size].decode()
        name = self.certificate_type or certificate_name(plain).encode()
        return b"".join(
            (
                string(name),
                string(self.nonce),
                self.key[4 + plain_size :],
                self.serial.to_bytes(8, "big"),
                self.kind.to_bytes(4, "big"),
                string(self.key_id),
                string(b"".join(map(string, self.principals))),
                self.valid_after.to_bytes(8, "big"),
                self.valid_before.to_bytes(8, "big"),
                string(self.critical),
                string(self.extensions),
                string(self.reserved),
                string(self.authority),
            )
        )
