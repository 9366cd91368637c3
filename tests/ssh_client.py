"""An SSH client in memory, and the TCP connection between it and a server of ours.

The client does only what a test tells it to, right or wrong: it can send every message in every
state, and reads when it is told to. What it has read is in `received`.
"""

from __future__ import annotations

import gc
import struct
from contextlib import contextmanager
from hashlib import sha256
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from twisted.conch.ssh.common import MP, NS
from twisted.conch.ssh.keys import Key
from twisted.cred.portal import Portal
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, Logger, LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer

from conch_insults.config import LimitSettings, SshSettings
from conch_insults.limits import ConnectionLimits, Gate
from conch_insults.ssh.checker import PublicKeyChecker
from conch_insults.ssh.ciphers import new_opener, new_sealer
from conch_insults.ssh.factory import InsultSSHFactory
from conch_insults.ssh.packet_stream import PacketStream
from conch_insults.ssh.realm import InsultRealm
from conch_insults.wire import Fields, ProtocolError
from tests.ssh_peer import GRANT, started_conversations, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.internet.interfaces import IPushProducer
    from twisted.logger import LogEvent

    from conch_insults.access.grants import Grant, Offer
    from conch_insults.access.policy import Policy
    from conch_insults.core.packs import Pack
    from conch_insults.events import Event
    from conch_insults.ssh.transport import InsultSSHTransport

VERSION = b"SSH-2.0-test"
HOST_KEY, ALICE = (Key(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"%d" % n)) for n in (1, 2))
HOST_KEY_BLOB = HOST_KEY.public().blob()
ALICE_BLOB = ALICE.public().blob()

# Twisted's own bound, after which it pauses who writes; the kernel's buffers come on top.
_WRITE_BUFFER = 64 * 1024

DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG, SERVICE_REQUEST, SERVICE_ACCEPT, EXT_INFO = range(1, 8)
KEXINIT, NEWKEYS, KEX_INIT, KEX_REPLY = 20, 21, 30, 31
AUTH_REQUEST, AUTH_FAILURE, AUTH_SUCCESS, AUTH_BANNER = 50, 51, 52, 53
GLOBAL_REQUEST, REQUEST_SUCCESS, REQUEST_FAILURE = 80, 81, 82
OPEN, OPENED, OPEN_FAILURE, ADJUST, DATA, EXTENDED_DATA, EOF, CLOSE = range(90, 98)
REQUEST, SUCCESS, FAILURE = 98, 99, 100

# Any bytes at all do as one.
COOKIE = bytes(16)


def uint32(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}L", *numbers)


@contextmanager
def no_failure_logged() -> Iterator[None]:
    """Make sure that nothing critical is logged, nor found to be unhandled when it is forgotten."""
    failures: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if event["log_level"] is LogLevel.critical or "log_failure" in event:
            failures.append(event)

    globalLogPublisher.addObserver(observe)
    try:
        yield
        gc.collect()
    finally:
        globalLogPublisher.removeObserver(observe)
    assert not failures


def kexinit(
    kex: bytes = b"curve25519-sha256",
    *,
    cipher: bytes = b"aes128-gcm@openssh.com",
    compression: bytes = b"none",
    strict: bool = True,
    guess: bool = False,
) -> bytes:
    """Make a KEXINIT's payload."""
    kexes = kex + b",ext-info-c" + b",kex-strict-c-v00@openssh.com" * strict
    lists = [kexes, b"ssh-ed25519", cipher, cipher]
    lists += [b"hmac-sha2-256-etm@openssh.com"] * 2 + [compression] * 2 + [b""] * 2
    return COOKIE + b"".join(map(NS, lists)) + bytes((guess,)) + uint32(0)


class TcpLink:
    """The server's end of a TCP connection: it pauses whoever writes more than it can pass on.

    Attributes:
        pending: what the server has written and the client has not yet read.
        most_pending: how much that was when it was most.
        unread: what the client has sent while the server would not read.
        reading: whether the server reads.
        take_turns: lets the reactor's turns pass that the server has asked for.
    """

    server: InsultSSHTransport
    take_turns: Callable[[], None]

    def __init__(self) -> None:
        self.pending = bytearray()
        self.most_pending = 0
        self.unread = bytearray()
        self.reading = True
        self.no_delay = self.keep_alive = False
        self.disconnecting = self.aborted = self.lost = False
        self._producer: IPushProducer | None = None
        self._is_paused = self._is_writing = False

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802 - ITCPTransport's
        self.no_delay = enabled

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802 - ITCPTransport's
        self.keep_alive = enabled

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.1", 1)

    def write(self, data: bytes) -> None:
        if self.lost:
            return
        self._is_writing = True
        self.pending += data
        self.most_pending = max(self.most_pending, len(self.pending))
        # As Twisted's does: once more for each write.
        if self._producer is not None and len(self.pending) > _WRITE_BUFFER:
            self._is_paused = True
            self._producer.pauseProducing()

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        assert streaming
        self._producer = producer

    def unregisterProducer(self) -> None:
        self._producer = None
        self._is_paused = False

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        if not self.disconnecting:
            self.reading = True

    def loseConnection(self) -> None:
        self.disconnecting = self._is_writing = True
        self.reading = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.lose()

    @property
    def is_over(self) -> bool:
        return self.disconnecting or self.lost

    def lose(self) -> None:
        """Lose the connection, whoever wanted it."""
        if not self.lost:
            self.lost, self.reading = True, False
            self._producer = None
            self.server.connectionLost(Failure(ConnectionDone()))

    # The client's end.

    def send(self, data: bytes) -> None:
        """Send to the server, which gets it when it reads."""
        self.unread += data
        self.deliver()

    def deliver(self) -> None:
        """Give the server what waits for it, as much at a time as Twisted reads."""
        while self.unread and self.reading:
            piece = bytes(self.unread[:65536])
            del self.unread[:65536]
            self.server.dataReceived(piece)
            self.take_turns()

    def drain(self) -> bytes:
        """Read all that the server has written."""
        data = bytes(self.pending)
        self.pending.clear()
        is_writing, self._is_writing = self._is_writing, False
        # As Twisted's does: a producer that goes on comes before a wish to close.
        if self._is_paused and self._producer is not None:
            self._is_paused = False
            self._producer.resumeProducing()
            self.take_turns()
        elif self.disconnecting and is_writing:
            self.lose()
        return data


class _OnlyAlice:
    """A policy that lets alice in with her key, and nobody else."""

    def decide(self, offer: Offer, now: object) -> Grant | SimpleNamespace:
        if (offer.user, offer.blob) == ("alice", ALICE_BLOB):
            return GRANT
        return SimpleNamespace(reason="not alice")


class SshClient:
    """A client, and the server that it is connected to.

    Attributes:
        clock: the server's.
        link: the connection.
        received: numbers and payloads of all messages read.
        stream: the packets of our side.
    """

    def __init__(
        self,
        ssh: SshSettings | None = None,
        limits: LimitSettings | None = None,
        pack: Pack | None = None,
        *,
        tcp: bool = True,
    ) -> None:
        self.clock = Clock()
        self.events: list[Event] = []
        self.conversations = started_conversations(pack)
        factory = InsultSSHFactory(
            Portal(
                InsultRealm(self.conversations, self.events.append, self.clock),
                [PublicKeyChecker(cast("Policy", _OnlyAlice()))],
            ),
            {b"ssh-ed25519": HOST_KEY},
            Gate(ConnectionLimits(), self.clock, Random(1)),
            set(),
            ssh_settings=ssh or SshSettings(),
            limits=limits or LimitSettings(),
            emit=self.events.append,
            log=Logger(),
            clock=self.clock,
        )
        self.connect(factory, tcp=tcp)

    def connect(self, factory: InsultSSHFactory, *, tcp: bool = True) -> None:
        """Connect to a server."""
        self.factory = factory
        server = self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
        assert server is not None
        self.server = server
        self.link = TcpLink()
        if tcp:
            directlyProvides(self.link, ITCPTransport)  # what the server uses of it
        self.link.server = server
        self.link.take_turns = self._take_turns
        self._start(b"aes128-gcm@openssh.com")
        server.makeConnection(self.link)

    def _take_turns(self) -> None:
        conversations = getattr(self, "conversations", None)
        if conversations is not None:
            take_turns(conversations)

    def _start(self, cipher: bytes) -> None:
        self.received: list[tuple[int, bytes]] = []
        self.stream = PacketStream(2**20)
        self.version = b""
        self.session_id = b""
        self.strict = True
        self.cipher = cipher
        self._server_version: bytes | None = None
        self._our_kexinit = self._their_kexinit = b""
        self._secret = X25519PrivateKey.generate()
        self._keys: list[bytes] = []
        self._held: bytearray | None = None

    # Sending

    def say_version(self, version: bytes = VERSION) -> None:
        self.version = version
        self.write(version + b"\r\n")

    def write(self, data: bytes) -> None:
        if self._held is None:
            self.link.send(data)
        else:
            self._held += data

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Send what is sent in between in one piece."""
        self._held = bytearray()
        yield
        held, self._held = self._held, None
        self.link.send(bytes(held))

    def send(self, number: int, payload: bytes = b"") -> None:
        self.write(self.stream.seal(bytes((number,)) + payload))

    def send_kexinit(self, payload: bytes | None = None) -> None:
        payload = payload or kexinit(cipher=self.cipher, strict=self.strict)
        self._our_kexinit = bytes((KEXINIT,)) + payload
        self.send(KEXINIT, payload)

    @property
    def kex_init(self) -> bytes:
        """The payload of message 30."""
        return NS(self._secret.public_key().public_bytes_raw())

    def send_newkeys(self) -> None:
        self.send(NEWKEYS)
        self._use_keys()

    def _use_keys(self) -> None:
        iv, _, key, _, integrity, _ = self._keys
        mac = b"hmac-sha2-256-etm@openssh.com"
        self.stream.switch_outgoing(
            new_sealer(self.cipher, mac, iv, key, integrity), reset=self.strict
        )

    # Reading

    def read(self) -> list[tuple[int, bytes]]:
        """Read all there is, and return the messages since the last call."""
        start = len(self.received)
        while data := self.link.drain():
            self.stream.receive(data)
            if self._server_version is None:
                self._server_version = self.stream.next_version()
            while (payload := self.stream.next_payload()) is not None:
                self._note(payload[0], payload[1:])
        self.link.drain()
        return self.received[start:]

    def numbers(self) -> list[int]:
        """Read all there is, and return the numbers of the messages."""
        return [number for number, _ in self.read()]

    def disconnected(self) -> tuple[int, bytes] | None:
        """Return code and text of the DISCONNECT that was the last to come, if one was."""
        self.read()
        if not self.received or self.received[-1][0] != DISCONNECT:
            return None
        fields = Fields(self.received[-1][1])
        return fields.uint32(), fields.string()

    def output(self) -> bytes:
        """Read all there is, and return the data on all channels."""
        return b"".join(data[8:] for number, data in self.read() if number == DATA)

    def _note(self, number: int, payload: bytes) -> None:
        self.received.append((number, payload))
        if number == KEXINIT:
            self._their_kexinit = bytes((KEXINIT,)) + payload
        elif number == KEX_REPLY:
            self._derive_keys(Fields(payload))
        elif number == NEWKEYS:
            _, iv, _, key, _, integrity = self._keys
            mac = b"hmac-sha2-256-etm@openssh.com"
            self.stream.switch_incoming(
                new_opener(self.cipher, mac, iv, key, integrity), reset=self.strict
            )

    def _derive_keys(self, fields: Fields) -> None:
        """Do as RFC 4253, section 7.2, and RFC 8731 say, and check who signed."""
        blob, theirs, signature = (fields.string() for _ in range(3))
        assert blob == HOST_KEY_BLOB
        shared = self._secret.exchange(X25519PublicKey.from_public_bytes(theirs))
        secret = MP(int.from_bytes(shared, "big"))
        said = [self.version, self._server_version or b"", self._our_kexinit, self._their_kexinit]
        hashed = sha256(b"".join(map(NS, [*said, blob])) + self.kex_init + NS(theirs) + secret)
        digest = hashed.digest()
        if not HOST_KEY.public().verify(signature, digest):
            raise ProtocolError("the server signed something else")
        self.session_id = self.session_id or digest
        self._keys = [self._key(bytes((letter,)), secret + digest) for letter in b"ABCDEF"]

    def _key(self, letter: bytes, seed: bytes) -> bytes:
        first = sha256(seed + letter + self.session_id).digest()
        return first + sha256(seed + first).digest()

    # Whole steps

    def exchange_keys(self) -> None:
        """Do a key exchange, the first or, when the server's KEXINIT is read, another one."""
        self.send_kexinit()
        self.read()
        self.send(KEX_INIT, self.kex_init)
        self.read()
        self.send_newkeys()

    def get_keys(self) -> None:
        """Get as far as the first keys."""
        self.say_version()
        self.exchange_keys()

    def request_service(self) -> None:
        self.get_keys()
        self.send(SERVICE_REQUEST, NS(b"ssh-userauth"))
        self.read()

    def claim(self, user: str = "alice", key: Key = ALICE, blob: bytes = b"") -> bytes:
        """Make the payload of a request to be let in; `blob` may be a certificate of the key."""
        blob = blob or key.public().blob()
        head = NS(user.encode()) + NS(b"ssh-connection") + NS(b"publickey") + b"\1"
        signed = bytes((AUTH_REQUEST,)) + head + NS(Fields(blob).string()) + NS(blob)
        return signed[1:] + NS(key.sign(NS(self.session_id) + signed))

    def log_in(self) -> None:
        self.request_service()
        self.send(AUTH_REQUEST, self.claim())
        assert self.numbers() == [AUTH_SUCCESS]

    def open(self, channel: int = 0, window: int = 2**20) -> None:
        self.send(OPEN, NS(b"session") + uint32(channel, window, 32768))

    def request(self, name: bytes, data: bytes = b"", channel: int = 0) -> None:
        self.send(REQUEST, uint32(channel) + NS(name) + b"\1" + data)

    def pty(self, channel: int = 0) -> None:
        self.request(b"pty-req", NS(b"xterm") + uint32(80, 24, 0, 0) + NS(b""), channel)

    def data(self, data: bytes, channel: int = 0) -> None:
        self.send(DATA, uint32(channel) + NS(data))

    def shell(self, channel: int = 0, window: int = 2**20) -> None:
        """Open a channel and start a shell without a terminal."""
        self.open(channel, window)
        self.request(b"shell", channel=channel)
        self.read()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, a second at a time, and answer nothing."""
        self.clock.pump([1.0] * int(seconds))
