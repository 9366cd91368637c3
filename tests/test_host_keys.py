from __future__ import annotations

import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conch_insults.errors import HostKeyError
from conch_insults.ssh.host_keys import (
    create_host_key,
    host_key_path,
    host_public_keys,
    load_host_keys,
)
from tests.sample_keys import names_in, private_key_text, public_key

if TYPE_CHECKING:
    from pathlib import Path


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)


def rsa_text(bits: int) -> bytes:
    return rsa.generate_private_key(65537, bits).private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    )


class TestCreating:
    def test_it_is_made_once(self, tmp_path: Path) -> None:
        path = host_key_path(tmp_path)
        assert path == tmp_path / "host" / "ssh_host_ed25519_key"
        assert create_host_key(tmp_path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert names_in(path.parent) == [path.name, f"{path.name}.pub"]
        before = path.read_bytes()
        assert not create_host_key(tmp_path)
        assert path.read_bytes() == before

    def test_an_empty_one_is_not_replaced(self, tmp_path: Path) -> None:
        put(host_key_path(tmp_path), b"")
        assert not create_host_key(tmp_path)
        assert host_key_path(tmp_path).read_bytes() == b""

    def test_where_none_can_be(self, tmp_path: Path) -> None:
        (tmp_path / "host").touch()
        with pytest.raises(HostKeyError, match="ssh_host_ed25519_key: cannot be created: "):
            create_host_key(tmp_path)

    @pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
    def test_ssh_keygen_reads_it_and_prints_its_fingerprint(self, tmp_path: Path) -> None:
        create_host_key(tmp_path)
        path = host_key_path(tmp_path)
        for name in (path, f"{path}.pub"):
            listed = subprocess.run(
                ["ssh-keygen", "-lf", name], check=True, capture_output=True, text=True
            )
            (key,) = host_public_keys(tmp_path)
            assert listed.stdout.split()[1] == key.fingerprint


class TestLoading:
    def test_ed25519_alone(self, tmp_path: Path) -> None:
        put(host_key_path(tmp_path), private_key_text(1))
        keys = load_host_keys(tmp_path)
        assert list(keys) == [b"ssh-ed25519"]
        assert keys[b"ssh-ed25519"].blob() == public_key(1).blob
        assert not keys[b"ssh-ed25519"].isPublic()
        assert host_public_keys(tmp_path) == [public_key(1)]

    def test_rsa_beside_it(self, tmp_path: Path) -> None:
        put(host_key_path(tmp_path), private_key_text(1))
        put(host_key_path(tmp_path, "ssh-rsa"), rsa_text(2048))
        keys = load_host_keys(tmp_path)
        assert list(keys) == [b"ssh-ed25519", b"ssh-rsa"]
        assert [key.blob for key in host_public_keys(tmp_path)] == [
            key.blob() for key in keys.values()
        ]

    def test_no_keys_directory(self, tmp_path: Path) -> None:
        with pytest.raises(HostKeyError) as caught:
            load_host_keys(tmp_path / "keys")
        assert str(caught.value) == (
            f"{tmp_path}/keys: there is no such keys directory: run `conch-insults init`,"
            " or set access.keys_dir"
        )

    def test_no_key(self, tmp_path: Path) -> None:
        put(host_key_path(tmp_path, "ssh-rsa"), rsa_text(2048))
        with pytest.raises(HostKeyError) as caught:
            load_host_keys(tmp_path)
        assert str(caught.value) == (
            f"{tmp_path}/host/ssh_host_ed25519_key: there is no host key: run `conch-insults init`"
        )

    def test_one_that_is_open_to_others(self, tmp_path: Path) -> None:
        path = host_key_path(tmp_path)
        put(path, private_key_text(1))
        path.chmod(0o640)
        with pytest.raises(HostKeyError, match=f"run `chmod 600 {path}`"):
            load_host_keys(tmp_path)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "_ed25519_key: is empty"),
            (b"rubbish", "_ed25519_key: is not a private key"),
        ],
    )
    def test_one_that_cannot_be_used(self, tmp_path: Path, content: bytes, said: str) -> None:
        put(host_key_path(tmp_path), content)
        with pytest.raises(HostKeyError, match=said):
            load_host_keys(tmp_path)

    def test_an_rsa_key_that_is_too_weak(self, tmp_path: Path) -> None:
        put(host_key_path(tmp_path), private_key_text(1))
        put(host_key_path(tmp_path, "ssh-rsa"), rsa_text(1024))
        with pytest.raises(HostKeyError, match="ssh_host_rsa_key: RSA key of 1024 bits is too"):
            load_host_keys(tmp_path)

    def test_a_key_under_anothers_name(self, tmp_path: Path) -> None:
        put(host_key_path(tmp_path), rsa_text(2048))
        with pytest.raises(HostKeyError, match="holds a key of type ssh-rsa, not ssh-ed25519"):
            load_host_keys(tmp_path)
