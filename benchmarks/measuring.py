"""One measurement: the generators do something, and the server's processor time is read.

Knows servers by their process and generators by their reports; what is done and how often is for
`subjects`.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.machine import cpu_seconds

if TYPE_CHECKING:
    from benchmarks.client import Target
    from benchmarks.generators import Generators, Report
    from benchmarks.servers import Running

__all__ = ["Figures", "Measured", "Results", "measure", "percentile", "settle"]

_QUIET = 0.0005  # seconds of processor time in a pause
_PAUSE = 0.05
_MOST_PAUSES = 200

Figures = dict[str, float]
"""Values by their name with its unit."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What something has cost.

    Attributes:
        report: what the generators say.
        cpu: the server's processor time in all, in seconds.
    """

    report: Report
    cpu: float

    @property
    def each(self) -> float:
        """The server's processor time for one, in seconds."""
        return self.cpu / max(1, self.report.count)

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.report.count / max(self.report.seconds, 1e-9)

    @property
    def bounds(self) -> Figures:
        """Return how busy each side's processor was, in percent: who was waiting for whom."""
        return {
            "server %": 100 * self.cpu / max(self.report.seconds, 1e-9),
            "generator %": 100 * self.report.share,
        }


@dataclass(slots=True)
class Results:
    """All figures: by subject and server, those of each round."""

    rounds: dict[str, dict[str, list[Figures]]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, subject: str, server: str, figures: Figures) -> None:
        """Add the figures of a round."""
        self.rounds.setdefault(subject, {}).setdefault(server, []).append(figures)

    def medians(self, subject: str) -> dict[str, Figures]:
        """Return the median of each figure of a subject, by server."""
        return {
            server: {name: statistics.median(one[name] for one in figures) for name in figures[0]}
            for server, figures in self.rounds.get(subject, {}).items()
        }

    def ratios(self, subject: str, to: str) -> dict[str, Figures]:
        """Return by server the median of each figure's ratio to that of another, round by round.

        A machine's speed drifts; within a round it has hardly had the time to.
        """
        by_server = self.rounds.get(subject, {})
        return {
            server: {
                name: statistics.median(
                    one[name] / other[name]
                    for one, other in zip(figures, by_server[to], strict=False)
                )
                for name in figures[0]
                if all(other[name] for other in by_server[to])
            }
            for server, figures in by_server.items()
            if to in by_server
        }


def measure(
    generators: Generators,
    server: Running,
    action: str,
    *,
    target: Target | None = None,
    **order: Any,  # noqa: ANN401 - whatever the action takes
) -> Measured:
    """Have something done, and say what it has cost; what it leaves to be done is included."""
    settle(server.pid)
    before = cpu_seconds(server.pid)
    report = generators.do(action, target=target, **order)
    settle(server.pid)
    return Measured(report, cpu_seconds(server.pid) - before)


def settle(pid: int) -> None:
    """Wait until a server has nothing more to do, or ten seconds."""
    last = cpu_seconds(pid)
    for _ in range(_MOST_PAUSES):
        time.sleep(_PAUSE)
        now = cpu_seconds(pid)
        if now - last < _QUIET:
            return
        last = now


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share of all is not above; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
