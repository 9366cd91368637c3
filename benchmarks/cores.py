"""What is measured of ours only: logins with one worker and with one for each processor.

The load generator needs a processor, too, which leaves too few on a small machine. So this is
measured twice: with all processes on the servers' processor, from which it is worked out what they
would do with one for each, and with all processors for everybody, the generator among them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.machine import all_cpus, cpu_of_each
from benchmarks.measuring import settle
from benchmarks.servers import OURS, SERVERS, start

if TYPE_CHECKING:
    from benchmarks.measuring import Figures
    from benchmarks.servers import Running
    from benchmarks.subjects import Bench

__all__ = ["measure_cores"]

_AT_A_TIME = 64  # for each worker
_MOST = 8


def measure_cores(bench: Bench) -> None:
    """Log in at a server of one process, and at one of several, in turns."""
    kind = next(kind for kind in SERVERS if kind.name == OURS)
    servers: list[tuple[int, bool, Running]] = []
    try:
        for spread in (False, True):
            for workers in (1, min(_MOST, len(all_cpus()))):
                options = replace(bench.options, workers=workers, spread=spread)
                servers.append((workers, spread, start(kind, bench.place, options)))
        for _ in range(bench.scale.rounds):
            for workers, spread, server in servers:
                where = "on any processor" if spread else "on the servers' processor"
                name = f"ours, {workers} worker{'s' * (workers > 1)}"
                figures = _log_in(bench, server, workers)
                bench.results.add(f"logins with workers {where}", name, figures)
    finally:
        for _, _, server in servers:
            server.stop()


def _log_in(bench: Bench, server: Running, workers: int) -> Figures:
    log_in = partial(
        bench.generators.do, "log_in", target=server.target, concurrency=_AT_A_TIME * workers
    )
    log_in(seconds=0.3)
    settle(server.pid)
    before = cpu_of_each(server.pid)
    report = log_in(seconds=2 * bench.scale.seconds)
    settle(server.pid)
    spent = [after - before.get(pid, 0.0) for pid, after in cpu_of_each(server.pid).items()]
    return {
        "a second": report.count / report.seconds,
        "CPU ms": 1e3 * sum(spent) / report.count,
        "busiest process %": 100 * max(spent) / sum(spent),
        # Neither may all of them need more than there is, nor one more than one processor.
        "a second, a processor for each worker": report.count / max(sum(spent) / workers, *spent),
    }
