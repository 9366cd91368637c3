from __future__ import annotations

import stat
import subprocess
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.conch.ssh.keys import Key

from conch_insults.access.signature import Proof, verify
from conch_insults.errors import HostKeyError
from conch_insults.ssh.host_keys import (
    CertifiedKey,
    create_host_key,
    host_certificate_path,
    host_key_path,
    host_public_keys,
    load_host_keys,
)
from tests.certificate_authority import Authority, Draft, blob_in, needs_ssh_keygen, pairs
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

    @needs_ssh_keygen
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
        key = keys[b"ssh-ed25519"]
        assert isinstance(key, Key)
        assert not key.isPublic()
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


def certify(keys_dir: Path, key_type: str = "ssh-ed25519") -> Path:
    """Have ssh-keygen sign the public half of the host key that is there."""
    authority = Authority(keys_dir, "ca", "-t", "ed25519")
    private = host_key_path(keys_dir, key_type)
    public = private.with_name(f"{private.name}.pub")
    index = ["ssh-ed25519", "ssh-rsa"].index(key_type)
    public.write_text(f"{host_public_keys(keys_dir)[index].line}\n", encoding="utf-8")
    return authority.certify(public, "-h", "-I", "host", "-n", "localhost")


def put_certificate(keys_dir: Path, draft: Draft) -> Path:
    """Put an Ed25519 certificate beside the host key number 1."""
    put(host_key_path(keys_dir), private_key_text(1))
    path = host_certificate_path(keys_dir)
    encoded = b64encode(draft.signed()).decode()
    path.write_text(f"ssh-ed25519-cert-v01@openssh.com {encoded}\n", encoding="ascii")
    return path


class TestACertificate:
    @needs_ssh_keygen
    def test_beside_the_key_comes_first(self, tmp_path: Path) -> None:
        put(host_key_path(tmp_path), private_key_text(1))
        path = certify(tmp_path)
        assert path == host_certificate_path(tmp_path)
        keys = load_host_keys(tmp_path)
        assert list(keys) == [b"ssh-ed25519-cert-v01@openssh.com", b"ssh-ed25519"]
        certified = keys[b"ssh-ed25519-cert-v01@openssh.com"]
        assert isinstance(certified, CertifiedKey)
        assert certified.blob() == certified.public().blob() == blob_in(path)
        assert certified.certificate.key_id == "host"
        assert keys[b"ssh-ed25519"].blob() == public_key(1).blob
        assert host_public_keys(tmp_path) == [public_key(1)]

    @needs_ssh_keygen
    def test_of_an_rsa_key_comes_before_all_that_are_plain(self, tmp_path: Path) -> None:
        put(host_key_path(tmp_path), private_key_text(1))
        put(host_key_path(tmp_path, "ssh-rsa"), rsa_text(2048))
        path = certify(tmp_path, key_type="ssh-rsa")
        keys = load_host_keys(tmp_path)
        assert list(keys) == [b"ssh-rsa-cert-v01@openssh.com", b"ssh-ed25519", b"ssh-rsa"]
        assert keys[b"ssh-rsa-cert-v01@openssh.com"].blob() == blob_in(path)

    def test_signs_as_its_key_does_and_holds_no_secret_in_public(self, tmp_path: Path) -> None:
        put_certificate(tmp_path, Draft(kind=2))
        name = b"ssh-ed25519-cert-v01@openssh.com"
        certified = load_host_keys(tmp_path)[name]
        assert isinstance(certified, CertifiedKey)
        signature = certified.sign(b"data", signatureType=name)
        assert verify("ssh-ed25519", public_key(1).blob, signature, b"data") == Proof()
        assert (certified.type(), certified.size()) == ("Ed25519", 256)
        assert not certified.key.isPublic()
        assert certified.public().key.isPublic()

    @pytest.mark.parametrize("algorithm", ["rsa-sha2-256", "rsa-sha2-512"])
    def test_of_rsa_signs_with_the_hash_that_was_agreed_on(
        self, tmp_path: Path, algorithm: str
    ) -> None:
        put(host_key_path(tmp_path), private_key_text(1))
        put(host_key_path(tmp_path, "ssh-rsa"), rsa_text(2048))
        public = host_public_keys(tmp_path)[1]
        blob = Draft(public.blob, kind=2).signed()
        host_certificate_path(tmp_path, "ssh-rsa").write_text(
            f"ssh-rsa-cert-v01@openssh.com {b64encode(blob).decode()} comment", encoding="ascii"
        )
        certified = load_host_keys(tmp_path)[b"ssh-rsa-cert-v01@openssh.com"]
        signature = certified.sign(b"x", signatureType=f"{algorithm}-cert-v01@openssh.com".encode())
        assert verify(algorithm, public.blob, signature, b"x") == Proof()
        assert (certified.type(), certified.size()) == ("RSA", 2048)

    def test_may_be_read_by_all_and_be_a_link(self, tmp_path: Path) -> None:
        path = put_certificate(tmp_path, Draft(kind=2))
        path.chmod(0o644)
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
        assert isinstance(next(iter(load_host_keys(tmp_path).values())), CertifiedKey)

    def test_of_a_key_that_is_not_there_is_left_alone(self, tmp_path: Path) -> None:
        put_certificate(tmp_path, Draft(kind=2)).rename(host_certificate_path(tmp_path, "ssh-rsa"))
        assert list(load_host_keys(tmp_path)) == [b"ssh-ed25519"]

    @pytest.mark.parametrize(
        ("draft", "said"),
        [
            (
                Draft(kind=1),
                "certificate is for a user: sign it again with `ssh-keygen -h`",
            ),
            (
                Draft(kind=2, key=public_key(2).blob),
                f"certificate is for another key, {public_key(2).fingerprint}",
            ),
            (
                Draft(kind=2, valid_before=1262304000),
                "certificate expired at 2010-01-01T00:00:00Z",
            ),
            (
                Draft(kind=2, valid_after=253370764800),
                "certificate is not valid before 9999-01-01T00:00:00Z",
            ),
            (
                Draft(kind=2, critical=pairs((b"force-command", b""))),
                "certificate has critical options, which no client knows for hosts",
            ),
            (
                Draft(kind=2, authority=public_key(2).blob),
                "certificate is not signed by the authority that it names",
            ),
        ],
    )
    def test_that_is_no_good_stops_the_start(self, tmp_path: Path, draft: Draft, said: str) -> None:
        path = put_certificate(tmp_path, draft)
        with pytest.raises(HostKeyError) as caught:
            load_host_keys(tmp_path)
        assert str(caught.value) == (
            f"{path}: {said}; replace the certificate, or move it away to go without one"
        )
        assert host_public_keys(tmp_path) == [public_key(1)]

    @pytest.mark.parametrize(
        "content",
        [b"", b"\xff\0", public_key(1).line.encode(), b"x" * 100_000],
        ids=["nothing", "rubbish", "key", "too much"],
    )
    def test_that_is_none_stops_the_start(self, tmp_path: Path, content: bytes) -> None:
        put_certificate(tmp_path, Draft(kind=2)).write_bytes(content)
        with pytest.raises(HostKeyError, match=r"_ed25519_key-cert\.pub: .*; replace the certific"):
            load_host_keys(tmp_path)

    def test_that_cannot_be_read_stops_the_start(self, tmp_path: Path) -> None:
        path = put_certificate(tmp_path, Draft(kind=2))
        path.unlink()
        path.mkdir()
        with pytest.raises(HostKeyError, match=r"_ed25519_key-cert\.pub: is not a regular file$"):
            load_host_keys(tmp_path)
