"""A keys directory for tests of the policy, and what the policy says and reads.

folder = KeysFolder(tmp_path)
folder.let_in("alice", f'from="192.0.2.0/24" {ALICE.line}')
folder.ask("alice", ALICE)                                 # a Grant or a Refusal
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from conch_insults.access import key_files
from conch_insults.access.certificate import Certificate, parse_certificate_line
from conch_insults.access.certified_key import certificate_name
from conch_insults.access.grants import ANYBODY, Grant, Offer, Refusal
from conch_insults.access.policy import AccessRules, Policy
from conch_insults.access.regular_files import Snapshot, read_regular_file
from conch_insults.access.signature import Proof

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conch_insults.access.public_key import PublicKey

__all__ = [
    "EARLIER",
    "HERE",
    "NOW",
    "TOUCHED",
    "KeysFolder",
    "certificate_in",
    "granted",
    "refused",
]

HERE = "192.0.2.1"
# Long after every file was written, so that what was read may be kept.
NOW = datetime(2100, 1, 1, tzinfo=UTC)
# Before they were: nothing read counts as settled.
EARLIER = datetime(2000, 1, 1, tzinfo=UTC)
# What a good signature of a security key says, of which nobody asked for more.
TOUCHED = Proof(touched=True, verified=False)


class KeysFolder:
    """A keys directory with a policy over it; `reports` is what that has reported."""

    def __init__(self, parent: Path, rules: AccessRules | None = None) -> None:
        self.path = parent / "keys"
        self.users = self.path / "authorized_keys.d"
        self.users.mkdir(parents=True)
        # Whatever the umask of whoever runs this says.
        self.path.chmod(0o755)
        self.users.chmod(0o755)
        self.reports: list[str] = []
        self.policy = Policy(self.path, self.reports.append, rules)

    @property
    def revoked(self) -> Path:
        return self.path / "revoked_keys"

    @property
    def authorities(self) -> Path:
        return self.path / "user_ca.pub"

    def rule(self, rules: AccessRules) -> None:
        """Have a new policy, which knows nothing yet."""
        self.policy = Policy(self.path, self.reports.append, rules)

    def let_in(self, user: str, *lines: str) -> Path:
        """Write the lines of a user's file, and return it."""
        return self.write(self.users / user, *lines)

    def write(self, path: Path, *lines: str) -> Path:
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        path.chmod(0o644)
        return path

    def ask(
        self,
        user: str,
        key: PublicKey | Certificate | None,
        *,
        key_type: str | None = None,
        address: str = HERE,
        proof: Proof | None = None,
        now: datetime = NOW,
    ) -> Grant | Refusal:
        """Ask for a user, with a key or certificate, or with nothing."""
        blob = key.blob if key else b""
        if key_type is None:
            key_type = _algorithm(key) if key else ANYBODY
        return self.policy.decide(Offer(user, key_type, blob, address, proof), now)

    @contextlib.contextmanager
    def reading(self) -> Iterator[list[str]]:
        """Note the names of files that are read meanwhile."""
        read: list[str] = []

        def noting(path: Path, limit: int, *, follow_link: bool) -> Snapshot:
            read.append(path.name)
            return read_regular_file(path, limit, follow_link=follow_link)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(key_files, "read_regular_file", noting)
            yield read


def _algorithm(key: PublicKey | Certificate) -> str:
    if isinstance(key, Certificate):
        return certificate_name(_algorithm(key.key))
    return "rsa-sha2-512" if key.key_type == "ssh-rsa" else key.key_type


def granted(decision: Grant | Refusal) -> Grant:
    """Return the grant that a decision must be."""
    assert isinstance(decision, Grant), decision
    return decision


def refused(decision: Grant | Refusal) -> str:
    """Return the reason of the refusal that a decision must be."""
    assert isinstance(decision, Refusal), decision
    return decision.reason


def certificate_in(path: Path) -> Certificate:
    """Return the certificate that ssh-keygen has written."""
    return parse_certificate_line(path.read_text(encoding="utf-8"))
