from __future__ import annotations

import fcntl
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.access import key_directory
from conch_insults.access.authorized_keys import MAXIMUM_KEYS, Entry
from conch_insults.access.durable_files import replace_file
from conch_insults.access.key_directory import (
    add_keys,
    make_key_directory,
    read_user,
    remove_key,
    users,
)
from conch_insults.errors import KeyFileError, PublicKeyError
from tests.sample_keys import names_in, private_key_text, public_key

if TYPE_CHECKING:
    from pathlib import Path

ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice at work")
PHONE = public_key(3)


def add(keys_dir: Path, content: str, user: str = "alice") -> list[str]:
    return [key.line for key in add_keys(keys_dir, user, content.encode(), "alice.pub")]


def held(keys_dir: Path, user: str = "alice") -> Path:
    return keys_dir / "authorized_keys.d" / user


def fail(*arguments: object) -> NoReturn:
    raise OSError(28, "No space left on device")


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    make_key_directory(tmp_path / "keys")
    return tmp_path / "keys"


class TestDirectory:
    def test_it_is_made_once(self, tmp_path: Path) -> None:
        assert make_key_directory(tmp_path / "keys")
        assert not make_key_directory(tmp_path / "keys")
        for path in (tmp_path / "keys", tmp_path / "keys" / "authorized_keys.d"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o755

    def test_half_of_it_is_completed(self, tmp_path: Path) -> None:
        (tmp_path / "keys").mkdir()
        assert make_key_directory(tmp_path / "keys")
        assert users(tmp_path / "keys") == []

    def test_where_none_can_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(KeyFileError, match="/file: cannot be made: File exists"):
            make_key_directory(tmp_path / "file" / "keys")

    def test_users_are_the_files_with_a_users_name(self, keys_dir: Path) -> None:
        for name in ("bob", "alice", ".alice.tmp", "Carol", "dave~"):
            held(keys_dir, name).touch()
        assert users(keys_dir) == ["alice", "bob"]

    def test_a_missing_one_has_no_users_to_list(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileError, match="No such file or directory: run `conch-insults"):
            users(tmp_path)


class TestReading:
    def test_what_a_user_has(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(f"bad\n{ALICE.line}\n")
        assert read_user(keys_dir, "alice").entries == (Entry(ALICE, 2),)
        assert read_user(keys_dir, "alice").problems[0].startswith(f"{held(keys_dir)}:1: ")

    def test_nobody(self, keys_dir: Path) -> None:
        with pytest.raises(KeyFileError, match="/alice: there is no such file: alice has no keys"):
            read_user(keys_dir, "alice")


class TestAdding:
    def test_the_first_key_makes_the_file(self, tmp_path: Path) -> None:
        assert add(tmp_path / "keys", f"{ALICE.line}\n") == [ALICE.line]
        assert held(tmp_path / "keys").read_text() == f"{ALICE.line}\n"
        assert stat.S_IMODE(held(tmp_path / "keys").stat().st_mode) == 0o644

    def test_several_keys_with_comments_and_options(self, keys_dir: Path) -> None:
        content = f"# two\n\n{ALICE.line}\nno-X11-forwarding,RESTRICT   {WORK.line}"
        assert add(keys_dir, content) == [ALICE.line, WORK.line]
        assert held(keys_dir).read_text() == (
            f"{ALICE.line}\nno-x11-forwarding,restrict {WORK.line}\n"
        )

    @given(
        st.lists(
            st.sampled_from(
                [
                    b"# note\n",
                    b"\n",
                    b"  \t\r\n",
                    b'from="*" rubbish\n',
                    b"\xff\xfe\n",
                    f"restrict  {WORK.line}  \r\n".encode(),
                    b"# caf\xc3\xa9 \r still\n",
                ]
            )
        ),
        st.sampled_from([b"", b"# no newline", b"x\r"]),
    )
    @settings(deadline=None, max_examples=50)
    def test_what_was_there_stays_byte_for_byte(
        self, tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], last: bytes
    ) -> None:
        keys_dir = tmp_path_factory.mktemp("keys")
        make_key_directory(keys_dir)
        before = b"".join(lines) + last
        held(keys_dir).write_bytes(before)
        add(keys_dir, ALICE.line)
        after = held(keys_dir).read_bytes()
        assert after == before + (b"\n" if last else b"") + f"{ALICE.line}\n".encode()
        remove_key(keys_dir, "alice", ALICE.fingerprint)
        assert held(keys_dir).read_bytes() == before + (b"\n" if last else b"")

    def test_the_mode_stays(self, keys_dir: Path) -> None:
        held(keys_dir).touch()
        held(keys_dir).chmod(0o600)
        add(keys_dir, ALICE.line)
        assert stat.S_IMODE(held(keys_dir).stat().st_mode) == 0o600

    def test_a_key_that_is_there_is_refused_with_all_others(self, keys_dir: Path) -> None:
        add(keys_dir, f"{WORK.line}\n{ALICE.line}")
        before = held(keys_dir).read_bytes()
        with pytest.raises(KeyFileError) as caught:
            add(keys_dir, f"{PHONE.line}\n{public_key(1, 'other comment').line}")
        assert str(caught.value) == f"{held(keys_dir)}:2: holds {ALICE.fingerprint} already"
        assert held(keys_dir).read_bytes() == before

    def test_a_key_on_a_line_that_cannot_be_used_is_there_too(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(f'from="10.0.0.0/8" {ALICE.line}\n')
        with pytest.raises(KeyFileError, match="already, but option 'from' is not understood"):
            add(keys_dir, ALICE.line)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", r"alice\.pub: holds no public key"),
            ("# nothing\n\n", r"alice\.pub: holds no public key"),
            (f"{ALICE.line}\nrubbish", r"alice\.pub:2: option 'rubbish'"),
            (f"{ALICE.line}\n# again\n{ALICE.line}", r"alice\.pub:3: is the same key as on line 1"),
            (private_key_text(1).decode(), r"alice\.pub:1: that is a private key"),
            (f'from="*" {ALICE.line}', r"alice\.pub:1: option 'from'"),
            ("ssh-dss AAAA", r"alice\.pub:1: DSA"),
        ],
    )
    def test_what_cannot_be_used_changes_nothing(
        self, tmp_path: Path, content: str, said: str
    ) -> None:
        with pytest.raises(PublicKeyError, match=said):
            add(tmp_path / "keys", content)
        assert not (tmp_path / "keys").exists()

    def test_a_name_that_is_none_changes_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileError, match="is not a user name"):
            add(tmp_path / "keys", ALICE.line, user="../alice")
        assert not (tmp_path / "keys").exists()

    def test_a_full_file_takes_no_more(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(f"{WORK.line}\n" * MAXIMUM_KEYS)
        with pytest.raises(KeyFileError, match="has no room for 1 more keys: remove some"):
            add(keys_dir, ALICE.line)

    def test_a_link_is_not_written_through(self, keys_dir: Path) -> None:
        held(keys_dir).symlink_to("bob")
        held(keys_dir, "bob").write_text("")
        with pytest.raises(KeyFileError, match="is a symbolic link"):
            add(keys_dir, ALICE.line)
        assert held(keys_dir, "bob").read_text() == ""

    def test_a_full_disk_leaves_the_file(
        self, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(keys_dir, ALICE.line)
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(KeyFileError, match="/alice: cannot be changed: No space left"):
            add(keys_dir, WORK.line)
        assert held(keys_dir).read_text() == f"{ALICE.line}\n"
        assert names_in(held(keys_dir).parent) == ["alice"]

    def test_of_two_at_the_same_time_none_is_lost(self, keys_dir: Path) -> None:
        keys = [public_key(number) for number in range(1, 21)]
        with ThreadPoolExecutor(len(keys)) as threads:
            list(threads.map(lambda key: add(keys_dir, key.line), keys))
        found = {entry.key for entry in read_user(keys_dir, "alice").entries}
        assert found == set(keys)


class TestRemoving:
    def test_one_line_goes_and_the_others_stay(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(f"# mine\n{ALICE.line}\nbad\nrestrict {WORK.line}")
        assert remove_key(keys_dir, "alice", ALICE.fingerprint) == ALICE
        assert held(keys_dir).read_text() == f"# mine\nbad\nrestrict {WORK.line}"
        assert remove_key(keys_dir, "alice", WORK.fingerprint) == WORK
        assert held(keys_dir).read_text() == "# mine\nbad\n"

    def test_a_key_leaves_no_second_line_behind(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(f'{ALICE.line}\nfrom="*" {ALICE.line}\n{WORK.line}\n')
        remove_key(keys_dir, "alice", ALICE.fingerprint)
        assert held(keys_dir).read_text() == f"{WORK.line}\n"

    def test_a_key_that_is_not_there(self, keys_dir: Path) -> None:
        add(keys_dir, ALICE.line)
        with pytest.raises(KeyFileError) as caught:
            remove_key(keys_dir, "alice", "SHA256:\x1b")
        assert str(caught.value) == (
            f"{held(keys_dir)}: holds no key 'SHA256:\\x1b':"
            " `conch-insults keys list alice` shows those it holds"
        )
        assert held(keys_dir).read_text() == f"{ALICE.line}\n"

    def test_somebody_without_keys(self, keys_dir: Path) -> None:
        with pytest.raises(KeyFileError, match="there is no such file: alice has no keys"):
            remove_key(keys_dir, "alice", ALICE.fingerprint)

    def test_no_folder_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileError, match="cannot be changed: No such file or directory"):
            remove_key(tmp_path, "alice", ALICE.fingerprint)


def test_the_lock_is_held_while_a_file_changes(
    keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[bool] = []

    def watched(path: Path, content: bytes, earlier: os.stat_result | None) -> None:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            locked.append(True)
        finally:
            os.close(folder)
        replace_file(path, content, earlier)

    monkeypatch.setattr(key_directory, "replace_file", watched)
    add(keys_dir, ALICE.line)
    remove_key(keys_dir, "alice", ALICE.fingerprint)
    assert locked == [True, True]
