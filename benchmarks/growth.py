"""What is measured of ours only: whether more users, texts or sessions make anything dearer."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.generators import Generators
from benchmarks.measuring import measure
from benchmarks.servers import OURS, SERVERS, Running, start
from benchmarks.subjects import line_figures
from benchmarks.table import topics_of
from benchmarks.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.subjects import Bench

__all__ = ["measure_growth"]

_ASKING = 50
_AT_A_TIME = 8


def measure_growth(bench: Bench) -> None:
    """Measure logins with more users, and lines with more texts and more sessions."""
    for users in bench.scale.users:
        with _ours(bench, users=users) as (server, generators):
            _users(bench, server, generators, users)
    for texts in bench.scale.texts:
        # The same topics of ever more, and then all of them: nobody remembers so many.
        for topics in dict.fromkeys((topics_of(min(bench.scale.texts)), topics_of(texts))):
            with _ours(bench, texts=texts, topics=topics) as (server, generators):
                generators.do("open", target=server.target, count=_ASKING)
                name = f"growth, a line about {topics} topics, with {texts} texts"
                _lines(bench, server, generators, name)
    with _ours(bench) as (server, generators):
        for sessions in bench.scale.others:
            generators.do("open", target=server.target, count=sessions)
            _lines(bench, server, generators, f"growth, a line with {sessions} sessions open")


@contextmanager
def _ours(
    bench: Bench, *, texts: int = 1000, users: int = 1, topics: int | None = None
) -> Iterator[tuple[Running, Generators]]:
    kind = next(kind for kind in SERVERS if kind.name == OURS)
    with tempfile.TemporaryDirectory(dir=bench.place.folder) as folder:
        place = Workplace(Path(folder), texts, users)
        with Generators(topics or place.topics) as generators:
            server = start(kind, place, bench.options)
            try:
                yield server, generators
            finally:
                server.stop()


def _users(bench: Bench, server: Running, generators: Generators, users: int) -> None:
    """Log in as one after the other, at random: first everybody is new, then few are."""
    for _ in range(bench.scale.rounds):
        done = measure(
            generators,
            server,
            "log_in",
            target=server.target,
            concurrency=_AT_A_TIME,
            seconds=bench.scale.seconds,
            users=users,
        )
        figures = {"CPU ms": 1e3 * done.each, "a second": done.rate, **done.bounds}
        bench.results.add(f"growth, a login with {users} users", OURS, figures)


def _lines(bench: Bench, server: Running, generators: Generators, name: str) -> None:
    for _ in range(bench.scale.rounds):
        done = measure(generators, server, "ping_pong", count=_ASKING, seconds=bench.scale.seconds)
        bench.results.add(name, OURS, line_figures(done))
