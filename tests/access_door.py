"""An SSH door in memory with real key files behind it, and people who come in by it.

door = AccessDoor(tmp_path)
door.let_in("alice", KEYS[0])
alice = door.client("alice", KEYS[0])       # an SshClient that is in
door.pass_time(4)                           # who is in is judged again meanwhile
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.conch.ssh.common import NS
from twisted.conch.ssh.keys import Key
from twisted.cred.portal import Portal
from twisted.internet.task import Clock
from twisted.logger import Logger

from conch_insults.access.policy import AccessRules, Policy
from conch_insults.access.standing import KeysWatch
from conch_insults.config import LimitSettings, SshSettings
from conch_insults.limits import ConnectionLimits, Gate
from conch_insults.ssh.checker import GuestChecker, PublicKeyChecker
from conch_insults.ssh.factory import InsultSSHFactory
from conch_insults.ssh.operations import ConnectionOperations
from conch_insults.ssh.realm import InsultRealm
from conch_insults.ssh.rejudging import Rejudging
from tests import ssh_client as ssh
from tests.ssh_client import SshClient
from tests.ssh_peer import started_conversations

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.core.packs import Pack
    from conch_insults.events import Event
    from conch_insults.ssh.realm import InsultAvatar
    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = ["ALICE", "BOB", "MALLORY", "AccessDoor", "keyboard", "line", "none", "query"]

ALICE, BOB, MALLORY = (
    Key(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)) for number in (1, 2, 3)
)


class AccessDoor:
    """A door, and everything behind it.

    Attributes:
        keys_dir: the keys directory.
        clock: the server's.
        events: what has happened.
        reloads: how many times an operator has reloaded.
        ahead: how far the time of day is from the machine's at the start; by default so far that
            what was just written counts as settled.
    """

    def __init__(
        self,
        keys_dir: Path,
        rules: AccessRules | None = None,
        pack: Pack | None = None,
        *,
        ahead: timedelta = timedelta(minutes=1),
    ) -> None:
        self.keys_dir = keys_dir
        for folder in (keys_dir, keys_dir / "authorized_keys.d"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
        rules = rules or AccessRules()
        self.clock = Clock()
        self.events: list[Event] = []
        self.reloads = 0
        self.reports: list[str] = []
        self._connections: set[InsultSSHTransport] = set()
        self._midnight = datetime.now(UTC) + ahead
        self.conversations = started_conversations(pack)
        self.policy = Policy(keys_dir, self.reports.append, rules)
        self.operations = ConnectionOperations(self._connections, self._reload, self.clock)
        checkers: list[PublicKeyChecker | GuestChecker] = [PublicKeyChecker(self.policy)]
        if rules.guests == "anyone":
            checkers.append(GuestChecker(self.policy))
        realm = InsultRealm(self.conversations, self.events.append, self.clock, self.operations)
        self.factory = InsultSSHFactory(
            Portal(realm, checkers),
            {b"ssh-ed25519": ssh.HOST_KEY},
            Gate(ConnectionLimits(), self.clock, Random(1)),
            self._connections,
            ssh_settings=SshSettings(),
            limits=LimitSettings(keepalive_interval=1e6),
            emit=self.events.append,
            log=Logger(),
            clock=self.clock,
        )
        self.rejudging = Rejudging(
            self.policy,
            KeysWatch(keys_dir),
            self._connections,
            emit=self.events.append,
            log=Logger(),
            clock=self.clock,
            now=self.now,
        )
        self.rejudging.startService()

    def now(self) -> datetime:
        """Return the time of day, which passes as the clock's does."""
        return self._midnight + timedelta(seconds=self.clock.seconds())

    def pass_time(self, seconds: float) -> None:
        """Let time pass, a quarter of a second at a time."""
        self.clock.pump([0.25] * round(seconds * 4))

    def user_file(self, user: str) -> Path:
        return self.keys_dir / "authorized_keys.d" / user

    def let_in(self, user: str, key: Key, options: str = "") -> Path:
        """Write a user's file, with this key alone."""
        return self.write(self.user_file(user), line(key, options))

    def write(self, path: Path, *lines: str) -> Path:
        """Replace a file, as a careful editor does."""
        new = path.with_name(f".{path.name}.new")
        new.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")
        new.chmod(0o644)
        new.replace(path)
        return path

    def write_in_place(self, path: Path, content: str) -> None:
        """Write over a file without replacing it."""
        with path.open("w", encoding="utf-8") as file:
            file.write(content)
            os.fsync(file.fileno())

    def visitor(self) -> SshClient:
        """Return a client that has not yet said who it is."""
        client = SshClient()
        client.connect(self.factory)
        client.request_service()
        return client

    def client(self, user: str, key: Key | None, blob: bytes = b"") -> SshClient:
        """Return a client that is in; a guest without a key."""
        client = self.visitor()
        claim = client.claim(user, key, blob) if key else keyboard(user)
        client.send(ssh.AUTH_REQUEST, claim)
        assert client.numbers() == [ssh.AUTH_SUCCESS]
        return client

    def avatar_of(self, client: SshClient) -> InsultAvatar:
        return client.server.avatar

    def _reload(self) -> None:
        self.reloads += 1
        self.rejudging.judge_all()


def line(key: Key, options: str = "") -> str:
    """Return the line of a key file that lets a key in."""
    return f"{options} {key.public().toString('openssh').decode()}".strip()


def query(user: str, key: Key) -> bytes:
    """Make the payload of a question whether a key would do."""
    head = NS(user.encode()) + NS(b"ssh-connection") + NS(b"publickey")
    return head + b"\0" + NS(b"ssh-ed25519") + NS(key.public().blob())


def keyboard(user: str) -> bytes:
    """Make the payload of a keyboard-interactive request (RFC 4256, section 3.1)."""
    head = NS(user.encode()) + NS(b"ssh-connection")
    return head + NS(b"keyboard-interactive") + NS(b"") + NS(b"")


def none(user: str) -> bytes:
    """Make the payload of a request to come in by no method."""
    return NS(user.encode()) + NS(b"ssh-connection") + NS(b"none")
