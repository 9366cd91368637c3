"""The servers that are measured: how each is started, and why one is not.

Each gets the same host key, the same user's key and the same table, on a port of its own, on the
servers' processor. Knows nothing of what they will be asked.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.client import Target
from benchmarks.key_exchange import CURVE25519, MLKEM
from benchmarks.machine import ROOT, all_cpus, pinned, server_cpu
from benchmarks.workplace import USER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.workplace import Workplace

__all__ = ["OURS", "SERVERS", "Absent", "Kind", "Options", "Running", "start"]

_PEERS = ROOT / "benchmarks" / "peers"
_GOPATH = Path("/usr/share/gocode")
_PATIENCE = 60.0  # seconds for a server to answer


class Absent(Exception):  # noqa: N818 - a peer is absent, which is no error
    """A peer cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is different this time.

    Attributes:
        tree: the checkout that ours runs from.
        at_limit: whether to let only one connection in at a time that is not logged in.
        profile: where ours saves a profile of itself.
        workers: how many processes ours has.
        spread: whether these may use every processor, not only the servers'.
    """

    tree: Path = ROOT
    at_limit: bool = False
    profile: Path | None = None
    workers: int = 1
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A server that can be started.

    Attributes:
        name: in tables.
        command: makes its command line, and files that it needs.
        kex: the key exchange that the generator asks it for.
        ptys: whether it serves terminals.
        limits: whether it can refuse connections.
        user: who comes in.
        idle: how many sessions it is asked to hold at most.
    """

    name: str
    command: Callable[[Workplace, int, Options], Sequence[str | Path]]
    kex: bytes = CURVE25519
    ptys: bool = True
    limits: bool = False
    user: str = USER
    idle: int = 5000


@dataclass(slots=True)
class Running:
    """A server that runs."""

    kind: Kind
    target: Target
    process: subprocess.Popen[bytes]
    log: Path
    pid: int = field(init=False)

    def __post_init__(self) -> None:
        self.pid = self.process.pid

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(kind: Kind, place: Workplace, options: Options) -> Running:
    """Start a server and wait until it answers.

    Raises:
        Absent: it cannot be started here.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(word) for word in kind.command(place, port, options)]
    log = place.folder / f"{kind.name.replace(' ', '_')}_{port}.log"
    cpus = all_cpus() if options.spread else [server_cpu()]
    with log.open("wb") as output, pinned(*cpus):
        process = subprocess.Popen(  # noqa: S603 - the benchmark's own commands
            command,
            cwd=place.folder,
            env=_environment(options),
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
    running = Running(kind, Target(port, kind.user, kex=kind.kex), process, log)
    _wait_for(running)
    return running


def _environment(options: Options) -> Mapping[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": f"{options.tree}{os.pathsep}{ROOT}",
        "GOMAXPROCS": "1",  # as there is one processor for it
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _wait_for(running: Running) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", running.target.port), 5) as sock:
                if sock.recv(4) == b"SSH-":
                    return
        except OSError:
            pass
        if running.process.poll() is not None:
            break
        time.sleep(0.05)
    running.stop()
    said = running.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise Absent(f"did not start: {said[-1] if said else 'no word'}")


# How each is started


def _ours(profile: str) -> Callable[[Workplace, int, Options], Sequence[str | Path]]:
    def command(place: Workplace, port: int, options: Options) -> Sequence[str | Path]:
        startups = "1:100:1" if options.at_limit else "100000:100:100000"
        settings = place.folder / f"{profile}_{port}.toml"
        settings.write_text(
            f"""[ssh]
endpoint = "tcp:{port}:interface=127.0.0.1:backlog=1024"
profile = "{profile}"
[server]
workers = {options.workers}
[tcp]
endpoint = ""
[access]
keys_dir = "{place.keys_dir}"
[insults]
rating = "r"
packs = {json.dumps([str(path) for path in place.packs])}
[limits]
max_startups = "{startups}"
max_connections = 100000
exempt_sources = ["127.0.0.0/8"]
idle_timeout = 0
""",
            encoding="utf-8",
        )
        profiled: list[str | Path] = []
        if options.profile is not None:
            profiled = ["--profiler=cprofile", "--savestats", "--profile", options.profile]
        twistd = [Path(sys.executable).with_name("twistd"), "-no", "--pidfile=", *profiled]
        starter = place.folder / f"{profile}_{port}.tac"
        tac = options.tree / "insult_ssh.tac"
        starter.write_text(
            f"import os\nos.environ['CONCH_INSULTS_CONFIG'] = {str(settings)!r}\n"
            f"__file__ = {str(tac)!r}\n" + tac.read_text(encoding="utf-8"),
            encoding="utf-8",
        )
        return [*twistd, "-y", starter]

    return command


def _python_peer(
    module: str, *more: str
) -> Callable[[Workplace, int, Options], Sequence[str | Path]]:
    def command(place: Workplace, port: int, _: Options) -> Sequence[str | Path]:
        name = f"benchmarks.peers.{module}"
        return [sys.executable, "-m", name, str(port), *_files(place), *more]

    return command


def _files(place: Workplace) -> list[Path]:
    return [place.host_key, place.authorized_keys, place.table]


def _sshd(place: Workplace, port: int, options: Options) -> Sequence[str | Path]:
    sshd, mawk = _program("sshd"), _program("mawk")
    settings = place.folder / f"sshd_{port}.conf"
    startups = "1:100:1" if options.at_limit else "100000"
    settings.write_text(
        f"""ListenAddress 127.0.0.1:{port}
HostKey {place.host_key}
AuthorizedKeysFile {place.authorized_keys}
AuthenticationMethods publickey
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile none
LogLevel ERROR
PrintMotd no
PrintLastLog no
MaxStartups {startups}
# Else Debian's bash runs the user's .bashrc for each command that comes by ssh.
SetEnv SHLVL=2
ForceCommand exec {mawk} -W interactive -f {_PEERS / "answers.awk"} {place.table} -
""",
        encoding="utf-8",
    )
    return [sshd, "-D", "-e", "-f", settings]


def _gliderlabs(place: Workplace, port: int, _: Options) -> Sequence[str | Path]:
    source = _PEERS / "gliderlabs"
    built = place.folder / "gliderlabs_server"
    if not built.exists():
        go = _program("go")
        if not (_GOPATH / "src/github.com/gliderlabs/ssh").is_dir():
            raise Absent("golang-github-gliderlabs-ssh-dev is not installed")
        environment = {
            **os.environ,
            "GOPATH": str(_GOPATH),
            "GO111MODULE": "off",
            "GOCACHE": str(place.folder / "go-cache"),
        }
        build = subprocess.run(  # noqa: S603 - a compiler
            [go, "build", "-o", built, "."],
            cwd=source,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if build.returncode:
            raise Absent(f"does not build: {build.stderr.strip().splitlines()[-1]}")
    return [built, str(port), *_files(place)]


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise Absent(f"{name} is not installed")
    return found


OURS = "ours, modern"

SERVERS = (
    Kind(OURS, _ours("modern"), limits=True),
    Kind("ours, strict", _ours("strict"), kex=MLKEM, limits=True),
    Kind("stock Conch", _python_peer("stock_conch")),
    Kind("stock Conch, with its log", _python_peer("stock_conch", "--log")),
    Kind("AsyncSSH", _python_peer("asyncssh_server")),
    # Two threads a session.
    Kind("Paramiko", _python_peer("paramiko_server"), ptys=False, idle=1000),
    # Three processes a session.
    Kind("OpenSSH sshd", _sshd, limits=True, user=getpass.getuser(), idle=200),
    Kind("Go gliderlabs", _gliderlabs),
)
"""All of them, in the order of the tables."""
