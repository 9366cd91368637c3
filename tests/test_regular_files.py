from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NoReturn

import pytest

from conch_insults.access.regular_files import read_regular_file
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, *, follow_link: bool = False) -> bytes:
    return read_regular_file(path, 100, follow_link=follow_link).content


class TestReading:
    def test_content_and_status(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"abc")
        (tmp_path / "file").chmod(0o640)
        file = read_regular_file(tmp_path / "file", 100, follow_link=False)
        assert file.content == b"abc"
        assert stat.S_IMODE(file.status.st_mode) == 0o640

    def test_no_more_than_asked_for(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"x" * 101)
        assert read(tmp_path / "file") == b"x" * 100

    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "file")

    def test_a_link_is_followed_only_if_it_may_be(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").write_bytes(b"abc")
        (tmp_path / "file").symlink_to("elsewhere")
        assert read(tmp_path / "file", follow_link=True) == b"abc"
        with pytest.raises(KeyFileError, match=r"/file: is a symbolic link$"):
            read(tmp_path / "file")

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "file")
        with pytest.raises(KeyFileError, match=r"/file: is not a regular file$"):
            read(tmp_path / "file")

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileError, match=r": is not a regular file$"):
            read(tmp_path)

    def test_a_file_in_a_folders_place(self, tmp_path: Path) -> None:
        (tmp_path / "folder").touch()
        with pytest.raises(KeyFileError, match=r"/file: cannot be read: Not a directory$"):
            read(tmp_path / "folder" / "file")

    def test_a_disk_that_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        descriptors: list[int] = []

        def fail(descriptor: int, *arguments: object, **more: object) -> NoReturn:
            descriptors.append(descriptor)
            raise OSError(5, "Input/output error")

        (tmp_path / "file").touch()
        monkeypatch.setattr(os, "fdopen", fail)
        with pytest.raises(KeyFileError, match=r"/file: cannot be read: Input/output error$"):
            read(tmp_path / "file")
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptors[0])
