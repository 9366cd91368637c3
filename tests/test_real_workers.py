"""A server with two workers, as an operator runs it: one address, one log, one pid, one end."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conch_insults.ssh.host_keys import host_key_path
from tests.real_server import DEADLINE, TWIST, TWISTD, Doors, PipedSsh, Site, needs_openssh
from tests.test_twistd import (
    AS_NOBODY,
    FAREWELL,
    NOBODY,
    TESTING,
    answers,
    daemon,
    needs_root,
    says_why,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.real_server import RealServer

TWO = '[server]\nworkers = 2\n[insults]\nrating = "r"\npacks = ["known.txt"]\n'
BOTH = {"1", "2"}
SAID = TESTING.decode().strip()

needs_pidfd = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="needs Linux's pidfd to wait for somebody else's child"
)
pytestmark = [needs_openssh, needs_pidfd]


@pytest.fixture
def site(site: Site) -> Site:
    site.configure(TWO)
    return site


class Workers:
    """The workers of a server: their processes, and a session of alice's with each of them."""

    def __init__(self, server: RealServer, stack: ExitStack) -> None:
        self.server = server
        self.pids = {number: self._pid_of(number) for number in BOTH}
        self.sessions: dict[str, PipedSsh] = {}
        self._stack = stack
        self._alive = {pid: os.pidfd_open(pid) for pid in self.pids.values()}
        for descriptor in self._alive.values():
            stack.callback(os.close, descriptor)

    def _pid_of(self, number: str) -> int:
        return int(self.server.logged(f"worker serving: worker={number} ").rpartition("=")[2])

    def log_in(self, *numbers: str) -> None:
        """Log in until there is a session with each of these workers."""
        while not set(numbers) <= set(self.sessions):
            self.server.new_page()
            session = self._stack.enter_context(PipedSsh(self.server, "-T"))
            session.says("testing")
            assert session.hears() == SAID
            number = worker_of(self.server.logged("] login: user=alice"))
            if number in numbers:
                self.sessions.setdefault(number, session)

    def kill(self, number: str) -> None:
        """Kill one, and see another one serve in its place, also those who came meanwhile."""
        self.server.new_page()
        os.kill(self.pids[number], signal.SIGKILL)
        select.select([self._alive[self.pids[number]]], [], [], DEADLINE)
        assert [answers(self.server) for _ in range(8)] == [TESTING] * 8
        died = f"worker died: worker={number} pid={self.pids[number]} how=SIGKILL said=-; another"
        assert "#warn]" in self.server.logged(died)
        replaced = self._pid_of(number)
        assert replaced != self.pids[number]
        self.pids[number] = replaced
        self._alive[replaced] = os.pidfd_open(replaced)
        self._stack.callback(os.close, self._alive[replaced])

    def wait_until_gone(self) -> None:
        for pid, descriptor in self._alive.items():
            assert select.select([descriptor], [], [], DEADLINE)[0], f"{pid} is still there"


def worker_of(line: str) -> str:
    found = re.search(r" worker=(\d+)\] ", line)
    assert found, line
    return found[1]


def callers_of(server: RealServer) -> set[str]:
    """Have people call over TCP until both workers have served somebody; or 50 people."""
    served: set[str] = set()
    for _ in range(50):
        server.new_page()
        assert answers(server) == TESTING
        served.add(worker_of(server.logged("] disconnect: tcp ")))
        if served == BOTH:
            break
    return served


def test_all_serve_reload_and_end_as_one(site: Site) -> None:
    with site.start(TWIST) as server, ExitStack() as stack:
        workers = Workers(server, stack)
        assert callers_of(server) == BOTH
        workers.log_in(*BOTH)
        (site.folder / "known.txt").write_text("testing: Tested.\n", encoding="utf-8")
        both_have_said = both_say(server, b"packs: ")
        server.process.send_signal(signal.SIGHUP)
        server.log.until(both_have_said)
        for session in workers.sessions.values():
            session.says("testing")
            assert session.hears() == "Tested."
        assert server.stop(signal.SIGTERM) == 0
        workers.wait_until_gone()
        for session in workers.sessions.values():
            assert session.leaves() == ("", 3, FAREWELL)
        text = server.log.content.decode()
        assert len(re.findall(r"worker=\d\] shutting down: ", text)) == 2
        assert text.count("listening: ") == 2
        assert "worker died" not in text
        # One time stamp in each line, and nothing before it.
        stamp = re.compile(r"\d{4}-\d\d-\d\dT[\d:+]+ \[[^\]]+\] (?!\d{4}-)")
        assert all(stamp.match(line) for line in text.splitlines())
        server.check_log()


def both_say(server: RealServer, text: bytes) -> Callable[[bytes], bool]:
    """Return what finds out whether both workers have said something from now on."""
    since = len(server.log.content)
    pattern = re.compile(rb" worker=(\d)\] " + re.escape(text))
    return lambda content: len(set(pattern.findall(content, since))) == len(BOTH)


def test_one_that_dies_takes_only_its_own_sessions(site: Site) -> None:
    keys = site.keys_dir / "authorized_keys.d" / "alice"
    line = keys.read_text(encoding="ascii")
    keys.write_text(f'role@conch-insults="operator" {line}', encoding="ascii")
    with ExitStack() as stack:
        server = site.start()
        stack.callback(server._kill)
        workers = Workers(server, stack)
        workers.log_in(*BOTH)
        # What a replacement needs is not read again.
        host_key_path(site.keys_dir).unlink()
        workers.kill("1")
        output, status, _ = workers.sessions.pop("1").leaves()
        assert (output, status) == ("", 255)
        survivor = workers.sessions["2"]
        survivor.says("testing")
        assert survivor.hears() == SAID
        assert callers_of(server) == BOTH
        workers.log_in("1")
        # An operator's wish goes round.
        both_have_said = both_say(server, b"packs: ")
        survivor.says("reload")
        assert survivor.hears().startswith("Reloaded.")
        server.log.until(both_have_said)
        # Without the server, they end by themselves, and in order.
        server.process.kill()
        workers.wait_until_gone()
        assert survivor.leaves() == ("", 3, FAREWELL)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.tcp_port), DEADLINE)
        server.log.to_the_end()
        server.check_log()


def test_a_daemon_has_one_pid_file_and_one_log(site: Site) -> None:
    log, pidfile = site.folder / "twistd.log", site.folder / "twistd.pid"
    started = site.run(*daemon(log, pidfile))
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
    pid = int(pidfile.read_text(encoding="ascii"))
    with ExitStack() as stack:
        gone = os.pidfd_open(pid)
        stack.callback(os.close, gone)
        try:
            ports = re.findall(r"listening: \w+ on 127\.0\.0\.1:(\d+)", log.read_text("utf-8"))
            doors = Doors(site, *map(int, ports))
            assert answers(doors) == TESTING
            assert doors.ssh("testing").stdout == TESTING
            # One that is told to stop before it serves has nothing to say.
            until = time.monotonic() + DEADLINE
            while log.read_text("utf-8").count("worker serving: ") < 2:
                assert time.monotonic() < until, log.read_text("utf-8")
                assert answers(doors) == TESTING
        finally:
            os.kill(pid, signal.SIGTERM)
        assert select.select([gone], [], [], DEADLINE)[0]
    assert not pidfile.exists()
    text = log.read_text("utf-8")
    assert text.count(" shutting down: ") == 2
    assert " worker=1] " in text
    assert " worker=2] " in text
    assert text.endswith("Server Shut Down.\n")
    assert not re.search("Traceback|Unhandled|critical|worker died", text)


class TestAStartThatFails:
    """One line that says why, as without workers."""

    def test_for_a_port_that_another_server_would_share(self, site: Site) -> None:
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind(("127.0.0.1", 0))
            other.listen()
            endpoint = f"tcp:{other.getsockname()[1]}:interface=127.0.0.1"
            where = {"CONCH_INSULTS_TCP__ENDPOINT": endpoint}
            says_why(site, TWISTD, "tcp.endpoint", "Address already in use", **where)

    @needs_root
    def test_for_a_jail_without_python(self, site: Site) -> None:
        command = (*TWISTD, "--chroot", str(site.folder))
        says_why(site, command, f"server.workers: cannot run {sys.executable} here; use 1")


def nobody_can_serve() -> bool:
    """Say whether anybody can run this Python and import what the server is made of."""
    if os.geteuid() != 0:
        return False
    command = [sys.executable, "-c", "import conch_insults.worker"]
    try:
        subprocess.run(
            command, user=NOBODY, group=NOBODY, cwd="/", check=True, capture_output=True, timeout=30
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@pytest.fixture
def open_site() -> Iterator[Site]:
    # pytest's own folders are out of reach for anybody else.
    with tempfile.TemporaryDirectory(prefix="insults-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        site = Site(folder)
        site.configure(TWO)
        (folder / "known.txt").write_bytes(b"testing: " + TESTING)
        (folder / "known.txt").chmod(0o600)
        site.let_in("alice", "id_alice", "-t", "ed25519")
        yield site


@needs_root
def test_without_root_they_serve_from_what_root_has_read(open_site: Site) -> None:
    if not nobody_can_serve():
        pytest.skip("needs a Python and packages that anybody can use")
    assert host_key_path(open_site.keys_dir).stat().st_mode & 0o077 == 0
    with open_site.start((*TWISTD, *AS_NOBODY)) as server, ExitStack() as stack:
        workers = Workers(server, stack)
        for pid in workers.pids.values():
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            assert re.search(rf"^Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t", status, re.MULTILINE)
        workers.log_in(*BOTH)
        workers.kill("1")
        workers.sessions.pop("1").leaves()
        workers.log_in("1")
        assert server.stop(signal.SIGTERM) == 0
        server.check_log()
