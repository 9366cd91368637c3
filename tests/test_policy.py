"""Who may come in with a plain key: by which line, on which terms, or why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.authorized_keys import KeyRules
from conch_insults.access.certified_key import certificate_name
from conch_insults.access.grants import Grant, Offer, Refusal, Terms
from conch_insults.access.key_options import Role
from conch_insults.access.policy import AccessRules, GuestMode, Policy
from conch_insults.access.public_key import PublicKey
from conch_insults.access.signature import ALGORITHMS, Proof
from conch_insults.rating import Rating
from tests.certificate_authority import Draft
from tests.keys_folder import HERE, NOW, TOUCHED, KeysFolder, granted, refused
from tests.real_keygen import NEEDS_KEYGEN, Keygen, blob_of
from tests.sample_keys import public_key, public_rsa_key
from tests.software_authenticator import SecurityKey
from tests.spoiled_files import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALICE = public_key(1, "alice")
BOB = public_key(2, "bob")
RSA = public_rsa_key()
SECURITY_KEY = SecurityKey.ed25519().public
AUTHORITY = PublicKey("ssh-ed25519", Draft().authority)
AAGUID = "c0ffee00-2010-4b1d-8bad-f00dfacade42"
OTHER_AAGUID = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def folder(tmp_path: Path) -> KeysFolder:
    return KeysFolder(tmp_path)


class TestLines:
    def test_a_grant_says_what_was_offered_and_which_line_decided(self, folder: KeysFolder) -> None:
        path = folder.let_in("alice", "# mine", ALICE.line)
        offer = Offer("alice", "ssh-ed25519", ALICE.blob, HERE, Proof())
        assert folder.policy.decide(offer, NOW) == Grant(offer, f"{path}:2", Terms())

    def test_another_key_is_refused(self, folder: KeysFolder) -> None:
        path = folder.let_in("alice", ALICE.line)
        expected = Refusal("key not authorized for this user", str(path))
        assert folder.ask("alice", BOB) == expected

    def test_another_users_key_is_refused(self, folder: KeysFolder) -> None:
        folder.let_in("alice", ALICE.line)
        folder.let_in("bob", BOB.line)
        refused(folder.ask("bob", ALICE))
        assert granted(folder.ask("bob", BOB)).user == "bob"

    def test_an_unknown_user_is_refused(self, folder: KeysFolder) -> None:
        expected = Refusal("unknown user", f"{folder.users}/alice")
        assert folder.ask("alice", ALICE) == expected
        assert folder.reports == []

    @pytest.mark.parametrize(
        "user", ["", "Alice", "../alice", "/etc/passwd", "a\0b", "\x1b[2J", "\udcff", "a" * 10_000]
    )
    def test_what_is_no_user_name_never_reaches_the_file_system(
        self, folder: KeysFolder, user: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folder.policy._users, "look_up", pytest.fail)
        assert folder.ask(user, ALICE) == Refusal("not a valid user name", "")

    def test_nobody_comes_in_without_a_key(self, folder: KeysFolder) -> None:
        folder.let_in("alice", ALICE.line)
        assert folder.ask("alice", None) == Refusal("no key was offered", "")
        assert folder.ask("alice", ALICE, key_type="") == Refusal("no key was offered", "")

    def test_the_first_line_with_the_key_decides(self, folder: KeysFolder) -> None:
        folder.let_in("alice", BOB.line, f"no-pty {ALICE.line}", ALICE.line)
        grant = granted(folder.ask("alice", ALICE))
        assert grant.source.endswith("/alice:2")
        assert not grant.terms.pty

    def test_a_line_that_refuses_does_not_stand_in_a_later_ones_way(
        self, folder: KeysFolder
    ) -> None:
        folder.let_in(
            "alice",
            f'from="198.51.100.0/24" {ALICE.line}',
            f'expiry-time="20200101Z" {ALICE.line}',
            f"restrict {ALICE.line}",
            ALICE.line,
        )
        grant = granted(folder.ask("alice", ALICE))
        assert grant.source.endswith("/alice:3")
        assert grant.terms == Terms(pty=False)
        assert granted(folder.ask("alice", ALICE, address="198.51.100.7")).source.endswith(":1")

    def test_if_none_lets_in_the_first_says_why(self, folder: KeysFolder) -> None:
        path = folder.let_in(
            "alice",
            "",
            f'expiry-time="20200101Z" {ALICE.line}',
            f'from="198.51.100.0/24" {ALICE.line}',
        )
        assert folder.ask("alice", ALICE) == Refusal(
            "expired at 2020-01-01T00:00:00Z (expiry-time)", f"{path}:2"
        )

    def test_a_broken_line_disables_no_other(self, folder: KeysFolder) -> None:
        path = folder.let_in(
            "alice", f"nonsense {ALICE.line}", "garbage", f'from="a {ALICE.line}', ALICE.line
        )
        assert granted(folder.ask("alice", ALICE)).source == f"{path}:4"
        assert [report.split(" ")[0] for report in folder.reports] == [
            f"{path}:{line}:" for line in (1, 2, 3)
        ]

    def test_a_line_that_is_not_understood_lets_nobody_in(self, folder: KeysFolder) -> None:
        path = folder.let_in("alice", f'unheard-of="x" {ALICE.line}')
        assert refused(folder.ask("alice", ALICE)) == (
            "key not authorized for this user, and 1 line of the file cannot be used"
        )
        (report,) = folder.reports
        assert report.startswith(f"{path}:1: option 'unheard-of' is not understood here")

    @pytest.mark.parametrize(
        ("bad", "said"), [(2, "2 lines"), (100, "100 lines"), (101, "more than 100 lines")]
    )
    def test_a_refusal_tells_of_the_lines_that_cannot_be_used(
        self, folder: KeysFolder, bad: int, said: str
    ) -> None:
        """The one that somebody came in by may be among them."""
        folder.let_in("alice", BOB.line, *["rubbish"] * bad)
        assert refused(folder.ask("alice", ALICE)) == (
            f"key not authorized for this user, and {said} of the file cannot be used"
        )

    def test_an_authority_is_no_way_in_for_its_own_key(self, folder: KeysFolder) -> None:
        folder.let_in("alice", f"cert-authority {ALICE.line}")
        assert refused(folder.ask("alice", ALICE)) == "key not authorized for this user"
        folder.let_in("alice", f"cert-authority {ALICE.line}", ALICE.line)
        assert granted(folder.ask("alice", ALICE)).source.endswith("/alice:2")

    @pytest.mark.parametrize("name", ["rsa-sha2-256", "rsa-sha2-512"])
    def test_rsa_may_be_offered_by_its_good_algorithms(self, folder: KeysFolder, name: str) -> None:
        folder.let_in("alice", RSA.line)
        assert granted(folder.ask("alice", RSA, key_type=name)).key_type == "ssh-rsa"

    @pytest.mark.parametrize("name", ["ssh-rsa", "ssh-ed25519"])
    def test_and_by_no_other(self, folder: KeysFolder, name: str) -> None:
        path = folder.let_in("alice", RSA.line)
        assert folder.ask("alice", RSA, key_type=name) == Refusal(
            "key is not of the type it was offered as", str(path)
        )

    @pytest.mark.parametrize("name", ["ssh-rsa", "rsa-sha2-256", "ssh-ed448", "\x1b[2J"])
    def test_a_key_offered_as_what_it_is_not(self, folder: KeysFolder, name: str) -> None:
        folder.let_in("alice", ALICE.line)
        reason = refused(folder.ask("alice", ALICE, key_type=name))
        assert reason == "key is not of the type it was offered as"

    def test_a_key_offered_as_a_certificate(self, folder: KeysFolder) -> None:
        folder.let_in("alice", ALICE.line)
        name = "ssh-ed25519-cert-v01@openssh.com"
        assert "certificate" in refused(folder.ask("alice", ALICE, key_type=name))

    def test_a_weak_key_is_none(self, folder: KeysFolder) -> None:
        folder.let_in("alice", RSA.line)
        granted(folder.ask("alice", RSA))
        folder.rule(AccessRules(keys=KeyRules(minimum_rsa_bits=3072)))
        assert refused(folder.ask("alice", RSA)) == (
            "key not authorized for this user, and 1 line of the file cannot be used"
        )
        assert "RSA key of 2048 bits is too weak" in folder.reports[0]


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "terms"),
        [
            ("restrict", Terms(pty=False)),
            ('command="perl"', Terms(command="perl")),
            ('rating@conch-insults="pg"', Terms(rating=Rating.PG)),
            ('role@conch-insults="operator"', Terms(role=Role.OPERATOR)),
            (
                'NO-PTY,From="192.0.2.*",EXPIRY-TIME="21000101Z"',
                Terms(
                    pty=False,
                    sources=("192.0.2.*",),
                    expires=datetime(2100, 1, 1, tzinfo=UTC),
                ),
            ),
        ],
    )
    def test_they_become_the_terms(self, folder: KeysFolder, options: str, terms: Terms) -> None:
        folder.let_in("alice", f"{options} {ALICE.line}")
        assert granted(folder.ask("alice", ALICE)).terms == terms

    def test_from_holds_for_the_address_that_asks(self, folder: KeysFolder) -> None:
        path = folder.let_in("alice", f'from="192.0.2.0/24,2001:db8::/32" {ALICE.line}')
        for address in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"):
            granted(folder.ask("alice", ALICE, address=address))
        assert folder.ask("alice", ALICE, address="198.51.100.1") == Refusal(
            "not from 198.51.100.1 (from)", f"{path}:1"
        )
        assert refused(folder.ask("alice", ALICE, address="")) == (
            "not from an unknown address (from)"
        )

    def test_expiry_holds_by_the_time_that_is_given(self, folder: KeysFolder) -> None:
        """No file changes when a key's time is up."""
        folder.let_in("alice", f'expiry-time="21000101000000Z" {ALICE.line}')
        granted(folder.ask("alice", ALICE, now=NOW))
        reason = refused(folder.ask("alice", ALICE, now=NOW + timedelta(seconds=1)))
        assert reason == "expired at 2100-01-01T00:00:00Z (expiry-time)"
        granted(folder.ask("alice", ALICE, now=NOW))

    def test_environment_needs_the_operators_permission(self, folder: KeysFolder) -> None:
        folder.let_in("alice", f'environment="LANG=C" {ALICE.line}')
        refused(folder.ask("alice", ALICE))
        folder.rule(AccessRules(keys=KeyRules(permitted_environment=frozenset({"LANG"}))))
        assert granted(folder.ask("alice", ALICE)).terms.environment == (("LANG", "C"),)


class TestSecurityKeys:
    LINE = SECURITY_KEY.line

    @pytest.mark.parametrize(
        ("options", "proof", "missing"),
        [
            ("", Proof(touched=True, verified=False), None),
            ("", Proof(touched=False, verified=True), "nobody touched the security key"),
            ("no-touch-required", Proof(touched=False, verified=False), None),
            (
                "verify-required",
                Proof(touched=True, verified=False),
                "the security key did not verify its holder",
            ),
            ("verify-required", Proof(touched=True, verified=True), None),
            (
                "no-touch-required,touch-required",
                Proof(touched=False, verified=False),
                "nobody touched the security key",
            ),
        ],
    )
    def test_what_the_line_asks_for_must_be_shown(
        self, folder: KeysFolder, options: str, proof: Proof, missing: str | None
    ) -> None:
        path = folder.let_in("alice", f"{options} {self.LINE}".lstrip())
        decision = folder.ask("alice", SECURITY_KEY, proof=proof)
        if missing is None:
            assert granted(decision).offer.proof == proof
        else:
            assert decision == Refusal(missing, f"{path}:1")

    def test_whether_the_key_is_worth_a_touch_can_be_asked_before(self, folder: KeysFolder) -> None:
        folder.let_in("alice", f"verify-required {self.LINE}")
        granted(folder.ask("alice", SECURITY_KEY, proof=None))

    def test_the_line_that_lets_in_says_what_must_be_shown(self, folder: KeysFolder) -> None:
        """As sshd has it: it has forgotten the later lines when the signature comes."""
        untouched = Proof(touched=False, verified=False)
        folder.let_in("alice", self.LINE, f"no-touch-required {self.LINE}")
        refused(folder.ask("alice", SECURITY_KEY, proof=untouched))
        folder.let_in("alice", f"no-touch-required {self.LINE}", self.LINE)
        granted(folder.ask("alice", SECURITY_KEY, proof=untouched))

    @pytest.mark.parametrize(
        ("models", "model", "welcome"),
        [
            (None, None, True),
            (frozenset(), AAGUID, True),
            (frozenset(), None, False),
            (frozenset({AAGUID}), AAGUID, True),
            (frozenset({AAGUID}), OTHER_AAGUID, False),
            (frozenset({AAGUID}), None, False),
        ],
    )
    def test_attestation_is_required_by_the_setting(
        self,
        folder: KeysFolder,
        models: frozenset[str] | None,
        model: str | None,
        welcome: bool,
    ) -> None:
        folder.rule(AccessRules(attested_aaguids=models))
        option = f'aaguid@conch-insults="{model}" ' if model else ""
        folder.let_in("alice", option + self.LINE)
        for proof in (None, TOUCHED):
            decision = folder.ask("alice", SECURITY_KEY, proof=proof)
            assert isinstance(decision, Grant) is welcome
        folder.let_in("alice", ALICE.line)
        granted(folder.ask("alice", ALICE))

    def test_a_line_without_attestation_does_not_stand_in_a_later_ones_way(
        self, folder: KeysFolder
    ) -> None:
        folder.rule(AccessRules(attested_aaguids=frozenset({AAGUID})))
        folder.let_in("alice", self.LINE, f'aaguid@conch-insults="{AAGUID}" {self.LINE}')
        assert granted(folder.ask("alice", SECURITY_KEY)).source.endswith("/alice:2")


class TestRevocation:
    def test_a_listed_key_is_refused_and_nobody_elses(self, folder: KeysFolder) -> None:
        folder.let_in("alice", ALICE.line)
        folder.let_in("bob", BOB.line)
        granted(folder.ask("alice", ALICE))
        folder.write(folder.revoked, "# lost on a train", ALICE.line)
        assert folder.ask("alice", ALICE) == Refusal(
            "revoked: key listed on line 2", str(folder.revoked)
        )
        granted(folder.ask("bob", BOB))
        folder.revoked.unlink()
        granted(folder.ask("alice", ALICE))

    def test_by_its_fingerprint(self, folder: KeysFolder) -> None:
        folder.let_in("alice", ALICE.line)
        folder.write(folder.revoked, ALICE.fingerprint)
        assert refused(folder.ask("alice", ALICE)) == "revoked: key listed on line 1"

    @NEEDS_KEYGEN
    @pytest.mark.parametrize(
        ("directive", "reason"),
        [
            ("key", "revoked: key listed in the KRL"),
            ("sha256", "revoked: SHA256 fingerprint listed in the KRL"),
            ("sha1", "revoked: SHA1 fingerprint listed in the KRL"),
        ],
    )
    def test_in_a_real_krl(
        self,
        folder: KeysFolder,
        tmp_path_factory: pytest.TempPathFactory,
        directive: str,
        reason: str,
    ) -> None:
        keygen = Keygen(tmp_path_factory.mktemp("keygen"))
        lost, kept = keygen.key("lost"), keygen.key("kept")
        for path in (lost, kept):
            folder.let_in(path.stem, path.read_text(encoding="utf-8").strip())
        krl = keygen.krl("krl", f"{directive}: {lost.read_text(encoding='utf-8')}")
        folder.revoked.write_bytes(krl.read_bytes())
        folder.revoked.chmod(0o644)
        lost_key, kept_key = (PublicKey("ssh-ed25519", blob_of(path)) for path in (lost, kept))
        assert refused(folder.ask("lost", lost_key)) == reason
        granted(folder.ask("kept", kept_key))

    @pytest.mark.parametrize("content", ["nonsense", "SSHKRL\n\0garbage", f"restrict {ALICE.line}"])
    def test_a_list_that_cannot_be_understood_keeps_everybody_out(
        self, folder: KeysFolder, content: str
    ) -> None:
        folder.let_in("bob", BOB.line)
        folder.write(folder.revoked, BOB.line.replace("bob", "old"), content)
        for _ in range(3):
            assert folder.ask("bob", BOB) == Refusal(
                "nobody may come in: revoked_keys cannot be used", str(folder.revoked)
            )
        (report,) = folder.reports
        assert report.startswith(f"{folder.revoked}: ")
        assert report.endswith(": nobody may come in")

    @pytest.mark.parametrize("spoil", UNREADABLE, ids=lambda spoil: spoil.__name__)
    def test_a_list_that_cannot_be_read_keeps_everybody_out(
        self, folder: KeysFolder, spoil: Callable[[Path], None]
    ) -> None:
        folder.let_in("bob", BOB.line)
        folder.write(folder.revoked, ALICE.line)
        granted(folder.ask("bob", BOB))
        spoil(folder.revoked)
        for _ in range(2):
            reason = refused(folder.ask("bob", BOB))
            assert reason == "nobody may come in: revoked_keys cannot be used"
        (report,) = folder.reports
        assert report.endswith(": nobody may come in")

    def test_no_list_revokes_nobody_and_neither_does_an_empty_one(self, folder: KeysFolder) -> None:
        folder.let_in("bob", BOB.line)
        granted(folder.ask("bob", BOB))
        folder.write(folder.revoked)
        granted(folder.ask("bob", BOB))

    def test_where_others_can_take_the_list_away_none_is_no_good_sign(
        self, folder: KeysFolder
    ) -> None:
        folder.rule(AccessRules(guests="anyone"))
        granted(folder.ask("Nobody", None))
        folder.path.chmod(0o777)
        assert refused(folder.ask("Nobody", None)).startswith("nobody may come in: ")
        folder.rule(AccessRules(guests="anyone", strict_modes=False))
        granted(folder.ask("Nobody", None))

    def test_a_directory_that_is_gone_is_no_missing_list(self, tmp_path: Path) -> None:
        """Whatever it revoked, a disk that is not there revokes no more."""
        reports: list[str] = []
        policy = Policy(tmp_path / "nowhere", reports.append, AccessRules(guests="anyone"))
        for offer in (
            Offer("alice", "ssh-ed25519", ALICE.blob, HERE),
            Offer("Nobody", "", b"", HERE),
        ):
            reason = refused(policy.decide(offer, NOW))
            assert reason == "nobody may come in: revoked_keys cannot be used"
        (report,) = reports
        assert report == (
            f"{tmp_path}/nowhere: there is no such directory: run `conch-insults init`:"
            " nobody may come in"
        )


# What somebody may send who means no good.
OFFERS = st.builds(
    Offer,
    user=st.text(max_size=40) | st.sampled_from(["alice", "bob", "..", "a/b", "alice\0"]),
    key_type=(
        st.text(max_size=40)
        | st.sampled_from([*ALGORITHMS, "", "ssh-rsa", "ssh-dss"])
        | st.sampled_from(sorted(ALGORITHMS)).map(certificate_name)
    ),
    blob=st.binary(max_size=200)
    | st.sampled_from(
        [ALICE.blob, RSA.blob, SECURITY_KEY.blob, Draft().signed(), Draft(key=RSA.blob).signed()]
    ),
    address=st.text(max_size=40) | st.ip_addresses().map(str),
    proof=st.none()
    | st.builds(Proof, touched=st.none() | st.booleans(), verified=st.none() | st.booleans()),
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[KeysFolder]:
    """One folder for each guest mode, with users, an authority and a list in each."""
    modes: tuple[GuestMode, ...] = ("off", "key", "anyone")
    made = []
    for mode in modes:
        folder = KeysFolder(tmp_path_factory.mktemp(mode), AccessRules(guests=mode))
        folder.let_in("alice", f'from="192.0.2.0/24" {ALICE.line}', SECURITY_KEY.line)
        folder.let_in("bob", f"cert-authority {AUTHORITY.line}")
        folder.write(folder.authorities, AUTHORITY.line)
        folder.write(folder.revoked, public_key(9).line)
        made.append(folder)
    return made


class TestHostileOffers:
    @given(offer=OFFERS)
    @settings(max_examples=400)
    def test_each_is_decided_and_said_in_one_line(
        self, folders: list[KeysFolder], offer: Offer
    ) -> None:
        for folder in folders:
            decision = folder.policy.decide(offer, NOW)
            if isinstance(decision, Refusal):
                assert decision.reason.isascii()
                assert decision.reason.isprintable()
            elif not decision.is_guest:
                assert decision.user in {"alice", "bob"}
                assert decision.fingerprint

    @given(data=st.data())
    @settings(max_examples=300)
    def test_a_certificate_with_one_byte_changed_lets_nobody_in(
        self, folders: list[KeysFolder], data: st.DataObject
    ) -> None:
        blob = Draft(principals=(b"alice", b"bob")).signed()
        name = "ssh-ed25519-cert-v01@openssh.com"
        position = data.draw(st.integers(0, len(blob) - 1))
        change = data.draw(st.integers(1, 255))
        mutant = bytearray(blob)
        mutant[position] ^= change
        for user in ("alice", "bob", "mallory"):
            for folder in folders:
                offer = Offer(user, name, blob, HERE)
                if user != "mallory":
                    granted(folder.policy.decide(offer, NOW))
                refused(folder.policy.decide(replace(offer, blob=bytes(mutant)), NOW))

    @given(data=st.data())
    @settings(max_examples=200)
    def test_a_key_with_one_byte_changed_is_another_key(
        self, folders: list[KeysFolder], data: st.DataObject
    ) -> None:
        mutant = bytearray(ALICE.blob)
        mutant[data.draw(st.integers(0, len(mutant) - 1))] ^= data.draw(st.integers(1, 255))
        for folder in folders:
            refused(folder.policy.decide(Offer("alice", "ssh-ed25519", bytes(mutant), HERE), NOW))
