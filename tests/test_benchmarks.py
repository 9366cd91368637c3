"""The benchmarks: they drive servers as users do, and say what came of it. No figure is judged."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.load import Load
from benchmarks.machine import cpu_seconds
from benchmarks.measuring import Results, percentile
from benchmarks.report import as_json, as_markdown, on_page
from benchmarks.servers import OURS, SERVERS, Options, Running, start
from benchmarks.wire import Broken
from benchmarks.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's epoll and /proc")

DRIVEN = [kind for kind in SERVERS if kind.name in {OURS, "ours, strict", "stock Conch"}]


@pytest.fixture(scope="module", params=DRIVEN, ids=[kind.name for kind in DRIVEN])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("bench")
    running = start(request.param, Workplace(folder), Options())
    yield running
    running.stop()


@pytest.fixture
def load() -> Iterator[Load]:
    load = Load(100)
    yield load
    load.close()


class TestTheLoad:
    def test_logs_in_and_is_answered(self, server: Running, load: Load) -> None:
        before = cpu_seconds(server.pid)
        # Those that are under way when the time is over are finished.
        done = load.log_in(server.target, concurrency=2, seconds=0)
        assert (done.count, len(done.latencies)) == (2, 2)
        assert cpu_seconds(server.pid) > before

    def test_asks_in_sessions_that_stay(self, server: Running, load: Load) -> None:
        assert load.open(server.target, 3).count == 3
        assert load.ping_pong(3, seconds=0).count == 3
        assert load.close().count == 3

    def test_pipes(self, server: Running, load: Load) -> None:
        load.open(server.target, 1)
        assert load.pipe(5000).count == 5000

    def test_opens_terminals(self, server: Running, load: Load) -> None:
        assert load.open(replace(server.target, pty=True), 1).count == 1

    def test_is_refused_with_a_strangers_key(self, server: Running, load: Load) -> None:
        stranger = replace(server.target, seed=1_000_000)
        assert load.fail(stranger, concurrency=1, seconds=0.01).count >= 1
        with pytest.raises(Broken):
            load.log_in(stranger, concurrency=1, seconds=0)


class TestTheTable:
    RESULTS = Results(
        {
            "login": {
                OURS: [{"CPU ms": 2.0}, {"CPU ms": 4.0}, {"CPU ms": 3.0}],
                "Go": [{"CPU ms": 1.0}, {"CPU ms": 1.0}, {"CPU ms": 3.0}],
            }
        },
        {"paramiko": "is not installed"},
    )

    def test_has_medians_and_ratios_to_ours(self) -> None:
        text = as_markdown(self.RESULTS, {"date": "today"})
        assert text == (
            "- date: today\n"
            "- left out: paramiko: is not installed\n"
            "\n### Login\n\n"
            "| server | CPU ms |\n|---|---:|\n"
            f"| {OURS} | 3.00 (1.00) |\n"
            # Not 1.00 / 3.00: the machine was slower in the second round.
            "| Go | 1.00 (0.50) |\n"
        )

    def test_keeps_every_round_as_json(self) -> None:
        kept = json.loads(as_json(self.RESULTS, {"date": "today"}))
        assert kept["medians"] == {"login": {OURS: {"CPU ms": 3.0}, "Go": {"CPU ms": 1.0}}}
        assert len(kept["rounds"]["login"][OURS]) == 3
        assert kept["missing"] == {"paramiko": "is not installed"}

    def test_takes_the_place_of_the_one_before(self) -> None:
        page = "# Speed\n<!-- measured -->\nold\n<!-- end -->\nMore.\n"
        assert on_page(on_page(page, "older"), "new\n") == (
            "# Speed\n<!-- measured -->\n\nnew\n\n<!-- end -->\nMore.\n"
        )


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, 0.0), ([3.0, 1.0, 2.0], 0.5, 2.0), ([1.0, 2.0], 0.99, 2.0)],
)
def test_a_percentile(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected
