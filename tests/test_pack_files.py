"""Which files a path means, which are passed over, and how it is noticed that they changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conch_insults.core import pack_files
from conch_insults.core.pack_files import (
    MAX_PACK_BYTES,
    find_pack_files,
    is_offensive,
    pack_versions,
    read_pack_file,
)
from conch_insults.core.printable import printable
from conch_insults.errors import PackError


def found(*paths: Path, offensive: bool = False) -> list[str]:
    return [path.name for path in find_pack_files(paths, offensive=offensive).files]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as fortune-mod has it, and more."""
    folder = tmp_path / "packs"
    (folder / "off").mkdir(parents=True)
    (folder / "d.txt").mkdir()
    for name, content in {
        "b.txt": "perl: x",
        "a.toml": 'name = "a"',
        "computers": "a\n%\nb\n%\n",
        "computers.dat": "\0\0\0\2",
        "computers.u8": "a\n%\n",
        "README": "not a pack",
        "binary": "a\0\n%\n",
        "notes.md": "a\n%\n",
        ".hidden.txt": "perl: x",
        "rude-o": "a\n%\n",
        "rude-o.txt": "perl: x",
        "off/worse": "a\n%\n",
        "off/README": "not a pack",
    }.items():
        (folder / name).write_text(content)
    return folder


class TestFindPackFiles:
    def test_a_file_is_meant_whatever_its_name(self, tmp_path: Path) -> None:
        files = [tmp_path / "mine.pack", tmp_path / "yours"]
        for file in files:
            file.write_text("perl: x")
        assert found(*files) == ["mine.pack", "yours"]

    def test_in_a_folder_it_is_packs_by_suffix_and_fortunes_by_content(self, folder: Path) -> None:
        assert found(folder) == ["a.toml", "b.txt", "computers"]

    def test_what_is_offensive_is_passed_over_and_told(self, folder: Path) -> None:
        assert find_pack_files([folder, folder / "off", folder / "off" / "worse"]).skipped == [
            f"{path}: passed over, offensive by its name; ask for offensive packs to have it"
            for path in (
                folder / "rude-o",
                folder / "rude-o.txt",
                folder / "off",
                folder / "off",
                folder / "off" / "worse",
            )
        ]

    def test_what_is_offensive_is_there_for_who_asks(self, folder: Path) -> None:
        every = find_pack_files([folder], offensive=True)
        assert [path.name for path in every.files] == [
            "a.toml",
            "b.txt",
            "computers",
            "rude-o",
            "rude-o.txt",
            "worse",
        ]
        assert every.skipped == []
        assert found(folder / "off", offensive=True) == ["worse"]

    def test_a_folder_with_nothing_else_is_no_error(self, tmp_path: Path) -> None:
        (tmp_path / "x-o").write_text("a\n%\n")
        assert found(tmp_path) == []

    def test_a_folder_without_a_pack_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(PackError) as caught:
            found(tmp_path)
        assert str(caught.value) == (
            f"{tmp_path}: no *.toml, *.txt or fortune file in this folder; add one or name a file"
        )

    def test_a_folder_of_very_many_files_is_an_error(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pack_files, "MAX_PACK_FILES", 3)
        with pytest.raises(PackError) as caught:
            found(folder)
        assert str(caught.value) == f"{folder}: more than 3 files; name the packs one by one"

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("missing", "No such file or directory"), ("nul\0byte", "embedded null byte")],
    )
    def test_a_missing_path_is_an_error(self, tmp_path: Path, name: str, reason: str) -> None:
        with pytest.raises(PackError) as caught:
            found(tmp_path / name)
        assert str(caught.value) == (
            f"{printable(str(tmp_path / name))}: {reason}; check the path and its permissions"
        )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("definitions-o", True),
        ("packs/definitions-o.txt", True),
        ("/usr/share/games/fortunes/off", True),
        ("off/definitions", True),
        ("definitions", False),
        ("off-topic.txt", False),
        ("office.toml", False),
        ("off/packs/mine.txt", False),
    ],
)
def test_offensive_is_what_is_named_so(path: str, *, expected: bool) -> None:
    assert is_offensive(Path(path)) is expected


class TestReadPackFile:
    def test_of_a_file_of_any_size_one_byte_too_many_is_read(self) -> None:
        assert len(read_pack_file(Path("/dev/zero"))) == MAX_PACK_BYTES + 1

    def test_nobody_waits_for_a_pipe(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe.txt"
        os.mkfifo(pipe)
        with pytest.raises(PackError, match=r"pipe\.txt: a pipe; save what comes out of it"):
            read_pack_file(pipe)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("missing.txt", "No such file or directory"),
            (".", "Is a directory"),
            ("nul\0byte", "embedded null byte"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_one_line(
        self, tmp_path: Path, name: str, reason: str
    ) -> None:
        path = tmp_path / name
        with pytest.raises(PackError) as caught:
            read_pack_file(path)
        assert str(caught.value) == (
            f"{printable(str(path))}: {reason}; check the path and its permissions"
        )

    def test_a_file_that_may_not_be_read_is_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: str, flags: int) -> int:
            raise PermissionError(13, "Permission denied", path)

        monkeypatch.setattr(pack_files, "_open_at_once", refuse)
        path = tmp_path / "mine.txt"
        with pytest.raises(PackError) as caught:
            read_pack_file(path)
        assert str(caught.value) == (
            f"{path}: Permission denied; check the path and its permissions"
        )


class TestPackVersions:
    def test_nothing_happens_and_nothing_changes(self, folder: Path) -> None:
        before = pack_versions([folder, folder / "b.txt"])
        (folder / "notes.md").write_text("changed")
        (folder / ".b.txt.swp").write_text("being edited")
        assert pack_versions([folder, folder / "b.txt"]) == before

    def test_a_file_in_a_folder_is_written_comes_or_goes(self, folder: Path) -> None:
        versions = [pack_versions([folder])]
        (folder / "b.txt").write_text("perl: longer")
        versions.append(pack_versions([folder]))
        (folder / "c.txt").write_text("perl: y")
        versions.append(pack_versions([folder]))
        (folder / "off" / "more").write_text("a\n%\n")
        versions.append(pack_versions([folder]))
        (folder / "a.toml").unlink()
        versions.append(pack_versions([folder]))
        assert len(set(versions)) == 5

    def test_a_file_is_replaced_by_another_of_the_same_size_and_time(self, tmp_path: Path) -> None:
        path, other = tmp_path / "mine.txt", tmp_path / "other"
        path.write_text("perl: a")
        other.write_text("perl: b")
        before = pack_versions([path])
        status = path.stat()
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
        other.rename(path)
        assert pack_versions([path]) != before

    def test_a_path_that_is_not_there_is_no_error(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.txt"
        before = pack_versions([path, Path("nul\0byte")])
        assert before == pack_versions([path, Path("nul\0byte")])
        path.write_text("perl: a")
        assert pack_versions([path, Path("nul\0byte")]) != before
