from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from conch_insults.access import key_files
from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES
from conch_insults.access.durable_files import make_directory
from conch_insults.access.key_files import (
    FOLDER,
    KeyFiles,
    KeyFolderError,
    authorized_keys_path,
    is_user_name,
    read_key_file,
    version_of,
)
from conch_insults.access.regular_files import Snapshot, read_regular_file
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
    @pytest.mark.parametrize("part", ["st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns"])
    def test_each_part_of_an_identity_counts(self, tmp_path: Path, part: str) -> None:
        status = tmp_path.stat()
        parts = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
        other = SimpleNamespace(**{**parts, part: parts[part] + 1})
        assert version_of(cast("os.stat_result", other)) != version_of(status)

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


ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
STRANGER = 54321


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    """A keys directory that nobody else may write to, with a file in it."""
    folder = tmp_path / "keys"
    make_directory(folder, 0o755)
    make_directory(folder / FOLDER, 0o755)
    put(folder / FOLDER / "alice", b"abc")
    return folder


def put(path: Path, content: bytes, mode: int = 0o644) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def read(keys_dir: Path, *, strict_modes: bool = True, user: str = "alice") -> bytes:
    files = KeyFiles(keys_dir, strict_modes=strict_modes)
    return files.read(keys_dir / FOLDER / user, 100).content


def refusal(keys_dir: Path, limit: int = 100) -> str:
    """Return why the file is not read."""
    path = keys_dir / FOLDER / "alice"
    with pytest.raises(KeyFileError) as error:
        KeyFiles(keys_dir).read(path, limit)
    return str(error.value)


class TestStrictModes:
    @pytest.mark.parametrize("mode", [0o644, 0o600, 0o444, 0o640, 0o755])
    def test_what_only_its_owner_can_write_is_read(self, keys_dir: Path, mode: int) -> None:
        (keys_dir / FOLDER / "alice").chmod(mode)
        assert read(keys_dir) == b"abc"

    @pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o777, 0o602])
    @pytest.mark.parametrize("name", [f"{FOLDER}/alice", FOLDER, "."])
    def test_what_others_can_write_is_not(self, keys_dir: Path, name: str, mode: int) -> None:
        path = keys_dir / name
        path.chmod(mode | 0o100)
        assert refusal(keys_dir) == (
            f"{path}: others may write to it: run `chmod go-w {path}`,"
            " or set access.strict_modes = false"
        )
        assert read(keys_dir, strict_modes=False) == b"abc"

    def test_a_folder_in_between_is_looked_at_whenever_the_file_is(self, keys_dir: Path) -> None:
        (keys_dir / FOLDER).chmod(0o777)
        with pytest.raises(KeyFolderError, match="others may write to it"):
            KeyFiles(keys_dir).version(keys_dir / FOLDER / "alice")

    def test_what_the_keys_directory_is_in_does_not_matter(self, keys_dir: Path) -> None:
        keys_dir.parent.chmod(0o777)
        assert read(keys_dir) == b"abc"

    @ROOT_ONLY
    @pytest.mark.parametrize("name", [f"{FOLDER}/alice", FOLDER])
    def test_what_belongs_to_a_stranger_is_not_read(self, keys_dir: Path, name: str) -> None:
        path = keys_dir / name
        os.chown(path, STRANGER, STRANGER)
        assert refusal(keys_dir).startswith(
            f"{path}: belongs to user {STRANGER}, who could write to it: "
        )
        assert read(keys_dir, strict_modes=False) == b"abc"

    @ROOT_ONLY
    def test_the_owner_of_the_keys_directory_is_no_stranger(self, keys_dir: Path) -> None:
        for path in (keys_dir, keys_dir / FOLDER, keys_dir / FOLDER / "alice"):
            os.chown(path, STRANGER, STRANGER)
            assert read(keys_dir) == b"abc"
        os.chown(keys_dir / FOLDER / "alice", STRANGER + 1, STRANGER)
        assert "belongs to user 54322" in refusal(keys_dir)


class TestLinks:
    """Links lead wherever they like inside the keys directory, and never out of it."""

    def link(self, keys_dir: Path, target: str, name: str = f"{FOLDER}/alice") -> None:
        path = keys_dir / name
        if path.is_dir():
            path.rename(keys_dir / "moved")
        else:
            path.unlink(missing_ok=True)
        path.symlink_to(target)

    def test_inside(self, keys_dir: Path) -> None:
        put(keys_dir / FOLDER / "bob", b"bob's")
        self.link(keys_dir, "bob")
        assert read(keys_dir) == b"bob's"

    def test_through_a_folder_beside_and_back(self, keys_dir: Path) -> None:
        put(keys_dir / FOLDER / "bob", b"bob's")
        self.link(keys_dir, f"../../keys/{FOLDER}/bob")
        assert read(keys_dir) == b"bob's"

    def test_the_folder_itself(self, keys_dir: Path) -> None:
        self.link(keys_dir, "moved", FOLDER)
        assert read(keys_dir) == b"abc"

    def test_as_kubernetes_mounts_them(self, keys_dir: Path) -> None:
        """All at once: `alice` → `..data/alice`, `..data` → a folder with a date, replaced."""
        folder = keys_dir / FOLDER
        for version in ("..2025", "..2026"):
            make_directory(folder / version, 0o755)
            put(folder / version / "alice", version.encode())
        (folder / "..data").symlink_to("..2025")
        self.link(keys_dir, "..data/alice")
        assert read(keys_dir) == b"..2025"
        (folder / "..data_tmp").symlink_to("..2026")
        (folder / "..data_tmp").replace(folder / "..data")
        assert read(keys_dir) == b"..2026"

    def test_as_kubernetes_mounts_a_whole_keys_directory(self, keys_dir: Path) -> None:
        make_directory(keys_dir / "..2026", 0o755)
        (keys_dir / FOLDER).rename(keys_dir / "..2026" / FOLDER)
        (keys_dir / "..data").symlink_to("..2026")
        (keys_dir / FOLDER).symlink_to(f"..data/{FOLDER}")
        assert read(keys_dir) == b"abc"
        (keys_dir / "..2026").chmod(0o775)
        assert f"{keys_dir}/..2026: others may write to it" in refusal(keys_dir)

    def test_the_keys_directory_may_be_one_itself(self, keys_dir: Path) -> None:
        other = keys_dir.with_name("other")
        other.symlink_to("keys")
        assert read(other) == b"abc"
        put(keys_dir / FOLDER / "bob", b"bob's")
        self.link(keys_dir, "bob")
        assert read(other) == b"bob's"
        keys_dir.chmod(0o775)
        assert f"{other}: others may write to it" in refusal(other)

    def test_a_relative_keys_directory(
        self, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(keys_dir.parent)
        assert read(Path("keys")) == b"abc"
        put(keys_dir / FOLDER / "bob", b"bob's")
        self.link(keys_dir, "bob")
        assert read(Path("keys")) == b"bob's"
        monkeypatch.chdir(keys_dir)
        assert read(Path()) == b"bob's"

    @pytest.mark.parametrize("strict_modes", [True, False])
    @pytest.mark.parametrize("target", ["../../elsewhere", "{parent}/elsewhere", "/etc/passwd"])
    def test_out_of_the_directory(self, keys_dir: Path, target: str, strict_modes: bool) -> None:
        put(keys_dir.parent / "elsewhere", b"abc")
        self.link(keys_dir, target.format(parent=keys_dir.parent))
        with pytest.raises(KeyFileError, match="/alice: is a link out of the keys directory"):
            read(keys_dir, strict_modes=strict_modes)

    @pytest.mark.parametrize("strict_modes", [True, False])
    def test_out_of_it_by_the_folder(self, keys_dir: Path, strict_modes: bool) -> None:
        (keys_dir / FOLDER).rename(keys_dir.parent / "elsewhere")
        (keys_dir / FOLDER).symlink_to("../elsewhere")
        with pytest.raises(KeyFileError, match="/alice: is a link out of the keys directory"):
            read(keys_dir, strict_modes=strict_modes)

    def test_out_of_it_in_the_middle_of_a_chain(self, keys_dir: Path) -> None:
        put(keys_dir.parent / "elsewhere", b"abc")
        (keys_dir / "step").symlink_to("../elsewhere")
        self.link(keys_dir, "../step")
        assert refusal(keys_dir).endswith("/alice: is a link out of the keys directory")

    def test_a_directory_whose_name_only_begins_alike(self, keys_dir: Path) -> None:
        make_directory(keys_dir.with_name("keys2"), 0o755)
        put(keys_dir.with_name("keys2") / "alice", b"abc")
        self.link(keys_dir, "../../keys2/alice")
        assert refusal(keys_dir).endswith("/alice: is a link out of the keys directory")

    @pytest.mark.parametrize("target", ["nowhere", "../nowhere/alice", "alice/alice"])
    def test_to_nothing_that_can_be_found(self, keys_dir: Path, target: str) -> None:
        """There is such a user, and nobody who may come in as them."""
        self.link(keys_dir, target)
        assert "/alice: is a link that " in refusal(keys_dir)

    def test_in_a_circle(self, keys_dir: Path) -> None:
        (keys_dir / FOLDER / "bob").symlink_to("alice")
        self.link(keys_dir, "bob")
        assert refusal(keys_dir).endswith("/alice: is a link that cannot be followed")

    def test_the_folder_in_a_circle(self, keys_dir: Path) -> None:
        self.link(keys_dir, FOLDER, FOLDER)
        with pytest.raises(KeyFolderError, match=f"/{FOLDER}: cannot be searched: Too many"):
            read(keys_dir)

    @pytest.mark.parametrize("loose", ["moved", "moved/bob", FOLDER])
    def test_neither_before_nor_behind_one_others_may_write(
        self, keys_dir: Path, loose: str
    ) -> None:
        make_directory(keys_dir / "moved", 0o755)
        put(keys_dir / "moved" / "bob", b"bob's")
        self.link(keys_dir, "../moved/bob")
        assert read(keys_dir) == b"bob's"
        (keys_dir / loose).chmod(0o777)
        assert "others may write to it" in refusal(keys_dir)


class TestFolders:
    """What is wrong with a directory is wrong for every name in it, of which there are many."""

    @pytest.mark.parametrize("user", ["alice", "bob"])
    def test_one_that_is_none(self, keys_dir: Path, user: str) -> None:
        (keys_dir / FOLDER).rename(keys_dir / "moved")
        (keys_dir / FOLDER).touch(0o644)
        with pytest.raises(KeyFolderError, match=f"/{FOLDER}: cannot be searched: Not a dir"):
            read(keys_dir, user=user)

    def test_what_is_wrong_behind_a_link_is_wrong_for_one_file(self, keys_dir: Path) -> None:
        make_directory(keys_dir / "moved", 0o777)
        put(keys_dir / "moved" / "bob", b"bob's")
        (keys_dir / FOLDER / "bob").symlink_to("../moved/bob")
        with pytest.raises(KeyFileError, match="/moved: others may write to it") as error:
            read(keys_dir, user="bob")
        assert not isinstance(error.value, KeyFolderError)
        assert read(keys_dir) == b"abc"


class TestMissing:
    def test_a_file(self, keys_dir: Path) -> None:
        for ask in (KeyFiles(keys_dir).version, lambda path: KeyFiles(keys_dir).read(path, 100)):
            with pytest.raises(FileNotFoundError):
                ask(keys_dir / FOLDER / "bob")

    def test_a_file_where_anybody_could_have_taken_it_away(self, keys_dir: Path) -> None:
        (keys_dir / FOLDER).chmod(0o777)
        with pytest.raises(KeyFolderError, match="others may write to it"):
            read(keys_dir, user="bob")

    def test_a_folder_is_no_missing_file(self, keys_dir: Path) -> None:
        """A disk that is not there says nothing of who may come in."""
        (keys_dir / FOLDER).rename(keys_dir / "moved")
        assert refusal(keys_dir) == (
            f"{keys_dir / FOLDER}: there is no such directory: run `conch-insults init`"
        )
        (keys_dir / FOLDER).symlink_to("nowhere")
        assert "there is no such directory" in refusal(keys_dir)
        with pytest.raises(KeyFolderError, match="there is no such directory"):
            KeyFiles(keys_dir / "nowhere").version(keys_dir / "nowhere" / "revoked_keys")

    def test_a_file_that_goes_away_between_looking_and_reading(
        self, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may have been replaced: a list of revoked keys must not count as none for that."""
        really_open = os.open

        def open_too_late(path: Path, flags: int) -> int:
            path.unlink()
            return really_open(path, flags)

        monkeypatch.setattr(os, "open", open_too_late)
        assert refusal(keys_dir).endswith("/alice: went away while it was read")


class TestBounds:
    def test_a_file_of_just_the_size_is_read(self, keys_dir: Path) -> None:
        path = put(keys_dir / FOLDER / "alice", b"x" * 100)
        assert KeyFiles(keys_dir).read(path, 100).content == b"x" * 100

    def test_a_larger_one_is_not_even_opened(
        self, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = put(keys_dir / FOLDER / "alice", b"x" * 101)
        monkeypatch.setattr(os, "open", pytest.fail)
        assert refusal(keys_dir) == f"{path}: is larger than 100 bytes: nothing in it is used"

    def test_one_that_grows_meanwhile_is_not_read_to_its_end(
        self, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limits: list[int] = []

        def read_grown(path: Path, limit: int, *, follow_link: bool) -> Snapshot:
            limits.append(limit)
            path.write_bytes(b"x" * 1000)
            return read_regular_file(path, limit, follow_link=follow_link)

        monkeypatch.setattr(key_files, "read_regular_file", read_grown)
        assert "is larger than 100 bytes" in refusal(keys_dir)
        assert limits == [101]

    def test_one_that_is_replaced_meanwhile_is_judged_itself(
        self, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really_open = os.open

        def open_another(path: Path, flags: int) -> int:
            put(path.with_name("bob"), b"evil", 0o666).replace(path)
            return really_open(path, flags)

        monkeypatch.setattr(os, "open", open_another)
        assert "others may write to it" in refusal(keys_dir)

    def test_one_that_becomes_a_link_meanwhile_is_not_followed(
        self, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(keys_dir.parent / "elsewhere", b"evil")
        really_open = os.open

        def open_link(path: Path, flags: int) -> int:
            path.unlink()
            path.symlink_to("../../elsewhere")
            return really_open(path, flags)

        monkeypatch.setattr(os, "open", open_link)
        assert refusal(keys_dir).endswith("/alice: is a symbolic link")

    @pytest.mark.parametrize("kind", ["directory", "pipe"])
    def test_only_a_regular_file_is_read(self, keys_dir: Path, kind: str) -> None:
        path = keys_dir / FOLDER / "alice"
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path, 0o600)
        else:
            path.mkdir(0o700)
        assert refusal(keys_dir, 100_000) == f"{path}: is not a regular file"
