"""What the files of a keys directory look like: it changes when decisions may."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.standing import KeysWatch, Standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Long after every file was written.
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    users = tmp_path / "keys" / "authorized_keys.d"
    users.mkdir(parents=True)
    (users / "alice").write_text("a key\n")
    (users / "bob").write_text("a key\n")
    return users.parent


def look(keys_dir: Path, user: str = "alice", now: datetime = LATER) -> Standing:
    return KeysWatch(keys_dir).look([user], now)[user]


def alice(keys_dir: Path) -> Path:
    return keys_dir / "authorized_keys.d" / "alice"


def write_over(keys_dir: Path) -> None:
    alice(keys_dir).write_text("no key\n")


def replace(keys_dir: Path) -> None:
    new = keys_dir / "new"
    new.write_text("a key\n")
    new.replace(alice(keys_dir))


def remove(keys_dir: Path) -> None:
    alice(keys_dir).unlink()


def let_anybody_write(keys_dir: Path) -> None:
    alice(keys_dir).chmod(0o666)


def set_its_time_back(keys_dir: Path) -> None:
    status = alice(keys_dir).stat()
    alice(keys_dir).write_text("B key\n")
    os.utime(alice(keys_dir), ns=(status.st_atime_ns, status.st_mtime_ns))


def revoke(keys_dir: Path) -> None:
    (keys_dir / "revoked_keys").write_text("")


def link_the_list_to_nowhere(keys_dir: Path) -> None:
    (keys_dir / "revoked_keys").symlink_to("nowhere")


def trust_an_authority(keys_dir: Path) -> None:
    (keys_dir / "user_ca.pub").write_text("")


def let_anybody_add_files(keys_dir: Path) -> None:
    alice(keys_dir).parent.chmod(0o777)


def let_anybody_add_folders(keys_dir: Path) -> None:
    keys_dir.chmod(0o777)


def take_the_folder_away(keys_dir: Path) -> None:
    alice(keys_dir).parent.rename(keys_dir / "elsewhere")


CHANGES = [
    write_over,
    replace,
    remove,
    let_anybody_write,
    set_its_time_back,
    revoke,
    link_the_list_to_nowhere,
    trust_an_authority,
    let_anybody_add_files,
    let_anybody_add_folders,
    take_the_folder_away,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_anything_that_counts_shows(
    keys_dir: Path, change: Callable[[Path], None]
) -> None:
    before = look(keys_dir)
    change(keys_dir)
    assert look(keys_dir).versions != before.versions


def test_nothing_shows_when_nothing_has_changed(keys_dir: Path) -> None:
    before = look(keys_dir)
    alice(keys_dir).read_text()
    (alice(keys_dir).parent / "bob").write_text("another key\n")
    (alice(keys_dir).parent / "carol").write_text("a key\n")
    (keys_dir / "host").mkdir()
    assert look(keys_dir) == before


def test_a_link_that_is_turned_to_another_file_shows(keys_dir: Path) -> None:
    for version in ("one", "two"):
        (keys_dir / version).mkdir()
        (keys_dir / version / "alice").write_text("a key\n")
    (keys_dir / "data").symlink_to("one")
    alice(keys_dir).unlink()
    alice(keys_dir).symlink_to("../data/alice")
    before = look(keys_dir)
    new = keys_dir / "new"
    new.symlink_to("two")
    new.replace(keys_dir / "data")
    assert look(keys_dir).versions != before.versions


@pytest.mark.parametrize(
    "user", ["../authorized_keys.d/alice", "", "a\0b", "(guest)", "Ä", "\ud800"]
)
def test_a_name_that_nobody_can_have_never_reaches_the_file_system(
    keys_dir: Path, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    real = os.lstat

    def lstat(path: str) -> os.stat_result:
        looked_at.append(path)
        return real(path)

    monkeypatch.setattr(os, "lstat", lstat)
    before = look(keys_dir, user)
    assert sorted(looked_at) == [str(keys_dir / "revoked_keys"), str(keys_dir / "user_ca.pub")]
    revoke(keys_dir)
    assert look(keys_dir, user) != before


def test_what_has_just_changed_is_not_settled(keys_dir: Path) -> None:
    now = datetime.now(UTC)
    assert not look(keys_dir, now=now).settled
    assert look(keys_dir, now=now + timedelta(seconds=10)).settled
    assert look(keys_dir, "nobody", now=now).settled
    revoke(keys_dir)
    assert not look(keys_dir, "nobody", now=now).settled


def test_what_cannot_be_looked_at_is_a_standing_too(tmp_path: Path) -> None:
    assert look(tmp_path / "nowhere").settled
    (tmp_path / "file").write_text("")
    assert look(tmp_path / "file") != look(tmp_path / "nowhere")
