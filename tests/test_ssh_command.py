from __future__ import annotations

import pwd
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from conch_insults.cli.ssh_command import Address, address_of, found_by_ssh, ssh_command


class TestAddress:
    @pytest.mark.parametrize(
        ("endpoint", "address"),
        [
            ("tcp:2222", Address("localhost", 2222)),
            ("tcp:port=22", Address("localhost", 22)),
            ("tcp6:2222", Address("localhost", 2222)),
            ("tcp:2222:interface=127.0.0.1", Address("localhost", 2222)),
            ("tcp:2222:interface=0.0.0.0", Address("localhost", 2222)),
            (r"tcp6:2222:interface=\:\:", Address("localhost", 2222)),
            (r"tcp6:2222:interface=2001\:db8\:\:1", Address("2001:db8::1", 2222)),
            ("tcp:interface=192.0.2.1:port=2222:backlog=9", Address("192.0.2.1", 2222)),
            ("tcp:2222:interface=box.example", Address("box.example", 2222)),
        ],
    )
    def test_tcp(self, endpoint: str, address: Address) -> None:
        assert address_of(endpoint) == address

    @pytest.mark.parametrize(
        "endpoint",
        ["", "tcp", "tcp:0", "tcp:ssh", "unix:/run/insult", "systemd:domain=INET:index=0"],
    )
    def test_one_that_nobody_can_say_before_the_start(self, endpoint: str) -> None:
        assert address_of(endpoint) is None


class TestFoundBySsh:
    @pytest.fixture(autouse=True)
    def _home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_dir="/home/me"))

    def test_default_names_in_the_accounts_home(self) -> None:
        assert found_by_ssh(Path("/home/me/.ssh/id_ed25519"))
        assert found_by_ssh(Path("/home/me/.ssh/id_rsa"))

    def test_other_names_and_places(self) -> None:
        assert not found_by_ssh(Path("/home/me/.ssh/id_work"))
        assert not found_by_ssh(Path("/elsewhere/.ssh/id_ed25519"))

    def test_an_account_without_a_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(uid: int) -> NoReturn:
            raise KeyError(uid)

        monkeypatch.setattr(pwd, "getpwuid", unknown)
        assert not found_by_ssh(Path("/home/me/.ssh/id_ed25519"))


class TestCommand:
    def test_plain(self) -> None:
        command = ssh_command(Address("localhost", 2222), "alice", None)
        assert command == "ssh -p 2222 alice@localhost"

    def test_a_key_below_here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        command = ssh_command(Address("localhost", 22), "alice", tmp_path / "keys" / "my key")
        assert command == "ssh -p 22 -i 'keys/my key' -o IdentitiesOnly=yes alice@localhost"

    def test_a_key_elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        command = ssh_command(Address("localhost", 22), "alice", Path("/else where/key"))
        assert "/else where/key" in shlex.split(command)
