from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from conch_insults.cli.keys import keys
from conch_insults.config import AccessSettings, Settings
from conch_insults.errors import ConchInsultsError, HostKeyError, KeyFileError, PublicKeyError
from conch_insults.ssh.host_keys import create_host_key, host_public_keys
from tests.sample_keys import private_key_text, public_key

if TYPE_CHECKING:
    from pathlib import Path

ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice at work")
BOB = public_key(3)


class Desk:
    """An operator's terminal: commands in, lines out."""

    def __init__(self, keys_dir: Path) -> None:
        self.keys_dir = keys_dir
        self.settings = Settings(access=AccessSettings(keys_dir=keys_dir))

    def run(self, *arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(keys, arguments, input=typed, obj=self.settings)

    def said(self, *arguments: str, typed: str = "") -> str:
        result = self.run(*arguments, typed=typed)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def error(self, *arguments: str, typed: str = "") -> ConchInsultsError:
        error = self.run(*arguments, typed=typed).exception
        assert isinstance(error, ConchInsultsError)
        assert "\n" not in str(error)
        return error

    def file(self, user: str) -> Path:
        return self.keys_dir / "authorized_keys.d" / user


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "keys")


class TestAdd:
    def test_from_a_file(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "alice.pub").write_text(f"{ALICE.line}\n{WORK.line}\n")
        assert desk.said("add", "alice", str(tmp_path / "alice.pub")) == (
            f"added for alice: ssh-ed25519 {ALICE.fingerprint} alice@home\n"
            f"added for alice: ssh-ed25519 {WORK.fingerprint} alice at work\n"
        )
        assert desk.file("alice").read_text() == f"{ALICE.line}\n{WORK.line}\n"

    @pytest.mark.parametrize("arguments", [("add", "bob"), ("add", "bob", "-")])
    def test_from_standard_input(self, desk: Desk, arguments: tuple[str, ...]) -> None:
        assert desk.said(*arguments, typed=BOB.line) == (
            f"added for bob: ssh-ed25519 {BOB.fingerprint}\n"
        )

    def test_what_a_stranger_wrote_in_a_comment_does_not_reach_the_terminal(
        self, desk: Desk
    ) -> None:
        hostile = public_key(4, "\x1b[2J\u202eme")
        assert "\x1b" not in desk.said("add", "bob", typed=hostile.line)
        assert "\u202e" not in desk.said("list")

    def test_a_private_key_is_refused(self, desk: Desk) -> None:
        error = desk.error("add", "bob", typed=private_key_text(1).decode())
        assert isinstance(error, PublicKeyError)
        assert str(error).startswith("standard input:1: that is a private key: give the .pub file")

    def test_a_key_that_is_there_is_refused(self, desk: Desk) -> None:
        desk.said("add", "alice", typed=ALICE.line)
        error = desk.error("add", "alice", typed=ALICE.line)
        assert isinstance(error, KeyFileError)
        assert str(error) == f"{desk.file('alice')}:1: holds {ALICE.fingerprint} already"

    @pytest.mark.parametrize("user", ["Alice", "../alice", ""])
    def test_a_bad_name_is_bad_usage(self, desk: Desk, user: str) -> None:
        result = desk.run("add", user, typed=ALICE.line)
        assert result.exit_code == 2
        assert f"{user!a} is not a user name: use up to 32 of" in result.stderr

    def test_a_missing_file_is_bad_usage(self, desk: Desk) -> None:
        result = desk.run("add", "alice", "/nowhere/alice.pub")
        assert result.exit_code == 2
        assert "No such file or directory" in result.stderr


class TestList:
    def test_everybody(self, desk: Desk) -> None:
        desk.said("add", "bob", typed=BOB.line)
        desk.said("add", "alice", typed=f"{ALICE.line}\n{WORK.line}\n")
        assert desk.said("list") == (
            f"alice ssh-ed25519 {ALICE.fingerprint} alice@home\n"
            f"alice ssh-ed25519 {WORK.fingerprint} alice at work\n"
            f"bob ssh-ed25519 {BOB.fingerprint}\n"
        )

    def test_one_user(self, desk: Desk) -> None:
        desk.said("add", "bob", typed=BOB.line)
        desk.said("add", "alice", typed=ALICE.line)
        assert desk.said("list", "bob") == f"bob ssh-ed25519 {BOB.fingerprint}\n"

    def test_json(self, desk: Desk) -> None:
        desk.said("add", "alice", typed=f"{ALICE.line}\nrestrict {WORK.line}\n")
        assert json.loads(desk.said("list", "--json")) == [
            {
                "user": "alice",
                "type": "ssh-ed25519",
                "fingerprint": ALICE.fingerprint,
                "comment": "alice@home",
                "line": 1,
                "options": [],
            },
            {
                "user": "alice",
                "type": "ssh-ed25519",
                "fingerprint": WORK.fingerprint,
                "comment": "alice at work",
                "line": 2,
                "options": ["restrict"],
            },
        ]

    def test_lines_that_cannot_be_used_are_told_apart(self, desk: Desk) -> None:
        desk.said("add", "alice", typed=ALICE.line)
        with desk.file("alice").open("a") as file:
            file.write("rubbish\n")
        desk.file("bob").symlink_to("alice")
        result = desk.run("list")
        assert result.exit_code == 0
        assert result.stdout == f"alice ssh-ed25519 {ALICE.fingerprint} alice@home\n"
        first, second = result.stderr.splitlines()
        assert first.startswith(f"{desk.file('alice')}:2: option 'rubbish' is not understood")
        assert second == f"{desk.file('bob')}: is a symbolic link"

    def test_nobody(self, desk: Desk) -> None:
        desk.file("alice").parent.mkdir(parents=True)
        result = desk.run("list")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "conch-insults keys add USER FILE" in result.stderr
        assert json.loads(desk.said("list", "--json")) == []

    def test_somebody_unknown(self, desk: Desk) -> None:
        desk.said("add", "alice", typed=ALICE.line)
        assert "bob has no keys" in str(desk.error("list", "bob"))

    def test_no_keys_directory(self, desk: Desk) -> None:
        assert "run `conch-insults init`" in str(desk.error("list"))


class TestRemove:
    def test_one_key(self, desk: Desk) -> None:
        desk.said("add", "alice", typed=f"{ALICE.line}\n{WORK.line}\n")
        assert desk.said("remove", "alice", ALICE.fingerprint) == (
            f"removed from alice: ssh-ed25519 {ALICE.fingerprint} alice@home\n"
        )
        assert desk.file("alice").read_text() == f"{WORK.line}\n"

    def test_a_key_that_is_not_there(self, desk: Desk) -> None:
        desk.said("add", "alice", typed=ALICE.line)
        error = desk.error("remove", "alice", WORK.fingerprint)
        assert f"holds no key '{WORK.fingerprint}'" in str(error)
        assert desk.file("alice").read_text() == f"{ALICE.line}\n"


class TestHost:
    def test_fingerprints(self, desk: Desk) -> None:
        create_host_key(desk.keys_dir)
        (key,) = host_public_keys(desk.keys_dir)
        assert desk.said("host") == f"ssh-ed25519 {key.fingerprint}\n"
        assert json.loads(desk.said("host", "--json")) == [
            {"type": "ssh-ed25519", "fingerprint": key.fingerprint}
        ]

    def test_none(self, desk: Desk) -> None:
        error = desk.error("host")
        assert isinstance(error, HostKeyError)
        assert "run `conch-insults init`" in str(error)


@pytest.mark.parametrize("command", ["add", "list", "remove", "host"])
def test_every_command_has_help(desk: Desk, command: str) -> None:
    assert f"Usage: keys {command}" in desk.said(command, "--help")
