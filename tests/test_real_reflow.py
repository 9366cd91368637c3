"""A terminal that wraps rows anew when its window narrows: a real tmux, and what it shows then."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Self

import pytest

from conch_insults.core.appearance import Appearance
from conch_insults.core.console import Console
from conch_insults.core.outputs import Display, Line
from conch_insults.core.window import Window
from tests.real_server import DEADLINE
from tests.typist import LEFT

if TYPE_CHECKING:
    from pathlib import Path

TMUX = shutil.which("tmux")
pytestmark = pytest.mark.skipif(TMUX is None, reason="needs tmux")


class Tmux:
    """A pane that shows whatever is written into a pipe."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._socket = folder / "tmux"
        self._size = str(columns), str(rows)
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        width, height = self._size
        reader = f"stty raw -echo; cat {pipe}"
        self._run("new-session", "-d", "-x", width, "-y", height, reader)
        self._run("set", "-g", "status", "off")
        self._run("set", "-g", "window-size", "manual")
        self.resizes(columns, rows)
        self._pipe = pipe.open("wb", buffering=0)
        self._shown = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run("kill-server")
        self._pipe.close()

    def shows(self, text: str) -> None:
        """Print something, and wait until tmux has read it."""
        self._shown += 1
        mark = f"shown {self._shown}"
        self._pipe.write(f"{text}\x1b]2;{mark}\x07".encode())
        deadline = time.monotonic() + DEADLINE
        while self._run("display", "-p", "#{pane_title}").strip() != mark:
            assert time.monotonic() < deadline, f"tmux has not read {text!r}"

    def resizes(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    @property
    def rows(self) -> list[str]:
        """What the window shows, down to the last row that is not blank."""
        return [row.rstrip() for row in self._run("capture-pane", "-p").rstrip().split("\n")]

    @property
    def cursor(self) -> tuple[int, int]:
        """The cursor's row, counted from the last of those, and its column."""
        row, column = map(int, self._run("display", "-p", "#{cursor_y} #{cursor_x}").split())
        return row - len(self.rows), column

    def _run(self, *args: str) -> str:
        return subprocess.run(
            [str(TMUX), "-S", str(self._socket), "-f", os.devnull, *args],
            check=True,
            capture_output=True,
            encoding="utf-8",
            timeout=DEADLINE,
        ).stdout


def typed(console: Console, data: bytes, answer: str = "") -> str:
    """Return what is printed when something is typed, and every line is answered."""
    console.receive(data)
    printed = ""
    while (output := console.next_output()) is not None:
        if isinstance(output, Display):
            printed += output.text
        elif isinstance(output, Line):
            console.answer(answer or f"{output.text}!\n")
    return printed


LINES = [
    "a line of several words, some of them 日本語",
    # The first wide one has to leave a blank at the end of its row.
    "a line of several words, some of the 日本語",
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("lefts", [0, 4, 28])
@pytest.mark.parametrize("widths", [(7, 40, 13), (15, 6, 80), (39, 38, 37, 36)])
def test_the_line_is_shown_again_without_leaving_anything_behind(
    tmp_path: Path, lefts: int, widths: tuple[int, ...], line: str
) -> None:
    keys = b"perl\r" + line.encode() + LEFT * lefts
    console = Console("> ", Window.claimed(40, 24), Appearance(reflows=True))
    with Tmux(tmp_path, 40, 24) as tmux:
        tmux.shows(console.start() + typed(console, keys))
        for width in widths:
            tmux.resizes(width, 24)
            console.resize(Window.claimed(width, 24))
            tmux.shows(console.refresh().text)
            fresh = Console("> ", Window.claimed(width, 24))
            folder = tmp_path / str(width)
            folder.mkdir()
            with Tmux(folder, width, 24) as expected:
                expected.shows(fresh.start() + typed(fresh, keys))
                # Tmux scrolls away what stands above when it wraps rows anew.
                shown = tmux.rows
                assert shown == expected.rows[-len(shown) :]
                assert len(shown) >= len(expected.rows) - 2
                assert tmux.cursor == expected.cursor


@pytest.mark.parametrize("lefts", [0, 9, 28, 40])
def test_a_plain_line_stays_and_is_shown_again_below_all_of_it(tmp_path: Path, lefts: int) -> None:
    keys = b"perl\r" + LINES[0].encode() + LEFT * lefts
    console = Console("> ", Window.claimed(80, 24), Appearance(plain=True, reflows=True))
    with Tmux(tmp_path, 80, 24) as tmux:
        tmux.shows(console.start() + typed(console, keys))
        tmux.resizes(20, 24)
        console.resize(Window.claimed(20, 24))
        tmux.shows(console.refresh().text)
        assert tmux.rows[-6:] == ["> a line of several", "words, some of them", "日本語"] * 2


@pytest.mark.parametrize("width", [31, 30, 16, 15, 12, 7])
def test_the_question_at_the_end_of_a_page_is_asked_again(tmp_path: Path, width: int) -> None:
    console = Console("> ", Window.claimed(80, 8), Appearance(reflows=True))
    with Tmux(tmp_path, 80, 8) as tmux:
        tmux.shows(console.start() + typed(console, b"topics\r", answer="one\ntwo\n" * 9))
        assert tmux.rows[-1] == "-- 11 more: space, Enter, q --"
        tmux.resizes(width, 8)
        console.resize(Window.claimed(width, 8))
        tmux.shows(console.refresh().text)
        *above, question = tmux.rows
        assert set(above) <= {"> topics", "one", "two"}
        assert question in {"-- 11 more: space, Enter, q --", "-- more --", "more"}
