from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NoReturn

import pytest

from conch_insults.access.durable_files import create_file, make_directory, replace_file
from tests.sample_keys import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def fail(*arguments: object, **more: object) -> NoReturn:
    raise OSError(28, "No space left on device")


@pytest.fixture(autouse=True)
def _narrow_umask() -> Iterator[None]:
    """Take rights away that the code must give all the same."""
    before = os.umask(0o077)
    yield
    os.umask(before)


class TestMakeDirectory:
    def test_it_has_exactly_its_mode(self, tmp_path: Path) -> None:
        assert make_directory(tmp_path / "a" / "b", 0o755)
        assert mode_of(tmp_path / "a" / "b") == 0o755

    def test_one_that_is_there_stays_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir(0o700)
        assert not make_directory(tmp_path / "a", 0o755)
        assert mode_of(tmp_path / "a") == 0o700

    def test_a_file_of_its_name_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        with pytest.raises(FileExistsError):
            make_directory(tmp_path / "a", 0o755)


class TestCreateFile:
    def test_it_has_content_and_mode_and_leaves_nothing_else(self, tmp_path: Path) -> None:
        assert create_file(tmp_path / "a", b"one", 0o644)
        assert (tmp_path / "a").read_bytes() == b"one"
        assert mode_of(tmp_path / "a") == 0o644
        assert names_in(tmp_path) == ["a"]

    def test_one_that_is_there_stays_as_it_is(self, tmp_path: Path) -> None:
        create_file(tmp_path / "a", b"one", 0o600)
        assert not create_file(tmp_path / "a", b"two", 0o644)
        assert (tmp_path / "a").read_bytes() == b"one"
        assert mode_of(tmp_path / "a") == 0o600
        assert names_in(tmp_path) == ["a"]

    @pytest.mark.parametrize("call", ["fsync", "fchmod", "link"])
    def test_a_failure_on_the_way_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        monkeypatch.setattr(os, call, fail)
        with pytest.raises(OSError, match="No space left"):
            create_file(tmp_path / "a", b"one", 0o600)
        assert names_in(tmp_path) == []

    def test_the_name_comes_after_the_content_is_on_the_disk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        happened: list[str] = []
        sync, link = os.fsync, os.link

        def recorded_sync(descriptor: int) -> None:
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            happened.append("sync folder" if is_folder else "sync file")
            sync(descriptor)

        def recorded_link(source: Path, target: Path) -> None:
            happened.append("name")
            link(source, target)

        monkeypatch.setattr(os, "fsync", recorded_sync)
        monkeypatch.setattr(os, "link", recorded_link)
        create_file(tmp_path / "a", b"one", 0o600)
        assert happened == ["sync file", "name", "sync folder"]


class TestReplaceFile:
    def test_a_new_one_can_be_read_by_all(self, tmp_path: Path) -> None:
        replace_file(tmp_path / "a", b"one", None)
        assert (tmp_path / "a").read_bytes() == b"one"
        assert mode_of(tmp_path / "a") == 0o644

    def test_mode_and_owner_stay(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        owners: list[tuple[int, int]] = []
        monkeypatch.setattr(os, "chown", lambda path, uid, gid: owners.append((uid, gid)))
        (tmp_path / "a").write_bytes(b"one")
        (tmp_path / "a").chmod(0o640)
        earlier = (tmp_path / "a").stat()
        replace_file(tmp_path / "a", b"two", earlier)
        assert (tmp_path / "a").read_bytes() == b"two"
        assert mode_of(tmp_path / "a") == 0o640
        assert owners == [(earlier.st_uid, earlier.st_gid)]
        assert names_in(tmp_path) == ["a"]

    def test_an_owner_that_cannot_be_kept_is_no_reason_to_fail(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*arguments: object) -> NoReturn:
            raise PermissionError(1, "Operation not permitted")

        (tmp_path / "a").write_bytes(b"one")
        monkeypatch.setattr(os, "chown", refuse)
        replace_file(tmp_path / "a", b"two", (tmp_path / "a").stat())
        assert (tmp_path / "a").read_bytes() == b"two"

    def test_a_failure_leaves_the_old_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a").write_bytes(b"one")
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            replace_file(tmp_path / "a", b"two", None)
        assert (tmp_path / "a").read_bytes() == b"one"
        assert names_in(tmp_path) == ["a"]
