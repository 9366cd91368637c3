"""What a hostile peer can make a real server hold, over real sockets."""

from __future__ import annotations

import math
import os
import select
import socket
from typing import TYPE_CHECKING, Self

import pytest
from twisted.conch.ssh.common import NS
from typing_extensions import override

from conch_insults.access.key_directory import add_keys
from conch_insults.ssh.host_keys import host_key_path
from tests import ssh_client as ssh
from tests.real_server import DEADLINE, RealServer, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a process may grow by in a test, in KiB: what it has imported late, and what it holds.
_GROWTH = 16 * 1024

_LINES = b"perl\n" * 6000


# What a client waits for that has sent something; the server answers in order.
_ANSWERS = {
    ssh.KEXINIT: {ssh.KEXINIT},
    ssh.KEX_INIT: {ssh.NEWKEYS},
    ssh.SERVICE_REQUEST: {ssh.SERVICE_ACCEPT},
    ssh.AUTH_REQUEST: {ssh.AUTH_SUCCESS, ssh.AUTH_FAILURE},
    ssh.OPEN: {ssh.OPENED, ssh.OPEN_FAILURE},
    ssh.REQUEST: {ssh.SUCCESS, ssh.FAILURE},
    ssh.DATA: {ssh.DATA},
}
_IS_ANSWER = {number for numbers in _ANSWERS.values() for number in numbers}


class SocketLink:
    """A TCP connection in place of the one in memory.

    Attributes:
        awaited: how many answers are still to come.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.awaited: float = 0

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def drain(self) -> bytes:
        """Wait for the next part of an answer; return nothing once there is none to wait for."""
        if self.awaited <= 0:
            return b""
        ready, _, _ = select.select([self.socket], [], [], DEADLINE)
        assert ready, f"{self.awaited} answers have not come within {DEADLINE} seconds"
        return self.socket.recv(2**16)


class SocketClient(ssh.SshClient):
    """The client of the tests in memory, talking to a server of its own process."""

    link: SocketLink  # type: ignore[assignment]

    def __init__(self, port: int) -> None:
        self.link = SocketLink(port)
        self._start(b"aes128-gcm@openssh.com")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.socket.close()

    @override
    def send(self, number: int, payload: bytes = b"") -> None:
        self.link.awaited += number in _ANSWERS
        super().send(number, payload)

    @override
    def _note(self, number: int, payload: bytes) -> None:
        super()._note(number, payload)
        self.link.awaited -= number in _IS_ANSWER

    @override
    def disconnected(self) -> tuple[int, bytes] | None:
        # It is over when the connection is.
        self.link.awaited = math.inf
        return super().disconnected()

    def opens(self, numbers: range) -> None:
        """Ask for one channel after the other, and read nothing."""
        for number in numbers:
            self.open(number)

    def floods(self, data: bytes) -> None:
        """Send for as long as the server takes it, and read nothing."""
        link = self.link.socket
        link.setblocking(False)
        # Far more than would fit into all buffers on the way.
        for _ in range(2000):
            packet = self.stream.seal(bytes((94,)) + (0).to_bytes(4, "big") + NS(data))
            while packet:
                _, writable, _ = select.select([], [link], [], 1)
                if not writable:
                    return
                try:
                    packet = packet[link.send(packet) :]
                except OSError:
                    return


@pytest.fixture(scope="module")
def hostile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server with the host key that the client knows, and alice's door open."""
    site = Site(tmp_path_factory.mktemp("hostile"))
    path = host_key_path(site.keys_dir)
    path.write_bytes(ssh.HOST_KEY.toString("openssh"))
    add_keys(site.keys_dir, "alice", ssh.ALICE.public().toString("openssh"), "alice.pub")
    with site.start() as server:
        # What everybody's first login brings along is not held for anybody.
        with SocketClient(server.ssh_port) as client:
            client.log_in()
            client.shell()
            client.data(b"perl\n")
            assert client.output()
        yield server
        server.check_log()


def grown(server: RealServer, before: int) -> int:
    """Return how much more the server has held at most, once it still answers others, in KiB."""
    with SocketClient(server.ssh_port) as client:
        client.log_in()
        client.shell()
        client.data(b"perl\n")
        assert client.output()
    return server.memory("VmHWM") - before


def test_a_client_that_sends_and_never_reads(hostile_server: RealServer) -> None:
    before = hostile_server.memory("VmHWM")
    with SocketClient(hostile_server.ssh_port) as client:
        client.log_in()
        client.shell(window=2**32 - 1)
        client.floods(_LINES)
        assert grown(hostile_server, before) < _GROWTH


def test_a_window_that_stays_shut(hostile_server: RealServer) -> None:
    before = hostile_server.memory("VmHWM")
    with SocketClient(hostile_server.ssh_port) as client:
        client.log_in()
        client.shell(window=0)
        client.floods(_LINES)
        assert grown(hostile_server, before) < _GROWTH


def test_data_before_a_shell(hostile_server: RealServer) -> None:
    before = hostile_server.memory("VmHWM")
    with SocketClient(hostile_server.ssh_port) as client:
        client.log_in()
        client.open()
        client.read()
        client.floods(_LINES)
        assert grown(hostile_server, before) < _GROWTH


def test_ten_thousand_channels(hostile_server: RealServer) -> None:
    before = hostile_server.memory("VmHWM")
    with SocketClient(hostile_server.ssh_port) as client:
        client.log_in()
        for number in range(50):
            client.open(number)
        refused = [number for number, _ in client.read() if number == ssh.OPEN_FAILURE]
        assert len(refused) == 46
        with pytest.raises(OSError, match=os.strerror(32) + "|" + os.strerror(104)):
            client.opens(range(50, 10_000))
        assert grown(hostile_server, before) < _GROWTH


def test_a_packet_that_comes_byte_by_byte(hostile_server: RealServer) -> None:
    before = hostile_server.memory("VmHWM")
    with SocketClient(hostile_server.ssh_port) as client:
        client.log_in()
        client.shell()
        link = client.link.socket
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        packet = client.stream.seal(bytes((ssh.IGNORE,)) + NS(b"x" * 20_000))
        for byte in packet:
            link.send(bytes((byte,)))
        client.data(b"perl\n")
        assert b"\n" in client.output()
        assert grown(hostile_server, before) < _GROWTH


def test_a_packet_too_large_before_login(hostile_server: RealServer) -> None:
    before = hostile_server.memory("VmHWM")
    with SocketClient(hostile_server.ssh_port) as client:
        client.get_keys()
        client.send(ssh.IGNORE, NS(b"x" * 60_000))
        assert client.disconnected()
        assert grown(hostile_server, before) < _GROWTH


def test_compression_is_not_to_be_had(hostile_server: RealServer) -> None:
    with SocketClient(hostile_server.ssh_port) as client:
        client.say_version()
        client.send_kexinit(_kexinit_with_compression())
        gone = client.disconnected()
        assert gone is not None
        assert b"compression" in gone[1]


def _kexinit_with_compression() -> bytes:
    lists = [
        b"curve25519-sha256",
        b"ssh-ed25519",
        *[b"aes128-gcm@openssh.com"] * 2,
        *[b"hmac-sha2-256-etm@openssh.com"] * 2,
        *[b"zlib@openssh.com,zlib"] * 2,
        *[b""] * 2,
    ]
    return bytes(16) + b"".join(map(NS, lists)) + bytes(5)
