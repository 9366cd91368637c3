"""A process that serves for another one: what it makes of what it is given."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

from conch_insults import worker as worker_module
from conch_insults.config import Settings
from conch_insults.provisions import Provisions
from conch_insults.ssh.host_keys import create_host_key
from conch_insults.worker import Orders, make_worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twisted.logger import LogEvent

# Beyond all descriptors that are in use here.
FIRST_SOCKET = 200


class Reactor(MemoryReactorClock):
    """A reactor in memory that adopts sockets."""

    def __init__(self) -> None:
        super().__init__()
        self.adopted: list[tuple[Any, Any, Any]] = []

    def adoptStreamPort(self, fileno: int, family: Any, factory: Any) -> Any:  # noqa: N802 - Twisted's
        with socket.socket(fileno=os.dup(fileno)) as listening:
            self.adopted.append((listening.getsockname()[:2], family, factory))
        return self.listenTCP(0, factory)


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What a server hands on: sockets that listen, at the descriptors that were agreed on."""
    monkeypatch.setattr(worker_module, "FIRST_SOCKET", FIRST_SOCKET)
    addresses = []
    for descriptor in (FIRST_SOCKET, FIRST_SOCKET + 1):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            addresses.append(listening.getsockname())
            os.dup2(listening.fileno(), descriptor, inheritable=False)
    yield addresses
    for descriptor in (FIRST_SOCKET, FIRST_SOCKET + 1):
        try:
            os.close(descriptor)
        except OSError:
            # A worker has adopted it.
            continue


def test_it_serves_at_the_sockets_and_asks_for_reloads(sockets: list[Any], tmp_path: Path) -> None:
    create_host_key(tmp_path)
    provisions = Provisions.read(Settings.model_validate({"access": {"keys_dir": tmp_path}}))
    reactor, log, asked = Reactor(), [], []
    service = make_worker(provisions, lambda: asked.append("reload"), reactor)

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace") == "conch_insults":
            log.append(event["text"])

    globalLogPublisher.addObserver(observe)  # type: ignore[arg-type]  # any callable will do
    try:
        service.privilegedStartService()
        service.startService()
    finally:
        globalLogPublisher.removeObserver(observe)  # type: ignore[arg-type]  # as above
    ssh, tcp = (service.getServiceNamed(name)._factory for name in ("ssh", "tcp"))
    assert reactor.adopted == [
        (sockets[0], socket.AF_INET, ssh),
        (sockets[1], socket.AF_INET, tcp),
    ]
    # That the doors are open has been said for all workers.
    assert [line.partition(":")[0] for line in log] == ["packs"]
    ssh.portal.realm._operations.reload()
    assert asked == ["reload"]


def test_a_door_that_is_closed_has_no_socket(sockets: list[Any], tmp_path: Path) -> None:
    provisions = Provisions.read(Settings.model_validate({"ssh": {"endpoint": ""}}))
    reactor = Reactor()
    make_worker(provisions, lambda: None, reactor).privilegedStartService()
    assert [address for address, _, _ in reactor.adopted] == sockets[:1]


def test_orders_are_heeded_and_silence_is_the_last() -> None:
    done: list[str] = []
    orders = Orders(lambda: done.append("reload"), lambda: done.append("stop"))
    for chunk in (b"rel", b"oad\nreload\nwhat", b"ever\n"):
        orders.childDataReceived("orders", chunk)
    assert done == ["reload", "reload"]
    orders.childConnectionLost("orders", Failure(ConnectionDone()))
    assert done == ["reload", "reload", "stop"]


def test_nobody_else_can_start_one() -> None:
    started = subprocess.run(
        [sys.executable, "-m", "conch_insults.worker"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    line = "conch_insults.worker: only a server starts this; see server.workers\n"
    assert (started.returncode, started.stdout, started.stderr) == (1, "", line)
