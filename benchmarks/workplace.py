"""A folder with what all servers are given: one host key, who may come in, the table of insults.

Lives in a temporary folder and goes with it; nothing is written into the project.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.client import public_blob
from benchmarks.table import topics_of, write_table

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["USER", "Workplace"]

USER = "bench"


class Workplace:
    """The folder, made anew.

    Args:
        folder: an empty one.
        texts: how many texts the table has.
        users: how many may come in; where it is one, its name is `USER`, else numbers follow.

    Attributes:
        texts: as above.
        topics: how many topics these are about.
        host_key: the private key's file.
        keys_dir: as ours wants it.
        authorized_keys: as all others want it.
        packs: the table's files.
        table: the first of them, and the only one of a table that all servers are given.
    """

    def __init__(self, folder: Path, texts: int = 1000, users: int = 1) -> None:
        self.folder, self.texts, self.topics = folder, texts, topics_of(texts)
        self.keys_dir = folder / "keys"
        authorized = self.keys_dir / "authorized_keys.d"
        (self.keys_dir / "host").mkdir(parents=True)
        authorized.mkdir()
        for each in (folder, self.keys_dir, self.keys_dir / "host", authorized):
            each.chmod(0o755)
        self.host_key = self.keys_dir / "host" / "ssh_host_ed25519_key"
        _write(self.host_key, _private_key(), 0o600)
        for number in range(users):
            name = USER if users == 1 else f"{USER}{number}"
            _write(authorized / name, _line(number), 0o644)
        self.authorized_keys = folder / "authorized_keys"
        _write(self.authorized_keys, _line(0), 0o644)
        self.packs = write_table(folder, texts)
        self.table = self.packs[0]


def _private_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    )


def _line(seed: int) -> bytes:
    return b"ssh-ed25519 " + base64.b64encode(public_blob(seed)) + b" bench\n"


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    path.chmod(mode)
