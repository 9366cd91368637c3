"""The check of a keys directory: everything that is wrong, once, with file and line."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.checking import AccessCheck
from conch_insults.errors import KeyFileError
from tests.desk import Desk
from tests.sample_keys import public_key

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice@work")
BOB = public_key(3, "bob")
CA = public_key(4, "the authority")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "keys")
    desk.let_in("alice", ALICE.line)
    return desk


def check(desk: Desk) -> AccessCheck:
    return AccessCheck(desk.keys_dir, desk.rules, NOW)


def problems(desk: Desk) -> list[str]:
    found = list(check(desk).findings())
    assert not [finding for finding in found if finding.is_warning]
    return [finding.text for finding in found]


def warnings(desk: Desk) -> list[str]:
    found = list(check(desk).findings())
    assert all(finding.is_warning for finding in found)
    return [finding.text for finding in found]


class TestInOrder:
    def test_nothing_is_found_and_everything_counted(self, desk: Desk) -> None:
        desk.let_in("bob", f'from="192.0.2.0/24" {BOB.line}', f"cert-authority {CA.line}")
        desk.write(desk.user_ca, CA.line)
        desk.write(desk.revoked, WORK.line)
        done = check(desk)
        assert list(done.findings()) == []
        assert (done.users, done.ways_in) == (2, 4)

    def test_hidden_files_are_nobodys_business(self, desk: Desk) -> None:
        """A mounted volume has `..data`, an editor `.alice.swp`."""
        desk.write(desk.users / ".alice.swp", "rubbish")
        (desk.users / "..data").mkdir()
        assert problems(desk) == []


class TestProblems:
    def test_a_line_that_cannot_be_used(self, desk: Desk) -> None:
        path = desk.let_in("alice", ALICE.line, "no-such-option " + WORK.line)
        (problem,) = problems(desk)
        assert problem.startswith(f"{path}:2: option 'no-such-option' is not understood")

    def test_a_line_in_user_ca(self, desk: Desk) -> None:
        desk.write(desk.user_ca, CA.line, "rubbish")
        (problem,) = problems(desk)
        assert problem.startswith(f"{desk.user_ca}:2: ")

    def test_a_revocation_list_that_keeps_everybody_out_is_told_once(self, desk: Desk) -> None:
        desk.let_in("bob", BOB.line)
        desk.write(desk.revoked, "rubbish")
        (problem,) = problems(desk)
        assert problem.startswith(f"{desk.revoked}: line 1: ")
        assert problem.endswith("nobody may come in")

    def test_a_name_that_nobody_can_have(self, desk: Desk) -> None:
        path = desk.write(desk.users / "Alice", ALICE.line)
        (problem,) = problems(desk)
        assert problem.startswith(f"{path}: nobody can have this name")

    def test_a_folder_in_place_of_a_file(self, desk: Desk) -> None:
        desk.file("bob").mkdir()
        desk.file("bob").chmod(0o755)
        assert problems(desk) == [f"{desk.file('bob')}: is not a regular file"]

    def test_a_link_that_leads_out(self, desk: Desk, tmp_path: Path) -> None:
        desk.file("bob").symlink_to(desk.write(tmp_path / "bob.pub", BOB.line))
        assert problems(desk) == [f"{desk.file('bob')}: is a link out of the keys directory"]

    def test_a_file_that_others_may_write_to_and_what_else_is_wrong_with_it(
        self, desk: Desk
    ) -> None:
        path = desk.let_in("alice", ALICE.line, "rubbish")
        path.chmod(0o666)
        mode, line = problems(desk)
        assert mode.startswith(f"{path}: others may write to it: run `chmod go-w {path}`")
        assert line.startswith(f"{path}:2: ")

    def test_a_folder_that_others_may_write_to_is_told_once(self, desk: Desk) -> None:
        path = desk.let_in("bob", BOB.line, "rubbish")
        desk.users.chmod(0o775)
        done = check(desk)
        folder, line = [finding.text for finding in done.findings()]
        assert folder.startswith(f"{desk.users}: others may write to it")
        assert line.startswith(f"{path}:2: ")
        # As long as that is so, nobody comes in.
        assert (done.users, done.ways_in) == (2, 0)

    def test_modes_that_the_settings_do_not_ask_for_are_none(self, desk: Desk) -> None:
        desk.users.chmod(0o777)
        desk.rule(strict_modes=False)
        assert problems(desk) == []

    def test_no_keys_directory(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path / "nowhere")
        with pytest.raises(KeyFileError, match="run `conch-insults init`"):
            problems(desk)


class TestWarnings:
    def test_a_key_that_has_expired(self, desk: Desk) -> None:
        path = desk.let_in("alice", f'expiry-time="20300101Z" {ALICE.line}')
        assert warnings(desk) == [
            f"{path}:1: lets nobody in: expired at 2030-01-01T00:00:00Z (expiry-time)"
        ]

    def test_a_revoked_key_that_is_still_there(self, desk: Desk) -> None:
        desk.write(desk.revoked, "# gone", ALICE.line)
        assert warnings(desk) == [
            f"{desk.file('alice')}:1: lets nobody in: revoked: key listed on line 2"
        ]

    def test_a_revoked_authority_that_is_still_there(self, desk: Desk) -> None:
        desk.write(desk.user_ca, CA.line)
        desk.write(desk.revoked, CA.line)
        assert warnings(desk) == [
            f"{desk.user_ca}:1: lets nobody in: revoked: key listed on line 1"
        ]

    def test_a_key_that_two_users_have(self, desk: Desk) -> None:
        path = desk.let_in("bob", BOB.line, f"no-pty {ALICE.line}")
        assert warnings(desk) == [
            f"{path}:2: {ALICE.fingerprint} is the key of alice, too: {desk.file('alice')}:1"
        ]

    def test_no_key_that_a_user_has_on_two_lines(self, desk: Desk) -> None:
        desk.let_in("alice", f'from="192.0.2.1" {ALICE.line}', f"restrict {ALICE.line}")
        assert warnings(desk) == []

    def test_no_authority_that_two_users_have(self, desk: Desk) -> None:
        desk.let_in("alice", f"cert-authority {CA.line}")
        desk.let_in("bob", f"cert-authority {CA.line}")
        assert warnings(desk) == []


class TestUnreadNames:
    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("revoked_key", ": did you mean revoked_keys?"),
            ("Revoked_Keys", ": did you mean revoked_keys?"),
            ("user_ca", ": did you mean user_ca.pub?"),
            ("authorized_keys", ": did you mean authorized_keys.d?"),
            ("notes", ""),
        ],
    )
    def test_a_name_that_nothing_reads(self, desk: Desk, name: str, hint: str) -> None:
        """Whoever revokes keys in it believes that they are."""
        path = desk.write(desk.keys_dir / name, ALICE.line)
        assert warnings(desk) == [f"{path}: nothing reads this{hint}"]

    def test_names_that_belong_there(self, desk: Desk) -> None:
        for name in ("host", "client", "..data"):
            (desk.keys_dir / name).mkdir()
        desk.write(desk.keys_dir / "README.md", "Keys.")
        desk.write(desk.keys_dir / ".gitignore", "host")
        assert warnings(desk) == []


class TestAround:
    """Whoever may write to a directory may put another one in the place of what is in it."""

    @pytest.fixture
    def outside(self, desk: Desk) -> Path:
        return desk.keys_dir.parent

    @pytest.mark.parametrize("mode", [0o775, 0o757])
    def test_a_directory_that_others_may_write_to(
        self, desk: Desk, outside: Path, mode: int
    ) -> None:
        outside.chmod(mode)
        (warning,) = warnings(desk)
        assert warning == (
            f"{outside}: others may write to it: run `chmod go-w {outside}`:"
            " the keys directory in it could be replaced"
        )

    def test_unless_nobody_renames_there_what_is_anothers(self, desk: Desk, outside: Path) -> None:
        outside.chmod(0o1777)
        assert warnings(desk) == []

    def test_unless_the_settings_do_not_ask(self, desk: Desk, outside: Path) -> None:
        outside.chmod(0o777)
        desk.rule(strict_modes=False)
        assert warnings(desk) == []

    def test_of_a_link_those_that_the_real_one_is_in(self, desk: Desk, outside: Path) -> None:
        (outside / "deep").mkdir()
        link = outside / "link"
        link.symlink_to(desk.keys_dir.rename(outside / "deep" / "keys"))
        (outside / "deep").chmod(0o777)
        (found,) = AccessCheck(link, desk.rules, NOW).findings()
        assert found.is_warning
        assert found.text.startswith(f"{outside / 'deep'}: others may write to it")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_a_directory_that_belongs_to_a_stranger(self, desk: Desk, outside: Path) -> None:
        os.chown(outside, 12345, -1)
        (warning,) = warnings(desk)
        assert warning == (
            f"{outside}: belongs to user 12345, who could write to it:"
            " the keys directory in it could be replaced"
        )
        # Whom the keys directory belongs to may do so anyway.
        for path in (desk.keys_dir, desk.users, desk.file("alice")):
            os.chown(path, 12345, -1)
        assert warnings(desk) == []


def test_a_finding_is_told_before_the_next_file_is_read(desk: Desk) -> None:
    """With 100,000 users nothing is held until the end."""
    desk.let_in("alice", "rubbish")
    desk.let_in("bob", BOB.line)
    findings = check(desk).findings()
    assert next(findings).text.startswith(f"{desk.file('alice')}:1: ")
    desk.let_in("bob", "rubbish")
    (late,) = findings
    assert late.text.startswith(f"{desk.file('bob')}:1: ")
