from __future__ import annotations

import os
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.public_key import PublicKey
from conch_insults.access.revocation import MAXIMUM_BYTES, parse_revoked
from conch_insults.access.revoked_file import Revoked, revoke
from conch_insults.errors import KeyFileError, PublicKeyError
from tests.real_keygen import NEEDS_KEYGEN, Keygen, blob_of
from tests.sample_keys import names_in, public_key, public_rsa_key

if TYPE_CHECKING:
    from pathlib import Path

ALICE = public_key(1, "alice@home")
BOB = public_key(2, "bob")


def held(keys_dir: Path) -> str:
    return (keys_dir / "revoked_keys").read_text(encoding="utf-8")


def write(keys_dir: Path, content: str | bytes) -> Path:
    path = keys_dir / "revoked_keys"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


class TestRevoking:
    def test_the_first_key_makes_the_list(self, tmp_path: Path) -> None:
        previous = os.umask(0o077)
        try:
            assert revoke(tmp_path, [ALICE]) == Revoked((ALICE.line,), ())
        finally:
            os.umask(previous)
        assert held(tmp_path) == f"{ALICE.line}\n"
        assert stat.S_IMODE((tmp_path / "revoked_keys").stat().st_mode) == 0o644
        assert names_in(tmp_path) == ["revoked_keys"]

    def test_what_is_there_stays_as_it_is(self, tmp_path: Path) -> None:
        path = write(tmp_path, f"# lost\r\n\n{ALICE.line}")
        path.chmod(0o600)
        assert revoke(tmp_path, [BOB.fingerprint]).added == (BOB.fingerprint,)
        expected = f"# lost\r\n\n{ALICE.line}\n{BOB.fingerprint}\n"
        assert path.read_bytes() == expected.encode()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_it_counts(self, tmp_path: Path) -> None:
        revoke(tmp_path, [ALICE, BOB.fingerprint])
        revoked = parse_revoked((tmp_path / "revoked_keys").read_bytes())
        assert revoked.reason(ALICE.blob) == "revoked: key listed on line 1"
        assert revoked.reason(BOB.blob) == "revoked: key listed on line 2"

    def test_a_key_is_listed_once(self, tmp_path: Path) -> None:
        write(tmp_path, f"# lost\n{ALICE.fingerprint}\n")
        before = (tmp_path / "revoked_keys").stat()
        assert revoke(tmp_path, [ALICE]) == Revoked((), ((ALICE.fingerprint, 2),))
        assert (tmp_path / "revoked_keys").stat() == before
        done = revoke(tmp_path, [BOB, ALICE, BOB.fingerprint])
        assert done == Revoked((BOB.line,), ((ALICE.fingerprint, 2),))

    def test_nothing_to_revoke_makes_no_list(self, tmp_path: Path) -> None:
        assert revoke(tmp_path, []) == Revoked((), ())
        assert names_in(tmp_path) == []

    def test_a_comment_says_why(self, tmp_path: Path) -> None:
        revoke(tmp_path, [ALICE, BOB.fingerprint], "laptop stolen")
        assert [line.partition(" laptop")[2] for line in held(tmp_path).splitlines()] == [
            " stolen",
            " stolen",
        ]

    def test_a_comment_stays_on_its_line(self, tmp_path: Path) -> None:
        mallory = PublicKey(BOB.key_type, BOB.blob, "\x1b[2J\r\n\u2028\u202ex\udcff")
        revoke(tmp_path, [mallory, ALICE.fingerprint], "")
        revoke(tmp_path, [public_key(3).fingerprint], "a\nb" * 1000)
        first, second, third = held(tmp_path).splitlines()
        assert first.endswith(" ?[2J????x?")
        assert second == ALICE.fingerprint
        assert len(third) < 300
        assert "a?ba?b" in third

    def test_a_hundred_at_once_are_all_there(self, tmp_path: Path) -> None:
        keys = [public_key(number) for number in range(1, 101)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: revoke(tmp_path, [key]), keys))
        assert sorted(held(tmp_path).splitlines()) == sorted(key.line for key in keys)


class TestWhatCannotBeRevoked:
    def test_a_fingerprint_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(PublicKeyError, match="'SHA256:no' is no SHA256 fingerprint"):
            revoke(tmp_path, [ALICE, "SHA256:no"])
        assert names_in(tmp_path) == []

    def test_a_key_in_a_spelling_that_no_login_has(self, tmp_path: Path) -> None:
        rsa = public_rsa_key().blob
        at = rsa.index(b"\0\0\x01\x01\0\x80")
        padded = rsa[:at] + b"\0\0\x01\x02\0" + rsa[at + 4 :]
        with pytest.raises(KeyFileError, match="would not hold what was added to it"):
            revoke(tmp_path, [PublicKey("ssh-rsa", padded)])
        assert names_in(tmp_path) == []

    def test_a_list_with_a_bad_line_is_not_added_to(self, tmp_path: Path) -> None:
        path = write(tmp_path, "\nnonsense\n")
        with pytest.raises(KeyFileError) as caught:
            revoke(tmp_path, [ALICE])
        assert str(caught.value) == (
            f"{path}: line 2: is neither a public key nor a SHA256 fingerprint"
        )
        assert held(tmp_path) == "\nnonsense\n"

    def test_a_list_that_is_full(self, tmp_path: Path) -> None:
        path = write(tmp_path, b"#" * (MAXIMUM_BYTES - 10))
        with pytest.raises(KeyFileError, match="is larger than 4194304 bytes"):
            revoke(tmp_path, [ALICE])
        assert path.stat().st_size == MAXIMUM_BYTES - 10

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").write_text("")
        (tmp_path / "revoked_keys").symlink_to("elsewhere")
        with pytest.raises(KeyFileError, match="revoked_keys: is a symbolic link"):
            revoke(tmp_path, [ALICE])

    def test_without_a_keys_directory(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileError, match="revoked_keys: cannot be changed: No such file"):
            revoke(tmp_path / "keys", [ALICE])


@NEEDS_KEYGEN
class TestKrls:
    def test_one_is_left_to_keygen_with_the_command_to_run(self, tmp_path: Path) -> None:
        keys_dir = tmp_path / "it's keys"
        keys_dir.mkdir()
        keygen = Keygen(keys_dir)
        alice, bob = keygen.key("alice"), keygen.key("bob")
        carol = keygen.key("carol")
        path = keygen.krl("revoked_keys", "", carol.name)
        before = path.read_bytes()
        entry = PublicKey("ssh-ed25519", blob_of(alice))
        with pytest.raises(KeyFileError) as caught:
            revoke(keys_dir, [entry, PublicKey("ssh-ed25519", blob_of(bob)).fingerprint])
        message = str(caught.value)
        assert message.startswith(f"{path}: is a KRL, which ssh-keygen changes: run `printf ")
        assert path.read_bytes() == before
        subprocess.run(["sh", "-c", message.split("`")[1]], check=True, capture_output=True)
        assert keygen.revoked(path, [alice, bob, carol]) == [True, True, True]
        revoked = parse_revoked(path.read_bytes())
        assert revoked.reason(entry.blob) == "revoked: SHA256 fingerprint listed in the KRL"
