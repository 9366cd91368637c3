"""Who may come in with a certificate: trusted by whom, for whom, when, and what it allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access.authorized_keys import KeyRules
from conch_insults.access.certificate import Certificate, parse_certificate
from conch_insults.access.grants import Refusal, Terms
from conch_insults.access.key_options import Role
from conch_insults.access.policy import AccessRules
from conch_insults.access.public_key import PublicKey
from conch_insults.access.signature import Proof
from conch_insults.rating import Rating
from tests.certificate_authority import (
    KEY_OPTIONS,
    Authority,
    Draft,
    blob_in,
    needs_ssh_keygen,
    pairs,
    ssh_keygen,
)
from tests.keys_folder import NOW, TOUCHED, KeysFolder, certificate_in, granted, refused
from tests.sample_keys import public_key
from tests.software_authenticator import SecurityKey, string
from tests.spoiled_files import writable_by_others

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALICE = public_key(1)
SECOND = timedelta(seconds=1)
AAGUID = "c0ffee00-2010-4b1d-8bad-f00dfacade42"
CA = PublicKey("ssh-ed25519", Draft().authority)
PTY = pairs((b"permit-pty", b""))

# Often one that lets Alice in, but for one thing.
DRAFTS = st.builds(
    Draft,
    key_id=st.just(b"x") | st.binary(max_size=60),
    principals=st.just((b"alice",))
    | st.lists(st.binary(max_size=40) | st.just(b"alice"), max_size=4).map(tuple),
    critical=st.just(b"")
    | st.lists(
        st.tuples(st.binary(max_size=30), st.binary(max_size=30)), min_size=1, max_size=3
    ).map(lambda options: pairs(*options)),
    kind=st.sampled_from([1, 1, 1, 2, 0, 2**32 - 1]),
    valid_after=st.just(0) | st.integers(0, 2**64 - 1),
    valid_before=st.just(2**64 - 1) | st.integers(0, 2**64 - 1),
)


@pytest.fixture
def folder(tmp_path: Path) -> KeysFolder:
    return KeysFolder(tmp_path)


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> KeysFolder:
    """A folder that trusts the authority of drafts."""
    folder = KeysFolder(tmp_path_factory.mktemp("trusting"))
    trust_for_all(folder, CA.line)
    return folder


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An authority and a user's key, both made by ssh-keygen."""
    return Office(tmp_path_factory.mktemp("office"))


class Office:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder, "ca", "-t", "ed25519")
        self.user = Authority(folder, "user", "-t", "ed25519")

    @property
    def line(self) -> str:
        """The authority's key as files name it."""
        return self.authority.public.read_text(encoding="utf-8").strip()

    def issue(self, *options: str, public: Path | None = None) -> Certificate:
        """Have ssh-keygen sign; what it certifies is the user's key if nothing else is said."""
        path = self.authority.certify(public or self.user.public, "-I", "alice@laptop", *options)
        return certificate_in(path)


def draft(draft: Draft) -> Certificate:
    return parse_certificate(draft.signed())


def trust_by_line(folder: KeysFolder, line: str, options: str = "") -> Path:
    return folder.let_in("alice", f"cert-authority,{options}".rstrip(",") + f" {line}")


def trust_for_all(folder: KeysFolder, line: str, options: str = "") -> Path:
    assert not options
    return folder.write(folder.authorities, line)


both_ways = pytest.mark.parametrize("trust", [trust_by_line, trust_for_all])


@needs_ssh_keygen
class TestRealCertificates:
    @both_ways
    def test_one_for_the_user_lets_them_in(
        self, folder: KeysFolder, office: Office, trust: Callable[..., Path]
    ) -> None:
        path = trust(folder, office.line)
        certificate = office.issue("-n", "bob,alice", "-z", "7")
        grant = granted(folder.ask("alice", certificate, proof=Proof()))
        assert (grant.user, grant.source, grant.is_guest) == ("alice", f"{path}:1", False)
        assert grant.certificate == certificate
        assert grant.fingerprint == certificate.key.fingerprint
        assert grant.terms == Terms()

    @both_ways
    def test_one_for_others_does_not(
        self, folder: KeysFolder, office: Office, trust: Callable[..., Path]
    ) -> None:
        path = trust(folder, office.line)
        assert folder.ask("alice", office.issue("-n", "bob")) == Refusal(
            "certificate is for other principals: 'bob'", f"{path}:1"
        )
        # For sshd it is everybody's, if everybody's authority has signed it.
        assert "names no principal" in refused(folder.ask("alice", office.issue()))

    @both_ways
    def test_one_for_a_host_does_not(
        self, folder: KeysFolder, office: Office, trust: Callable[..., Path]
    ) -> None:
        trust(folder, office.line)
        reason = refused(folder.ask("alice", office.issue("-h", "-n", "alice")))
        assert reason == "certificate is for a host, not for a user"

    @both_ways
    def test_it_holds_from_one_second_to_another(
        self, folder: KeysFolder, office: Office, trust: Callable[..., Path]
    ) -> None:
        trust(folder, office.line)
        certificate = office.issue("-n", "alice", "-V", "20990601120000Z:20990602120000Z")
        start, end = (datetime(2099, 6, day, 12, tzinfo=UTC) for day in (1, 2))
        for now in (start, end - SECOND):
            assert granted(folder.ask("alice", certificate, now=now)).terms.expires == end
        assert refused(folder.ask("alice", certificate, now=start - SECOND)) == (
            "certificate is not valid before 2099-06-01T12:00:00Z"
        )
        assert refused(folder.ask("alice", certificate, now=end)) == (
            "certificate expired at 2099-06-02T12:00:00Z"
        )

    @both_ways
    def test_its_options_become_terms(
        self, folder: KeysFolder, office: Office, trust: Callable[..., Path]
    ) -> None:
        trust(folder, office.line)
        certificate = office.issue(
            *("-n", "alice", "-O", "clear", "-O", "force-command=perl"),
            *("-O", "source-address=192.0.2.0/24,2001:db8::/32", "-O", "verify-required"),
        )
        assert granted(folder.ask("alice", certificate)).terms == Terms(
            pty=False,
            command="perl",
            sources=("192.0.2.0/24,2001:db8::/32",),
            verify_required=True,
        )
        granted(folder.ask("alice", certificate, address="2001:db8::1"))
        granted(folder.ask("alice", certificate, address="::ffff:192.0.2.9"))
        reason = "not from 198.51.100.1 (certificate's source-address)"
        assert refused(folder.ask("alice", certificate, address="198.51.100.1")) == reason

    @both_ways
    def test_a_critical_option_nobody_knows_refuses_it_and_an_extension_does_nothing(
        self, folder: KeysFolder, office: Office, trust: Callable[..., Path]
    ) -> None:
        trust(folder, office.line)
        critical = office.issue("-n", "alice", "-O", "critical:x@example.com=y")
        assert "'x@example.com' is not understood" in refused(folder.ask("alice", critical))
        extension = office.issue("-n", "alice", "-O", "extension:x@example.com=y")
        assert granted(folder.ask("alice", extension)).terms == Terms()

    @both_ways
    @pytest.mark.parametrize("key_type", KEY_OPTIONS)
    def test_keys_of_every_type_can_sign_and_be_signed(
        self, folder: KeysFolder, tmp_path: Path, key_type: str, trust: Callable[..., Path]
    ) -> None:
        other = Authority(tmp_path, "other", *KEY_OPTIONS[key_type])
        trust(folder, other.public.read_text(encoding="utf-8").strip())
        path = other.certify(other.public, "-I", "x", "-n", "alice")
        assert granted(folder.ask("alice", certificate_in(path))).key_type == key_type

    @both_ways
    @pytest.mark.parametrize("key", [SecurityKey.ed25519(), SecurityKey.ecdsa()])
    def test_those_of_security_keys_ask_for_a_touch(
        self,
        folder: KeysFolder,
        office: Office,
        tmp_path: Path,
        key: SecurityKey,
        trust: Callable[..., Path],
    ) -> None:
        trust(folder, office.line)
        public = tmp_path / "id.pub"
        public.write_text(key.line + "\n", encoding="utf-8")
        untouched = Proof(touched=False, verified=False)
        strict = office.issue("-n", "alice", public=public)
        lenient = office.issue("-n", "alice", "-O", "no-touch-required", public=public)
        demanding = office.issue("-n", "alice", "-O", "verify-required", public=public)
        assert granted(folder.ask("alice", strict, proof=TOUCHED)).key_type == key.key_type
        assert refused(folder.ask("alice", strict, proof=untouched)) == (
            "nobody touched the security key"
        )
        # The line of an authority must spare the touch as well.
        decision = folder.ask("alice", lenient, proof=untouched)
        if trust is trust_by_line:
            refused(decision)
            trust_by_line(folder, office.line, "no-touch-required")
            decision = folder.ask("alice", lenient, proof=untouched)
        granted(decision)
        assert refused(folder.ask("alice", demanding, proof=TOUCHED)) == (
            "the security key did not verify its holder"
        )
        granted(folder.ask("alice", demanding, proof=Proof(touched=True, verified=True)))

    def test_one_signed_with_sha_1_is_refused(
        self, folder: KeysFolder, tmp_path: Path, office: Office
    ) -> None:
        authority = Authority(tmp_path, "old", "-t", "rsa", "-b", "2048")
        trust_for_all(folder, authority.public.read_text(encoding="utf-8").strip())
        path = authority.certify(office.user.public, "-t", "ssh-rsa", "-I", "x", "-n", "alice")
        blob = PublicKey("", blob_in(path))
        decision = folder.ask("alice", blob, key_type="ssh-ed25519-cert-v01@openssh.com")
        assert "signed with SHA-1" in refused(decision)

    def test_a_weak_authority_is_none(
        self, folder: KeysFolder, tmp_path: Path, office: Office
    ) -> None:
        folder.rule(AccessRules(keys=KeyRules(minimum_rsa_bits=3072)))
        authority = Authority(tmp_path, "weak", "-t", "rsa", "-b", "2048")
        trust_for_all(folder, authority.public.read_text(encoding="utf-8").strip())
        path = authority.certify(office.user.public, "-I", "x", "-n", "alice")
        assert "too weak" in refused(folder.ask("alice", certificate_in(path)))
        # And it is not even looked for among those that are trusted.
        refused(folder.ask("alice", office.issue("-n", "alice")))
        assert "too weak" in folder.reports[0]


class TestTrust:
    def test_an_authority_that_nobody_trusts(self, folder: KeysFolder) -> None:
        assert folder.ask("alice", draft(Draft())) == Refusal(
            "certificate's authority is not trusted", str(folder.authorities)
        )
        folder.let_in("alice", ALICE.line)
        folder.write(folder.authorities, ALICE.line)
        assert refused(folder.ask("alice", draft(Draft()))) == (
            "certificate's authority is not trusted"
        )

    def test_a_plain_line_trusts_no_certificates(self, folder: KeysFolder) -> None:
        folder.let_in("alice", CA.line, ALICE.line)
        assert refused(folder.ask("alice", draft(Draft()))) == (
            "certificate's authority is not trusted"
        )

    def test_an_authority_is_no_way_in_for_its_own_key(self, folder: KeysFolder) -> None:
        trust_for_all(folder, CA.line)
        trust_by_line(folder, CA.line)
        assert refused(folder.ask("alice", CA)) == "key not authorized for this user"

    def test_a_line_trusts_for_its_user_alone(self, folder: KeysFolder) -> None:
        trust_by_line(folder, CA.line)
        certificate = draft(Draft(principals=(b"alice", b"bob")))
        granted(folder.ask("alice", certificate))
        refused(folder.ask("bob", certificate))
        folder.let_in("bob")
        refused(folder.ask("bob", certificate))

    def test_everybodys_authority_needs_no_file_of_the_user(self, folder: KeysFolder) -> None:
        trust_for_all(folder, CA.line)
        assert granted(folder.ask("alice", draft(Draft()))).user == "alice"

    @pytest.mark.parametrize("user", ["Alice", "", "../alice", "alice\0"])
    def test_a_certificate_names_no_user_that_cannot_be(
        self, folder: KeysFolder, user: str
    ) -> None:
        trust_for_all(folder, CA.line)
        principal = user.encode().removesuffix(b"\0")
        certificate = draft(Draft(principals=(principal, b"alice")))
        assert refused(folder.ask(user, certificate)) == "not a valid user name"

    def test_a_self_signed_certificate_needs_trust_as_well(self, folder: KeysFolder) -> None:
        folder.let_in("alice", CA.line)
        certificate = draft(Draft(key=CA.blob))
        refused(folder.ask("alice", certificate))

    def test_the_users_line_comes_before_everybodys(self, folder: KeysFolder) -> None:
        everybodys = trust_for_all(folder, CA.line)
        own = trust_by_line(folder, CA.line, "no-pty")
        certificate = draft(Draft(extensions=PTY))
        grant = granted(folder.ask("alice", certificate))
        assert (grant.source, grant.terms.pty) == (f"{own}:1", False)
        trust_by_line(folder, CA.line, 'from="198.51.100.1"')
        grant = granted(folder.ask("alice", certificate))
        assert (grant.source, grant.terms.pty) == (f"{everybodys}:1", True)

    def test_a_line_that_refuses_does_not_stand_in_a_later_ones_way(
        self, folder: KeysFolder
    ) -> None:
        folder.let_in(
            "alice",
            f'cert-authority,principals="staff" {CA.line}',
            f'cert-authority,from="198.51.100.1" {CA.line}',
            f'cert-authority,rating@conch-insults="g" {CA.line}',
        )
        grant = granted(folder.ask("alice", draft(Draft())))
        assert grant.source.endswith("/alice:3")
        assert grant.terms.rating is Rating.G
        refusal = folder.ask("alice", draft(Draft(principals=(b"x",))))
        assert isinstance(refusal, Refusal)
        assert refusal.source.endswith("/alice:1")

    def test_what_the_line_says_holds_for_its_certificates(self, folder: KeysFolder) -> None:
        trust_by_line(
            folder,
            CA.line,
            'principals="ops",role@conch-insults="operator",expiry-time="21000102Z",command="perl"',
        )
        certificate = draft(Draft(principals=(b"ops",), extensions=PTY))
        assert granted(folder.ask("alice", certificate)).terms == Terms(
            command="perl", role=Role.OPERATOR, expires=datetime(2100, 1, 2, tzinfo=UTC)
        )
        refused(folder.ask("alice", certificate, now=NOW + timedelta(days=2)))
        refused(folder.ask("alice", draft(Draft(principals=(b"alice",)))))


class TestUnusableFiles:
    def test_authorities_that_cannot_be_read_let_nobody_in(self, folder: KeysFolder) -> None:
        writable_by_others(trust_for_all(folder, CA.line))
        for _ in range(2):
            assert folder.ask("alice", draft(Draft())) == Refusal(
                "user_ca.pub cannot be used", str(folder.authorities)
            )
        (report,) = folder.reports
        assert report.startswith(f"{folder.authorities}: others may write to it")

    def test_they_do_not_stand_in_the_way_of_a_users_line(self, folder: KeysFolder) -> None:
        writable_by_others(trust_for_all(folder, CA.line))
        trust_by_line(folder, CA.line)
        granted(folder.ask("alice", draft(Draft())))
        folder.let_in("bob", public_key(2).line)
        granted(folder.ask("bob", public_key(2)))

    def test_a_users_file_that_cannot_be_read_lets_nobody_in(self, folder: KeysFolder) -> None:
        path = trust_by_line(folder, CA.line)
        writable_by_others(path)
        assert folder.ask("alice", draft(Draft())) == Refusal(
            "the user's key file cannot be used", str(path)
        )

    def test_but_everybodys_authority_does(self, folder: KeysFolder) -> None:
        """As for sshd; it never asked that file."""
        writable_by_others(trust_by_line(folder, CA.line))
        trusted = trust_for_all(folder, CA.line)
        assert granted(folder.ask("alice", draft(Draft()))).source == f"{trusted}:1"

    def test_a_broken_line_disables_no_other_authority(self, folder: KeysFolder) -> None:
        folder.write(folder.authorities, "nonsense", f"cert-authority {CA.line}", CA.line)
        assert granted(folder.ask("alice", draft(Draft()))).source.endswith("/user_ca.pub:3")
        assert [report.split(": ")[0] for report in folder.reports] == [
            f"{folder.authorities}:1",
            f"{folder.authorities}:2",
        ]

    def test_a_refusal_tells_of_the_lines_that_cannot_be_used(self, folder: KeysFolder) -> None:
        folder.let_in("alice", f"no-such-option,cert-authority {CA.line}")
        said = "certificate's authority is not trusted, and "
        assert refused(folder.ask("alice", draft(Draft()))) == (
            f"{said}1 line of the files cannot be used"
        )
        folder.write(folder.authorities, "nonsense")
        assert refused(folder.ask("alice", draft(Draft()))) == (
            f"{said}2 lines of the files cannot be used"
        )


@needs_ssh_keygen
class TestRevocation:
    """Signed by a real authority, revoked by real lists of revoked keys."""

    @pytest.fixture(autouse=True)
    def _trusted(self, folder: KeysFolder, office: Office) -> None:
        trust_for_all(folder, office.line)

    def revoke(self, folder: KeysFolder, office: Office, directives: str) -> None:
        directives_file = office.folder / "directives"
        directives_file.write_text(directives, encoding="utf-8")
        ssh_keygen(*("-k", "-f", folder.revoked, "-s", office.authority.public, directives_file))
        folder.revoked.chmod(0o644)

    @pytest.mark.parametrize(
        ("directives", "reason"),
        [
            ("serial: 7", "revoked: certificate serial 7"),
            ("serial: 5-9", "revoked: certificate serial 7"),
            ("serial: 7\nserial: 9\nserial: 11\n", "revoked: certificate serial 7"),
            ("id: alice@laptop", "revoked: key ID 'alice@laptop'"),
        ],
    )
    def test_a_certificate(
        self, folder: KeysFolder, office: Office, directives: str, reason: str
    ) -> None:
        self.revoke(folder, office, directives)
        lost = office.issue("-n", "alice", "-z", "7")
        assert folder.ask("alice", lost) == Refusal(reason, str(folder.revoked))

    def test_and_none_that_was_not_meant(self, folder: KeysFolder, office: Office) -> None:
        self.revoke(folder, office, "serial: 6\nserial: 8-9\nid: bob@laptop\n")
        granted(folder.ask("alice", office.issue("-n", "alice", "-z", "7")))
        granted(folder.ask("alice", office.issue("-n", "alice")))

    @pytest.mark.parametrize("in_krl", [True, False])
    def test_its_key(self, folder: KeysFolder, office: Office, in_krl: bool) -> None:
        user = office.user.public.read_text(encoding="utf-8").strip()
        certificate = office.issue("-n", "alice")
        if in_krl:
            self.revoke(folder, office, f"sha256: {user}")
        else:
            folder.write(folder.revoked, user)
        assert refused(folder.ask("alice", certificate)).startswith("revoked: ")

    @pytest.mark.parametrize("in_krl", [True, False])
    def test_its_authority(self, folder: KeysFolder, office: Office, in_krl: bool) -> None:
        certificate = office.issue("-n", "alice")
        trust_by_line(folder, office.line)
        granted(folder.ask("alice", certificate))
        if in_krl:
            self.revoke(folder, office, f"key: {office.line}")
        else:
            folder.write(folder.revoked, office.line)
        assert refused(folder.ask("alice", certificate)).startswith("revoked: its CA is revoked")

    def test_a_list_that_cannot_be_used_keeps_them_out(
        self, folder: KeysFolder, office: Office
    ) -> None:
        folder.write(folder.revoked, "nonsense")
        reason = refused(folder.ask("alice", office.issue("-n", "alice")))
        assert reason == "nobody may come in: revoked_keys cannot be used"


class TestAttestation:
    """An authority vouches for a person, not for where their key lives."""

    def test_a_certified_security_key_is_not_attested(self, folder: KeysFolder) -> None:
        folder.rule(AccessRules(attested_aaguids=frozenset()))
        trust_for_all(folder, CA.line)
        certificate = draft(Draft(key=SecurityKey.ed25519().blob))
        assert "not attested" in refused(folder.ask("alice", certificate, proof=TOUCHED))
        granted(folder.ask("alice", draft(Draft())))

    def test_nor_is_it_by_the_line_of_an_attested_authority(self, folder: KeysFolder) -> None:
        folder.rule(AccessRules(attested_aaguids=frozenset()))
        trust_by_line(folder, CA.line, f'aaguid@conch-insults="{AAGUID}"')
        certificate = draft(Draft(key=SecurityKey.ecdsa().blob))
        assert "not attested" in refused(folder.ask("alice", certificate, proof=TOUCHED))


class TestMalformed:
    @pytest.mark.parametrize(
        "name",
        [
            "rsa-sha2-512-cert-v01@openssh.com",
            "ssh-rsa-cert-v01@openssh.com",
            "ecdsa-sha2-nistp256-cert-v01@openssh.com",
            "sk-ssh-ed25519-cert-v01@openssh.com",
            "-cert-v01@openssh.com",
        ],
    )
    def test_one_offered_as_what_it_is_not(self, folder: KeysFolder, name: str) -> None:
        trust_for_all(folder, CA.line)
        reason = refused(folder.ask("alice", draft(Draft()), key_type=name))
        assert reason == "certificate is not of the type it was offered as"

    def test_one_offered_as_a_plain_key(self, folder: KeysFolder) -> None:
        trust_for_all(folder, CA.line)
        reason = refused(folder.ask("alice", draft(Draft()), key_type="ssh-ed25519"))
        assert reason == "unknown user"

    def test_one_that_somebody_else_has_signed(self, folder: KeysFolder) -> None:
        trust_for_all(folder, CA.line)
        forged = Draft().signed(lambda data: string(b"ssh-ed25519") + string(b"s" * 64))
        decision = folder.ask(
            "alice", PublicKey("", forged), key_type="ssh-ed25519-cert-v01@openssh.com"
        )
        assert "not signed by the authority" in refused(decision)

    @given(certificate=DRAFTS)
    @settings(max_examples=200)
    def test_whatever_an_authority_signs_is_decided_and_said_in_one_line(
        self, trusting: KeysFolder, certificate: Draft
    ) -> None:
        decision = trusting.ask(
            "alice",
            PublicKey("", certificate.signed()),
            key_type="ssh-ed25519-cert-v01@openssh.com",
        )
        if isinstance(decision, Refusal):
            assert decision.reason.isascii()
            assert decision.reason.isprintable()
        else:
            assert b"alice" in certificate.principals
            assert certificate.kind == 1
            assert certificate.valid_after <= NOW.timestamp() < certificate.valid_before
            assert not certificate.critical
