"""`python -m benchmarks.profiling FOLDER`: where ours spends its time, a file for each subject.

Each server runs under cProfile, as `twistd --profile` does it. A profiled server is about three
times slower, and calls look dearer than they are: use the shares, not the seconds.
"""

from __future__ import annotations

import argparse
import pstats
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.generators import Generators
from benchmarks.machine import ROOT
from benchmarks.measuring import settle
from benchmarks.servers import OURS, SERVERS, Options, start
from benchmarks.workplace import Workplace

if TYPE_CHECKING:
    from benchmarks.client import Target

_SECONDS = 4.0
_SESSIONS = 50
_LINES = 100_000
_IDLE = 1000
_SHOWN = 25


def _login(generators: Generators, target: Target) -> None:
    generators.do("log_in", target=target, concurrency=8, seconds=_SECONDS)


def _line(generators: Generators, target: Target) -> None:
    generators.do("open", target=target, count=_SESSIONS)
    generators.do("ping_pong", count=_SESSIONS, seconds=_SECONDS)


def _pipe(generators: Generators, target: Target) -> None:
    generators.do("open", target=target, count=1)
    generators.do("pipe", lines=_LINES)


def _idle(generators: Generators, target: Target) -> None:
    generators.do("open", target=replace(target, pty=True), count=_IDLE)


_SUBJECTS = {"login": _login, "line": _line, "pipe": _pipe, "idle": _idle}


def main() -> None:
    """Profile each subject."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the profiles go")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout that ours runs from")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    kind = next(kind for kind in SERVERS if kind.name == OURS)
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        place = Workplace(Path(folder))
        for name, subject in _SUBJECTS.items():
            saved = (arguments.folder / f"{name}.pstats").absolute()
            server = start(kind, place, Options(tree=arguments.tree, profile=saved))
            try:
                with Generators(place.topics) as generators:
                    subject(generators, server.target)
                    settle(server.pid)
            finally:
                server.stop()
            with (arguments.folder / f"{name}.txt").open("w", encoding="utf-8") as text:
                stats = pstats.Stats(str(saved), stream=text)
                stats.sort_stats("tottime").print_stats(_SHOWN)
                stats.sort_stats("cumulative").print_stats(2 * _SHOWN)


if __name__ == "__main__":
    main()
