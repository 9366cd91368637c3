"""The machine: which processors are used for what, and what /proc says of a server's processes.

Processor time is the kernel's own count. Children count with their server, dead or alive: sshd has
one and more for every session.
"""

from __future__ import annotations

import os
import platform
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ROOT",
    "all_cpus",
    "cpu_of_each",
    "cpu_seconds",
    "describe",
    "load_cpus",
    "memory",
    "peak_memory",
    "pinned",
    "reset_peak",
    "server_cpu",
]

ROOT = Path(__file__).resolve().parent.parent

_TICKS = os.sysconf("SC_CLK_TCK")
_MOST_GENERATORS = 4
_KIB = 1024


def all_cpus() -> list[int]:
    """Return the processors that there are."""
    return sorted(os.sched_getaffinity(0))


def server_cpu() -> int:
    """Return the processor that servers run on, one and the same for each."""
    return all_cpus()[0]


def load_cpus() -> list[int]:
    """Return the processors of the load generator: up to four others, if there are others."""
    return all_cpus()[1 : 1 + _MOST_GENERATORS] or [server_cpu()]


@contextmanager
def pinned(*cpus: int) -> Iterator[None]:
    """Have processes that are started meanwhile run on some processors only."""
    all_of_them = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_of_them)


def _tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue  # it has ended meanwhile
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its descendants, in seconds."""
    return sum(cpu_of_each(pid).values())


def cpu_of_each(pid: int) -> dict[int, float]:
    """Return the processor time of a process and of each descendant, with what theirs had."""
    found = {}
    for each in _tree(pid):
        try:
            # CPUCLOCK_SCHED of the process (clock_getcpuclockid(3)): nanoseconds, all threads.
            own = time.clock_gettime(~each << 3 | 2)
            stat = Path(f"/proc/{each}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        cutime, cstime = stat.rpartition(")")[2].split()[13:15]
        found[each] = own + (int(cutime) + int(cstime)) / _TICKS
    return found


def memory(pid: int) -> int:
    """Return the memory of a process and its descendants in KiB; shared pages are shared out."""
    return sum(_field(each, "smaps_rollup", "Pss:") for each in _tree(pid))


def reset_peak(pid: int) -> None:
    """Forget the peaks of memory so far (proc(5), clear_refs)."""
    for each in _tree(pid):
        Path(f"/proc/{each}/clear_refs").write_text("5", encoding="ascii")


def peak_memory(pid: int) -> int:
    """Return the peaks of resident memory since they were forgotten, in KiB, added up."""
    return sum(_field(each, "status", "VmHWM:") for each in _tree(pid))


def _field(pid: int, file: str, name: str) -> int:
    try:
        text = Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name)), 0)


def describe() -> dict[str, str]:
    """Say what machine this is, and when."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [
        line.partition(":")[2].strip()
        for line in cpuinfo.splitlines()
        if line.startswith("model name")
    ]
    total = _field_of_meminfo()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{len(os.sched_getaffinity(0))} x {models[0] if models else 'unknown'}",
        "memory": f"{total / _KIB / _KIB:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _field_of_meminfo() -> int:
    first = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()[0]
    return int(first.split()[1])
