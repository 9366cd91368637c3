"""Fixtures for tests with real servers, and what all tests share."""

from __future__ import annotations

import gc
import shutil
from typing import TYPE_CHECKING

import pytest

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
