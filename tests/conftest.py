"""Fixtures for tests with real servers, and what all tests share."""

from __future__ import annotations

import gc
import shutil
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import is_hypothesis_test

from tests.real_server import RealServer, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACK = """\
# Each topic has one insult, so that its answer is known.
testing: You test in production, on behalf of everyone.
日本語: 漢字で侮辱する価値もない。
café: Your accents are the only acute thing about you.
"""


def pytest_sessionstart() -> None:
    """Let the programs that tests start be interrupted.

    Where a shell runs the suite in the background, they would inherit that SIGINT is ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count as covered what written examples cover, and not what random ones come upon.

    The figure is the same each time then. And Python 3.11 runs all code three times as slowly
    while it is watched, which hundreds of examples of the same thing are not worth; tests that
    do one thing thousands of times are marked where they stand.
    """
    for item in items:
        if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Heed `no_cover` in the workers of pytest-xdist, too, where pytest-cov does not."""
    tracer = sys.gettrace()
    if item.get_closest_marker("no_cover"):
        sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


def pytest_collection_finish() -> None:
    """Keep the garbage collector off what was there before the first test.

    Many tests collect garbage to see that no failure was forgotten. The tests themselves, all
    imported by now, are many times what one of them leaves behind.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder for servers of one's own, which alice may log in to."""
    return _site(tmp_path)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with _site(tmp_path_factory.mktemp("shared")).start() as server:
        yield server


@pytest.fixture
def server(shared_server: RealServer) -> Iterator[RealServer]:
    """A server for tests that change nothing about it."""
    shared_server.new_page()
    yield shared_server
    shared_server.settle()
    shared_server.check_log()


def _site(folder: Path) -> Site:
    site = Site(folder)
    (folder / "known.txt").write_text(PACK, encoding="utf-8")
    site.configure('[insults]\nrating = "r"\npacks = ["known.txt"]\n')
    if shutil.which("ssh-keygen"):
        site.let_in("alice", "id_alice", "-t", "ed25519")
    return site


@pytest.fixture
def signal_handlers() -> Iterator[None]:
    """Put back what a test makes of the signals that the server handles."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
