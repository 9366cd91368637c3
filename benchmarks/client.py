"""One connection of the load generator: logs in, opens a shell, and says what it is told to say.

Knows the messages of a login and of one channel. When to connect and what to count is for `load`.
"""

from __future__ import annotations

import select
import socket
import struct
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from time import perf_counter
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.key_exchange import CURVE25519, VERSION, Exchange
from benchmarks.wire import Broken, Fields, Plain, string

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.wire import Protection

__all__ = ["Client", "Refused", "Target", "public_blob", "user_key"]

_KEY_TYPE = b"ssh-ed25519"
_WINDOW, _MAX_PACKET = 4 * 1024 * 1024, 32 * 1024
# IGNORE, DEBUG, EXT_INFO, USERAUTH_BANNER and CHANNEL_EXTENDED_DATA.
_NOISE = frozenset((2, 4, 7, 53, 95))
_GLOBAL_REQUEST, _ADJUST, _DATA, _CHANNEL_REQUEST = 80, 93, 94, 98
_EOF, _CLOSE = 96, 97
# SSH_MSG_USERAUTH_FAILURE; DISCONNECT too, from servers that end it at the first failure.
_NO = frozenset((1, 51))
_PTY = b"xterm-256color", 80, 24
_DISCONNECT = b"\x01" + struct.pack(">L", 11) + string(b"done") + string(b"")


@dataclass(frozen=True, slots=True)
class Target:
    """Which server is driven, and as whom.

    Attributes:
        port: on loopback.
        user: the name.
        seed: which of the users' keys to bring.
        kex: the key exchange method.
        pty: whether to ask for a terminal.
    """

    port: int
    user: str
    seed: int = 0
    kex: bytes = CURVE25519
    pty: bool = False


@cache
def user_key(seed: int) -> Ed25519PrivateKey:
    """Return a user's key; the same number is the same key, so that nothing must be stored."""
    return Ed25519PrivateKey.from_private_bytes(sha256(b"bench %d" % seed).digest())


@cache
def public_blob(seed: int) -> bytes:
    """Return the public half of a user's key as SSH writes it."""
    return string(_KEY_TYPE) + string(user_key(seed).public_key().public_bytes_raw())


class Client:
    """A connection, as a file that epoll can watch.

    Attributes:
        started: when it was connected, by `perf_counter`.
        window: how many bytes the server takes now.
        heard: what has been read, as long as somebody keeps it.
    """

    has_checked_host = False

    def __init__(self, target: Target, ready: Callable[[Client], None], poll: select.epoll) -> None:
        self.started = perf_counter()
        self.window = 0
        self.heard = b""
        self.on_data: Callable[[Client, bytes], None] | None = None
        self.on_end: Callable[[Client], None] | None = None
        self.on_window: Callable[[Client], None] | None = None
        self._target, self._ready, self._poll = target, ready, poll
        self._buffer, self._out = bytearray(), bytearray()
        self._incoming: Protection = Plain()
        self._outgoing: Protection = Plain()
        self._version: bytes | None = None
        self._channel = b""
        self._unacknowledged = 0
        self._waits_for_room = False
        self._steps: Generator[None, bytes, None] | None = self._login()
        self._socket = socket.create_connection(("127.0.0.1", target.port))
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = self._socket.fileno()
        poll.register(self.number, select.EPOLLIN)
        next(self._steps)
        self._flush()

    def say(self, data: bytes) -> None:
        """Send data on the channel; the caller has looked at the window."""
        self.window -= len(data)
        self._send(b"\x5e" + self._channel + string(data))
        self._flush()

    def end_input(self) -> None:
        """Say that no more will come."""
        self._send(b"\x60" + self._channel)
        self._flush()

    def close(self) -> None:
        """Hang up."""
        if self.number >= 0:
            self._poll.unregister(self.number)
            self.number = -1
            self._socket.close()

    def event(self, events: int) -> None:
        """Act on what epoll has seen."""
        if events & select.EPOLLOUT:
            self._flush()
        if events & ~select.EPOLLOUT:
            try:
                data = self._socket.recv(256 * 1024)
            except ConnectionResetError:
                data = b""
            if data:
                self._received(data)
            else:
                self._ended()

    def _ended(self) -> None:
        self.close()
        if self.on_end is None:
            raise Broken("the server hung up")
        self.on_end(self)

    def _received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if self._version is None:
            line, newline, rest = buffer.partition(b"\n")
            if not newline:
                return
            self._version = bytes(line.rstrip(b"\r"))
            buffer = self._buffer = rest
        while (payload := self._incoming.open(buffer)) is not None:
            self._act_on(payload)
            if self.number < 0:
                return
        if self._out:
            self._flush()

    def _act_on(self, payload: bytes) -> None:
        number = payload[0]
        if number == _DATA:
            self._take(payload)
        elif number in _NOISE:
            pass
        elif number == _ADJUST:
            self.window += int.from_bytes(payload[5:9], "big")
            if self.on_window is not None:
                self.on_window(self)
        elif number == _GLOBAL_REQUEST:
            self._answer_global_request(payload)
        elif self._steps is not None:
            try:
                self._steps.send(payload)
            except StopIteration:
                self._steps = None
                self._ready(self)
        elif number == _CLOSE:
            self._send(b"\x61" + self._channel)
            self._send(_DISCONNECT)
            self._flush()
            self._ended()
        elif number not in {_EOF, _CHANNEL_REQUEST}:
            raise Broken(f"message {number} was not expected")

    def _answer_global_request(self, payload: bytes) -> None:
        wants_reply = payload[5 + len(Fields(payload, 1).string())]
        if wants_reply:
            self._send(b"\x52")

    def _take(self, payload: bytes) -> None:
        size = len(payload) - 9
        self._unacknowledged += size
        if self._unacknowledged > _WINDOW // 2:
            self._send(b"\x5d" + self._channel + struct.pack(">L", self._unacknowledged))
            self._unacknowledged = 0
        if self.on_data is not None:
            self.on_data(self, payload[9:])

    # The login, message by message

    def _login(self) -> Generator[None, bytes, None]:
        exchange = Exchange(self._target.kex)
        self._out += VERSION + b"\r\n"
        self._send(exchange.kexinit)
        self._send(exchange.answer(_expect(20, (yield))))
        reply = _expect(31, (yield))
        check = not Client.has_checked_host
        keys = exchange.finish(reply, self._version or b"", check=check)
        Client.has_checked_host = True
        self._send(b"\x15")
        self._outgoing = keys.outgoing
        self._send(b"\x05" + string(b"ssh-userauth"))
        _expect(21, (yield))
        self._incoming = keys.incoming
        _expect(6, (yield))
        self._send(self._signed_request(keys.session_id))
        _expect(52, (yield))
        self._send(b"\x5a" + string(b"session") + struct.pack(">LLL", 0, _WINDOW, _MAX_PACKET))
        fields = Fields(_expect(91, (yield)), 5)
        self._channel = struct.pack(">L", fields.uint32())
        self.window += fields.uint32()
        if self._target.pty:
            term, columns, rows = _PTY
            sizes = struct.pack(">LLLL", columns, rows, 0, 0)
            self._request(b"pty-req", string(term) + sizes + string(b"\0"))
        self._request(b"shell", b"")
        for _ in range(1 + self._target.pty):
            _expect(99, (yield))

    def _signed_request(self, session_id: bytes) -> bytes:
        """Make SSH_MSG_USERAUTH_REQUEST (RFC 4252, section 7)."""
        user, blob = self._target.user.encode(), public_blob(self._target.seed)
        request = (
            b"\x32"
            + b"".join(map(string, (user, b"ssh-connection", b"publickey")))
            + b"\1"
            + string(_KEY_TYPE)
            + string(blob)
        )
        signature = user_key(self._target.seed).sign(string(session_id) + request)
        return request + string(string(_KEY_TYPE) + string(signature))

    def _request(self, kind: bytes, rest: bytes) -> None:
        self._send(b"\x62" + self._channel + string(kind) + b"\1" + rest)

    # Bytes

    def _send(self, payload: bytes) -> None:
        self._out += self._outgoing.seal(payload)

    def _flush(self) -> None:
        if self._out and self.number >= 0:
            try:
                sent = self._socket.send(self._out)
            except BlockingIOError:
                sent = 0
            except (BrokenPipeError, ConnectionResetError):
                self._out.clear()
                return
            del self._out[:sent]
        if bool(self._out) != self._waits_for_room and self.number >= 0:
            self._waits_for_room = bool(self._out)
            wanted = select.EPOLLIN | (select.EPOLLOUT if self._out else 0)
            self._poll.modify(self.number, wanted)


def _expect(number: int, payload: bytes) -> bytes:
    if payload[0] != number:
        kind = Refused if payload[0] in _NO else Broken
        raise kind(f"message {payload[0]} came, not {number}: {payload[:200]!r}")
    return payload


class Refused(Broken):
    """The server said no."""
