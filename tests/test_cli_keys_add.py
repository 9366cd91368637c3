"""`keys add`: whose key it is, on which terms, and what the line says in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.key_directory import read_user
from conch_insults.errors import KeyFileError, PublicKeyError
from tests.desk import Desk
from tests.sample_keys import private_key_text, public_key
from tests.software_authenticator import (
    AAGUID,
    SecurityKey,
    SoftwareAuthenticator,
    make_attester,
    make_root,
)

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.access.key_options import KeyOptions

ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice at work")
BOB = public_key(3)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "keys")


def options_of(desk: Desk, user: str) -> KeyOptions:
    """Return what the one line of a user's file says, as it is read at login."""
    (entry,) = read_user(desk.keys_dir, user, rules=desk.rules.keys).entries
    return entry.options


class TestKeys:
    def test_from_a_file(self, desk: Desk, tmp_path: Path) -> None:
        (tmp_path / "alice.pub").write_text(f"{ALICE.line}\n{WORK.line}\n")
        path = desk.file("alice")
        assert desk.said("keys", "add", "alice", str(tmp_path / "alice.pub")) == (
            f"added for alice: ssh-ed25519 {ALICE.fingerprint} alice@home\n"
            f"{path}:1: {ALICE.line}\n"
            f"added for alice: ssh-ed25519 {WORK.fingerprint} alice at work\n"
            f"{path}:2: {WORK.line}\n"
        )
        assert path.read_text() == f"{ALICE.line}\n{WORK.line}\n"

    @pytest.mark.parametrize("arguments", [("add", "bob"), ("add", "bob", "-")])
    def test_from_standard_input(self, desk: Desk, arguments: tuple[str, ...]) -> None:
        said = desk.said("keys", *arguments, typed=BOB.line)
        assert said.startswith(f"added for bob: ssh-ed25519 {BOB.fingerprint}\n")

    def test_what_a_stranger_wrote_in_a_comment_does_not_reach_the_terminal(
        self, desk: Desk
    ) -> None:
        said = desk.said("keys", "add", "bob", typed=public_key(4, "\x1b[2J\u202eme").line)
        assert "\x1b" not in said
        assert "\u202e" not in said

    def test_a_private_key_is_refused(self, desk: Desk) -> None:
        error = desk.error("keys", "add", "bob", typed=private_key_text(1).decode())
        assert isinstance(error, PublicKeyError)
        assert str(error).startswith("standard input:1: that is a private key: give the .pub file")

    def test_a_key_that_is_there_is_refused(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line)
        error = desk.error("keys", "add", "alice", typed=ALICE.line)
        assert isinstance(error, KeyFileError)
        assert str(error) == f"{desk.file('alice')}:1: holds {ALICE.fingerprint} already"

    @pytest.mark.parametrize("user", ["Alice", "../alice", ""])
    def test_a_bad_name_is_bad_usage(self, desk: Desk, user: str) -> None:
        said = desk.misused("keys", "add", user, typed=ALICE.line)
        assert f"{user!a} is not a user name: use up to 32 of" in said

    def test_a_missing_file_is_bad_usage(self, desk: Desk) -> None:
        assert "No such file" in desk.misused("keys", "add", "alice", "/nowhere/alice.pub")


class TestTerms:
    def test_stand_in_the_line_and_are_shown(self, desk: Desk) -> None:
        said = desk.said(
            *("keys", "add", "alice", "--option", "restrict,pty"),
            *("--option", 'rating@conch-insults="pg"', "--from", "10.0.0.0/8,!10.0.0.1"),
            *("--expires", "20991231Z"),
            typed=ALICE.line,
        )
        line = (
            'restrict,pty,rating@conch-insults="pg",from="10.0.0.0/8,!10.0.0.1",'
            f'expiry-time="20991231000000Z" {ALICE.line}'
        )
        assert said.splitlines()[1] == f"{desk.file('alice')}:1: {line}"
        assert desk.file("alice").read_text() == f"{line}\n"

    def test_an_end_in_ninety_days(self, desk: Desk) -> None:
        before = datetime.now(UTC)
        desk.said("keys", "add", "alice", "--expires", "90d", typed=ALICE.line)
        expires = options_of(desk, "alice").expires
        assert expires is not None
        # The line names whole seconds.
        earliest = (before + timedelta(days=90)).replace(microsecond=0)
        assert earliest <= expires <= datetime.now(UTC) + timedelta(days=90)

    def test_come_after_those_that_the_line_has(self, desk: Desk) -> None:
        desk.said("keys", "add", "alice", "--option", "pty", typed=f"restrict {ALICE.line}")
        assert options_of(desk, "alice").text == "restrict,pty"

    def test_an_operator(self, desk: Desk) -> None:
        desk.said(
            "keys", "add", "alice", "--option", 'role@conch-insults="operator"', typed=ALICE.line
        )
        assert options_of(desk, "alice").role.value == "operator"

    def test_an_authority(self, desk: Desk) -> None:
        options = ("--option", "cert-authority", "--option", 'principals="alice,ops"')
        desk.said("keys", "add", "alice", *options, typed=ALICE.line)
        assert options_of(desk, "alice").principals == ("alice", "ops")

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("--option", "no-such-option"), "option 'no-such-option' is not understood"),
            (("--option", 'command="perl'), "option 'command' needs a value in double quotes"),
            (("--option", f"restrict {BOB.line}"), "is not understood"),
            (("--option", "pty\nrestrict"), "options hold a line end"),
            (("--option", 'environment="A=B"'), "access.permit_environment"),
            (("--option", 'from="::1"', "--from", "::2"), "option 'from' is given twice"),
            (("--from", "10.0.0.1/8"), "'10.0.0.1/8' is no network"),
            (("--from", "::1,"), "an address list has an empty item"),
            (("--expires", "90x"), "'90x' is no end"),
            (("--expires", "20200101"), "'20200101' is past"),
        ],
    )
    def test_what_is_not_understood_is_bad_usage_and_adds_nothing(
        self, desk: Desk, arguments: tuple[str, ...], reason: str
    ) -> None:
        assert reason in desk.misused("keys", "add", "alice", *arguments, typed=ALICE.line)
        assert not desk.keys_dir.exists()

    @pytest.mark.parametrize(
        "claim",
        [
            "cert-authority",
            'cert-authority,principals="alice,root"',
            "no-touch-required",
            "verify-required",
            'command="perl"',
            'from="::1"',
            'expiry-time="20991231Z"',
            'rating@conch-insults="r"',
            'role@conch-insults="operator"',
            f'aaguid@conch-insults="{AAGUID}"',
            'restrict,Role@conch-insults="operator"',
        ],
    )
    def test_a_stranger_cannot_give_them(self, desk: Desk, claim: str) -> None:
        error = desk.error("keys", "add", "alice", typed=f"{BOB.line}\n{claim} {ALICE.line}")
        assert str(error) == (
            "standard input:2: has options, which are yours to give: take them out, and use"
            " --option, --from, --expires or --attestation"
        )
        assert not desk.keys_dir.exists()

    @pytest.mark.parametrize(
        "flags", ["restrict", "no-pty", "no-port-forwarding,no-X11-forwarding", "restrict,pty"]
    )
    def test_a_stranger_can_do_without(self, desk: Desk, flags: str) -> None:
        desk.said("keys", "add", "alice", typed=f"{flags} {ALICE.line}")
        assert options_of(desk, "alice").text == flags

    def test_a_stranger_cannot_take_back_what_the_operator_takes(self, desk: Desk) -> None:
        desk.said("keys", "add", "alice", "--option", "restrict", typed=f"pty {ALICE.line}")
        assert not options_of(desk, "alice").pty


class TestWhatIsInTheWay:
    def test_a_revoked_key(self, desk: Desk) -> None:
        desk.write(desk.revoked, ALICE.line)
        result = desk.run("keys", "add", "alice", typed=ALICE.line)
        assert result.exit_code == 0
        assert result.stderr == (
            f"{desk.file('alice')}:1: lets nobody in: revoked: key listed on line 1\n"
        )

    def test_a_folder_that_others_may_write_to(self, desk: Desk) -> None:
        desk.let_in("bob", BOB.line)
        desk.users.chmod(0o775)
        result = desk.run("keys", "add", "alice", typed=ALICE.line)
        assert result.stderr.startswith(f"{desk.users}: others may write to it: run `chmod go-w")

    def test_a_line_beside_it_that_cannot_be_used(self, desk: Desk) -> None:
        desk.let_in("alice", "rubbish")
        result = desk.run("keys", "add", "alice", typed=ALICE.line)
        assert result.stderr.startswith(f"{desk.file('alice')}:1: option 'rubbish'")


class TestAttestation:
    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        """A folder with what an enrolment leaves: `sk.pub`, `att`, `ch`, `roots.pem`."""
        now = datetime.now(UTC)
        valid = (now - timedelta(days=1), now + timedelta(days=1))
        root = make_root(valid=valid)
        key = SecurityKey.ed25519()
        authenticator = SoftwareAuthenticator(make_attester(root, valid=valid))
        (tmp_path / "sk.pub").write_text(key.line)
        (tmp_path / "ch").write_bytes(b"enrolment 17")
        (tmp_path / "att").write_bytes(authenticator.attest(key, b"enrolment 17"))
        (tmp_path / "roots.pem").write_bytes(root.pem)
        return tmp_path

    def test_the_model_is_recorded(self, desk: Desk, files: Path) -> None:
        desk.rule(require_attestation=True)
        said = desk.said(*enrolment(files, "--roots", str(files / "roots.pem")))
        assert said.startswith(f"attested: lives in a {AAGUID}, says CN=Software Authenticator 1")
        assert options_of(desk, "alice").aaguid == str(AAGUID)

    def test_it_stands_beside_other_options(self, desk: Desk, files: Path) -> None:
        roots = ("--roots", str(files / "roots.pem"))
        desk.said(*enrolment(files, *roots, "--option", "restrict"))
        assert options_of(desk, "alice").text == f'restrict,aaguid@conch-insults="{AAGUID}"'

    def test_a_setting_names_the_roots(self, desk: Desk, files: Path) -> None:
        desk.rule(attestation_roots=str(files / "roots.pem"))
        desk.said(*enrolment(files))
        assert options_of(desk, "alice").aaguid == str(AAGUID)

    def test_another_challenge_adds_nothing(self, desk: Desk, files: Path) -> None:
        (files / "ch").write_bytes(b"enrolment 18")
        desk.rule(attestation_roots=str(files / "roots.pem"))
        assert isinstance(desk.error(*enrolment(files)), PublicKeyError)
        assert not desk.keys_dir.exists()

    def test_another_key_adds_nothing(self, desk: Desk, files: Path) -> None:
        (files / "sk.pub").write_text(SecurityKey.ed25519(2).line)
        desk.rule(attestation_roots=str(files / "roots.pem"))
        assert str(desk.error(*enrolment(files))) == "attestation is for another key"
        assert not desk.keys_dir.exists()

    def test_without_it_a_security_key_may_let_nobody_in(self, desk: Desk, files: Path) -> None:
        desk.rule(require_attestation=True)
        result = desk.run("keys", "add", "alice", str(files / "sk.pub"))
        assert "lets nobody in: security key is not attested" in result.stderr


def enrolment(files: Path, *more: str) -> tuple[str, ...]:
    key, attestation, challenge = (str(files / name) for name in ("sk.pub", "att", "ch"))
    evidence = ("--attestation", attestation, "--challenge", challenge)
    return ("keys", "add", "alice", key, *evidence, *more)
