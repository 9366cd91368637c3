"""The words of the tables that say what sshd, and this server, decide.

A row is a `Case`: what an operator has written, what somebody offers, and what comes of it. In
files, keys of the `Wallet` stand by name, such as `{key}`; that one is offered if no other is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from tests.identities import key
from tests.offering_client import LOOPBACK, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.identities import Recipe, Wallet
    from tests.real_sshd import Files

    Revoked: TypeAlias = "str | Callable[[Wallet], bytes]"

__all__ = ["NO", "NO_PTY", "YES", "Case", "Difference", "runs"]

NO = None
YES = Verdict()
NO_PTY = Verdict(pty=False)


def runs(said: str, *, pty: bool = True) -> Verdict:
    """Say yes, and what a command then says."""
    return Verdict(pty, f"{said}\n")


@dataclass(frozen=True)
class Difference:
    """What this server decides on purpose where sshd decides otherwise.

    Attributes:
        ours: the decision.
        why: the reason.
        is_newer_sshd: whether newer versions of sshd have come to the same decision.
    """

    ours: Verdict | None
    why: str
    is_newer_sshd: bool = False


@dataclass(frozen=True)
class Case:
    """One question, and sshd's answer.

    Attributes:
        name: what is particular about it.
        sshd: what sshd decides, and this server too unless it `differs`.
        lines: the lines of the user's file, where there is one.
        offer: what is offered.
        authorities: the lines of `user_ca.pub`, where there is one.
        revoked: the content of `revoked_keys`, where there is one.
        address: where the client comes from.
        differs: this server's own decision.
    """

    name: str
    sshd: Verdict | None
    lines: tuple[str, ...] | None = None
    offer: Recipe = field(default_factory=key)
    authorities: tuple[str, ...] | None = None
    revoked: Revoked | None = None
    address: str = LOOPBACK
    differs: Difference | None = None

    @property
    def ours(self) -> Verdict | None:
        return self.differs.ours if self.differs else self.sshd

    @property
    def setting(self) -> tuple[str, bool, bool]:
        """How sshd is started for it: from where, and with which files."""
        return self.address, self.authorities is not None, self.revoked is not None

    @property
    def is_run(self) -> bool:
        """Whether a command is run to see which one it is."""
        return any(verdict and verdict.said is not None for verdict in (self.sshd, self.ours))

    def may_be_taken(self, *, taken: bool) -> bool:
        """Say whether sshd may have taken the offer or not; not all versions do the same."""
        newer = self.differs is not None and self.differs.is_newer_sshd
        return taken == (self.sshd is not None) or (newer and taken == (self.ours is not None))

    def write(self, files: Files, user: str, wallet: Wallet) -> None:
        """Write the files, and take away those of another case."""
        revoked = self.revoked
        contents = {
            files.users / user: _content(self.lines, wallet),
            files.authorities: _content(self.authorities, wallet),
            files.revoked: _content((revoked,), wallet)
            if isinstance(revoked, str)
            else revoked and revoked(wallet),
        }
        for path, content in contents.items():
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
                path.chmod(0o644)


def _content(lines: tuple[str, ...] | None, wallet: Wallet) -> bytes | None:
    if lines is None:
        return None
    text = "".join(f"{wallet.fill(line)}\n" for line in lines)
    # A byte that is no text is a surrogate in the table.
    return text.encode("utf-8", "surrogateescape")
