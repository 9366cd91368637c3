"""The README's transcript and `session.svg`: a real session, played by a real `ssh` in a pty.

`python -m docs.session_picture` plays it and writes both. The server says what is in its packs,
but its die always falls alike, so that the same packs make the same picture.
"""

from __future__ import annotations

import html
import re
import tempfile
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tests.real_server import Site
from tests.real_terminal import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyte
    from pyte.screens import Char

__all__ = ["COMMAND", "PICTURE", "README", "Rows", "as_svg", "as_text", "play", "with_transcript"]

TREE = Path(__file__).parent.parent
PICTURE = TREE / "docs" / "session.svg"
README = TREE / "README.md"

COMMAND = "$ ssh -p 2222 alice@localhost"
"""What people type. What is run here has a port of its own, and heeds nobody's configuration."""

# Lines, and what is typed for those that Tab completes.
_LINES = ("perl", "kubernets", "powerpoint", "fax machines", "why", "quit")
_KEYS = {"powerpoint": "po\twerp\t"}
_COLUMNS, _ROWS = 80, 40

# Only the die differs from what `twistd -y insult_ssh.tac` runs.
_SERVER = f"""\
import runpy
from random import Random
from conch_insults import conversations
conversations.Random = lambda: Random(2078)
application = runpy.run_path({str(TREE / "insult_ssh.tac")!r})["application"]
"""

# In pixels.
_CELL_WIDTH, _ROW_HEIGHT, _MARGIN, _FONT_SIZE = 8.4, 19, 16, 14
_PAPER, _INK, _GREEN = "#16181d", "#d8dae0", "#7fd962"
_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_TRANSCRIPT = re.compile(rf"```console\n{re.escape(COMMAND)}\n.*?```\n", re.DOTALL)

Rows: TypeAlias = "Sequence[Sequence[Char]]"
"""A screen's rows of cells, without what is blank at the end of each and at the end of all."""


def play() -> Rows:
    """Start a server, have somebody talk to it, and return what their screen shows at the end."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        site.let_in("alice", "id_alice", "-t", "ed25519")
        tac = site.folder / "session.tac"
        tac.write_text(_SERVER, encoding="utf-8")
        with (
            site.start(("twistd", "-noy", str(tac), "--pidfile=")) as server,
            # Quiet, or else ssh itself has the last word.
            Person(server, "-q", columns=_COLUMNS, rows=_ROWS) as alice,
        ):
            for line in _LINES:
                alice.sees(">")
                alice.types(_KEYS.get(line, line))
                alice.sees(f"> {line}")
                alice.types("\r")
            alice.leaves()
            return _rows(alice.screen)


def as_text(rows: Rows) -> str:
    """Return the session as a transcript that begins with the command, a newline behind each."""
    lines = (COMMAND, *("".join(cell.data for cell in row) for row in rows))
    return "".join(f"{line}\n" for line in lines)


def as_svg(rows: Rows) -> str:
    """Return the session as a picture, which is the same for the same rows."""
    width = 2 * _MARGIN + round(_COLUMNS * _CELL_WIDTH)
    height = 2 * _MARGIN + _ROW_HEIGHT * (len(rows) + 1)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    # Attributes, since not everything that shows pictures knows style sheets.
    font = f'font-family="{_FONT}" font-size="{_FONT_SIZE}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" xml:space="preserve">',
        "<title>A session: topics in, insults out</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{_PAPER}"/>',
        f'<g {font} fill="{_INK}">',
        _text(0, [(0, COMMAND, "")]),
        *(_text(number, _runs(row)) for number, row in enumerate(rows, 1) if row),
        "</g>",
        "</svg>",
    ]
    return "".join(f"{line}\n" for line in lines)


def with_transcript(page: str, rows: Rows) -> str:
    """Return a page with the transcript of this session in place of the one that it has."""
    return _TRANSCRIPT.sub(lambda _: f"```console\n{as_text(rows)}```\n", page, count=1)


def _rows(screen: pyte.Screen) -> Rows:
    rows = [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]
    for row in rows:
        while row and not row[-1].data.strip():
            row.pop()
    while not rows[-1]:
        rows.pop()
    return rows


def _runs(row: Sequence[Char]) -> Iterator[tuple[int, str, str]]:
    """Yield where each stretch of cells that look alike begins, its text, and how it looks."""
    column = 0
    for look, cells in groupby(row, _look):
        text = [cell.data for cell in cells]
        yield column, "".join(text), look
        column += len(text)


def _look(cell: Char) -> str:
    # Nothing but the prompt looks special in this session.
    green = f' fill="{_GREEN}"' if cell.fg == "green" else ""
    return f'{green} font-weight="bold"' if cell.bold else green


def _text(number: int, runs: Iterable[tuple[int, str, str]]) -> str:
    """Return a row; each run is put where its cells are, whatever font there is."""
    y = _MARGIN + _ROW_HEIGHT * number + _FONT_SIZE
    spans = "".join(
        f'<tspan x="{_MARGIN + column * _CELL_WIDTH:.1f}"{look}>'
        f"{html.escape(text, quote=False)}</tspan>"
        for column, text, look in runs
    )
    return f'<text y="{y}">{spans}</text>'


def main() -> None:
    """Play a session; write its picture, and its transcript into the README."""
    rows = play()
    PICTURE.write_text(as_svg(rows), encoding="utf-8")
    page = README.read_text(encoding="utf-8")
    README.write_text(with_transcript(page, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
