"""The keys that an operator means: those of a user, of a fingerprint, in a file."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.named_keys import (
    has_authorities,
    key_with_fingerprint,
    keys_in_file,
    keys_of_user,
)
from conch_insults.access.public_key import PublicKey
from conch_insults.errors import KeyFileError, PublicKeyError
from tests.certificate_authority import Authority, needs_ssh_keygen
from tests.desk import Desk
from tests.real_keygen import NEEDS_KEYGEN, Keygen, blob_of
from tests.sample_keys import private_key_text, public_key

if TYPE_CHECKING:
    from pathlib import Path

ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice@work")
CA = public_key(4, "the authority")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "keys")


class TestOfAUser:
    def test_keys_are_told_from_authorities(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line, f"restrict,Cert-Authority {CA.line}", WORK.line)
        keys = keys_of_user(desk.keys_dir, "alice")
        assert keys is not None
        assert (keys.own, keys.authorities) == ((ALICE, WORK), (CA,))

    def test_the_key_of_a_line_that_cannot_be_used_counts(self, desk: Desk) -> None:
        desk.let_in("alice", f"no-such-option {ALICE.line}", "rubbish")
        keys = keys_of_user(desk.keys_dir, "alice")
        assert keys is not None
        assert (keys.own, keys.authorities) == ((ALICE,), ())

    def test_an_authority_on_a_line_that_cannot_be_used_stays_one(self, desk: Desk) -> None:
        desk.let_in("alice", f"cert-authority,no-such-option {CA.line}")
        keys = keys_of_user(desk.keys_dir, "alice")
        assert keys is not None
        assert (keys.own, keys.authorities) == ((), (CA,))

    def test_a_comment_makes_no_authority(self, desk: Desk) -> None:
        key = public_key(5, "of the cert-authority")
        desk.let_in("alice", key.line)
        keys = keys_of_user(desk.keys_dir, "alice")
        assert keys is not None
        assert keys.own == (key,)

    def test_a_key_on_two_lines_is_one(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line, f"restrict {ALICE.line}")
        keys = keys_of_user(desk.keys_dir, "alice")
        assert keys is not None
        assert keys.own == (ALICE,)

    def test_a_link_is_followed_as_at_login(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line)
        desk.file("al").symlink_to("alice")
        keys = keys_of_user(desk.keys_dir, "al")
        assert keys is not None
        assert keys.own == (ALICE,)

    def test_nobody(self, desk: Desk) -> None:
        desk.let_in("alice")
        assert keys_of_user(desk.keys_dir, "bob") is None

    def test_a_file_that_cannot_be_read(self, desk: Desk) -> None:
        desk.let_in("alice")
        desk.file("bob").mkdir()
        with pytest.raises(KeyFileError, match="is not a regular file"):
            keys_of_user(desk.keys_dir, "bob")


class TestWithAFingerprint:
    def test_among_users_and_authorities(self, desk: Desk) -> None:
        desk.let_in("alice", "rubbish", f"restrict {ALICE.line}")
        desk.write(desk.user_ca, CA.line)
        assert key_with_fingerprint(desk.keys_dir, ALICE.fingerprint) == ALICE
        assert key_with_fingerprint(desk.keys_dir, CA.fingerprint) == CA
        assert key_with_fingerprint(desk.keys_dir, WORK.fingerprint) is None

    def test_a_file_that_cannot_be_read_hides_no_other(self, desk: Desk) -> None:
        desk.let_in("bob", ALICE.line)
        desk.file("alice").mkdir()
        desk.file("al").symlink_to("nowhere")
        assert key_with_fingerprint(desk.keys_dir, ALICE.fingerprint) == ALICE

    def test_no_keys_directory(self, desk: Desk) -> None:
        with pytest.raises(KeyFileError, match="run `conch-insults init`"):
            key_with_fingerprint(desk.keys_dir, ALICE.fingerprint)


def test_authorities_of_everybody_are_noticed(desk: Desk) -> None:
    desk.let_in("alice")
    assert not has_authorities(desk.keys_dir)
    desk.write(desk.user_ca, CA.line)
    assert has_authorities(desk.keys_dir)


class TestInAFile:
    def test_with_and_without_options(self) -> None:
        content = f"# mine\n\n{ALICE.line}\r\n\trestrict {WORK.line}\n{ALICE.line}\n"
        assert keys_in_file(content.encode(), "keys") == (ALICE, WORK)

    @needs_ssh_keygen
    def test_a_certificate_stands_for_its_key(self, tmp_path: Path) -> None:
        (tmp_path / "id.pub").write_text(ALICE.line)
        authority = Authority(tmp_path, "ca", "-t", "ed25519")
        certificate = authority.certify(tmp_path / "id.pub", "-I", "alice", "-n", "alice")
        assert keys_in_file(certificate.read_bytes(), "id-cert.pub") == (ALICE,)

    @NEEDS_KEYGEN
    def test_a_key_that_is_too_weak_to_come_in_is_one(self, tmp_path: Path) -> None:
        weak = Keygen(tmp_path).key("weak", "-t", "rsa", "-b", "1024")
        assert keys_in_file(weak.read_bytes(), "weak.pub") == (
            PublicKey("ssh-rsa", blob_of(weak), "weak"),
        )

    def test_a_comment_in_another_encoding_does_no_harm(self) -> None:
        content = ALICE.line.encode().replace(b"alice@home", b"\xe4lice")
        (key,) = keys_in_file(content, "keys")
        assert key.blob == ALICE.blob

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "keys: holds no public key"),
            (b"# nothing\n", "keys: holds no public key"),
            (ALICE.line.encode() + b"\nrubbish", "keys:2: unknown key type 'rubbish'"),
            (b"ssh-ed25519 AAAA", "keys:1: key is too short or too long"),
            (private_key_text(1), "keys:1: that is a private key: give the .pub file"),
            (b"#" * (1024 * 1024 + 1), "keys: is larger than"),
        ],
    )
    def test_what_is_refused(self, content: bytes, reason: str) -> None:
        with pytest.raises(PublicKeyError) as refused:
            keys_in_file(content, "keys")
        assert str(refused.value).startswith(reason)

    @settings(max_examples=50)
    @given(st.binary() | st.binary(max_size=80).map(lambda noise: ALICE.line.encode() + noise))
    def test_nothing_else_is_ever_raised(self, content: bytes) -> None:
        with contextlib.suppress(PublicKeyError):
            assert keys_in_file(content, "keys")
