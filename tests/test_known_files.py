from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.key_files import KeyFiles, Version
from conch_insults.access.known_files import SETTLED_AFTER, KnownFile, KnownFiles, Parsed
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conch_insults.access.regular_files import Snapshot

# Long after every file was written, and long before.
LATER = 4e9
EARLIER = 1e9


class Files(KeyFiles):
    """Files that note what is read, and can be changed between being looked at and read."""

    def __init__(self, keys_dir: Path) -> None:
        super().__init__(keys_dir)
        self.read_names: list[str] = []
        self.before_reading: Callable[[Path], object] = str
        self.after_reading: Callable[[Path], object] = str

    def read(self, path: Path, limit: int) -> Snapshot:
        self.read_names.append(path.name)
        self.before_reading(path)
        file = super().read(path, limit)
        self.after_reading(path)
        return file


class Notes:
    """Files of text in a folder, where `bad` is a problem and `worse` a reason to refuse all."""

    def __init__(self, folder: Path, capacity: int = 1) -> None:
        folder.chmod(0o755)
        self.folder = folder
        self.files = Files(folder)
        self.reports: list[str] = []
        self.known = KnownFiles(
            self.files, self.parse, 100_000, self.reports.append, capacity=capacity
        )

    @staticmethod
    def parse(content: bytes, name: str) -> Parsed[str]:
        text = content.decode()
        if text == "worse":
            raise KeyFileError(f"{name}: is worse")
        return Parsed(text, tuple(f"{name}: {word}" for word in text.split() if word == "bad"))

    def write(self, text: str, name: str = "note") -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def look(self, name: str = "note", now: float = LATER) -> KnownFile[str]:
        known = self.known.look_up(self.folder / name, now)
        assert known is not None
        return known

    def says(self, name: str = "note", now: float = LATER) -> str | None:
        return self.look(name, now).value


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path)


class TestChange:
    def test_a_file_that_stays_is_read_once(self, notes: Notes) -> None:
        notes.write("a")
        assert [notes.says() for _ in range(3)] == ["a"] * 3
        assert notes.files.read_names == ["note"]

    def test_a_file_that_is_written_to_is_read_again(self, notes: Notes) -> None:
        notes.write("a")
        notes.says()
        notes.write("ab")
        assert notes.says() == "ab"

    def test_a_file_that_is_replaced_by_its_twin_is_read_again(self, notes: Notes) -> None:
        """Of the same size and the same times of modification, only another."""
        path = notes.write("a")
        notes.says()
        status = path.stat()
        twin = notes.write("b", "twin")
        os.utime(twin, ns=(status.st_atime_ns, status.st_mtime_ns))
        twin.replace(path)
        assert notes.says() == "b"

    def test_a_time_that_was_set_back_hides_nothing(self, notes: Notes) -> None:
        path = notes.write("a")
        status = path.stat()
        notes.says()
        # In the same inode; the time of the last change to it cannot be set.
        _pass_a_tick(path)
        notes.write("b")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        after = path.stat()
        assert (after.st_ino, after.st_size) == (status.st_ino, status.st_size)
        assert after.st_mtime_ns == status.st_mtime_ns
        assert notes.says() == "b"

    def test_a_mode_that_lets_others_write_counts_at_once(self, notes: Notes) -> None:
        path = notes.write("a")
        assert notes.says() == "a"
        _pass_a_tick(path)
        path.chmod(0o666)
        assert notes.says() is None
        path.chmod(0o644)
        assert notes.says() == "a"

    def test_a_folder_that_lets_others_write_counts_at_once(self, notes: Notes) -> None:
        notes.write("a")
        assert notes.says() == "a"
        notes.folder.chmod(0o777)
        assert notes.says() is None
        notes.folder.chmod(0o755)
        assert notes.says() == "a"

    def test_no_file_is_none(self, notes: Notes) -> None:
        assert notes.known.look_up(notes.folder / "note", LATER) is None
        path = notes.write("a")
        assert notes.says() == "a"
        path.unlink()
        assert notes.known.look_up(path, LATER) is None
        assert notes.reports == []


class TestSettling:
    """Within one tick of the file system's clock two versions of a file can look the same."""

    def test_a_file_just_written_is_read_until_it_must_have_changed_visibly(
        self, notes: Notes
    ) -> None:
        changed = notes.write("a").stat().st_ctime
        assert not notes.look(now=changed).settled
        assert not notes.look(now=changed + SETTLED_AFTER - 0.1).settled
        assert notes.look(now=changed + SETTLED_AFTER + 0.1).settled
        notes.look(now=changed + SETTLED_AFTER + 0.2)
        assert notes.files.read_names == ["note"] * 3

    def test_two_writes_in_one_tick(self, notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
        path = notes.write("a")
        same = path.stat()
        monkeypatch.setattr("conch_insults.access.key_files.version_of", lambda _: _version(same))
        monkeypatch.setattr("conch_insults.access.known_files.version_of", lambda _: _version(same))
        assert notes.says(now=same.st_ctime) == "a"
        path.write_text("b")
        assert notes.says(now=same.st_ctime) == "b"

    def test_a_clock_that_is_behind_the_files_settles_nothing(self, notes: Notes) -> None:
        notes.write("a")
        for _ in range(3):
            assert not notes.look(now=EARLIER).settled
        assert notes.files.read_names == ["note"] * 3

    def test_a_date_in_the_future_keeps_nobody_reading(self, notes: Notes) -> None:
        """As a copy or an archive from a machine with another clock brings it."""
        os.utime(notes.write("a"), (5e9, 5e9))
        assert notes.look().settled
        notes.look()
        assert notes.files.read_names == ["note"]

    @pytest.mark.parametrize("text", ["a", "bad", "worse"])
    def test_what_reads_the_same_is_parsed_once(
        self, notes: Notes, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        parsed: list[bytes] = []

        def noting(content: bytes, name: str) -> Parsed[str]:
            parsed.append(content)
            return notes.parse(content, name)

        monkeypatch.setattr(notes.known, "_parse", noting)
        notes.write(text)
        first = notes.look(now=EARLIER)
        assert [notes.look(now=EARLIER) for _ in range(3)] == [first] * 3
        assert notes.look().settled
        assert parsed == [text.encode()]
        notes.write("b")
        assert notes.says(now=EARLIER) == "b"

    def test_what_cannot_be_understood_settles_too(self, notes: Notes) -> None:
        """Or a large file full of nonsense would be read for every stranger who knocks."""
        notes.write("worse")
        for _ in range(3):
            known = notes.look()
            assert (known.value, known.settled) == (None, True)
        assert notes.files.read_names == ["note"]

    def test_what_cannot_be_read_never_settles(self, notes: Notes) -> None:
        """Why it cannot may have nothing to do with the file."""
        notes.write("a").chmod(0o666)
        for _ in range(3):
            assert not notes.look().settled
        assert notes.files.read_names == ["note"] * 3


class TestRace:
    """Between being looked at and being read, a file becomes another."""

    def test_what_is_known_is_of_the_version_that_was_read(self, notes: Notes) -> None:
        notes.write("a")
        notes.files.before_reading = lambda path: notes.write("new", "b").replace(path)
        known = notes.look()
        assert known.value == "new"
        assert known.version == notes.files.version(notes.folder / "note")
        notes.look()
        assert notes.files.read_names == ["note"]

    def test_and_of_no_later_one(self, notes: Notes) -> None:
        notes.write("a")
        notes.files.after_reading = lambda path: notes.write("new", "b").replace(path)
        assert notes.says() == "a"
        notes.files.after_reading = str
        assert notes.says() == "new"

    def test_a_file_that_changes_after_it_was_read_is_read_again(
        self, notes: Notes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = notes.write("a")
        parse = notes.parse

        def written_while_parsed(content: bytes, name: str) -> Parsed[str]:
            parsed = parse(content, name)
            _pass_a_tick(path)
            path.write_text("ab")
            return parsed

        monkeypatch.setattr(notes.known, "_parse", written_while_parsed)
        assert notes.says() == "a"
        monkeypatch.setattr(notes.known, "_parse", parse)
        assert notes.says() == "ab"

    def test_a_file_that_goes_away_was_never_there(self, notes: Notes) -> None:
        notes.write("a")
        notes.files.before_reading = Path.unlink
        assert notes.known.look_up(notes.folder / "note", LATER) is None


class TestReports:
    def test_a_problem_is_told_once_for_each_version(self, notes: Notes) -> None:
        path = notes.write("bad")
        for _ in range(3):
            notes.look()
        assert notes.reports == [f"{path}: bad"]
        notes.write("bad bad")
        for _ in range(3):
            notes.look()
        assert notes.reports == [f"{path}: bad"] * 3

    def test_a_file_just_written_is_not_complained_about_each_time_it_is_read(
        self, notes: Notes
    ) -> None:
        notes.write("bad")
        for _ in range(3):
            notes.look(now=EARLIER)
        assert len(notes.reports) == 1

    @pytest.mark.parametrize("now", [EARLIER, LATER])
    def test_an_unusable_file_is_told_once(self, notes: Notes, now: float) -> None:
        path = notes.write("worse")
        for _ in range(3):
            assert notes.says(now=now) is None
        assert notes.reports == [f"{path}: is worse"]

    def test_an_unreadable_file_is_told_once_and_so_is_the_next_trouble(self, notes: Notes) -> None:
        path = notes.write("a")
        path.chmod(0o666)
        for _ in range(3):
            assert notes.says() is None
        path.unlink()
        path.mkdir(0o755)
        for _ in range(3):
            assert notes.says() is None
        assert [report.partition(": ")[2][:20] for report in notes.reports] == [
            "others may write to ",
            "is not a regular fil",
        ]

    def test_a_folder_is_told_of_once_whatever_is_asked_for(self, notes: Notes) -> None:
        """Strangers ask for any number of names."""
        notes.write("a")
        for number in range(3):
            assert notes.says(f"note/alice{number}") is None
            assert notes.says(f"note/alice{number}") is None
        assert notes.reports == [f"{notes.folder}/note: cannot be searched: Not a directory"]
        assert notes.known._known == {}

    def test_and_again_when_it_had_been_mended(self, notes: Notes) -> None:
        path = notes.write("a")
        for ask in (path, path.with_name("nobody")) * 2:
            notes.folder.chmod(0o777)
            assert notes.says() is None
            notes.folder.chmod(0o755)
            notes.known.look_up(ask, LATER)
        assert len(notes.reports) == 4

    def test_trouble_that_comes_back_is_told_again(
        self, notes: Notes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_descriptors(*arguments: object) -> int:
            raise OSError(24, "Too many open files")

        path = notes.write("a")
        for _ in range(2):
            with monkeypatch.context() as patched:
                patched.setattr(os, "open", no_descriptors)
                assert notes.says(now=EARLIER) is None
                assert notes.says(now=EARLIER) is None
            assert notes.says(now=EARLIER) == "a"
        assert notes.reports == [f"{path}: cannot be read: Too many open files"] * 2


class TestCapacity:
    def test_the_files_last_asked_for_are_known(self, tmp_path: Path) -> None:
        notes = Notes(tmp_path, capacity=3)
        for name in "abcd":
            notes.write(name, name)
        for name in "abcab":
            notes.says(name)
        assert notes.files.read_names == ["a", "b", "c"]
        notes.says("d")  # c was asked for the longest ago
        notes.files.read_names.clear()
        for name in "abd":
            notes.says(name)
        assert notes.files.read_names == []
        notes.says("c")
        assert notes.files.read_names == ["c"]

    def test_files_that_are_not_there_push_none_out(self, tmp_path: Path) -> None:
        notes = Notes(tmp_path, capacity=1)
        notes.write("a", "a")
        notes.says("a")
        for number in range(10):
            assert notes.known.look_up(tmp_path / f"nobody{number}", LATER) is None
        notes.says("a")
        assert notes.files.read_names == ["a"]

    def test_unusable_files_are_bounded_too(self, tmp_path: Path) -> None:
        notes = Notes(tmp_path, capacity=2)
        for number in range(10):
            notes.write("worse", str(number)).chmod(0o666)
            notes.says(str(number))
        assert len(notes.known._known) == 2


def _version(status: os.stat_result) -> Version:
    return Version(status.st_dev, status.st_ino, 1, status.st_mtime_ns, status.st_ctime_ns)


def _pass_a_tick(path: Path) -> None:
    """Wait until the file system's clock has moved on from a file's last change."""
    probe = path.with_name("probe")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        probe.write_bytes(b"")
        os.utime(probe)
        if probe.stat().st_ctime_ns > path.stat().st_ctime_ns:
            return
    pytest.fail("the file system's clock stands still")
