"""What a server takes along, also into another process."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

# As in twistd, which loads it: it changes how methods are pickled.
from twisted.persisted import styles  # noqa: F401

from conch_insults.config import Settings
from conch_insults.core.pack_files import pack_versions
from conch_insults.errors import HostKeyError, PackError
from conch_insults.provisions import Provisions
from conch_insults.ssh.host_keys import create_host_key, host_key_path
from tests.certificate_authority import Authority, needs_ssh_keygen

if TYPE_CHECKING:
    from pathlib import Path


def settings(folder: Path, **sections: dict[str, object]) -> Settings:
    return Settings.model_validate({"access": {"keys_dir": folder / "keys"}, **sections})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_host_key(tmp_path / "keys")
    (tmp_path / "mine.txt").write_text("zeugma: You and your syntax.\n", encoding="utf-8")
    return tmp_path


def test_without_a_host_key_there_is_no_ssh_door(tmp_path: Path) -> None:
    with pytest.raises(HostKeyError, match="conch-insults init"):
        Provisions.read(settings(tmp_path))


def test_without_an_ssh_door_there_is_no_host_key(tmp_path: Path) -> None:
    assert Provisions.read(settings(tmp_path, ssh={"endpoint": ""})).host_keys == {}


def test_a_pack_that_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(PackError, match=r"gone\.txt"):
        Provisions.read(settings(folder, insults={"packs": [folder / "gone.txt"]}))


def through_bytes(provisions: Provisions) -> Provisions:
    return Provisions.from_bytes(provisions.to_bytes())


def test_they_are_the_same_at_the_other_end_of_a_pipe(folder: Path) -> None:
    before = Provisions.read(
        settings(
            folder,
            insults={"packs": [folder / "mine.txt"]},
            limits={"exempt_sources": ["192.0.2.0/24"]},
        )
    )
    after = through_bytes(before)
    assert after == before
    assert after.pack.texts("zeugma") == ("You and your syntax.",)
    assert after.pack.topics() == before.pack.topics()
    assert after.pack_versions == pack_versions([folder / "mine.txt"])
    # Equal keys are private both or public both.
    assert isinstance(after.pack.by_key, type(before.pack.by_key))


@needs_ssh_keygen
def test_every_kind_of_host_key_gets_through(folder: Path) -> None:
    rsa = host_key_path(folder / "keys", "ssh-rsa")
    command = ["ssh-keygen", "-q", "-N", "", "-t", "rsa", "-b", "2048", "-f", str(rsa)]
    subprocess.run(command, check=True, timeout=30)
    authority = Authority(folder, "host_ca")
    authority.certify(rsa.with_name(f"{rsa.name}.pub"), "-h", "-I", "host", "-n", "localhost")
    before = Provisions.read(settings(folder)).host_keys
    after = through_bytes(Provisions.read(settings(folder))).host_keys
    assert list(after) == [b"ssh-rsa-cert-v01@openssh.com", b"ssh-ed25519", b"ssh-rsa"]
    assert after == before


def test_a_process_that_has_read_nothing_can_use_them(folder: Path) -> None:
    provisions = Provisions.read(settings(folder, insults={"packs": [folder / "mine.txt"]}))
    packed = provisions.to_bytes()
    host_key_path(folder / "keys").unlink()
    (folder / "mine.txt").unlink()
    program = (
        "import sys; from conch_insults.provisions import Provisions;"
        "found = Provisions.from_bytes(sys.stdin.buffer.read());"
        "print(found.pack.texts('zeugma'), found.host_keys[b'ssh-ed25519'].isPublic())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], input=packed, capture_output=True, check=True, timeout=30
    )
    assert other.stdout == b"('You and your syntax.',) False\n"
