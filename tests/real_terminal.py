"""A person at a real terminal: an OpenSSH client on a pty, and what its screen shows."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Self

import pyte

from tests.real_server import DEADLINE, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.real_server import Doors, Word

__all__ = ["Person"]


class Person:
    """Somebody at a terminal; leaving its context hangs up."""

    def __init__(self, server: Doors, *args: Word, columns: int = 80, rows: int = 24) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._emulator = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        self._stream = Stream(self._master)
        self._set_size(columns, rows)
        with os.fdopen(slave, "wb", buffering=0) as terminal:
            self.process = subprocess.Popen(
                server.ssh_command(*args),
                cwd=server.site.folder,
                env=server.site.environment(),
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        with self.process:
            os.close(self._master)

    @property
    def received(self) -> bytes:
        """Everything that came to the terminal."""
        return self._stream.content

    @property
    def rows(self) -> list[str]:
        """What the screen shows, down to the last row that is not empty."""
        return "\n".join(row.rstrip() for row in self.screen.display).rstrip().split("\n")

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor, from 0."""
        return self.screen.cursor.y, self.screen.cursor.x

    def types(self, text: str) -> None:
        os.write(self._master, text.encode())

    def sees(self, *rows: str) -> None:
        """Wait until these are the last rows on the screen, trailing space aside."""
        self._watch(lambda: self.rows[-len(rows) :] == list(rows))

    def sees_at_the_end(self, words: str) -> None:
        """Wait until the last row ends with these words."""
        self._watch(lambda: self.rows[-1].endswith(words))

    def sees_other_than(self, rows: list[str]) -> None:
        """Wait until the screen shows something else."""
        self._watch(lambda: self.rows != rows)

    def resizes(self, columns: int, rows: int) -> None:
        """Make the window another size."""
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    def leaves(self) -> int:
        """Watch until the client ends and return its exit status."""
        deadline = time.monotonic() + DEADLINE
        while self._show_more(deadline):
            pass
        return self.process.wait(DEADLINE)

    def _watch(self, seen: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not seen():
            assert time.monotonic() < deadline, self.rows
            assert self._show_more(deadline), self.rows

    def _show_more(self, deadline: float) -> bytes:
        chunk = self._stream.more(deadline)
        self._emulator.feed(chunk)
        return chunk

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
