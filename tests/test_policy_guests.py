"""Guests: who may come in as nobody, under which names, and what they never get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conch_insults.access.certificate import parse_certificate
from conch_insults.access.grants import GUEST, Grant, Offer, Refusal, Terms
from conch_insults.access.key_options import Role
from conch_insults.access.policy import AccessRules, GuestMode
from conch_insults.access.public_key import PublicKey
from conch_insults.access.signature import Proof
from conch_insults.rating import Rating
from tests.certificate_authority import Draft
from tests.keys_folder import HERE, NOW, TOUCHED, KeysFolder, granted, refused
from tests.sample_keys import public_key, public_rsa_key
from tests.software_authenticator import SecurityKey, string
from tests.spoiled_files import SPOILED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALICE = public_key(1)
STRANGER = public_key(7)
RSA = public_rsa_key()
SECURITY_KEY = SecurityKey.ecdsa().public
CERTIFICATE = parse_certificate(Draft().signed())
AUTHORITY = CERTIFICATE.authority
TERMS = Terms(rating=Rating.G, lines_per_minute=30, session_limit=600.0)

OPEN: tuple[GuestMode, ...] = ("key", "anyone")
each_open_mode = pytest.mark.parametrize("mode", OPEN)


def rules(mode: GuestMode, attested: frozenset[str] | None = None) -> AccessRules:
    return AccessRules(guests=mode, guest_terms=TERMS, attested_aaguids=attested)


@pytest.fixture
def folder(tmp_path: Path) -> KeysFolder:
    """A folder with a user, which is open to anyone."""
    folder = KeysFolder(tmp_path, rules("anyone"))
    folder.let_in("alice", f'command="perl",role@conch-insults="operator" {ALICE.line}')
    return folder


def has_no_trace(grant: Grant) -> bool:
    return not grant.offer.blob and not grant.fingerprint and not grant.key_type


class TestMode:
    @pytest.mark.parametrize(
        ("mode", "with_key", "without"),
        [("off", False, False), ("key", True, False), ("anyone", True, True)],
    )
    def test_it_says_who_may(
        self, folder: KeysFolder, mode: GuestMode, with_key: bool, without: bool
    ) -> None:
        folder.rule(rules(mode))
        assert isinstance(folder.ask("mallory", STRANGER), Grant) is with_key
        assert isinstance(folder.ask("mallory", None), Grant) is without

    def test_off_is_the_default(self, folder: KeysFolder) -> None:
        folder.rule(AccessRules())
        assert refused(folder.ask("mallory", STRANGER)) == "unknown user"
        assert refused(folder.ask("mallory", None)) == "no key was offered"

    @each_open_mode
    def test_users_are_themselves_all_the_same(self, folder: KeysFolder, mode: GuestMode) -> None:
        folder.rule(rules(mode))
        grant = granted(folder.ask("alice", ALICE))
        assert (grant.user, grant.is_guest) == ("alice", False)
        assert grant.terms == Terms(command="perl", role=Role.OPERATOR)


class TestGrant:
    @each_open_mode
    def test_a_guest_is_nobody_on_terms_of_their_own(
        self, folder: KeysFolder, mode: GuestMode
    ) -> None:
        folder.rule(rules(mode))
        offer = Offer("mallory", "ssh-ed25519", STRANGER.blob, HERE, Proof())
        grant = granted(folder.policy.decide(offer, NOW))
        assert grant == Grant(offer, f"access.guests = {mode}", TERMS, is_guest=True)
        assert grant.user == GUEST
        assert grant.fingerprint == STRANGER.fingerprint

    def test_without_a_key_there_is_no_trace_of_one(self, folder: KeysFolder) -> None:
        folder.ask("mallory", STRANGER)
        grant = granted(folder.ask("mallory", None))
        assert grant.user == GUEST
        assert has_no_trace(grant)

    def test_what_says_it_is_no_key_may_not_carry_one(self, folder: KeysFolder) -> None:
        """Or a key that nobody has proved would stand in the grant."""
        reason = refused(folder.ask("mallory", STRANGER, key_type=""))
        assert reason == "key is not of the type it was offered as"

    def test_a_users_key_is_nobodys_under_another_name(self, folder: KeysFolder) -> None:
        grant = granted(folder.ask("mallory", ALICE))
        assert grant.user == GUEST
        assert grant.terms == TERMS


class TestNames:
    """Nobody comes as a guest under a name that somebody has, whatever is with their file."""

    @each_open_mode
    def test_a_refused_user_is_no_guest(self, folder: KeysFolder, mode: GuestMode) -> None:
        folder.rule(rules(mode))
        assert refused(folder.ask("alice", STRANGER)) == "key not authorized for this user"
        assert refused(folder.ask("alice", None)) == "no key was offered"

    @each_open_mode
    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ('from="198.51.100.1"', "not from 192.0.2.1 (from)"),
            ('expiry-time="20200101Z"', "expired at 2020-01-01T00:00:00Z (expiry-time)"),
            ("cert-authority", "key not authorized for this user"),
            (
                "unheard-of",
                "key not authorized for this user, and 1 line of the file cannot be used",
            ),
        ],
    )
    def test_an_option_that_refuses_is_not_walked_around(
        self, folder: KeysFolder, mode: GuestMode, options: str, reason: str
    ) -> None:
        folder.rule(rules(mode))
        folder.let_in("alice", f"{options} {ALICE.line}")
        assert refused(folder.ask("alice", ALICE)) == reason
        assert refused(folder.ask("alice", None)) == "no key was offered"

    def test_a_security_key_that_was_not_touched_is_no_guests(self, folder: KeysFolder) -> None:
        folder.let_in("alice", SECURITY_KEY.line)
        untouched = Proof(touched=False, verified=False)
        reason = refused(folder.ask("alice", SECURITY_KEY, proof=untouched))
        assert reason == "nobody touched the security key"

    @each_open_mode
    @pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
    def test_a_file_that_lets_nobody_in_still_says_whose_the_name_is(
        self, folder: KeysFolder, mode: GuestMode, spoil: Callable[[Path], object]
    ) -> None:
        folder.rule(rules(mode))
        spoil(folder.users / "alice")
        for _ in range(2):
            for key in (ALICE, STRANGER, None):
                refused(folder.ask("alice", key))

    def test_a_name_counts_from_the_moment_that_somebody_has_it(self, folder: KeysFolder) -> None:
        granted(folder.ask("bob", None))
        path = folder.let_in("bob", public_key(2).line)
        refused(folder.ask("bob", None))
        path.unlink()
        granted(folder.ask("bob", None))

    @pytest.mark.parametrize(
        "user", ["", "Alice", "../alice", "authorized_keys.d/alice", "a\0", "\udcff", "x" * 99]
    )
    def test_what_can_be_nobodys_name_never_reaches_the_file_system(
        self, folder: KeysFolder, user: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folder.policy._users, "look_up", pytest.fail)
        for key in (STRANGER, None):
            assert granted(folder.ask(user, key)).user == GUEST


class TestKeys:
    @pytest.mark.parametrize("mode", OPEN)
    @pytest.mark.parametrize(
        ("blob", "key_type", "reason"),
        [
            (b"", "ssh-ed25519", "key is too short or too long: copy the whole line again"),
            (STRANGER.blob[:-1], "ssh-ed25519", "key is too short or too long"),
            (STRANGER.blob + b"\0", "ssh-ed25519", "key is too short or too long"),
            (STRANGER.blob, "rsa-sha2-512", "key is not of the type it was offered as"),
            (STRANGER.blob, "ssh-ed448", "key is not of the type it was offered as"),
            (RSA.blob, "ssh-rsa", "key is not of the type it was offered as"),
            (
                string(b"ssh-rsa") + string(b"\1\0\1") + string(b"\x7f" + b"\1" * 127),
                "rsa-sha2-512",
                "RSA key of 1023 bits is too weak",
            ),
            (CERTIFICATE.blob, "ssh-ed25519", "certificates are not accepted"),
        ],
    )
    def test_one_that_must_not_be_used_makes_no_guest(
        self, folder: KeysFolder, mode: GuestMode, blob: bytes, key_type: str, reason: str
    ) -> None:
        folder.rule(rules(mode))
        decision = folder.ask("mallory", PublicKey("", blob), key_type=key_type)
        assert refused(decision).startswith(reason)

    @each_open_mode
    def test_a_revoked_one_makes_no_guest(self, folder: KeysFolder, mode: GuestMode) -> None:
        folder.rule(rules(mode))
        folder.write(folder.revoked, STRANGER.fingerprint)
        assert refused(folder.ask("mallory", STRANGER)) == "revoked: key listed on line 1"
        granted(folder.ask("mallory", RSA))

    def test_a_security_key_must_be_touched(self, folder: KeysFolder) -> None:
        untouched = Proof(touched=False, verified=True)
        reason = refused(folder.ask("mallory", SECURITY_KEY, proof=untouched))
        assert reason == "nobody touched the security key"
        assert granted(folder.ask("mallory", SECURITY_KEY, proof=TOUCHED)).is_guest

    def test_a_security_key_that_must_be_attested_is_not(self, folder: KeysFolder) -> None:
        folder.rule(rules("anyone", frozenset()))
        assert "not attested" in refused(folder.ask("mallory", SECURITY_KEY, proof=TOUCHED))
        granted(folder.ask("mallory", STRANGER))


class TestRevocation:
    @pytest.mark.parametrize("spoil", [b"nonsense", b"SSHKRL\n\0", None])
    def test_a_list_that_cannot_be_used_keeps_guests_out_too(
        self, folder: KeysFolder, spoil: bytes | None
    ) -> None:
        """Also those without a key: whoever has been locked out might come without theirs."""
        folder.write(folder.revoked)
        granted(folder.ask("mallory", None))
        if spoil is None:
            folder.revoked.chmod(0o666)
        else:
            folder.revoked.write_bytes(spoil)
        for user in ("mallory", "Not A Name"):
            for key in (STRANGER, None):
                assert folder.ask(user, key) == Refusal(
                    "nobody may come in: revoked_keys cannot be used", str(folder.revoked)
                )


class TestCertificates:
    """Whoever shows by a certificate who they are is not let in as nobody."""

    @each_open_mode
    @pytest.mark.parametrize("user", ["mallory", "alice", "Not A Name"])
    @pytest.mark.parametrize("is_trusted", [False, True])
    def test_they_never_make_guests(
        self, folder: KeysFolder, mode: GuestMode, user: str, is_trusted: bool
    ) -> None:
        folder.rule(rules(mode))
        if is_trusted:
            folder.write(folder.authorities, AUTHORITY.line)
        decision = folder.ask(user, CERTIFICATE)
        if user == "Not A Name":
            assert refused(decision) == "not a valid user name"
        elif not is_trusted:
            assert refused(decision) == "certificate's authority is not trusted"
        elif user == "mallory":
            assert refused(decision) == "certificate is for other principals: 'alice'"
        else:
            assert not granted(decision).is_guest

    @each_open_mode
    def test_nor_does_what_only_says_that_it_is_one(
        self, folder: KeysFolder, mode: GuestMode
    ) -> None:
        folder.rule(rules(mode))
        for blob in (b"", STRANGER.blob, CERTIFICATE.blob[:-1]):
            name = "ssh-ed25519-cert-v01@openssh.com"
            refused(folder.ask("mallory", PublicKey("", blob), key_type=name))
