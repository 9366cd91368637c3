from __future__ import annotations

import getpass
import os
import pwd
import shlex
import stat
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

import pytest
from click.testing import CliRunner, Result

from conch_insults.access.grants import Grant, Offer
from conch_insults.access.key_directory import add_keys, read_user, users
from conch_insults.access.policy import Policy
from conch_insults.access.public_key import parse_public_key
from conch_insults.cli import init as init_module
from conch_insults.cli.init import init
from conch_insults.config import AccessSettings, Settings, SshSettings
from conch_insults.errors import ConchInsultsError, HostKeyError, KeyFileError
from conch_insults.ssh.host_keys import host_key_path, host_public_keys
from tests.sample_keys import names_in, private_key_text, public_key, public_rsa_key

if TYPE_CHECKING:
    from pathlib import Path

GENERATED = "ssh -p 2222 -i keys/client/id_ed25519 -o IdentitiesOnly=yes alice@localhost"
PLAIN = "ssh -p 2222 alice@localhost"


class Machine:
    """A machine that alice has just cloned the project on."""

    def __init__(self, folder: Path) -> None:
        self.keys_dir = folder / "keys"
        self.access = AccessSettings(keys_dir=self.keys_dir)
        self.ssh_dir = folder / "home" / ".ssh"
        self.ssh_dir.mkdir(parents=True)

    def owns(self, number: int, name: str = "id_ed25519", *, private: bool = True) -> None:
        (self.ssh_dir / f"{name}.pub").write_text(public_key(number, name).line + "\n")
        if private:
            (self.ssh_dir / name).write_bytes(private_key_text(number))

    def run(self, endpoint: str = "tcp:2222") -> Result:
        settings = Settings(access=self.access, ssh=SshSettings(endpoint=endpoint))
        return CliRunner().invoke(init, obj=settings)

    def said(self, endpoint: str = "tcp:2222") -> list[str]:
        result = self.run(endpoint)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout.splitlines()

    def error(self) -> ConchInsultsError:
        error = self.run().exception
        assert isinstance(error, ConchInsultsError)
        return error

    def let_in(self, user: str = "alice") -> list[str]:
        return [entry.key.fingerprint for entry in read_user(self.keys_dir, user).entries]

    def everything(self) -> dict[str, tuple[int, bytes]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in self.keys_dir.rglob("*")
        }


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    home = str(tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", home)
    monkeypatch.setattr(getpass, "getuser", lambda: "alice")
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_dir=home))
    return Machine(tmp_path)


class TestFreshMachine:
    def test_a_key_pair_is_made_and_shown(self, machine: Machine) -> None:
        lines = machine.said()
        (host_key,) = host_public_keys(machine.keys_dir)
        public = parse_public_key((machine.keys_dir / "client" / "id_ed25519.pub").read_text())
        assert public.comment == "alice@conch-insults"
        assert lines == [
            f"made the keys directory {machine.keys_dir}",
            f"created the host key {host_key_path(machine.keys_dir)}",
            f"created a key pair for you: {machine.keys_dir}/client/id_ed25519",
            f"let in alice: ssh-ed25519 {public.fingerprint} alice@conch-insults",
            f"host key: ssh-ed25519 {host_key.fingerprint}",
            "get in with:",
            GENERATED,
        ]
        assert machine.let_in() == [public.fingerprint]
        assert names_in(machine.keys_dir) == ["authorized_keys.d", "client", "host"]

    def test_again_changes_nothing_and_says_so(self, machine: Machine) -> None:
        machine.said()
        before = machine.everything()
        lines = machine.said()
        assert lines[0] == (
            f"nothing to do: {machine.keys_dir} is set up, and alice may come in already"
        )
        assert lines[-1] == GENERATED
        assert machine.everything() == before

    def test_a_key_got_since_then_is_not_added(self, machine: Machine) -> None:
        machine.said()
        machine.owns(1)
        assert machine.said()[-1] == GENERATED
        assert len(machine.let_in()) == 1

    def test_a_pair_made_before_is_used_again(self, machine: Machine) -> None:
        machine.said()
        (fingerprint,) = machine.let_in()
        (machine.keys_dir / "authorized_keys.d" / "alice").unlink()
        lines = machine.said()
        assert lines[0].startswith(f"let in alice: ssh-ed25519 {fingerprint}")
        assert lines[-1] == GENERATED


class TestOwnKeys:
    def test_each_of_them_is_let_in(self, machine: Machine) -> None:
        machine.owns(1)
        machine.owns(2, "id_work")
        lines = machine.said()
        assert lines[2:4] == [
            f"let in alice: ssh-ed25519 {public_key(1).fingerprint} id_ed25519",
            f"let in alice: ssh-ed25519 {public_key(2).fingerprint} id_work",
        ]
        assert lines[-1] == PLAIN
        assert not (machine.keys_dir / "client").exists()

    def test_again_changes_nothing(self, machine: Machine) -> None:
        machine.owns(1)
        machine.said()
        machine.owns(2, "id_work")
        before = machine.everything()
        lines = machine.said()
        assert lines[0].startswith("nothing to do")
        assert lines[-1] == PLAIN
        assert machine.everything() == before

    def test_a_key_that_ssh_would_not_try_is_named(self, machine: Machine) -> None:
        machine.owns(1, "id_work")
        assert machine.said()[-1] == (
            "ssh -p 2222 -i home/.ssh/id_work -o IdentitiesOnly=yes alice@localhost"
        )

    def test_a_key_without_a_file_is_left_to_the_agent(self, machine: Machine) -> None:
        machine.owns(1, "id_token", private=False)
        assert machine.said()[-1] == PLAIN

    def test_the_same_key_twice_is_let_in_once(self, machine: Machine) -> None:
        machine.owns(1)
        machine.owns(1, "id_copy")
        machine.said()
        assert machine.let_in() == [public_key(1).fingerprint]

    def test_what_cannot_be_used_is_skipped_with_a_line(self, machine: Machine) -> None:
        machine.owns(1)
        (machine.ssh_dir / "id_dsa.pub").write_text("ssh-dss AAAA me")
        (machine.ssh_dir / "id_gone.pub").symlink_to("nowhere")
        (machine.ssh_dir / "id_latin.pub").write_bytes(b"ssh-ed25519 \xff")
        os.mkfifo(machine.ssh_dir / "id_pipe.pub")
        (machine.ssh_dir / "other.pub").write_text("not looked at")
        skipped = [line for line in machine.said() if line.startswith("skipped ")]
        assert [line.removeprefix(f"skipped {machine.ssh_dir}/") for line in skipped] == [
            "id_dsa.pub: DSA keys (ssh-dss) are too weak: make one with `ssh-keygen -t ed25519`",
            "id_gone.pub: leads nowhere",
            "id_latin.pub: is not UTF-8 text",
            "id_pipe.pub: is not a regular file",
        ]
        assert machine.let_in() == [public_key(1).fingerprint]

    def test_with_only_unusable_ones_a_pair_is_made(self, machine: Machine) -> None:
        (machine.ssh_dir / "id_rsa.pub").write_text("rubbish")
        lines = machine.said()
        assert any(line.startswith(f"skipped {machine.ssh_dir}/id_rsa.pub: ") for line in lines)
        assert lines[-1] == GENERATED

    def test_without_a_home(self, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HOME")
        machine.owns(1)
        assert machine.said()[-1] == GENERATED

    def test_keys_of_another_machine_do_not_count(self, machine: Machine) -> None:
        add_keys(machine.keys_dir, "alice", public_key(9, "laptop").line.encode(), "")
        machine.owns(1)
        machine.said()
        assert machine.let_in() == [public_key(9).fingerprint, public_key(1).fingerprint]


class TestOthers:
    """A lenient umask gives a group what the server takes for a stranger's right."""

    def lenient(self, machine: Machine) -> tuple[Path, Path]:
        folders = (machine.keys_dir, machine.keys_dir / "authorized_keys.d")
        for folder in folders:
            folder.mkdir()
            folder.chmod(0o2775)
        return folders

    def test_lose_the_right_to_write(self, machine: Machine) -> None:
        machine.owns(1)
        folders = self.lenient(machine)
        lines = machine.said()
        assert lines[:2] == [f"took from others the right to write to {path}" for path in folders]
        assert [stat.S_IMODE(path.stat().st_mode) for path in folders] == [0o2755, 0o2755]
        key = public_key(1)
        policy = Policy(machine.keys_dir, print)
        decision = policy.decide(Offer("alice", key.key_type, key.blob, ""), datetime.now(UTC))
        assert isinstance(decision, Grant)

    def test_lose_it_also_when_there_is_nothing_else_to_do(self, machine: Machine) -> None:
        machine.said()
        machine.keys_dir.chmod(0o777)
        assert machine.said()[0] == f"took from others the right to write to {machine.keys_dir}"
        assert machine.said()[0].startswith("nothing to do")

    def test_keep_it_where_the_settings_do_not_mind(self, machine: Machine) -> None:
        machine.access = AccessSettings(keys_dir=machine.keys_dir, strict_modes=False)
        folders = self.lenient(machine)
        assert "took" not in "".join(machine.said())
        assert [stat.S_IMODE(path.stat().st_mode) for path in folders] == [0o2775, 0o2775]

    def test_a_folder_of_somebody_else(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.lenient(machine)

        def forbidden(self: Path, mode: int) -> NoReturn:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(type(machine.keys_dir), "chmod", forbidden)
        assert str(machine.error()) == (
            f"{machine.keys_dir}: others may write to it, and its mode cannot be changed:"
            f" Operation not permitted: run `chmod go-w {machine.keys_dir}` as its owner"
        )


class TestSettings:
    def test_a_key_that_they_refuse_is_not_let_in(self, machine: Machine) -> None:
        (machine.ssh_dir / "id_rsa.pub").write_text(public_rsa_key().line)
        machine.access = AccessSettings(keys_dir=machine.keys_dir, minimum_rsa_bits=4096)
        lines = machine.said()
        assert any("id_rsa.pub: RSA key of 2048 bits is too weak" in line for line in lines)
        assert lines[-1] == GENERATED

    def test_an_authority_is_no_way_in(self, machine: Machine) -> None:
        machine.owns(1)
        machine.owns(2, "id_work")
        line = f"cert-authority {public_key(1).line}"
        add_keys(machine.keys_dir, "alice", line.encode(), "")
        assert isinstance(machine.error(), KeyFileError)


class TestName:
    def test_one_that_cannot_be_used(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(getpass, "getuser", lambda: "Alice Ä")
        lines = machine.said()
        assert (
            "your login name 'Alice \\xc4' cannot be used here: you are 'operator' instead"
        ) in lines
        assert lines[-1].endswith(" operator@localhost")
        assert users(machine.keys_dir) == ["operator"]

    @pytest.mark.parametrize("error", [KeyError, OSError])
    def test_none_at_all(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
    ) -> None:
        def unknown() -> NoReturn:
            raise error("uid not found")

        monkeypatch.setattr(getpass, "getuser", unknown)
        assert machine.said()[-1].endswith(" operator@localhost")


class TestDoor:
    def test_another_address(self, machine: Machine) -> None:
        command = shlex.split(machine.said("tcp:22:interface=192.0.2.1")[-1])
        assert command[:3] == ["ssh", "-p", "22"]
        assert command[-1] == "alice@192.0.2.1"

    def test_closed(self, machine: Machine) -> None:
        assert machine.said("")[-1] == "the SSH door is closed: set ssh.endpoint to open it"

    def test_not_tcp(self, machine: Machine) -> None:
        assert machine.said("unix:/run/insult")[-1] == (
            "the SSH door is unix:/run/insult: connect to it as alice"
        )


class TestWhatStopsIt:
    def test_a_host_key_that_cannot_be_used_lets_nobody_in(self, machine: Machine) -> None:
        path = host_key_path(machine.keys_dir)
        path.parent.mkdir(parents=True)
        path.touch(0o600)
        error = machine.error()
        assert isinstance(error, HostKeyError)
        assert "is empty" in str(error)
        assert users(machine.keys_dir) == []

    def test_a_disk_without_room_for_the_pair(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(private: Path, comment: str) -> NoReturn:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(init_module, "create_key_pair", full)
        error = machine.error()
        assert isinstance(error, KeyFileError)
        assert str(error).endswith("/client/id_ed25519: cannot be created: No space left on device")
