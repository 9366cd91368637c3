"""Real servers and real clients: `twistd` and OpenSSH as processes of their own.

A `Site` is a folder as an operator sets it up, a `RealServer` what runs on it. Everything is
waited for on a pipe, with a deadline.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

import pytest

from conch_insults.access.key_directory import add_keys
from conch_insults.ssh.host_keys import create_host_key, host_public_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = [
    "DEADLINE",
    "TWIST",
    "TWISTD",
    "PipedSsh",
    "RealServer",
    "Site",
    "Stream",
    "needs_openssh",
    "program",
]

T = TypeVar("T")
Word: TypeAlias = str | bytes | Path

# How long anything may take before it counts as never happening, in seconds. A machine may be
# busy with much else, and only a failure waits so long.
DEADLINE = 120

ROOT = Path(__file__).parent.parent
TWISTD = ("twistd", "-noy", str(ROOT / "insult_ssh.tac"), "--pidfile=")
# Away from a terminal, twist logs JSON if nobody tells it otherwise.
TWIST = ("twist", "--log-format=text", "conch-insults")

_HOST = "127.0.0.1"
_ANY_PORT = f"tcp:0:interface={_HOST}"
_OFFENCES = re.compile(rb"Traceback|Unhandled|critical")

needs_openssh = pytest.mark.skipif(
    not (shutil.which("ssh") and shutil.which("ssh-keygen")),
    reason="needs ssh and ssh-keygen of OpenSSH",
)


def program(name: str) -> str:
    """Return the path of a program that was installed beside this Python."""
    return str(Path(sys.executable).parent / name)


class Stream:
    """What comes out of a pipe or terminal, all of it so far."""

    def __init__(self, fd: int) -> None:
        self.content = b""
        self._fd = fd

    def more(self, deadline: float) -> bytes:
        """Wait for what comes next; nothing at the end."""
        ready, _, _ = select.select([self._fd], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"not over in {DEADLINE} seconds: {self.content[-2000:]!r}"
        try:
            chunk = os.read(self._fd, 65536)
        except OSError:
            # A terminal whose other side is closed.
            return b""
        self.content += chunk
        return chunk

    def until(self, found: Callable[[bytes], T | None]) -> T:
        """Read on until `found` returns something for the content."""
        deadline = time.monotonic() + DEADLINE
        while not (result := found(self.content)):
            assert self.more(deadline), f"ended with {self.content[-2000:]!r}"
        return result

    def to_the_end(self) -> bytes:
        """Read all there is."""
        deadline = time.monotonic() + DEADLINE
        while self.more(deadline):
            pass
        return self.content


class Site:
    """A folder with settings and keys; alice may come in once she has a key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys_dir = folder / "keys"
        self.settings = folder / "settings.toml"
        create_host_key(self.keys_dir)
        (self.keys_dir / "authorized_keys.d").mkdir()
        self.configure()

    def configure(self, more: str = "", *, ssh: str = _ANY_PORT, tcp: str = _ANY_PORT) -> None:
        """Write the settings file: the doors, and more sections."""
        doors = f'[ssh]\nendpoint = "{ssh}"\n[tcp]\nendpoint = "{tcp}"\n'
        # All of these tests come from one source, and many of them fail on purpose.
        doors += '[limits]\nexempt_sources = ["127.0.0.0/8"]\n'
        self.settings.write_text(doors + more, encoding="utf-8")

    def make_key(self, name: str, *options: str) -> Path:
        """Make a key pair with ssh-keygen and return the private half's path."""
        path = self.folder / name
        command: list[Word] = ["ssh-keygen", "-q", "-N", "", "-C", name, "-f", path, *options]
        subprocess.run(command, check=True, capture_output=True, timeout=DEADLINE)
        return path

    def let_in(self, user: str, name: str, *options: str) -> Path:
        """Make a key pair that lets `user` in."""
        path = self.make_key(name, *options)
        public = path.with_name(f"{name}.pub")
        add_keys(self.keys_dir, user, public.read_bytes(), str(public))
        return path

    def environment(self, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return what a process here finds in its environment."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CONCH_INSULTS_", "SSH_", "COV_", "DISPLAY"))
        }
        ours = {"TERM": "xterm", "CONCH_INSULTS_CONFIG": str(self.settings)}
        return kept | ours | dict(changes or {})

    def run(
        self, name: str, *args: Word, pass_fds: Collection[int] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of our programs to its end."""
        return subprocess.run(
            [program(name), *args],
            cwd=self.folder,
            env=self.environment(variables),
            pass_fds=pass_fds,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=DEADLINE,
            check=False,
        )

    def start(self, command: Sequence[str] = TWISTD) -> RealServer:
        """Start a server in front and wait until both of its doors are open."""
        return RealServer(self, command)


class Doors:
    """The ways into a server that listens."""

    def __init__(self, site: Site, ssh_port: int, tcp_port: int) -> None:
        self.site = site
        self.ssh_port = ssh_port
        self.tcp_port = tcp_port
        self._tcp_calls = 0
        host_key = host_public_keys(site.keys_dir)[0]
        self._known_hosts = site.folder / f"known_hosts_{ssh_port}"
        self._known_hosts.write_text(f"[{_HOST}]:{ssh_port} {host_key.line}\n", encoding="utf-8")

    def ssh_command(self, *args: Word, user: str = "alice", key: str = "id_alice") -> list[Word]:
        """Return the command line of an OpenSSH client that heeds nobody's configuration.

        Args:
            args: what comes after the destination: more options, and a command.
            user: the name to log in by.
            key: the name of a key that the site has made.
        """
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": DEADLINE,
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self._known_hosts,
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        identity = ("-i", self.site.folder / key)
        where = ("-p", str(self.ssh_port), "-l", user, _HOST)
        return ["ssh", "-F", "none", *identity, *words, *where, *args]

    def ssh(
        self,
        *args: Word,
        input: bytes = b"",  # noqa: A002 - subprocess's name for it
        user: str = "alice",
        key: str = "id_alice",
        **variables: str,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run an OpenSSH client to its end."""
        return subprocess.run(
            self.ssh_command(*args, user=user, key=key),
            cwd=self.site.folder,
            env=self.site.environment(variables),
            input=input,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )

    def tcp(self, content: bytes) -> bytes:
        """Say something at the TCP door, hang up, and return all that was answered."""
        self._tcp_calls += 1
        with socket.create_connection((_HOST, self.tcp_port), timeout=DEADLINE) as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))


class RealServer(Doors):
    """A server in front; leaving its context stops it and looks into its log."""

    def __init__(self, site: Site, command: Sequence[str]) -> None:
        name, *args = command
        self.process = subprocess.Popen(
            [program(name), *args],
            cwd=site.folder,
            env=site.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self.process.stdout is not None
        self.log = Stream(self.process.stdout.fileno())
        self._since = 0
        try:
            super().__init__(site, self._port_of("ssh"), self._port_of("tcp"))
            # What the start has to say is over, and signals are heeded, once somebody is served.
            self.settle()
        except BaseException:
            self._kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        try:
            if not failure:
                self.settle()
                assert self.stop(signal.SIGTERM) == 0
                self.check_log()
        finally:
            self._kill()

    def new_page(self) -> None:
        """Let the log begin here for what is asked of it from now on."""
        self._since = len(self.log.content)

    def logged(self, text: str) -> str:
        """Wait for a line with this text in the log and return it."""
        pattern = re.compile(rb".*" + re.escape(text.encode()) + rb".*\n")
        found = self.log.until(lambda content: pattern.search(content, self._since))
        return found[0].decode().rstrip()

    def count_logged(self, text: str) -> int:
        """Count the lines with this text once nobody is in any more."""
        self.settle()
        return sum(text in line for line in self.log.content[self._since :].decode().splitlines())

    def settle(self) -> None:
        """Wait until the log says of everybody who came in that they have gone."""
        if self.process.poll() is not None:
            return
        # Whoever comes and goes now is in the log after all who came before.
        self.tcp(b"")
        self.log.until(
            lambda content: (
                content.count(b"] disconnect: tcp ") >= self._tcp_calls
                and content.count(b"] disconnect: ssh ") == content.count(b"] login: ")
            )
        )

    def check_log(self) -> None:
        """See that nothing went wrong without anybody being told."""
        assert not _OFFENCES.search(self.log.content), self.log.content.decode()

    def stop(self, number: signal.Signals) -> int:
        """Send a signal, if it is running, and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.log.to_the_end()
        return self.process.wait(DEADLINE)

    def memory(self, name: str) -> int:
        """Return what the kernel says of the process's memory (proc(5)), such as VmRSS, in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition(f"{name}:")[2].split()[0])

    def _port_of(self, door: str) -> int:
        return int(self.logged(f"listening: {door} on ").rpartition(":")[2])

    def _kill(self) -> None:
        self.process.kill()
        with self.process:
            pass


class PipedSsh:
    """An OpenSSH client on pipes, to be talked with; leaving its context ends it."""

    def __init__(self, server: Doors, *args: Word, **variables: str) -> None:
        self.process = subprocess.Popen(
            server.ssh_command(*args),
            cwd=server.site.folder,
            env=server.site.environment(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self.process.stdin
        assert self.process.stdout
        self._stdin = self.process.stdin
        self._stdout = Stream(self.process.stdout.fileno())
        self._heard = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        with self.process:
            pass

    def says(self, line: str) -> None:
        self._stdin.write(line.encode() + b"\n")

    def hears(self) -> str:
        """Wait for the next line."""
        end = self._stdout.until(lambda content: content.find(b"\n", self._heard) + 1)
        line = self._stdout.content[self._heard : end]
        self._heard = end
        return line.decode().rstrip("\n")

    def leaves(self) -> tuple[str, int, str]:
        """Say no more; return what was still heard, the exit status, and the client's errors."""
        self._stdin.close()
        self._stdout.to_the_end()
        assert self.process.stderr
        errors = self.process.stderr.read().decode()
        rest = self._stdout.content[self._heard :].decode()
        return rest, self.process.wait(DEADLINE), errors
