"""The processes of the load generator, seen from the side that gives orders.

One for each processor beside the server's. Knows what a report looks like, not what was done.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any, Self

from benchmarks.load import Done
from benchmarks.machine import ROOT, load_cpus, pinned
from benchmarks.wire import Broken

if TYPE_CHECKING:
    from types import TracebackType

    from benchmarks.client import Target

__all__ = ["Generators", "Report"]


class Report(Done):
    """What all processes have done together.

    Attributes:
        share: of the processor that the busiest process has used, 0 to 1.
    """

    share = 0.0


class Generators:
    """The processes; a context manager that ends them.

    Args:
        topics: how many topics the servers know.
    """

    def __init__(self, topics: int) -> None:
        self._processes = [_start(topics, cpu) for cpu in load_cpus()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            _pipe(process.stdin).close()
            process.wait()

    def do(self, action: str, *, target: Target | None = None, **order: Any) -> Report:  # noqa: ANN401 - JSON
        """Have something done, and wait for it.

        What there is a number of (`concurrency`, `count`) is shared out; a process without a
        share does nothing.

        Args:
            action: a method of `Load`.
            target: the server.
            order: the method's other arguments.

        Raises:
            Broken: the server does not do what it is there for.
        """
        if target is not None:
            order["target"] = {**asdict(target), "kex": target.kex.decode()}
        shared = next((name for name in ("concurrency", "count") if name in order), None)
        busy = []
        for number, process in enumerate(self._processes):
            own = dict(order)
            if shared is not None:
                own[shared] = len(range(number, order[shared], len(self._processes)))
            elif number and action not in {"close", "leave"}:
                continue
            if shared is None or own[shared]:
                stream = _pipe(process.stdin)
                stream.write(json.dumps({"do": action, **own}) + "\n")
                stream.flush()
                busy.append(process)
        return _together([_read(process) for process in busy])


def _start(topics: int, cpu: int) -> subprocess.Popen[str]:
    with pinned(cpu):
        return subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "benchmarks.generator", str(topics)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def _read(process: subprocess.Popen[str]) -> dict[str, Any]:
    line = _pipe(process.stdout).readline()
    if not line:
        raise RuntimeError("the load generator has failed; what it said is above")
    report: dict[str, Any] = json.loads(line)
    return report


def _together(reports: list[dict[str, Any]]) -> Report:
    for one in reports:
        if "error" in one:
            raise Broken(one["error"])
    report = Report()
    for one in reports:
        report.count += one["count"]
        report.seconds = max(report.seconds, one["seconds"])
        report.latencies += one["latencies"]
        report.share = max(report.share, one["cpu"] / max(one["seconds"], 1e-9))
    return report


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise TypeError("the process was started without a pipe")
    return stream
