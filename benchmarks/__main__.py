"""`python -m benchmarks`: starts every server, measures, prints and saves one table."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cores import measure_cores
from benchmarks.generators import Generators
from benchmarks.growth import measure_growth
from benchmarks.machine import ROOT, describe, load_cpus
from benchmarks.measuring import Results
from benchmarks.report import as_json, as_markdown, on_page
from benchmarks.servers import SERVERS, Absent, Kind, Options, Running, start
from benchmarks.subjects import (
    Bench,
    Scale,
    measure_abuse,
    measure_idle,
    measure_line,
    measure_login,
    measure_pipe,
    measure_refusals,
)
from benchmarks.wire import Broken
from benchmarks.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator

_BY_ROUND = {
    "login": measure_login,
    "line": measure_line,
    "pipe": measure_pipe,
    "abuse": measure_abuse,
}
_SUBJECTS = ("login", "line", "pipe", "idle", "growth", "abuse", "cores")
_PAGE = ROOT / "docs" / "performance.md"
_QUICK = Scale(
    rounds=1,
    seconds=0.4,
    piped=20_000,
    idle=(200,),
    sessions=(1, 50),
    users=(10, 1000),
    texts=(1000, 10_000),
    others=(50, 500),
)


def main() -> None:
    """Do what the command line says."""
    arguments = _arguments()
    scale = _QUICK if arguments.quick else Scale()
    if arguments.rounds:
        scale = replace(scale, rounds=arguments.rounds)
    results, began = Results(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        # sshd looks at the way to what it is told to run.
        Path(folder).chmod(0o755)
        place = Workplace(Path(folder))
        with Generators(place.topics) as generators:
            bench = Bench(place, generators, Options(tree=arguments.tree), scale, results)
            _run(bench, arguments.subjects, arguments.servers)
    about = {
        **describe(),
        **_versions(arguments.tree),
        "load": f"{len(load_cpus())} generator process(es), beside the servers' processor",
        "took": f"{time.monotonic() - began:.0f} s, {scale.rounds} round(s)",
    }
    text = as_markdown(results, about)
    print(text)  # noqa: T201 - what it was run for
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "newest.md").write_text(text, encoding="utf-8")
    (arguments.out / "newest.json").write_text(as_json(results, about), encoding="utf-8")
    if not (arguments.quick or arguments.servers) and set(arguments.subjects) == set(_SUBJECTS):
        _PAGE.write_text(on_page(_PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")


def _run(bench: Bench, subjects: list[str], names: list[str]) -> None:
    kinds = [kind for kind in SERVERS if not names or any(name in kind.name for name in names)]
    running: list[Running] = []
    try:
        for kind in kinds:
            try:
                running.append(start(kind, bench.place, bench.options))
            except Absent as absence:
                bench.results.missing[kind.name] = str(absence)
        for subject in subjects:
            if subject in _BY_ROUND:
                for number in range(bench.scale.rounds):
                    # Nobody is always the first, or after the same.
                    for server in running[number:] + running[:number]:
                        with _noted(bench, f"{subject}: {server.kind.name}"):
                            _BY_ROUND[subject](bench, server)
    finally:
        for server in running:
            server.stop()
    _run_alone(bench, subjects, [server.kind for server in running])


def _run_alone(bench: Bench, subjects: list[str], kinds: list[Kind]) -> None:
    """Measure what needs a server that has done nothing else."""
    for kind in kinds:
        if "idle" in subjects:
            for pty in (False, True):
                with _noted(bench, f"idle: {kind.name}{' with a PTY' * pty}"):
                    measure_idle(bench, kind, pty=pty)
        if "abuse" in subjects and kind.limits:
            with _noted(bench, f"refusals: {kind.name}"):
                measure_refusals(bench, kind)
    if "cores" in subjects:
        with _noted(bench, "cores"):
            measure_cores(bench)
    if "growth" in subjects:
        with _noted(bench, "growth"):
            measure_growth(bench)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run of about a minute")
    parser.add_argument("--rounds", type=int, help="rounds of each subject")
    parser.add_argument("--servers", nargs="*", default=[], help="parts of the servers' names")
    parser.add_argument("--subjects", nargs="*", choices=_SUBJECTS, default=list(_SUBJECTS))
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout that ours runs from")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    return parser.parse_args()


def _versions(tree: Path) -> dict[str, str]:
    packages = ("twisted", "cryptography", "asyncssh", "paramiko")
    versions = {name: version(name) for name in packages}
    for name, command in (
        ("commit", ["git", "-C", str(tree), "describe", "--always", "--dirty"]),
        ("OpenSSH", ["ssh", "-V"]),
        ("go", ["go", "version"]),
    ):
        if shutil.which(command[0]):
            said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a version
            versions[name] = (said.stdout or said.stderr).strip()
    return versions


@contextmanager
def _noted(bench: Bench, what: str) -> Iterator[None]:
    """Say what is measured; what cannot be is left out by name."""
    print(what, file=sys.stderr, flush=True)  # noqa: T201 - progress
    try:
        yield
    except (Absent, Broken) as error:
        bench.results.missing[what] = str(error)


if __name__ == "__main__":
    main()
