from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.public_key import parse_public_key
from conch_insults.errors import HostKeyError
from conch_insults.ssh.host_keys import (
    create_host_key,
    host_certificate_path,
    host_key_path,
    host_public_keys,
)
from tests.certificate_authority import Authority, needs_ssh_keygen
from tests.desk import Desk
from tests.sample_keys import public_key

if TYPE_CHECKING:
    from pathlib import Path

ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice at work")
BOB = public_key(3)
CA = public_key(4, "the authority")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "keys")


class TestList:
    def test_everybody(self, desk: Desk) -> None:
        desk.let_in("bob", BOB.line)
        desk.let_in("alice", ALICE.line, f'restrict,from="192.0.2.0/24" {WORK.line}')
        assert desk.said("keys", "list") == (
            f"alice ssh-ed25519 {ALICE.fingerprint} alice@home\n"
            f'alice restrict,from="192.0.2.0/24" ssh-ed25519 {WORK.fingerprint} alice at work\n'
            f"bob ssh-ed25519 {BOB.fingerprint}\n"
        )

    def test_one_user(self, desk: Desk) -> None:
        desk.let_in("bob", BOB.line)
        desk.let_in("alice", ALICE.line)
        assert desk.said("keys", "list", "bob") == f"bob ssh-ed25519 {BOB.fingerprint}\n"

    def test_json(self, desk: Desk) -> None:
        options = (
            'restrict,from="192.0.2.0/24",expiry-time="20300101Z",rating@conch-insults="pg",'
            'role@conch-insults="operator"'
        )
        desk.let_in("alice", f"{options} {ALICE.line}")
        desk.let_in("bob", f'cert-authority,principals="bob,ops" {CA.line}')
        assert json.loads(desk.said("keys", "list", "--json")) == [
            {
                "user": "alice",
                "type": "ssh-ed25519",
                "fingerprint": ALICE.fingerprint,
                "comment": "alice@home",
                "line": 1,
                "options": options,
                "authority": False,
                "principals": None,
                "from": "192.0.2.0/24",
                "expires": "2030-01-01T00:00:00Z",
                "rating": "pg",
                "role": "operator",
            },
            {
                "user": "bob",
                "type": "ssh-ed25519",
                "fingerprint": CA.fingerprint,
                "comment": "the authority",
                "line": 1,
                "options": 'cert-authority,principals="bob,ops"',
                "authority": True,
                "principals": ["bob", "ops"],
                "from": None,
                "expires": None,
                "rating": None,
                "role": "player",
            },
        ]

    def test_lines_that_cannot_be_used_are_told_apart(self, desk: Desk, tmp_path: Path) -> None:
        desk.let_in("alice", ALICE.line, "rubbish")
        desk.file("bob").symlink_to(desk.write(tmp_path / "bob.pub", ALICE.line))
        result = desk.run("keys", "list")
        assert result.exit_code == 0
        assert result.stdout == f"alice ssh-ed25519 {ALICE.fingerprint} alice@home\n"
        first, second = result.stderr.splitlines()
        assert first.startswith(f"{desk.file('alice')}:2: option 'rubbish' is not understood")
        assert second == f"{desk.file('bob')}: is a link out of the keys directory"

    def test_the_settings_say_what_can_be_used(self, desk: Desk) -> None:
        desk.let_in("alice", f'environment="LANG=C" {ALICE.line}')
        assert "access.permit_environment" in desk.run("keys", "list").stderr
        desk.rule(permit_environment=("LANG",))
        assert ALICE.fingerprint in desk.said("keys", "list")

    def test_nobody(self, desk: Desk) -> None:
        desk.users.mkdir(parents=True)
        result = desk.run("keys", "list")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "conch-insults keys add USER FILE" in result.stderr
        assert desk.said("keys", "list", "--json") == "[]\n"

    def test_somebody_unknown(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line)
        assert "bob has no keys" in str(desk.error("keys", "list", "bob"))

    def test_no_keys_directory(self, desk: Desk) -> None:
        assert "run `conch-insults init`" in str(desk.error("keys", "list"))

    def test_what_a_stranger_wrote_does_not_reach_the_terminal(self, desk: Desk) -> None:
        desk.let_in("bob", f'command="\x1b[2J" {public_key(4, chr(0x202E) + "me").line}')
        said = desk.said("keys", "list")
        assert "\x1b" not in said
        assert "\u202e" not in said


class TestRemove:
    def test_one_key(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line, WORK.line)
        assert desk.said("keys", "remove", "alice", ALICE.fingerprint) == (
            f"removed from alice: ssh-ed25519 {ALICE.fingerprint} alice@home\n"
        )
        assert desk.file("alice").read_text() == f"{WORK.line}\n"

    def test_a_key_that_is_not_there(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line)
        error = desk.error("keys", "remove", "alice", WORK.fingerprint)
        assert f"holds no key '{WORK.fingerprint}'" in str(error)
        assert desk.file("alice").read_text() == f"{ALICE.line}\n"


class TestHost:
    def test_fingerprints(self, desk: Desk) -> None:
        create_host_key(desk.keys_dir)
        (key,) = host_public_keys(desk.keys_dir)
        assert desk.said("keys", "host") == f"ssh-ed25519 {key.fingerprint}\n"
        assert json.loads(desk.said("keys", "host", "--json")) == [
            {"type": "ssh-ed25519", "fingerprint": key.fingerprint, "certificate": None}
        ]

    @needs_ssh_keygen
    def test_a_certificate(self, desk: Desk, tmp_path: Path) -> None:
        authority, fingerprint = certified_host(desk, tmp_path, "-V", "20200101Z:20990101Z")
        assert desk.said("keys", "host") == (
            f"ssh-ed25519 {fingerprint}\n"
            f"  with certificate 'here' (serial 7) of {authority} for 'insults.example',"
            " 'localhost', until 2099-01-01 00:00:00 UTC\n"
        )
        (row,) = json.loads(desk.said("keys", "host", "--json"))
        assert row["certificate"] == {
            "key_id": "here",
            "serial": 7,
            "principals": ["insults.example", "localhost"],
            "expires": "2099-01-01T00:00:00Z",
            "authority": authority,
        }

    @needs_ssh_keygen
    def test_a_certificate_that_keeps_the_server_from_starting(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        _, fingerprint = certified_host(desk, tmp_path, "-V", "20200101Z:20210101Z")
        result = desk.run("keys", "host")
        assert (result.exit_code, result.stdout) == (0, f"ssh-ed25519 {fingerprint}\n")
        path = host_certificate_path(desk.keys_dir)
        assert result.stderr.startswith(f"{path}: certificate expired at 2021-01-01T00:00:00Z;")

    def test_none(self, desk: Desk) -> None:
        error = desk.error("keys", "host")
        assert isinstance(error, HostKeyError)
        assert "run `conch-insults init`" in str(error)


def certified_host(desk: Desk, folder: Path, *options: str) -> tuple[str, str]:
    """Make a host key with a certificate; return the authority's fingerprint and the key's."""
    create_host_key(desk.keys_dir)
    public = host_key_path(desk.keys_dir).with_suffix(".pub")
    authority = Authority(folder, "ca", "-t", "ed25519")
    names = ("-n", "insults.example,localhost")
    authority.certify(public, "-h", "-I", "here", "-z", "7", *names, *options)
    (key,) = host_public_keys(desk.keys_dir)
    return parse_public_key(authority.public.read_text()).fingerprint, key.fingerprint


@pytest.mark.parametrize("command", ["add", "import", "list", "remove", "revoke", "host"])
def test_every_command_has_help(desk: Desk, command: str) -> None:
    assert f"Usage: keys {command}" in desk.said("keys", command, "--help")
