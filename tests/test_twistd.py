"""The server as an operator runs it: in front, as a daemon, as nobody, in a jail, by `twist`."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import socket
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.real_server import (
    DEADLINE,
    TWIST,
    TWISTD,
    Doors,
    PipedSsh,
    Site,
    needs_openssh,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.real_server import RealServer

TESTING = b"You test in production, on behalf of everyone.\n"
FAREWELL = "The server is going down. It was not because of you. Probably.\n"
NOBODY = 65534
AS_NOBODY = ("--uid", str(NOBODY), "--gid", str(NOBODY))

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
in_front = pytest.mark.parametrize("command", [TWISTD, TWIST], ids=["twistd", "twist"])


def answers(server: Doors) -> bytes:
    """Return what the TCP door says about testing, after its greeting."""
    return server.tcp(b"testing\n").split(b"\n", 2)[-1]


class TestInFront:
    @in_front
    def test_serves_and_ends_in_order(self, site: Site, command: tuple[str, ...]) -> None:
        with site.start(command) as server:
            assert answers(server) == TESTING
            assert server.stop(signal.SIGTERM) == 0
        assert "shutting down: " in server.logged("shutting down: ")

    @needs_openssh
    @in_front
    def test_lets_somebody_log_in(self, site: Site, command: tuple[str, ...]) -> None:
        with site.start(command) as server:
            client = server.ssh("testing")
            assert (client.stdout, client.returncode) == (TESTING, 0)

    @needs_openssh
    @in_front
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_says_farewell_when_told_to_stop(
        self, site: Site, command: tuple[str, ...], number: signal.Signals
    ) -> None:
        with site.start(command) as server, PipedSsh(server, "-T") as alice:
            alice.says("testing")
            alice.hears()
            assert server.stop(number) == 0
            # Beside the answers, which a script takes for answers.
            assert alice.leaves() == ("", 3, FAREWELL)
            assert "1 connections open" in server.logged("shutting down: ")
            assert " 1 lines served " in server.logged("disconnect: ssh user=alice")

    def test_says_farewell_over_tcp_too(self, site: Site) -> None:
        with (
            site.start() as server,
            socket.create_connection(("127.0.0.1", server.tcp_port), DEADLINE) as connection,
            connection.makefile("rb") as heard,
        ):
            # Two lines of greeting.
            heard.readline()
            heard.readline()
            assert server.stop(signal.SIGTERM) == 0
            assert heard.read() == FAREWELL.encode()


class TestReload:
    def test_brings_new_insults(self, site: Site) -> None:
        with site.start() as server:
            (site.folder / "known.txt").write_text("testing: Tested.\n", encoding="utf-8")
            assert answers(server) == TESTING
            reload(server, "packs: ")
            assert answers(server) == b"Tested.\n"

    def test_of_a_broken_pack_changes_nothing(self, site: Site) -> None:
        pack = site.folder / "known.txt"
        with site.start() as server:
            pack.write_text("testing: Tested.\nno colon here\n", encoding="utf-8")
            assert f"{pack}:2: no colon" in reload(server, "packs refused, keeping the old ones: ")
            assert answers(server) == TESTING

    @needs_openssh
    def test_reaches_sessions_that_are_open(self, site: Site) -> None:
        with site.start() as server, PipedSsh(server, "-T") as alice:
            alice.says("testing")
            assert alice.hears() == TESTING.decode().strip()
            (site.folder / "known.txt").write_text("testing: Tested.\n", encoding="utf-8")
            reload(server, "packs: ")
            alice.says("testing")
            assert alice.hears() == "Tested."
            assert alice.leaves() == ("", 0, "")


class TestAStartThatFails:
    """One line that says why, exit status 1, and no traceback anywhere."""

    @in_front
    @pytest.mark.parametrize("door", ["ssh", "tcp"])
    def test_for_a_port_in_use(self, site: Site, command: tuple[str, ...], door: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            endpoint = f"tcp:{other.getsockname()[1]}:interface=127.0.0.1"
            variable = {f"CONCH_INSULTS_{door.upper()}__ENDPOINT": endpoint}
            says_why(site, command, f"{door}.endpoint", "Address already in use", **variable)

    @pytest.mark.parametrize(
        ("content", "reasons"),
        [
            ("[ssh\n", ("{settings}: is not TOML: ",)),
            ("\N{LATIN SMALL LETTER E WITH ACUTE}", ("{settings}: is not ",)),
            ('[ssh]\nport = "1"\n', ("{settings}: ssh.port: there is no such setting",)),
            ("[shh]\n", ("{settings}: shh: there is no such section",)),
            ("[ssh]\nendpoint = 2222\n", ("{settings}: ssh.endpoint: ", "valid string")),
            (
                "[server]\nworkers = 65\n",
                ("{settings}: server.workers: ", "less than or equal to 64"),
            ),
            ('[ssh]\nendpoint = "2222"\n', ("ssh.endpoint: '2222' is not a Twisted endpoint",)),
            ('[ssh]\nendpoint = ""\n[tcp]\nendpoint = ""\n', ("nobody could come in",)),
            ('[access]\nkeys_dir = "gone"\n', ("/gone: ", "conch-insults init")),
            ('[insults]\npacks = ["gone.txt"]\n', ("/gone.txt: No such file",)),
        ],
    )
    def test_for_bad_settings(self, site: Site, content: str, reasons: tuple[str, ...]) -> None:
        site.settings.write_text(content, encoding="utf-8")
        says_why(site, TWISTD, *(reason.format(settings=site.settings) for reason in reasons))

    @in_front
    def test_for_settings_that_are_not_there(self, site: Site, command: tuple[str, ...]) -> None:
        site.settings.unlink()
        says_why(site, command, f"{site.settings}: cannot be read: No such file")

    @pytest.mark.parametrize(
        ("break_it", "reason"),
        [
            (lambda key: key.chmod(0o640), "chmod 600"),
            (lambda key: key.write_bytes(b""), "empty"),
            (lambda key: key.write_bytes(b"-----BEGIN OPENSSH PRIVATE KEY-----\n"), "private key"),
            (lambda key: key.unlink(), "conch-insults init"),
        ],
        ids=["group-readable", "empty", "truncated", "missing"],
    )
    def test_for_a_host_key_that_cannot_be_used(
        self, site: Site, break_it: Callable[[Path], None], reason: str
    ) -> None:
        key = site.keys_dir / "host" / "ssh_host_ed25519_key"
        break_it(key)
        before = key.read_bytes() if key.exists() else None
        says_why(site, TWISTD, f"{key}: ", reason)
        # It is never replaced.
        assert (key.read_bytes() if key.exists() else None) == before


class TestADaemon:
    def test_detaches_serves_and_ends(self, site: Site) -> None:
        log, pidfile = site.folder / "twistd.log", site.folder / "twistd.pid"
        with ended_at_last() as descriptor:
            started = site.run(*daemon(log, pidfile), pass_fds=[descriptor])
            assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
            pid = int(pidfile.read_text(encoding="ascii"))
            try:
                ports = re.findall(r"listening: \w+ on 127\.0\.0\.1:(\d+)", log.read_text("utf-8"))
                doors = Doors(site, *map(int, ports))
                assert answers(doors) == TESTING
                if shutil.which("ssh-keygen"):
                    assert doors.ssh("testing").stdout == TESTING
            finally:
                os.kill(pid, signal.SIGTERM)
        assert not pidfile.exists()
        text = log.read_text("utf-8")
        assert "shutting down: " in text
        assert "Server Shut Down." in text
        assert not re.search("Traceback|Unhandled|critical", text)

    def test_says_why_it_cannot_start(self, site: Site) -> None:
        log, pidfile = site.folder / "twistd.log", site.folder / "twistd.pid"
        with socket.create_server(("127.0.0.1", 0)) as other, ended_at_last() as descriptor:
            port = other.getsockname()[1]
            site.configure(tcp=f"tcp:{port}:interface=127.0.0.1")
            failed = site.run(*daemon(log, pidfile), pass_fds=[descriptor])
        assert failed.returncode == 1
        # All that twistd hands on of a reason is its beginning.
        assert failed.stderr.count("conch_insults: Address already in use: tcp.endpoint") == 1
        assert "log file for more information" in failed.stderr
        # The daemon goes on after it has handed that on, and tells the whole of it to the log.
        assert "Traceback" not in failed.stderr + log.read_text("utf-8")
        assert not pidfile.exists()

    def test_says_what_is_wrong_with_its_settings(self, site: Site) -> None:
        site.configure("[nonsense]\n")
        failed = site.run(*daemon(site.folder / "twistd.log", site.folder / "twistd.pid"))
        line = f"conch_insults: {site.settings}: nonsense: there is no such section\n"
        assert (failed.returncode, failed.stderr) == (1, line)
        assert not (site.folder / "twistd.pid").exists()


@needs_root
@needs_openssh
class TestWithoutRoot:
    """What was started as root gives it up, and then serves all the same."""

    @pytest.fixture
    def open_site(self) -> Iterator[Site]:
        # pytest's own folders are out of reach for anybody else.
        with tempfile.TemporaryDirectory(prefix="insults-", dir="/tmp") as name:
            folder = Path(name)
            folder.chmod(0o755)
            site = Site(folder)
            site.configure('[insults]\nrating = "r"\npacks = ["known.txt"]\n')
            (folder / "known.txt").write_bytes(b"testing: " + TESTING)
            site.let_in("alice", "id_alice", "-t", "ed25519")
            yield site

    def test_serves_as_nobody(self, open_site: Site) -> None:
        with open_site.start((*TWISTD, *AS_NOBODY)) as server:
            self.serves(server)
            status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
            assert re.search(rf"^Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t", status, re.MULTILINE)
            assert re.search(rf"^Gid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t", status, re.MULTILINE)

    @pytest.mark.parametrize("more", [(), AS_NOBODY], ids=["root", "nobody"])
    def test_serves_in_a_jail(self, open_site: Site, more: tuple[str, ...]) -> None:
        jail = open_site.folder / "jail"
        inside = jail / open_site.keys_dir.relative_to("/")
        inside.mkdir(parents=True)
        # Host keys are read outside, where nobody in the jail can reach them.
        authorized = "authorized_keys.d"
        shutil.copytree(open_site.keys_dir / authorized, inside / authorized)
        # The reactor keeps it open, to have a descriptor left when there are too many.
        (jail / "dev").mkdir()
        null = jail / "dev" / "null"
        os.mknod(null, stat.S_IFCHR, Path("/dev/null").stat().st_rdev)
        null.chmod(0o666)
        # twistd looks up the groups of whom it becomes.
        (jail / "etc").mkdir()
        passwd = f"nobody:x:{NOBODY}:{NOBODY}::/:/bin/sh\n"
        (jail / "etc" / "passwd").write_text(passwd, encoding="ascii")
        with open_site.start((*TWISTD, "--chroot", str(jail), *more)) as server:
            assert Path(f"/proc/{server.process.pid}/root").readlink() == jail
            self.serves(server)

    def serves(self, server: RealServer) -> None:
        """Everything that reads a file, imports lazily or fails can do so here."""
        assert answers(server) == TESTING
        for command in ("testing", "help", "zorkmids"):
            assert server.ssh(command).returncode == 0
        assert server.ssh("-tt", input=b"testing\rquit\r").returncode == 0
        assert server.ssh("-s", "sftp").returncode == 255
        assert server.ssh("testing", user="mallory").returncode == 255
        assert "unknown user" in server.logged("refused: user=mallory")
        # The built-in pack stays; the other one is out of a jail's reach.
        reload(server, "packs")
        assert answers(server) == TESTING


@contextmanager
def ended_at_last() -> Iterator[int]:
    """Lend a descriptor, and wait at the end until no process that was given it is left."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as end:
        try:
            yield writing
        finally:
            os.close(writing)
        ready, _, _ = select.select([end], [], [], DEADLINE)
        assert ready, f"the daemon is still there after {DEADLINE} seconds"
        assert end.read() == b""


def daemon(log: Path, pidfile: Path) -> tuple[str, ...]:
    name, _, tac, _ = TWISTD
    return (name, "-y", tac, f"--logfile={log}", f"--pidfile={pidfile}")


def reload(server: RealServer, text: str) -> str:
    """Have the packs read again, and return the line in the log that tells of it."""
    server.new_page()
    server.process.send_signal(signal.SIGHUP)
    return server.logged(text)


def says_why(site: Site, command: tuple[str, ...], *reasons: str, **variables: str) -> None:
    """See a start fail with one line of our own that holds all of the reasons."""
    failed = site.run(*command, pass_fds=(), **variables)
    assert failed.returncode == 1
    # twistd in front has its standard error in its log, once it has one.
    output = failed.stdout + failed.stderr
    assert "Traceback" not in output
    ours = [line for line in output.splitlines() if "conch_insults: " in line]
    assert len(ours) == 1, output
    assert all(reason in ours[0] for reason in reasons), ours[0]
    others = [line for line in output.splitlines() if line != ours[0]]
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:+]+ \[(?!stderr)", line) for line in others), others
