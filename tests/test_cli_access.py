"""`access list` and `access check`, as an operator reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conch_insults.errors import KeyFileError
from conch_insults.ssh.host_keys import create_host_key, host_key_path
from tests.certificate_authority import Authority, needs_ssh_keygen
from tests.desk import Desk
from tests.sample_keys import public_key

if TYPE_CHECKING:
    from pathlib import Path

ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice@work")
BOB = public_key(3)
CA = public_key(4, "the authority")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "keys")
    desk.let_in("alice", ALICE.line)
    create_host_key(desk.keys_dir)
    return desk


class TestList:
    def test_who_with_what_from_where_until_when(self, desk: Desk) -> None:
        desk.let_in(
            "alice",
            'restrict,from="192.0.2.0/24",expiry-time="20990101Z",'
            f'rating@conch-insults="pg",role@conch-insults="operator" {ALICE.line}',
        )
        desk.let_in("bob", BOB.line, f'cert-authority,principals="bob,ops" {CA.line}')
        desk.write(desk.user_ca, CA.line)
        assert desk.said("access", "list").splitlines() == [
            f"everybody named in certificates of ssh-ed25519 {CA.fingerprint} the authority",
            (
                f"alice ssh-ed25519 {ALICE.fingerprint} alice@home (no terminal; nothing ruder than"
                " pg; from 192.0.2.0/24; until 2099-01-01 00:00:00 UTC; as operator)"
            ),
            f"bob ssh-ed25519 {BOB.fingerprint}",
            (
                f"bob certificates of ssh-ed25519 {CA.fingerprint} the authority"
                " (naming 'bob' or 'ops')"
            ),
            "guests: off",
        ]

    def test_what_lets_nobody_in_is_marked(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line, f'expiry-time="20200101Z" {WORK.line}')
        desk.write(desk.revoked, ALICE.line)
        assert desk.said("access", "list").splitlines() == [
            (
                f"alice ssh-ed25519 {ALICE.fingerprint} alice@home: lets nobody in: revoked: key"
                " listed on line 1"
            ),
            (
                f"alice ssh-ed25519 {WORK.fingerprint} alice@work (until 2020-01-01 00:00:00 UTC):"
                " lets nobody in: expired at 2020-01-01T00:00:00Z (expiry-time)"
            ),
            "guests: off",
        ]

    def test_guests(self, desk: Desk) -> None:
        desk.rule(guests="anyone", guest_session_limit=60)
        assert desk.said("access", "list").splitlines()[-1] == (
            "guests: anyone (nothing ruder than g; 30 lines a minute; 60 seconds at a time)"
        )

    def test_json(self, desk: Desk) -> None:
        desk.let_in("alice", f'no-pty,from="192.0.2.0/24" {ALICE.line}')
        desk.write(desk.user_ca, CA.line)
        desk.write(desk.revoked, CA.line)
        authority, key, guests = json.loads(desk.said("access", "list", "--json"))
        assert authority["kind"] == "authority"
        assert authority["user"] is None
        assert authority["file"] == str(desk.user_ca)
        assert authority["refused"] == "revoked: key listed on line 1"
        assert key == {
            "kind": "key",
            "user": "alice",
            "file": str(desk.file("alice")),
            "type": "ssh-ed25519",
            "fingerprint": ALICE.fingerprint,
            "comment": "alice@home",
            "line": 1,
            "options": 'no-pty,from="192.0.2.0/24"',
            "authority": False,
            "principals": None,
            "from": "192.0.2.0/24",
            "expires": None,
            "rating": None,
            "role": "player",
            "restrictions": ["no terminal"],
            "refused": None,
        }
        assert guests == {
            "kind": "guests",
            "mode": "off",
            "rating": "g",
            "restrictions": ["nothing ruder than g", "30 lines a minute", "600 seconds at a time"],
        }

    def test_lines_that_cannot_be_used_are_told_apart(self, desk: Desk) -> None:
        desk.let_in("alice", "rubbish", ALICE.line)
        result = desk.run("access", "list")
        assert result.exit_code == 0
        assert len(result.stdout.splitlines()) == 2
        assert result.stderr.startswith(f"{desk.file('alice')}:1: option 'rubbish'")

    def test_what_a_stranger_wrote_does_not_reach_the_terminal(self, desk: Desk) -> None:
        hostile = public_key(4, "\x1b[2J\u202eme").line
        desk.let_in("bob", f'from="\x1b[2J" {hostile}', f'command="\x1b[2J" {hostile}')
        for said in (desk.said("access", "list"), desk.said("access", "list", "--json")):
            assert "\x1b" not in said
            assert "\u202e" not in said

    def test_no_keys_directory(self, tmp_path: Path) -> None:
        error = Desk(tmp_path / "nowhere").run("access", "list").exception
        assert isinstance(error, KeyFileError)
        assert "run `conch-insults init`" in str(error)


class TestCheck:
    def test_in_order(self, desk: Desk) -> None:
        desk.let_in("bob", BOB.line, f"cert-authority {CA.line}")
        assert desk.said("access", "check") == "good: 3 keys and authorities, 2 users\n"
        assert desk.said("access", "check", "--json") == "[]\n"

    def test_a_problem_is_status_1(self, desk: Desk) -> None:
        path = desk.let_in("bob", "rubbish")
        result = desk.run("access", "check")
        assert (result.exit_code, result.stderr) == (1, "")
        assert result.stdout.startswith(f"{path}:1: option 'rubbish' is not understood")
        assert "good" not in result.stdout
        assert desk.run("access", "check", "--json").exit_code == 1

    def test_a_warning_is_not(self, desk: Desk) -> None:
        desk.write(desk.revoked, ALICE.line)
        assert desk.said("access", "check") == (
            f"warning: {desk.file('alice')}:1: lets nobody in: revoked: key listed on line 1\n"
            "good: 0 keys and authorities, 1 users\n"
        )
        assert json.loads(desk.said("access", "check", "--json")) == [
            {
                "severity": "warning",
                "text": f"{desk.file('alice')}:1: lets nobody in: revoked: key listed on line 1",
            }
        ]

    def test_a_host_key_that_others_can_read(self, desk: Desk) -> None:
        host_key_path(desk.keys_dir).chmod(0o644)
        result = desk.run("access", "check")
        assert result.exit_code == 1
        assert "is open to others: run `chmod 600" in result.stdout

    @needs_ssh_keygen
    def test_a_host_certificate_that_has_expired(self, desk: Desk, tmp_path: Path) -> None:
        public = host_key_path(desk.keys_dir).with_suffix(".pub")
        authority = Authority(tmp_path, "ca", "-t", "ed25519")
        path = authority.certify(
            public, "-h", "-I", "here", "-n", "here", "-V", "20200101:20210101"
        )
        result = desk.run("access", "check")
        assert result.exit_code == 1
        assert result.stdout.startswith(f"{path}: certificate expired at ")

    def test_a_name_of_a_file_does_not_reach_the_terminal(self, desk: Desk) -> None:
        desk.write(desk.users / "\x1b[2J", ALICE.line)
        result = desk.run("access", "check")
        assert result.exit_code == 1
        assert "\x1b" not in result.stdout


@pytest.mark.parametrize("command", ["check", "list", "test"])
def test_every_command_has_help(desk: Desk, command: str) -> None:
    assert f"Usage: access {command}" in desk.said("access", command, "--help")
