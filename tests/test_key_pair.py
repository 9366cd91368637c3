from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from conch_insults.access import key_pair
from conch_insults.access.key_pair import create_key_pair, public_half, read_private_key
from conch_insults.access.public_key import parse_public_key
from conch_insults.errors import KeyFileError, PublicKeyError
from tests.sample_keys import names_in, private_key_text, public_key

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


class TestCreating:
    def test_a_pair(self, tmp_path: Path) -> None:
        private = tmp_path / "client" / "id_ed25519"
        assert create_key_pair(private, "me@here")
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in (private.parent, private, private.with_name("id_ed25519.pub"))
        }
        assert modes == {"client": 0o700, "id_ed25519": 0o600, "id_ed25519.pub": 0o644}
        public = parse_public_key((tmp_path / "client" / "id_ed25519.pub").read_text())
        assert public.comment == "me@here"
        assert public.blob == public_half(read_private_key(private)).blob

    def test_two_pairs_differ(self, tmp_path: Path) -> None:
        create_key_pair(tmp_path / "a" / "key", "")
        create_key_pair(tmp_path / "b" / "key", "")
        assert (tmp_path / "a" / "key").read_bytes() != (tmp_path / "b" / "key").read_bytes()

    @pytest.mark.parametrize("content", [b"", b"anything"])
    def test_what_is_there_is_never_replaced(self, tmp_path: Path, content: bytes) -> None:
        written(tmp_path / "key", content)
        assert not create_key_pair(tmp_path / "key", "")
        assert (tmp_path / "key").read_bytes() == content
        assert names_in(tmp_path) == ["key"]

    def test_a_link_that_leads_nowhere_is_there(self, tmp_path: Path) -> None:
        (tmp_path / "key").symlink_to("elsewhere")
        assert not create_key_pair(tmp_path / "key", "")
        assert names_in(tmp_path) == ["key"]

    def test_of_two_at_the_same_time_the_first_wins(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lost(path: Path, content: bytes, mode: int) -> bool:
            return False

        monkeypatch.setattr(key_pair, "create_file", lost)
        assert not create_key_pair(tmp_path / "key", "")
        assert names_in(tmp_path) == []


class TestReading:
    def test_an_openssh_key(self, tmp_path: Path) -> None:
        key = read_private_key(written(tmp_path / "key", private_key_text(1)))
        assert public_half(key) == public_key(1)

    def test_a_pem_key(self, tmp_path: Path) -> None:
        private = rsa.generate_private_key(65537, 2048)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        key = read_private_key(written(tmp_path / "key", pem))
        assert public_half(key).key_type == "ssh-rsa"

    def test_a_weak_key_has_no_public_half(self) -> None:
        with pytest.raises(PublicKeyError, match="1024 bits is too weak"):
            public_half(rsa.generate_private_key(65537, 1024))

    def test_a_link_may_lead_to_it(self, tmp_path: Path) -> None:
        written(tmp_path / "secret", private_key_text(1))
        (tmp_path / "key").symlink_to("secret")
        assert public_half(read_private_key(tmp_path / "key")) == public_key(1)

    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_private_key(tmp_path / "key")

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
    def test_one_that_is_open_to_others(self, tmp_path: Path, mode: int) -> None:
        path = written(tmp_path / "key", private_key_text(1), mode)
        with pytest.raises(KeyFileError) as caught:
            read_private_key(path)
        assert str(caught.value) == f"{path}: is open to others: run `chmod 600 {path}`"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "is empty: restore it, or remove it and run"),
            (b" \n", "is empty"),
            (b"rubbish", "is not a private key: restore it"),
            (private_key_text(1)[:200], "is not a private key"),
            (
                b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
                "is not a private key",
            ),
            (b"\xff" * 70_000, "is not a private key"),
        ],
    )
    def test_what_is_wrong_is_said(self, tmp_path: Path, content: bytes, said: str) -> None:
        with pytest.raises(KeyFileError, match=said):
            read_private_key(written(tmp_path / "key", content))

    @pytest.mark.parametrize("form", [PrivateFormat.OpenSSH, PrivateFormat.PKCS8])
    def test_an_encrypted_key(self, tmp_path: Path, form: PrivateFormat) -> None:
        secret = ed25519.Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, form, BestAvailableEncryption(b"secret")
        )
        with pytest.raises(KeyFileError, match="is encrypted: take the passphrase off with"):
            read_private_key(written(tmp_path / "key", secret))

    def test_another_type(self, tmp_path: Path) -> None:
        secret = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
        )
        with pytest.raises(KeyFileError, match="is neither an Ed25519 nor an RSA key"):
            read_private_key(written(tmp_path / "key", secret))
