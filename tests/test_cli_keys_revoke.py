"""`keys revoke`: one word, and whom it means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.grants import Offer, Refusal
from conch_insults.access.policy import Policy
from conch_insults.errors import KeyFileError, PublicKeyError
from tests.certificate_authority import Authority, needs_ssh_keygen
from tests.desk import Desk
from tests.real_keygen import NEEDS_KEYGEN, Keygen
from tests.sample_keys import public_key

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.access.public_key import PublicKey

ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice@work")
BOB = public_key(3)
CA = public_key(4, "the authority")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path / "keys")
    desk.let_in("alice", ALICE.line, f"no-pty {WORK.line}")
    desk.let_in("bob", BOB.line)
    return desk


def may_come_in(desk: Desk, user: str, key: PublicKey) -> bool:
    policy = Policy(desk.keys_dir, lambda _: None, desk.rules)
    decision = policy.decide(Offer(user, key.key_type, key.blob, ""), datetime.now(UTC))
    return not isinstance(decision, Refusal)


class TestUser:
    def test_all_keys_of_the_user(self, desk: Desk) -> None:
        assert may_come_in(desk, "alice", ALICE)
        assert desk.said("keys", "revoke", "alice") == (
            f"revoked: ssh-ed25519 {ALICE.fingerprint} alice@home\n"
            f"revoked: ssh-ed25519 {WORK.fingerprint} alice@work\n"
            f"listed in {desk.revoked}: no login from now on, and open sessions end within"
            " seconds\n"
        )
        assert not may_come_in(desk, "alice", ALICE)
        assert not may_come_in(desk, "alice", WORK)
        assert may_come_in(desk, "bob", BOB)

    def test_the_list_says_when_and_whose(self, desk: Desk) -> None:
        desk.said("keys", "revoke", "bob")
        words = desk.revoked.read_text().split(maxsplit=2)
        assert words[:2] == BOB.line.split()[:2]
        assert words[2] == f"revoked {datetime.now(UTC):%Y-%m-%d}, bob\n"

    def test_again_changes_nothing(self, desk: Desk) -> None:
        desk.said("keys", "revoke", "alice")
        before = desk.revoked.read_bytes()
        assert desk.said("keys", "revoke", "alice") == (
            f"revoked already: ssh-ed25519 {ALICE.fingerprint} alice@home ({desk.revoked}:1)\n"
            f"revoked already: ssh-ed25519 {WORK.fingerprint} alice@work ({desk.revoked}:2)\n"
        )
        assert desk.revoked.read_bytes() == before

    def test_an_authority_of_theirs_stays_and_is_told(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line, f"cert-authority {CA.line}")
        result = desk.run("keys", "revoke", "alice")
        assert result.exit_code == 0
        assert CA.fingerprint not in result.stdout
        assert result.stderr.startswith(
            f"alice still comes in by certificates of ssh-ed25519 {CA.fingerprint} the authority"
        )
        assert f"`conch-insults keys revoke {CA.fingerprint}`" in result.stderr

    def test_only_an_authority(self, desk: Desk) -> None:
        desk.let_in("alice", f"cert-authority {CA.line}")
        result = desk.run("keys", "revoke", "alice")
        assert result.stdout == "nothing to do: alice has no keys of their own\n"
        assert not desk.revoked.exists()

    def test_the_authorities_of_everybody_are_told(self, desk: Desk) -> None:
        desk.write(desk.user_ca, CA.line)
        result = desk.run("keys", "revoke", "bob")
        assert f"if an authority of {desk.user_ca} names bob" in result.stderr

    def test_a_file_of_the_same_name_is_not_meant(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "bob").write_text(ALICE.line)
        result = desk.run("keys", "revoke", "bob")
        assert result.stderr == "bob is taken for the user: write ./bob for the file\n"
        assert may_come_in(desk, "alice", ALICE)
        assert not may_come_in(desk, "bob", BOB)


class TestFingerprint:
    def test_of_a_key_that_somebody_here_has(self, desk: Desk) -> None:
        """The key itself is listed, which sshd can read as well."""
        assert desk.said("keys", "revoke", WORK.fingerprint).startswith(
            f"revoked: ssh-ed25519 {WORK.fingerprint} alice@work\n"
        )
        assert desk.revoked.read_text().split()[:2] == WORK.line.split()[:2]
        assert not may_come_in(desk, "alice", WORK)
        assert may_come_in(desk, "alice", ALICE)

    def test_of_an_authority(self, desk: Desk) -> None:
        desk.write(desk.user_ca, CA.line)
        desk.said("keys", "revoke", CA.fingerprint)
        assert desk.revoked.read_text().split()[:2] == CA.line.split()[:2]

    def test_of_a_key_that_nobody_has(self, desk: Desk) -> None:
        stranger = public_key(9)
        result = desk.run("keys", "revoke", stranger.fingerprint)
        assert result.stdout.startswith(f"revoked: {stranger.fingerprint}\n")
        assert "which sshd cannot read" in result.stderr
        assert desk.revoked.read_text().startswith(f"{stranger.fingerprint} revoked ")
        again = desk.said("keys", "revoke", stranger.fingerprint)
        assert again == f"revoked already: {stranger.fingerprint} ({desk.revoked}:1)\n"
        desk.let_in("eve", stranger.line)
        assert not may_come_in(desk, "eve", stranger)

    def test_that_is_none_is_bad_usage(self, desk: Desk) -> None:
        assert "is no SHA256 fingerprint" in desk.misused("keys", "revoke", "SHA256:abc")
        assert not desk.revoked.exists()


class TestFile:
    def test_a_public_key(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "bob").write_text(ALICE.line)
        said = desk.said("keys", "revoke", "./bob")
        assert said.startswith(f"revoked: ssh-ed25519 {ALICE.fingerprint} alice@home\n")
        assert not may_come_in(desk, "alice", ALICE)
        assert may_come_in(desk, "bob", BOB)

    def test_several(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "gone.pub").write_text(f"{ALICE.line}\n{BOB.line}\n")
        desk.said("keys", "revoke", str(tmp_path / "gone.pub"))
        assert len(desk.revoked.read_text().splitlines()) == 2

    @needs_ssh_keygen
    def test_a_certificate_is_revoked_with_its_key(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "id.pub").write_text(ALICE.line)
        authority = Authority(tmp_path, "ca", "-t", "ed25519")
        certificate = authority.certify(tmp_path / "id.pub", "-I", "alice", "-n", "alice")
        desk.said("keys", "revoke", certificate.name)
        assert desk.revoked.read_text().split()[:2] == ALICE.line.split()[:2]

    @NEEDS_KEYGEN
    def test_a_real_sshd_list_is_what_comes_of_it(self, desk: Desk, tmp_path: Path) -> None:
        """ssh-keygen finds the keys in the list as it would in a KRL."""
        keygen = Keygen(tmp_path)
        gone, stays = keygen.key("gone"), keygen.key("stays", "-t", "ecdsa")
        desk.said("keys", "revoke", gone.name)
        keygen.run("-k", "-f", "krl", str(desk.revoked))
        assert keygen.revoked(tmp_path / "krl", [gone, stays]) == [True, False]

    def test_one_line_that_is_no_key_revokes_nothing(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "keys.txt").write_text(f"{ALICE.line}\nrubbish\n")
        error = desk.error("keys", "revoke", "keys.txt")
        assert isinstance(error, PublicKeyError)
        assert str(error).startswith("keys.txt:2: ")
        assert not desk.revoked.exists()

    def test_what_is_no_user_and_no_file_is_bad_usage(self, desk: Desk) -> None:
        said = desk.misused("keys", "revoke", "carol")
        assert "'carol' is no user, no SHA256 fingerprint and no file" in said

    def test_a_folder_is_no_file(self, desk: Desk) -> None:
        assert "is not a regular file" in str(desk.error("keys", "revoke", "./keys"))


@NEEDS_KEYGEN
def test_a_krl_is_left_to_ssh_keygen(desk: Desk, tmp_path: Path) -> None:
    krl = Keygen(tmp_path).krl("krl", "serial: 1\n", "-s", str(Keygen(tmp_path).key("ca")))
    krl.rename(desk.revoked)
    before = desk.revoked.read_bytes()
    error = desk.error("keys", "revoke", "alice")
    assert isinstance(error, KeyFileError)
    assert "is a KRL, which ssh-keygen changes" in str(error)
    assert desk.revoked.read_bytes() == before
