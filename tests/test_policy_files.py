"""The files behind decisions: read when they have changed, trusted when nobody else wrote them."""

from __future__ import annotations

import os
import struct
from base64 import b64encode
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.certificate import Certificate, parse_certificate
from conch_insults.access.durable_files import make_directory
from conch_insults.access.grants import Grant, Refusal
from conch_insults.access.krl import MAGIC, KeyRevocationList, parse_krl
from conch_insults.access.policy import MAXIMUM_CACHED_USERS, AccessRules
from conch_insults.access.standing import KeysWatch
from tests.certificate_authority import Draft
from tests.keys_folder import EARLIER, NOW, KeysFolder, granted, refused
from tests.sample_keys import public_key
from tests.spoiled_files import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

ALICE = public_key(1, "alice")
BOB = public_key(2, "bob")
RELAXED = AccessRules(strict_modes=False)


@pytest.fixture
def folder(tmp_path: Path) -> KeysFolder:
    return KeysFolder(tmp_path)


class TestChange:
    def test_a_file_that_stays_is_read_once(self, folder: KeysFolder) -> None:
        folder.let_in("alice", ALICE.line)
        folder.write(folder.revoked, BOB.line)
        with folder.reading() as read:
            for _ in range(3):
                granted(folder.ask("alice", ALICE))
        assert sorted(read) == ["alice", "revoked_keys"]

    def test_a_key_put_in_counts_at_once(self, folder: KeysFolder) -> None:
        path = folder.let_in("alice", BOB.line)
        refused(folder.ask("alice", ALICE))
        with path.open("a") as file:
            file.write(f"{ALICE.line}\n")
        granted(folder.ask("alice", ALICE))

    def test_a_key_taken_out_counts_at_once(self, folder: KeysFolder) -> None:
        folder.let_in("alice", ALICE.line)
        granted(folder.ask("alice", ALICE))
        folder.let_in("alice")
        refused(folder.ask("alice", ALICE))

    def test_a_file_taken_away_counts_at_once(self, folder: KeysFolder) -> None:
        path = folder.let_in("alice", ALICE.line)
        granted(folder.ask("alice", ALICE))
        path.unlink()
        assert folder.ask("alice", ALICE) == Refusal("unknown user", str(path))

    def test_a_change_that_time_and_size_do_not_show(self, folder: KeysFolder) -> None:
        """Two writes within one tick of the clock, as long as each other, in the same place."""
        path = folder.let_in("alice", public_key(1).line)
        os.utime(path, ns=(1, 1))
        granted(folder.ask("alice", ALICE, now=EARLIER))
        path.write_text(public_key(2).line)
        os.utime(path, ns=(1, 1))
        refused(folder.ask("alice", ALICE, now=EARLIER))

    def test_a_list_just_written_is_read_for_everybody_and_parsed_once(
        self, folder: KeysFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is slow to parse, and strangers could ask again and again."""
        parsed: list[bytes] = []

        def noting(content: bytes) -> KeyRevocationList:
            parsed.append(content)
            return parse_krl(content)

        monkeypatch.setattr("conch_insults.access.revocation.parse_krl", noting)
        folder.let_in("alice", ALICE.line)
        content = MAGIC + struct.pack(">L3Q2L", 1, 1, 0, 0, 0, 0)
        folder.revoked.write_bytes(content)
        folder.revoked.chmod(0o644)
        with folder.reading() as read:
            for _ in range(50):
                granted(folder.ask("alice", ALICE, now=EARLIER))
        assert read.count("revoked_keys") == 50
        assert parsed == [content]

    def test_a_problem_is_reported_once_for_each_version(self, folder: KeysFolder) -> None:
        for lines in (("bad",), ("bad", "")):
            folder.let_in("alice", *lines)
            for _ in range(3):
                folder.ask("alice", ALICE)
        assert len(folder.reports) == 2
        assert folder.reports[0] == folder.reports[1]

    @pytest.mark.parametrize("spoil", UNREADABLE, ids=lambda spoil: spoil.__name__)
    def test_a_file_that_cannot_be_read_lets_nobody_in_and_is_reported_once(
        self, folder: KeysFolder, spoil: Callable[[Path], None]
    ) -> None:
        path = folder.let_in("alice", ALICE.line)
        granted(folder.ask("alice", ALICE))
        spoil(path)
        for _ in range(3):
            assert folder.ask("alice", ALICE) == Refusal(
                "the user's key file cannot be used", str(path)
            )
        assert len(folder.reports) == 1
        assert folder.reports[0].startswith(str(path.parent))

    @pytest.mark.parametrize("spoil", UNREADABLE[-3:], ids=lambda spoil: spoil.__name__)
    def test_strangers_who_try_many_names_fill_no_log(
        self, folder: KeysFolder, spoil: Callable[[Path], None]
    ) -> None:
        spoil(folder.let_in("alice", ALICE.line))
        for number in range(100):
            for user in ("alice", f"user{number}"):
                refused(folder.ask(user, ALICE))
        assert len(folder.reports) == 1

    def test_a_file_that_can_be_read_again_counts_again(
        self, folder: KeysFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_descriptors(*arguments: object) -> int:
            raise OSError(24, "Too many open files")

        path = folder.let_in("alice", ALICE.line)
        with monkeypatch.context() as patched:
            patched.setattr(os, "open", no_descriptors)
            refused(folder.ask("alice", ALICE))
        assert folder.reports == [f"{path}: cannot be read: Too many open files"]
        granted(folder.ask("alice", ALICE))

    def test_who_is_known_already_needs_no_descriptor(
        self, folder: KeysFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.let_in("alice", ALICE.line)
        granted(folder.ask("alice", ALICE))
        monkeypatch.setattr(os, "open", pytest.fail)
        granted(folder.ask("alice", ALICE))


class TestStrictModes:
    @pytest.mark.parametrize("name", [".", "authorized_keys.d", "authorized_keys.d/alice"])
    def test_whatever_others_may_write_to_lets_nobody_in(
        self, folder: KeysFolder, name: str
    ) -> None:
        folder.let_in("alice", ALICE.line)
        granted(folder.ask("alice", ALICE))
        (folder.path / name).chmod(0o775)
        refused(folder.ask("alice", ALICE))
        folder.rule(RELAXED)
        granted(folder.ask("alice", ALICE))

    @pytest.mark.parametrize("name", ["user_ca.pub", "."])
    def test_nor_do_authorities(self, folder: KeysFolder, name: str) -> None:
        certificate = Draft()
        folder.write(folder.authorities, f"ssh-ed25519 {_encoded(certificate.authority)}")
        granted(folder.ask("alice", _parsed(certificate)))
        (folder.path / name).chmod(0o757)
        refused(folder.ask("alice", _parsed(certificate)))
        folder.rule(RELAXED)
        granted(folder.ask("alice", _parsed(certificate)))

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_nor_does_what_belongs_to_somebody_else(self, folder: KeysFolder) -> None:
        path = folder.let_in("alice", ALICE.line)
        granted(folder.ask("alice", ALICE))
        os.chown(path, 54321, 54321)
        refused(folder.ask("alice", ALICE))
        assert "belongs to user 54321" in folder.reports[0]
        folder.rule(RELAXED)
        granted(folder.ask("alice", ALICE))


class TestLinks:
    def test_a_link_inside_is_followed_and_noticed_when_it_leads_elsewhere(
        self, folder: KeysFolder
    ) -> None:
        """As Kubernetes replaces all files of a volume at once."""
        for version, key in (("..2025", ALICE), ("..2026", BOB)):
            make_directory(folder.users / version, 0o755)
            folder.write(folder.users / version / "alice", key.line)
        (folder.users / "..data").symlink_to("..2025")
        (folder.users / "alice").symlink_to("..data/alice")
        grant = granted(folder.ask("alice", ALICE))
        assert grant.source == f"{folder.users}/alice:1"
        (folder.users / "..new").symlink_to("..2026")
        (folder.users / "..new").replace(folder.users / "..data")
        refused(folder.ask("alice", ALICE))
        granted(folder.ask("alice", BOB))
        assert folder.reports == []

    def test_revoked_keys_and_authorities_may_be_links_too(self, folder: KeysFolder) -> None:
        folder.let_in("alice", ALICE.line)
        folder.write(folder.path / "list", ALICE.line)
        folder.revoked.symlink_to("list")
        assert refused(folder.ask("alice", ALICE)) == "revoked: key listed on line 1"

    @pytest.mark.parametrize("rules", [AccessRules(), RELAXED])
    def test_no_link_leads_out(self, folder: KeysFolder, rules: AccessRules) -> None:
        folder.rule(rules)
        folder.write(folder.path.parent / "elsewhere", ALICE.line)
        (folder.users / "alice").symlink_to("../../elsewhere")
        refused(folder.ask("alice", ALICE))
        assert folder.reports == [
            f"{folder.users}/alice: is a link out of the keys directory",
        ]


class TestManyUsers:
    def test_starting_reads_nobody_and_a_login_reads_one(
        self, folder: KeysFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = folder.let_in("user0", ALICE.line)
        # A name for the same file is as good as another file here, and made much faster.
        for number in range(1, 20_000):
            os.link(first, folder.users / f"user{number}")
        for walk in ("listdir", "scandir"):
            monkeypatch.setattr(os, walk, pytest.fail)
        with folder.reading() as read:
            folder.rule(AccessRules())
            assert read == []
            granted(folder.ask("user12345", ALICE))
            assert read == ["user12345"]
            refused(folder.ask("user12345", BOB))
            refused(folder.ask("user99999", ALICE))
            assert read == ["user12345"]

    def test_the_users_remembered_are_bounded(self, folder: KeysFolder) -> None:
        names = [f"u{number}" for number in range(MAXIMUM_CACHED_USERS + 1)]
        for name in names:
            folder.let_in(name)
        # The second is now the one that was asked for the longest ago.
        for name in [*names[:-1], names[0], names[-1]]:
            folder.ask(name, ALICE)
        with folder.reading() as read:
            folder.ask(names[0], ALICE)
            assert read == []
            folder.ask(names[1], ALICE)
            assert read == [names[1]]


def test_whoever_watches_the_files_sees_every_change_of_a_decision(folder: KeysFolder) -> None:
    def step() -> tuple[Hashable, bool]:
        seen = watch.look(["alice"], NOW)["alice"]
        return seen.versions, isinstance(folder.ask("alice", ALICE), Grant)

    watch = KeysWatch(folder.path)
    path = folder.users / "alice"
    steps = [step()]
    folder.let_in("alice", ALICE.line)
    steps.append(step())
    path.chmod(0o666)
    steps.append(step())
    path.chmod(0o644)
    steps.append(step())
    folder.users.chmod(0o777)
    steps.append(step())
    folder.users.chmod(0o755)
    steps.append(step())
    path.rename(path.with_name("bob"))
    path.symlink_to("bob")
    steps.append(step())
    folder.write(folder.revoked, "nonsense")
    steps.append(step())
    folder.revoked.unlink()
    steps.append(step())
    assert [is_in for _, is_in in steps] == [
        *(False, True, False, True, False, True, True, False, True)
    ]
    for (earlier, was_in), (later, is_in) in pairwise(steps):
        assert was_in == is_in or earlier != later


def _encoded(blob: bytes) -> str:
    return b64encode(blob).decode()


def _parsed(draft: Draft) -> Certificate:
    return parse_certificate(draft.signed())
