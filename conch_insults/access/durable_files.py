"""Files that are there whole or not at all, also after a crash.

Content is written to a temporary file in the same folder, brought to the disk, and only then given
its name. What the files hold is not known here.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["create_file", "make_directory", "replace_file"]

NEW_FILE_MODE = 0o644


def make_directory(path: Path, mode: int) -> bool:
    """Make a directory with exactly this mode; return False and leave it as it is when it is there.

    Raises:
        OSError: it cannot be made, or something else has its name.
    """
    if path.is_dir():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode)
    # The umask has had its say in mkdir.
    path.chmod(mode)
    return True


def create_file(path: Path, content: bytes, mode: int) -> bool:
    """Create a file; return False and leave it as it is when there is one.

    Raises:
        OSError: it cannot be written.
    """
    with _written(path, content, mode) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
    _sync_directory(path.parent)
    return True


def replace_file(path: Path, content: bytes, earlier: os.stat_result | None) -> None:
    """Give a file new content, and create it with mode 0644 where there was none.

    Args:
        path: the file.
        content: all of the new content.
        earlier: the status of the file being replaced, whose mode and owner the new one gets.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    mode = NEW_FILE_MODE if earlier is None else earlier.st_mode & 0o7777
    with _written(path, content, mode) as temporary:
        if earlier is not None:
            # Only root may give files away; everybody else owned the old one or owns the new one.
            with contextlib.suppress(PermissionError):
                os.chown(temporary, earlier.st_uid, earlier.st_gid)
        temporary.replace(path)
    _sync_directory(path.parent)


@contextlib.contextmanager
def _written(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    """Write a temporary file beside `path`; what is left of it in the end is removed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
