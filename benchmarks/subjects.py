"""What is measured of every server: login, line, pipe, idle, abuse.

A subject is a function of a bench and one server, called once a round; servers take turns. What
is measured of ours only is in `growth`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.machine import memory, peak_memory, reset_peak
from benchmarks.measuring import Figures, Measured, measure, percentile, settle
from benchmarks.servers import Options, Running, start

if TYPE_CHECKING:
    from benchmarks.generators import Generators
    from benchmarks.measuring import Results
    from benchmarks.servers import Kind
    from benchmarks.workplace import Workplace

__all__ = [
    "Bench",
    "Scale",
    "line_figures",
    "measure_abuse",
    "measure_idle",
    "measure_line",
    "measure_login",
    "measure_pipe",
    "measure_refusals",
]

_STRANGER = 1_000_000  # the number of a key that nobody has been given
_KIB = 1024
_WARM_UP = 0.3  # seconds


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done.

    Attributes:
        rounds: of each subject but idle and growth.
        seconds: that each measurement takes, about.
        logins: the concurrencies.
        sessions: how many ask at a time.
        piped: lines through one session.
        idle: sessions held open.
        users: who may come in, for growth.
        texts: in the table, for growth.
        others: sessions open beside those that ask, for growth.
    """

    rounds: int = 5
    seconds: float = 1.0
    logins: tuple[int, ...] = (1, 8, 64)
    sessions: tuple[int, ...] = (1, 50, 500)
    piped: int = 200_000
    idle: tuple[int, ...] = (1000, 5000)
    users: tuple[int, ...] = (10, 1000, 100_000)
    texts: tuple[int, ...] = (1000, 100_000)
    others: tuple[int, ...] = (50, 500, 5000)


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measurement needs.

    Attributes:
        place: what servers are given.
        generators: who drive them.
        options: how ours is started.
        scale: how much is done.
        results: where the figures go.
    """

    place: Workplace
    generators: Generators
    options: Options
    scale: Scale
    results: Results


def measure_login(bench: Bench, server: Running) -> None:
    """Connect, exchange keys, log in, open a shell, have one line answered, close."""
    for concurrency in bench.scale.logins:
        bench.generators.do("log_in", target=server.target, concurrency=1, seconds=_WARM_UP)
        done = measure(
            bench.generators,
            server,
            "log_in",
            target=server.target,
            concurrency=concurrency,
            seconds=bench.scale.seconds,
        )
        figures = {"CPU ms": 1e3 * done.each, "a second": done.rate, **_latencies(done, 1e3, "ms")}
        name = f"login, {concurrency} at a time"
        bench.results.add(name, server.kind.name, {**figures, **done.bounds})


def measure_line(bench: Bench, server: Running) -> None:
    """Ask in sessions that stay open, each when it has been answered."""
    for sessions in bench.scale.sessions:
        bench.generators.do("open", target=server.target, count=sessions)
        done = measure(
            bench.generators, server, "ping_pong", count=sessions, seconds=bench.scale.seconds
        )
        name = f"line, {sessions} session{'s' * (sessions > 1)}"
        bench.results.add(name, server.kind.name, line_figures(done))
    bench.generators.do("close")


def line_figures(done: Measured) -> Figures:
    """Return what is said of lines."""
    return {
        "CPU µs": 1e6 * done.each,
        "a second": done.rate,
        **_latencies(done, 1e6, "µs"),
        **done.bounds,
    }


def measure_pipe(bench: Bench, server: Running) -> None:
    """Pipe lines through one session."""
    bench.generators.do("open", target=server.target, count=1)
    settle(server.pid)
    reset_peak(server.pid)
    done = measure(bench.generators, server, "pipe", lines=bench.scale.piped)
    figures = {
        "CPU µs": 1e6 * done.each,
        "lines a second": done.rate,
        "peak MiB": peak_memory(server.pid) / _KIB,
        **done.bounds,
    }
    bench.generators.do("close")
    bench.results.add("pipe", server.kind.name, figures)


def measure_idle(bench: Bench, kind: Kind, *, pty: bool) -> None:
    """Hold sessions open, on a server of its own that has warmed up."""
    if pty and not kind.ptys:
        return
    server = start(kind, bench.place, bench.options)
    target = replace(server.target, pty=pty)
    try:
        bench.generators.do("open", target=target, count=20)
        bench.generators.do("close")
        settle(server.pid)
        before = memory(server.pid)
        for count in sorted({min(count, kind.idle) for count in bench.scale.idle}):
            done = measure(bench.generators, server, "open", target=target, count=count)
            held = (memory(server.pid) - before) / count
            name = f"idle, {count} sessions{' with a PTY' * pty}"
            figures = {"KiB a session": held, "CPU ms to open": 1e3 * done.each}
            bench.results.add(name, kind.name, figures)
    finally:
        bench.generators.do("close")
        server.stop()


def measure_abuse(bench: Bench, server: Running) -> None:
    """Fail to log in, and connect without a word."""
    stranger = replace(server.target, seed=_STRANGER)
    failed = measure(
        bench.generators,
        server,
        "fail",
        target=stranger,
        concurrency=4,
        seconds=bench.scale.seconds,
    )
    name = "abuse, a failed login"
    bench.results.add(name, server.kind.name, {"CPU ms": 1e3 * failed.each, **failed.bounds})
    port, count = server.target.port, 100
    silent = measure(bench.generators, server, "say_nothing", port=port, count=count)
    gone = measure(bench.generators, server, "leave")
    figures = {"CPU ms": 1e3 * (silent.cpu + gone.cpu) / count}
    bench.results.add("abuse, a silent connection", server.kind.name, figures)


def measure_refusals(bench: Bench, kind: Kind) -> None:
    """Connect where somebody else has taken the only place."""
    server = start(kind, bench.place, replace(bench.options, at_limit=True))
    try:
        settle(server.pid)
        bench.generators.do("say_nothing", port=server.target.port, count=1)
        done = measure(
            bench.generators,
            server,
            "knock",
            port=server.target.port,
            seconds=bench.scale.seconds,
        )
        figures = {"CPU µs": 1e6 * done.each, "a second": done.rate, **done.bounds}
        bench.results.add("abuse, a refused connection", kind.name, figures)
    finally:
        bench.generators.do("leave")
        server.stop()


def _latencies(done: Measured, scale: float, unit: str) -> Figures:
    latencies = done.report.latencies
    return {
        f"p50 {unit}": scale * percentile(latencies, 0.50),
        f"p99 {unit}": scale * percentile(latencies, 0.99),
    }
