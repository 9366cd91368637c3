from __future__ import annotations

import os
from pathlib import Path

import pytest

from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES
from conch_insults.access.key_files import (
    authorized_keys_path,
    is_user_name,
    read_key_file,
    version_of,
)
from conch_insults.errors import KeyFileError


class TestUserName:
    @pytest.mark.parametrize("name", ["alice", "_", "a.b-c_9", "a" * 32])
    def test_good(self, name: str) -> None:
        assert is_user_name(name)
        assert authorized_keys_path(Path("keys"), name) == Path("keys/authorized_keys.d") / name

    @pytest.mark.parametrize(
        "name",
        ["", "Alice", "9a", ".", "..", "-a", "a/b", "../a", "a\0", "a\n", "älice", "a٣", "a" * 33],
    )
    def test_bad_never_reaches_a_path(self, name: str) -> None:
        assert not is_user_name(name)
        with pytest.raises(KeyFileError, match="is not a user name: use up to 32 of"):
            authorized_keys_path(Path("keys"), name)


class TestReading:
    def test_content_and_status_belong_together(self, tmp_path: Path) -> None:
        path = tmp_path / "alice"
        path.write_bytes(b"abc")
        file = read_key_file(path)
        assert file.content == b"abc"
        assert version_of(file.status) == version_of(path.stat())

    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_key_file(tmp_path / "alice")

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").write_bytes(b"abc")
        (tmp_path / "alice").symlink_to("elsewhere")
        with pytest.raises(KeyFileError, match=r"/alice: is a symbolic link$"):
            read_key_file(tmp_path / "alice")

    def test_a_huge_file_is_not_read_to_its_end(self, tmp_path: Path) -> None:
        path = tmp_path / "alice"
        path.write_bytes(b"\n" * (MAXIMUM_FILE_BYTES + 1))
        with pytest.raises(KeyFileError, match="is larger than 1048576 bytes"):
            read_key_file(path)


class TestVersion:
    def test_it_moves_with_content_mode_and_time(self, tmp_path: Path) -> None:
        path = tmp_path / "alice"
        path.write_bytes(b"abc")
        os.utime(path, ns=(1, 1))
        first = version_of(path.stat())
        path.write_bytes(b"abcd")
        os.utime(path, ns=(1, 1))
        second = version_of(path.stat())
        os.utime(path, ns=(1, 2))
        third = version_of(path.stat())
        assert len({first, second, third}) == 3
        assert (first.modified, third.modified) == (1, 2)
        assert first.changed != first.modified
