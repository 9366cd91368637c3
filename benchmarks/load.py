"""What the load generator does: logs in, asks, pipes, holds, and is refused.

Drives clients by epoll in one thread. Says what it has done and how long each thing took; the
server's processor time is for others to read.
"""

from __future__ import annotations

import random
import select
import socket
from dataclasses import dataclass, field, replace
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from benchmarks.client import Client, Refused
from benchmarks.table import ANSWER, topic
from benchmarks.wire import Broken

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.client import Target

__all__ = ["Done", "Load"]

_PATIENCE = 60.0  # seconds that nothing may happen in
_PIPE_CHUNK = 16 * 1024
_OPENING_AT_ONCE = 32
_SAMPLES = 2000


@dataclass(slots=True)
class Done:
    """What has been done.

    Attributes:
        count: how many.
        seconds: how long it took in all.
        cpu: the processor time that it took of this process, in seconds.
        latencies: of each, in seconds; a sample of them where there are many.
    """

    count: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    latencies: list[float] = field(default_factory=list)


class Load:
    """The clients of one process.

    Args:
        topics: how many topics the server knows.
    """

    def __init__(self, topics: int) -> None:
        self._poll = select.epoll()
        self._clients: dict[int, Client] = {}
        self._sessions: list[Client] = []
        self._silent: list[socket.socket] = []
        self._cpu = 0.0
        self._random = random.Random(1)  # noqa: S311 - the same load each time
        self._lines = [topic(number).encode() + b"\n" for number in range(topics)]

    # The loop

    def _run(self, is_over: Callable[[], bool]) -> None:
        heard = perf_counter()
        while not is_over():
            for number, events in self._poll.poll(1.0, 512):
                client = self._clients.get(number)
                if client is not None:
                    heard = perf_counter()
                    client.event(events)
            if perf_counter() - heard > _PATIENCE:
                raise Broken(f"nothing has happened for {_PATIENCE:.0f} s")

    def _connect(self, target: Target, ready: Callable[[Client], None]) -> Client:
        client = Client(target, ready, self._poll)
        self._clients[client.number] = client
        return client

    def _line(self) -> bytes:
        return self._random.choice(self._lines)

    # Logins

    def log_in(self, target: Target, concurrency: int, seconds: float, users: int = 1) -> Done:
        """Log in again and again: connect, ask for a shell, read one answer, close.

        Args:
            target: the server; with several users the name ends in the key's number.
            concurrency: how many are under way at any time.
            seconds: how long new ones are begun.
            users: how many keys take turns.
        """
        done = Done()
        began = self._begin()
        until = began + seconds
        under_way = 0

        def begin() -> None:
            nonlocal under_way
            under_way += 1
            who = target
            if users > 1:
                number = self._random.randrange(users)
                who = replace(target, user=f"{target.user}{number}", seed=number)
            client = self._connect(who, ask)
            client.on_data, client.on_end = read, ended

        def ask(client: Client) -> None:
            client.say(self._line())

        def read(client: Client, data: bytes) -> None:
            client.heard += data
            if data.endswith(b"\n"):
                _must_be_from_the_table(client.heard)
                done.latencies.append(perf_counter() - client.started)
                client.on_data = None
                client.end_input()

        def ended(client: Client) -> None:
            nonlocal under_way
            if client.on_data is not None:
                raise Broken("the server hung up before it had answered")
            under_way -= 1
            done.count += 1
            if perf_counter() < until:
                begin()

        for _ in range(concurrency):
            begin()
        self._run(lambda: not under_way)
        return self._finished(done, began)

    # Sessions that stay

    def open(self, target: Target, count: int) -> Done:
        """Open sessions until there are `count`, each with one line answered."""
        done = Done()
        began = self._begin()
        waiting = max(0, count - len(self._sessions))
        under_way = 0

        def begin() -> None:
            nonlocal under_way, waiting
            while waiting and under_way < _OPENING_AT_ONCE:
                waiting -= 1
                under_way += 1
                client = self._connect(target, ask)
                client.on_data = read

        def ask(client: Client) -> None:
            line = self._line()
            client.say(line.replace(b"\n", b"\r") if target.pty else line)

        def read(client: Client, data: bytes) -> None:
            nonlocal under_way
            client.heard += data
            if ANSWER in client.heard:
                client.on_data = None
                self._sessions.append(client)
                done.count += 1
                done.latencies.append(perf_counter() - client.started)
                under_way -= 1
                begin()

        begin()
        self._run(lambda: not under_way)
        return self._finished(done, began)

    def ping_pong(self, count: int, seconds: float) -> Done:
        """Let the first `count` sessions ask, each when it has been answered."""
        done = Done()
        began = self._begin()
        until = began + seconds
        asked: dict[int, float] = {}

        def ask(client: Client) -> None:
            asked[client.number] = perf_counter()
            client.say(self._line())

        def read(client: Client, data: bytes) -> None:
            if not data.endswith(b"\n"):
                return
            now = perf_counter()
            done.latencies.append(now - asked.pop(client.number))
            done.count += 1
            if now < until:
                ask(client)

        for client in self._sessions[:count]:
            client.on_data = read
            ask(client)
        self._run(lambda: not asked)
        for client in self._sessions[:count]:
            client.on_data = None
        return self._finished(done, began)

    def pipe(self, lines: int) -> Done:
        """Pipe lines through the first session, as fast as its window opens."""
        client = self._sessions[0]
        chunk_lines = _PIPE_CHUNK // max(map(len, self._lines))
        chunks = [b"".join(self._line() for _ in range(chunk_lines)) for _ in range(50)]
        done = Done()
        left = lines

        def send(client: Client) -> None:
            nonlocal left
            while left and client.window >= _PIPE_CHUNK:
                chunk = chunks[left % len(chunks)]
                if left < chunk_lines:
                    chunk = b"".join(chunk.splitlines(keepends=True)[:left])
                left -= min(left, chunk_lines)
                client.say(chunk)

        def read(_: Client, data: bytes) -> None:
            done.count += data.count(b"\n")

        client.on_data, client.on_window = read, send
        began = self._begin()
        send(client)
        self._run(lambda: done.count >= lines)
        client.on_data = client.on_window = None
        return self._finished(done, began)

    def close(self) -> Done:
        """Hang up, on all sessions that stay too."""
        done = Done(len(self._sessions))
        for client in self._clients.values():
            client.close()
        self._sessions.clear()
        self._clients.clear()
        return done

    # Nuisances

    def fail(self, target: Target, concurrency: int, seconds: float) -> Done:
        """Fail to log in again and again, with a key that nobody has been given."""
        done = Done()
        began = self._begin()
        until = began + seconds
        clients: list[Client] = []
        while perf_counter() < until:
            clients = [self._connect(target, _must_not_get_in) for _ in range(concurrency)]
            for client in clients:
                self._until_refused(client)
                done.count += 1
        return self._finished(done, began)

    def _until_refused(self, client: Client) -> None:
        poll = select.poll()
        poll.register(client.number, select.POLLIN)
        try:
            while True:
                poll.poll(_PATIENCE * 1000)
                client.event(select.EPOLLIN)
        except Refused:
            del self._clients[client.number]
            client.close()

    def say_nothing(self, port: int, count: int) -> Done:
        """Connect, read what the server says first, and stay."""
        began = self._begin()
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", port), _PATIENCE)
            if not sock.recv(8192):
                raise Broken("the server hung up")
            self._silent.append(sock)
        return self._finished(Done(count), began)

    def leave(self) -> Done:
        """Hang up on whom nothing was said to."""
        done = Done(len(self._silent))
        for sock in self._silent:
            sock.close()
        self._silent.clear()
        return done

    def knock(self, port: int, seconds: float) -> Done:
        """Connect again and again where every connection is refused."""
        done = Done()
        began = self._begin()
        while perf_counter() < began + seconds:
            with socket.create_connection(("127.0.0.1", port), _PATIENCE) as sock:
                try:
                    while sock.recv(8192):
                        pass
                except ConnectionResetError:
                    pass
            done.count += 1
        return self._finished(done, began)

    def _begin(self) -> float:
        self._cpu = process_time()
        return perf_counter()

    def _finished(self, done: Done, began: float) -> Done:
        done.seconds, done.cpu = perf_counter() - began, process_time() - self._cpu
        if len(done.latencies) > _SAMPLES:
            done.latencies = self._random.sample(done.latencies, _SAMPLES)
        return done


def _must_not_get_in(_: Client) -> None:
    raise Broken("the server let a stranger in")


def _must_be_from_the_table(data: bytes) -> None:
    if ANSWER not in data:
        raise Broken(f"the server does not answer from the table: {data!r}")
