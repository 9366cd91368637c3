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
from conch_insults.access.authorized_keys import MAXIMUM_KEYS, Entry, KeyRules
from conch_insults.access.durable_files import replace_file
from conch_insults.access.key_directory import (
    add_keys,
    make_key_directory,
    read_user,
    remove_key,
    users,
)
from conch_insults.access.key_options import parse_options
from conch_insults.errors import KeyFileError, PublicKeyError
from tests.sample_keys import names_in, private_key_text, public_key, public_rsa_key

if TYPE_CHECKING:
    from pathlib import Path

ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice at work")
PHONE = public_key(3)


def add(keys_dir: Path, content: str, user: str = "alice") -> list[str]:
    return [entry.text for entry in add_keys(keys_dir, user, content.encode(), "alice.pub")]


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

    def test_the_rules_hold(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(f'environment="LANG=C" {ALICE.line}\n')
        assert read_user(keys_dir, "alice").entries == ()
        rules = KeyRules(permitted_environment=frozenset({"LANG"}))
        assert read_user(keys_dir, "alice", rules=rules).entries[0].key == ALICE

    def test_a_link_inside_is_followed_and_none_that_leads_out(
        self, keys_dir: Path, tmp_path: Path
    ) -> None:
        """As the policy does: the listing of keys is of those that let somebody in."""
        held(keys_dir, "bob").write_text(ALICE.line)
        held(keys_dir).symlink_to("bob")
        assert read_user(keys_dir, "alice").entries == (Entry(ALICE, 1),)
        (tmp_path / "carol.pub").write_text(ALICE.line)
        held(keys_dir, "carol").symlink_to(tmp_path / "carol.pub")
        with pytest.raises(KeyFileError, match="/carol: is a link out of the keys directory"):
            read_user(keys_dir, "carol")

    def test_modes_are_for_others_to_judge(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(ALICE.line)
        held(keys_dir).chmod(0o666)
        assert read_user(keys_dir, "alice").entries == (Entry(ALICE, 1),)

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
        assert add(keys_dir, content) == [ALICE.line, f"no-X11-forwarding,RESTRICT {WORK.line}"]
        assert held(keys_dir).read_text() == (
            f"{ALICE.line}\nno-X11-forwarding,RESTRICT {WORK.line}\n"
        )

    def test_a_comment_does_nothing_to_whoever_looks_at_the_file(self, keys_dir: Path) -> None:
        hostile = public_key(3, "you\r\x1b[2J\u202e\u2028\x9bme é")
        assert add(keys_dir, hostile.line) == [public_key(3, "you??[2J???me é").line]
        assert held(keys_dir).read_text() == public_key(3, "you??[2J???me é").line + "\n"

    def test_what_was_added_is_told_as_the_file_holds_it(self, keys_dir: Path) -> None:
        held(keys_dir).write_text("# mine")
        assert add_keys(keys_dir, "alice", f"\n\n{ALICE.line}".encode(), "x") == (Entry(ALICE, 2),)

    @given(
        st.lists(
            st.sampled_from(
                [
                    b"# note\n",
                    b"\n",
                    b"  \t\r\n",
                    b'frm="*" rubbish\n',
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
        held(keys_dir).write_text(f'frm="10.0.0.0/8" {ALICE.line}\n')
        with pytest.raises(KeyFileError, match="already, but option 'frm' is not understood"):
            add(keys_dir, ALICE.line)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", r"alice\.pub: holds no public key"),
            ("# nothing\n\n", r"alice\.pub: holds no public key"),
            (f"{ALICE.line}\nrubbish", r"alice\.pub:2: option 'rubbish'"),
            (f"{ALICE.line}\n# again\n{ALICE.line}", r"alice\.pub:3: is the same key as on line 1"),
            (private_key_text(1).decode(), r"alice\.pub:1: that is a private key"),
            (f'frm="*" {ALICE.line}', r"alice\.pub:1: option 'frm'"),
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


class TestAddingWithOptions:
    def test_they_stand_before_each_key(self, keys_dir: Path) -> None:
        options = 'from="10.0.0.0/8",command="say \\"hi\\", twice"'
        added = add_keys(
            keys_dir, "alice", f"{ALICE.line}\n{WORK.line}".encode(), "alice.pub", options=options
        )
        assert added == (
            Entry(ALICE, 1, parse_options(options)),
            Entry(WORK, 2, parse_options(options)),
        )
        assert held(keys_dir).read_text() == f"{options} {ALICE.line}\n{options} {WORK.line}\n"
        assert read_user(keys_dir, "alice").entries == added

    def test_they_follow_those_that_a_line_has(self, keys_dir: Path) -> None:
        (entry,) = add_keys(
            keys_dir, "alice", f"restrict {ALICE.line}".encode(), "alice.pub", options="pty"
        )
        assert entry.text == f"restrict,pty {ALICE.line}"
        assert entry.options.pty

    def test_an_authority_may_need_both(self, keys_dir: Path) -> None:
        (entry,) = add_keys(
            keys_dir,
            "alice",
            f"cert-authority {ALICE.line}".encode(),
            "ca.pub",
            options='principals="alice"',
        )
        assert entry.options.principals == ("alice",)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ("frm", "option 'frm' is not understood here, so this line lets nobody in"),
            ('principals="a"', "option 'principals' means nothing without 'cert-authority'"),
            ('from="10.0.0.1"', "option 'from' is given twice"),
            ('environment="A=1"', "option 'environment' sets A, which access.permit_environment"),
            (f"restrict {WORK.line}", "what stands here is not understood"),
            ("restrict ", "option 'restrict ' is not understood"),
            ("#", "option '#' is not understood"),
            (f'command="\n{WORK.line}\n#"', "options hold a line end"),
            ('command="\udcff"', "options are not UTF-8 text"),
            ('command="', "option 'command' needs a value in double quotes"),
            (f'command="{"x" * 16300}"', "line is longer than 16384 bytes"),
        ],
    )
    def test_what_cannot_stand_there_changes_nothing(
        self, tmp_path: Path, options: str, said: str
    ) -> None:
        content = f'# mine\nfrom="10.0.0.0/8" {ALICE.line}'.encode()
        with pytest.raises(PublicKeyError) as caught:
            add_keys(tmp_path / "keys", "alice", content, "alice.pub", options=options)
        assert str(caught.value).startswith(
            f"alice.pub:2: with the options {options[:80]!a}: {said}"
        )
        assert not (tmp_path / "keys").exists()

    def test_the_rules_hold(self, keys_dir: Path) -> None:
        rules = KeyRules(4096, frozenset({"LANG"}))
        with pytest.raises(PublicKeyError, match=r"^x:1: RSA key of 2048 bits is too weak, 4096"):
            add_keys(keys_dir, "alice", public_rsa_key().line.encode(), "x", rules=rules)
        add_keys(
            keys_dir,
            "alice",
            ALICE.line.encode(),
            "x",
            options='environment="LANG=C"',
            rules=rules,
        )
        assert held(keys_dir).read_text() == f'environment="LANG=C" {ALICE.line}\n'

    def test_a_key_that_is_there_is_judged_by_the_rules(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(f'environment="LANG=C" {ALICE.line}\n')
        rules = KeyRules(permitted_environment=frozenset({"LANG"}))
        with pytest.raises(KeyFileError, match=r"already$"):
            add_keys(keys_dir, "alice", ALICE.line.encode(), "x", rules=rules)


class TestRemoving:
    def test_one_line_goes_and_the_others_stay(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(f"# mine\n{ALICE.line}\nbad\nrestrict {WORK.line}")
        assert remove_key(keys_dir, "alice", ALICE.fingerprint) == ALICE
        assert held(keys_dir).read_text() == f"# mine\nbad\nrestrict {WORK.line}"
        assert remove_key(keys_dir, "alice", WORK.fingerprint) == WORK
        assert held(keys_dir).read_text() == "# mine\nbad\n"

    def test_a_key_leaves_no_second_line_behind(self, keys_dir: Path) -> None:
        held(keys_dir).write_text(f'{ALICE.line}\nfrm="*" {ALICE.line}\n{WORK.line}\n')
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
