"""Ways in which a file that should say who may come in can be spoiled."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SPOILED", "UNREADABLE", "nonsense", "writable_by_others"]


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def nonsense(path: Path) -> None:
    path.write_bytes(b"\xff\0 nonsense")


def too_large(path: Path) -> None:
    path.write_bytes(b"#" * (MAXIMUM_FILE_BYTES + 1))


def writable_by_others(path: Path) -> None:
    path.chmod(0o666)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def a_link_out(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def a_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def a_circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def in_a_folder_writable_by_others(path: Path) -> None:
    path.parent.chmod(0o777)


def in_a_folder_that_is_gone(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))


def in_a_folder_that_is_none(path: Path) -> None:
    in_a_folder_that_is_gone(path)
    path.parent.write_bytes(b"")


UNREADABLE = [
    writable_by_others,
    a_folder,
    a_pipe,
    a_link_out,
    a_dangling_link,
    a_circle,
    in_a_folder_writable_by_others,
    in_a_folder_that_is_gone,
    in_a_folder_that_is_none,
]
SPOILED = [emptied, nonsense, too_large, *UNREADABLE]
