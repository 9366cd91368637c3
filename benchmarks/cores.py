"""What is measured of ours only: logins with one worker and with one for each processor.

The load generator needs a processor, too. Where it has none of its own, what workers could do
without it is worked out from their processor time: as many logins a second as the busiest of them
had time for. That is the figure to compare; what came about beside the generator is said as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.machine import all_cpus, cpu_of_each
from benchmarks.measuring import settle
from benchmarks.servers import OURS, SERVERS, start

if TYPE_CHECKING:
    from benchmarks.measuring import Figures
    from benchmarks.servers import Running
    from benchmarks.subjects import Bench

__all__ = ["measure_cores"]

_AT_A_TIME = 64
_MOST = 8


def measure_cores(bench: Bench) -> None:
    """Log in at a server of one process, and at one of several, in turns."""
    kind = next(kind for kind in SERVERS if kind.name == OURS)
    most = min(_MOST, len(all_cpus()))
    servers: list[tuple[int, Running]] = []
    try:
        for workers in (1, most):
            options = replace(bench.options, workers=workers)
            servers.append((workers, start(kind, bench.place, options)))
        for _ in range(1 + bench.scale.rounds):
            for workers, server in servers:
                figures = _log_in(bench, server)
                name = f"ours, {workers} worker{'s' * (workers > 1)}"
                bench.results.add("logins on more than one processor", name, figures)
    finally:
        for _, server in servers:
            server.stop()


def _log_in(bench: Bench, server: Running) -> Figures:
    settle(server.pid)
    before = cpu_of_each(server.pid)
    report = bench.generators.do(
        "log_in", target=server.target, concurrency=_AT_A_TIME, seconds=2 * bench.scale.seconds
    )
    settle(server.pid)
    spent = [after - before.get(pid, 0.0) for pid, after in cpu_of_each(server.pid).items()]
    return {
        "logins a second of the busiest": report.count / max(spent),
        "CPU ms": 1e3 * sum(spent) / report.count,
        "busiest's share %": 100 * max(spent) / sum(spent),
        "a second beside the generator": report.count / report.seconds,
    }
