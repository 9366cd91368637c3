from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from conch_insults.access import policy as policy_module
from conch_insults.access.key_files import read_key_file
from conch_insults.access.policy import MAXIMUM_CACHED_USERS, Grant, Offer, Policy, Refusal
from tests.sample_keys import public_key, public_rsa_key

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.access.regular_files import Snapshot

ALICE = public_key(1, "alice")
BOB = public_key(2, "bob")
RSA = public_rsa_key()
# Long after every file was written, so that what was read may be kept.
LATER = datetime(2100, 1, 1, tzinfo=UTC)
# Before they were: nothing read counts as settled.
EARLIER = datetime(2000, 1, 1, tzinfo=UTC)


class Door:
    """A policy, its folder, what it reported, and how often it read a file."""

    def __init__(self, keys_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reports: list[str] = []
        self.reads: list[str] = []
        self.folder = keys_dir / "authorized_keys.d"
        self.folder.mkdir()
        self.policy = Policy(keys_dir, self.reports.append)

        def counting(path: Path) -> Snapshot:
            self.reads.append(path.name)
            return read_key_file(path)

        monkeypatch.setattr(policy_module, "read_key_file", counting)

    def knock(
        self,
        user: str = "alice",
        blob: bytes = ALICE.blob,
        key_type: str = "ssh-ed25519",
        now: datetime = LATER,
    ) -> Grant | Refusal:
        return self.policy.decide(Offer(user, key_type, blob, "192.0.2.1"), now)


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door(tmp_path, monkeypatch)


class TestDecision:
    def test_a_grant_names_the_line(self, door: Door) -> None:
        (door.folder / "alice").write_text(f"# mine\n{ALICE.line}\n")
        assert door.knock() == Grant(
            "alice", "ssh-ed25519", ALICE.fingerprint, f"{door.folder}/alice:2"
        )

    def test_the_first_line_with_the_key_decides(self, door: Door) -> None:
        (door.folder / "alice").write_text(f"bad {ALICE.line}\n{ALICE.line}\n{ALICE.line}\n")
        granted = door.knock()
        assert isinstance(granted, Grant)
        assert granted.source.endswith("alice:2")

    def test_another_key_is_refused(self, door: Door) -> None:
        (door.folder / "alice").write_text(ALICE.line)
        assert door.knock(blob=BOB.blob) == Refusal(
            "key not authorized for this user", f"{door.folder}/alice"
        )

    def test_another_users_key_is_refused(self, door: Door) -> None:
        (door.folder / "alice").write_text(ALICE.line)
        (door.folder / "bob").write_text(BOB.line)
        assert isinstance(door.knock("bob", ALICE.blob), Refusal)
        assert isinstance(door.knock("bob", BOB.blob), Grant)

    def test_an_unknown_user_is_refused(self, door: Door) -> None:
        assert door.knock() == Refusal("unknown user", f"{door.folder}/alice")
        assert door.reports == []

    def test_a_missing_keys_directory_refuses_everybody(self, tmp_path: Path) -> None:
        policy = Policy(tmp_path / "nowhere", pytest.fail)
        decided = policy.decide(Offer("alice", "ssh-ed25519", ALICE.blob, ""), LATER)
        assert isinstance(decided, Refusal)
        assert decided.reason == "unknown user"

    @pytest.mark.parametrize("user", ["", "Alice", "../alice", "/etc/passwd", "a\0b", "\x1b[2J"])
    def test_what_is_no_user_name_never_reaches_the_file_system(
        self, door: Door, user: str
    ) -> None:
        assert door.knock(user) == Refusal("not a valid user name", "")
        assert door.reads == []

    def test_an_option_that_is_not_understood_lets_nobody_in(self, door: Door) -> None:
        (door.folder / "alice").write_text(f'from="192.0.2.1" {ALICE.line}\n')
        assert isinstance(door.knock(), Refusal)
        (report,) = door.reports
        assert report.startswith(f"{door.folder}/alice:1: option 'from' is not understood here")

    @pytest.mark.parametrize("name", ["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"])
    def test_rsa_may_be_offered_by_its_algorithms(self, door: Door, name: str) -> None:
        (door.folder / "alice").write_text(RSA.line)
        granted = door.knock(blob=RSA.blob, key_type=name)
        assert isinstance(granted, Grant)
        assert granted.key_type == "ssh-rsa"

    @pytest.mark.parametrize("name", ["ssh-rsa", "rsa-sha2-256", "", "ssh-ed448"])
    def test_a_key_offered_as_what_it_is_not(self, door: Door, name: str) -> None:
        (door.folder / "alice").write_text(ALICE.line)
        assert door.knock(key_type=name) == Refusal(
            "key is not of the type it was offered as", f"{door.folder}/alice"
        )


class TestChange:
    def test_a_file_that_stays_is_read_once(self, door: Door) -> None:
        (door.folder / "alice").write_text(ALICE.line)
        assert all(isinstance(door.knock(), Grant) for _ in range(3))
        assert door.reads == ["alice"]

    def test_a_key_put_in_counts_at_once(self, door: Door) -> None:
        (door.folder / "alice").write_text(f"{BOB.line}\n")
        assert isinstance(door.knock(), Refusal)
        with (door.folder / "alice").open("a") as file:
            file.write(f"{ALICE.line}\n")
        assert isinstance(door.knock(), Grant)

    def test_a_key_taken_out_counts_at_once(self, door: Door) -> None:
        (door.folder / "alice").write_text(ALICE.line)
        assert isinstance(door.knock(), Grant)
        (door.folder / "alice").write_text("")
        assert isinstance(door.knock(), Refusal)

    def test_a_file_taken_away_counts_at_once(self, door: Door) -> None:
        (door.folder / "alice").write_text(ALICE.line)
        assert isinstance(door.knock(), Grant)
        (door.folder / "alice").unlink()
        assert door.knock() == Refusal("unknown user", f"{door.folder}/alice")

    def test_a_change_that_time_and_size_do_not_show(self, door: Door) -> None:
        """Two writes within one tick of the clock, as long as each other, in the same place."""
        path = door.folder / "alice"
        path.write_text(public_key(1).line)
        os.utime(path, ns=(1, 1))
        assert isinstance(door.knock(now=EARLIER), Grant)
        path.write_text(public_key(2).line)
        os.utime(path, ns=(1, 1))
        assert isinstance(door.knock(now=EARLIER), Refusal)

    def test_a_file_just_written_is_read_again(self, door: Door) -> None:
        (door.folder / "alice").write_text(f"bad\n{ALICE.line}")
        for _ in range(3):
            assert isinstance(door.knock(now=EARLIER), Grant)
        assert door.reads == ["alice"] * 3
        assert len(door.reports) == 1

    def test_a_problem_is_reported_once_for_each_version(self, door: Door) -> None:
        path = door.folder / "alice"
        path.write_text("bad\n")
        for _ in range(3):
            door.knock()
        path.write_text("bad\n\n")
        for _ in range(3):
            door.knock()
        assert len(door.reports) == 2
        assert door.reports[0] == door.reports[1]

    def test_the_users_remembered_are_bounded(self, door: Door) -> None:
        names = [f"u{number}" for number in range(MAXIMUM_CACHED_USERS + 1)]
        for name in names:
            (door.folder / name).write_text("")
        for name in [*names[:-1], names[0], names[-1]]:
            door.knock(name)
        door.reads.clear()
        door.knock(names[0])
        assert door.reads == []
        door.knock(names[1])
        assert door.reads == [names[1]]


class TestUnreadable:
    def test_a_link_lets_nobody_in(self, door: Door) -> None:
        (door.folder / "bob").write_text(ALICE.line)
        (door.folder / "alice").symlink_to("bob")
        for _ in range(3):
            assert door.knock() == Refusal("is a symbolic link", f"{door.folder}/alice")
        assert door.reports == [f"{door.folder}/alice: is a symbolic link"]

    def test_a_file_that_can_be_read_again_counts_again(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (door.folder / "alice").write_text(ALICE.line)
        with monkeypatch.context() as patched:

            def no_descriptors(*arguments: object) -> int:
                raise OSError(24, "Too many open files")

            patched.setattr(os, "open", no_descriptors)
            assert door.knock() == Refusal(
                "cannot be read: Too many open files", f"{door.folder}/alice"
            )
        assert isinstance(door.knock(), Grant)

    def test_a_folder_that_cannot_be_searched(self, tmp_path: Path) -> None:
        (tmp_path / "authorized_keys.d").touch()
        reports: list[str] = []
        policy = Policy(tmp_path, reports.append)
        offer = Offer("alice", "ssh-ed25519", ALICE.blob, "")
        for _ in range(2):
            assert policy.decide(offer, LATER) == Refusal(
                "cannot be read: Not a directory", f"{tmp_path}/authorized_keys.d/alice"
            )
        assert reports == [f"{tmp_path}/authorized_keys.d/alice: cannot be read: Not a directory"]

    def test_a_file_that_vanishes_between_looking_and_reading(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (door.folder / "alice").write_text(ALICE.line)

        def vanish(path: Path) -> Snapshot:
            raise FileNotFoundError(path)

        monkeypatch.setattr(policy_module, "read_key_file", vanish)
        assert door.knock() == Refusal("unknown user", f"{door.folder}/alice")
