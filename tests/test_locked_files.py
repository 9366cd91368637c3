from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.locked_files import changing
from conch_insults.access.regular_files import Snapshot, read_regular_file
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> Snapshot:
    return read_regular_file(path, 100, follow_link=False)


def is_locked(folder: Path) -> bool:
    """Tell whether somebody holds the lock; each descriptor asks for itself, as a process does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


class TestChanging:
    def test_others_wait_as_long_as_it_takes(self, tmp_path: Path) -> None:
        with changing(tmp_path / "file", read):
            assert is_locked(tmp_path)
        assert not is_locked(tmp_path)

    def test_a_mistake_does_not_keep_others_out(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="mistake"), changing(tmp_path / "file", read):
            raise ValueError("mistake")
        assert not is_locked(tmp_path)

    def test_the_file_is_read_when_nobody_else_can_change_it(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"content")
        locked = []

        def read_and_look(path: Path) -> Snapshot:
            locked.append(is_locked(tmp_path))
            return read(path)

        with changing(tmp_path / "file", read_and_look) as file:
            assert file is not None
            assert file.content == b"content"
        assert locked == [True]

    def test_no_file_is_nothing_to_read(self, tmp_path: Path) -> None:
        with changing(tmp_path / "file", read) as file:
            assert file is None

    def test_without_the_folder_there_is_nothing_to_change(self, tmp_path: Path) -> None:
        path = tmp_path / "missing" / "file"
        with pytest.raises(KeyFileError) as caught, changing(path, read):
            pass
        assert str(caught.value) == f"{path}: cannot be changed: No such file or directory"

    def test_what_fails_meanwhile_is_said_of_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        with pytest.raises(KeyFileError) as caught, changing(path, read):
            raise OSError(28, "No space left on device")
        assert str(caught.value) == f"{path}: cannot be changed: No space left on device"

    def test_a_file_that_must_not_be_read_is_not_changed(self, tmp_path: Path) -> None:
        (tmp_path / "file").symlink_to("elsewhere")
        with (
            pytest.raises(KeyFileError, match="is a symbolic link"),
            changing(tmp_path / "file", read),
        ):
            pass
