"""Keys, certificates and revocation lists by the real ssh-keygen, and what it says of them."""

from __future__ import annotations

import base64
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.certificate import Certificate, parse_certificate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["NEEDS_KEYGEN", "Keygen", "blob_of", "certificate_of"]

NEEDS_KEYGEN = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed"
)


class Keygen:
    """Runs ssh-keygen in a folder, where keys are files named `NAME` and `NAME.pub`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, name: str, *options: str) -> Path:
        """Make a pair, Ed25519 if nothing else is said, and return the public half's path."""
        self.run("-q", *(options or ("-t", "ed25519")), "-N", "", "-C", name, "-f", name)
        return self.folder / f"{name}.pub"

    def certificate(self, key: Path, authority: str, name: str, *options: str) -> Path:
        """Have an authority certify a key; return the path of the certificate."""
        # ssh-keygen names a certificate after its key, of which there can be many.
        copy = self.folder / f"{name}.pub"
        copy.write_bytes(key.read_bytes())
        self.run("-q", "-s", authority, "-n", "alice", *options, copy.name)
        return self.folder / f"{name}-cert.pub"

    def krl(self, name: str, directives: str, *options: str) -> Path:
        """Make a KRL, or update it with `-u`."""
        self.run("-k", "-f", name, *options, "-", given=directives)
        return self.folder / name

    def revoked(self, krl: Path, offered: Sequence[Path]) -> list[bool] | None:
        """Say which of the public keys and certificates a KRL revokes; None if it is malformed."""
        done = self._run("-Q", "-f", str(krl), *(path.name for path in offered))
        answers = [line.rpartition(": ")[2] for line in done.stdout.splitlines()]
        if len(answers) != len(offered):
            assert "Invalid KRL" in done.stderr, done.stderr
            return None
        assert set(answers) <= {"ok", "REVOKED"}
        return [answer == "REVOKED" for answer in answers]

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Run ssh-keygen, which must succeed, and return its output."""
        done = self._run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ssh-keygen", *arguments],
            cwd=self.folder,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )


def blob_of(path: Path) -> bytes:
    """Return the blob in a `.pub` file."""
    return base64.b64decode(path.read_text(encoding="utf-8").split()[1])


def certificate_of(path: Path) -> Certificate | None:
    """Return the certificate in a `.pub` file, or None if it is a plain key."""
    is_plain = not path.stem.endswith("-cert")
    return None if is_plain else parse_certificate(blob_of(path))
