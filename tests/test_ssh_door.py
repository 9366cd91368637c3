"""Assembly of the SSH door: the settings are what counts behind it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from twisted.cred.credentials import IAnonymous, ISSHPrivateKey
from twisted.internet.task import Clock
from twisted.logger import Logger

from conch_insults.config import Settings
from conch_insults.events import AccessEnded, Event, EverybodyRefused, KeyLineSkipped
from conch_insults.limits import ConnectionLimits, Gate
from conch_insults.ssh.host_keys import create_host_key, host_public_keys, load_host_keys
from conch_insults.ssh_door import make_ssh_door
from conch_insults.telemetry import QuietLogger
from tests.access_door import ALICE, line
from tests.ssh_client import AUTH_REQUEST, AUTH_SUCCESS, SshClient
from tests.ssh_peer import started_conversations

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from conch_insults.ssh.factory import InsultSSHFactory
    from conch_insults.ssh.rejudging import Rejudging


class Made:
    """A door made from settings, in memory."""

    factory: InsultSSHFactory
    rejudging: Rejudging

    def __init__(self, keys_dir: Path, **access: Any) -> None:
        self.clock = Clock()
        self.events: list[Event] = []
        self.reloads = 0
        settings = Settings.model_validate({"access": {"keys_dir": keys_dir, **access}})
        self.factory, self.rejudging = make_ssh_door(
            settings,
            load_host_keys(keys_dir),
            started_conversations(),
            Gate(ConnectionLimits(), self.clock, Random(1)),
            reload=self._reload,
            emit=self.events.append,
            reactor=self.clock,
        )

    def _reload(self) -> None:
        self.reloads += 1

    @property
    def interfaces(self) -> set[object]:
        return set(self.factory.portal.listCredentialsInterfaces())


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    create_host_key(tmp_path)
    (tmp_path / "authorized_keys.d").mkdir()
    return tmp_path


def test_it_has_the_host_key_of_the_keys_directory(keys_dir: Path) -> None:
    factory = Made(keys_dir).factory
    (known,) = host_public_keys(keys_dir)
    assert factory.host_fingerprint(b"ssh-ed25519") == known.fingerprint


@pytest.mark.parametrize(
    ("guests", "takes_anybody"), [("off", False), ("key", False), ("anyone", True)]
)
def test_people_without_keys_are_asked_about_only_where_anyone_is_welcome(
    keys_dir: Path, guests: str, *, takes_anybody: bool
) -> None:
    interfaces = Made(keys_dir, guests=guests).interfaces
    assert ISSHPrivateKey in interfaces
    assert (IAnonymous in interfaces) is takes_anybody


def test_what_comes_in_by_it_is_what_is_judged_again(
    keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Made(keys_dir)
    monkeypatch.setattr("tests.ssh_client.HOST_KEY", made.factory.privateKeys[b"ssh-ed25519"])
    monkeypatch.setattr(
        "tests.ssh_client.HOST_KEY_BLOB", made.factory.publicKeys[b"ssh-ed25519"].blob()
    )
    path = keys_dir / "authorized_keys.d" / "alice"
    path.write_text(line(ALICE, 'role@conch-insults="operator"') + "\nnonsense\n")
    path.chmod(0o644)
    client = SshClient()
    client.connect(made.factory)
    client.request_service()
    client.send(AUTH_REQUEST, client.claim("alice", ALICE))
    assert client.numbers() == [AUTH_SUCCESS]
    # Why the other line is of no use is said once.
    (skipped,) = (event for event in made.events if isinstance(event, KeyLineSkipped))
    assert skipped.reason.startswith(f"{path}:2: ")
    client.shell()
    client.data(b"reload\nwho\n")
    assert b" alice 192.0.2.1 for 0 s\n" in client.output()
    assert made.reloads == 1
    made.rejudging.startService()
    path.unlink()
    made.clock.pump([1] * 7)
    assert isinstance(made.events[-1], AccessEnded)
    assert client.disconnected()


def test_a_list_that_cannot_be_read_is_an_event_of_its_own(keys_dir: Path) -> None:
    revoked = keys_dir / "revoked_keys"
    revoked.write_text("neither a key nor anything else\n")
    revoked.chmod(0o644)
    made = Made(keys_dir)
    made.rejudging.startService()
    made.clock.pump([1] * 7)
    (event,) = made.events
    assert isinstance(event, EverybodyRefused)
    assert event.reason.startswith(f"{revoked}: line 1: ")


def test_the_settings_of_guests_become_their_terms(
    keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Made(
        keys_dir,
        guests="key",
        guest_rating="pg",
        guest_lines_per_minute=7,
        guest_session_limit=42,
    )
    monkeypatch.setattr("tests.ssh_client.HOST_KEY", made.factory.privateKeys[b"ssh-ed25519"])
    monkeypatch.setattr(
        "tests.ssh_client.HOST_KEY_BLOB", made.factory.publicKeys[b"ssh-ed25519"].blob()
    )
    client = SshClient()
    client.connect(made.factory)
    client.request_service()
    client.send(AUTH_REQUEST, client.claim("visitor", ALICE))
    assert client.numbers() == [AUTH_SUCCESS]
    assert client.server.avatar.grant.terms.restrictions == (
        "nothing ruder than pg",
        "7 lines a minute",
        "42 seconds at a time",
    )


def test_what_conch_has_to_say_is_for_those_who_look_for_it(keys_dir: Path) -> None:
    assert isinstance(Made(keys_dir).factory._log, QuietLogger)
    settings = Settings.model_validate(
        {"access": {"keys_dir": keys_dir}, "log": {"level": "debug"}}
    )
    clock = Clock()
    factory, _ = make_ssh_door(
        settings,
        load_host_keys(keys_dir),
        started_conversations(),
        Gate(ConnectionLimits(), clock, Random(1)),
        reload=lambda: None,
        emit=lambda _: None,
        reactor=clock,
    )
    assert type(factory._log) is Logger
