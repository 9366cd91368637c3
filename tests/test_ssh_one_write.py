"""How packets leave: those of a turn in one write, past the reactor while the kernel takes them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import pytest
from twisted.conch.ssh.common import NS
from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.protocol import Factory
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from typing_extensions import override

from tests import ssh_client as ssh
from tests.ssh_client import SshClient, no_failure_logged, uint32
from tests.ssh_peer import insult_pack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conch_insults.ssh.transport import InsultSSHTransport


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    with no_failure_logged():
        yield


class Reactor:
    """Notes who waits for what."""

    def __init__(self) -> None:
        self.readers: set[object] = set()
        self.writers: set[object] = set()

    def addReader(self, reader: object) -> None:  # noqa: N802 - IReactorFDSet's
        self.readers.add(reader)

    def addWriter(self, writer: object) -> None:  # noqa: N802 - IReactorFDSet's
        self.writers.add(writer)

    def removeReader(self, reader: object) -> None:  # noqa: N802 - IReactorFDSet's
        self.readers.discard(reader)

    def removeWriter(self, writer: object) -> None:  # noqa: N802 - IReactorFDSet's
        self.writers.discard(writer)


class Socket(FileDescriptor):
    """A connection on which the kernel takes so many bytes."""

    connected = 1

    def __init__(self, room: int = 1_000_000) -> None:
        self.watch = Reactor()
        super().__init__(cast("Any", self.watch))
        self.room = room
        self.sent: list[bytes] = []
        self.is_gone = self.aborted = False
        self.startReading()

    @override
    def writeSomeData(self, data: bytes) -> int | BaseException:
        if self.is_gone:
            return CONNECTION_LOST
        taken = bytes(data)[: self.room]
        self.room -= len(taken)
        if taken:
            self.sent.append(taken)
        return len(taken)

    def abortConnection(self) -> None:
        self.aborted = True

    @property
    def is_read(self) -> bool:
        return self in self.watch.readers

    @property
    def waits_to_write(self) -> bool:
        return self in self.watch.writers


def connect(socket: Socket) -> InsultSSHTransport:
    server = SshClient().factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
    assert server is not None
    server.makeConnection(socket)
    return server


def hello(socket: Socket) -> tuple[bytes, bytes]:
    """Return the version line, and the number of the message after it."""
    version, _, packet = b"".join(socket.sent).partition(b"\r\n")
    return version, packet[5:6]


def test_what_a_turn_leads_to_is_one_write_and_the_reactor_is_not_asked() -> None:
    socket = Socket()
    connect(socket)
    assert len(socket.sent) == 1
    assert hello(socket) == (b"SSH-2.0-conch_insults", bytes((ssh.KEXINIT,)))
    assert not socket.waits_to_write


def test_what_is_sent_in_no_turn_goes_out_too() -> None:
    socket = Socket()
    server = connect(socket)
    server.sendPacket(ssh.NEWKEYS, b"")
    assert len(socket.sent) == 2
    assert not socket.waits_to_write


def test_what_the_kernel_does_not_take_waits_for_it_in_order() -> None:
    whole, socket = Socket(), Socket(room=10)
    for each in (whole, socket):
        server = connect(each)
        server.dataReceived(b"SSH-2.0-test\r\n")
        server.sendPacket(ssh.NEWKEYS, b"")
    assert b"".join(socket.sent) == b"SSH-2.0-co"
    assert socket.waits_to_write
    assert not socket.is_read
    while socket.waits_to_write:
        socket.room = 300
        socket.doWrite()
    assert socket.is_read
    # All but the cookie, which is random.
    sent, expected = b"".join(socket.sent), b"".join(whole.sent)
    cookie = slice(len(b"SSH-2.0-conch_insults\r\n") + 6, len(b"SSH-2.0-conch_insults\r\n") + 22)
    assert len(sent) == len(expected)
    assert sent.replace(sent[cookie], bytes(16)) == expected.replace(expected[cookie], bytes(16))


def test_while_that_waits_nothing_overtakes_it() -> None:
    socket = Socket(room=10)
    server = connect(socket)
    socket.room = 1_000_000
    server.sendPacket(ssh.NEWKEYS, b"")
    assert b"".join(socket.sent) == b"SSH-2.0-co"
    socket.doWrite()
    assert hello(socket) == (b"SSH-2.0-conch_insults", bytes((ssh.KEXINIT,)))
    server.sendPacket(ssh.NEWKEYS, b"")
    # It goes past the reactor again.
    assert not socket.waits_to_write


def test_whoever_takes_everything_leaves_the_others_their_turn() -> None:
    client = SshClient(pack=insult_pack(b"perl: " + b"x" * 500))
    client.log_in()
    socket = Socket(room=10**9)
    client.server.transport = socket
    client.server._takes_some = True
    socket.registerProducer(client.server, streaming=True)
    asked = bytearray()
    for number in range(10):
        # Each answer is some 50 KB.
        for message, payload in (
            (ssh.OPEN, NS(b"session") + uint32(number, 2**20, 2**15)),
            (ssh.REQUEST, uint32(number) + NS(b"exec") + b"\0" + NS(b"perl -n 100")),
            (ssh.CLOSE, uint32(number)),
        ):
            asked += client.stream.seal(bytes((message,)) + payload)
    client.server.dataReceived(bytes(asked))
    turns = [sum(map(len, socket.sent))]
    while socket.waits_to_write:
        assert not socket.is_read
        socket.doWrite()
        turns.append(sum(map(len, socket.sent)))
    assert socket.is_read
    assert turns[-1] > 500_000
    assert all(after - before < 128 * 1024 for before, after in pairwise([0, *turns]))


def test_a_connection_that_is_lost_is_the_reactors_to_report() -> None:
    socket = Socket()
    server = connect(socket)
    socket.is_gone = True
    server.sendPacket(ssh.NEWKEYS, b"")
    assert socket.waits_to_write
    assert socket.doWrite() is CONNECTION_LOST
    assert not socket.aborted


def test_the_last_word_goes_out_before_the_end() -> None:
    socket = Socket()
    server = connect(socket)
    server.dataReceived(b"SSH-1.5-old\r\n")
    assert socket.sent[-1][5] == ssh.DISCONNECT
    assert socket.disconnecting


def test_a_wrapper_around_the_connection_is_not_passed_by() -> None:
    class Shouting(ProtocolWrapper):
        @override
        def write(self, data: bytes) -> None:
            super().write(data.upper())

    socket = Socket()
    client = SshClient()
    factory = WrappingFactory(client.factory)
    factory.protocol = Shouting
    factory.noisy = Factory.noisy = False
    wrapper = factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
    assert wrapper is not None
    wrapper.makeConnection(socket)
    assert not socket.sent
    socket.doWrite()
    assert hello(socket)[0] == b"SSH-2.0-CONCH_INSULTS"
