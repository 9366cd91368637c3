"""Access with real clients: guests, keys with options, operators, and the end while they are in."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import asyncssh
import paramiko
import pytest

from conch_insults.ssh.host_keys import host_key_path, host_public_keys
from tests.real_server import DEADLINE, PipedSsh, RealServer, Site, needs_openssh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.real_server import Word

pytestmark = needs_openssh

SETTINGS = """\
[insults]
rating = "r"
packs = ["known.txt"]
[access]
guests = "anyone"
guest_rating = "r"
guest_lines_per_minute = 6000
permit_environment = ["LANG"]
"""
TESTING = b"You test in production, on behalf of everyone.\n"
REFUSED = 255


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A server where anyone is a guest, for all tests here."""
    site = Site(tmp_path_factory.mktemp("open"))
    (site.folder / "known.txt").write_text(f"testing: {TESTING.decode()}", encoding="utf-8")
    site.configure(SETTINGS)
    for user in ("alice", "oscar", "forced", "piped"):
        site.let_in(user, f"id_{user}", "-t", "ed25519")
    site.make_key("id_unknown", "-t", "ed25519")
    add_options(site, "oscar", 'role@conch-insults="operator"')
    add_options(site, "forced", 'command="testing",environment="LANG=C"')
    add_options(site, "piped", "restrict")
    with site.start() as server:
        yield server


@pytest.fixture
def server(open_server: RealServer) -> Iterator[RealServer]:
    open_server.new_page()
    yield open_server
    open_server.settle()
    open_server.check_log()


def user_file(site: Site, user: str) -> Path:
    return site.keys_dir / "authorized_keys.d" / user


def add_options(site: Site, user: str, options: str) -> None:
    path = user_file(site, user)
    path.write_text(f"{options} {path.read_text(encoding='utf-8')}", encoding="utf-8")


# Guests, each client by itself: what they get is the answer to `testing` and the exit status.


def by_openssh(
    server: RealServer, *options: Word, user: str = "visitor", key: str = "id_unknown"
) -> tuple[bytes, int]:
    command = server.ssh_command("-T", *options, "testing", user=user, key=key)
    # A client in batch mode tries no method that might ask something.
    command[command.index("BatchMode=yes")] = "BatchMode=no"
    done = subprocess.run(
        command,
        cwd=server.site.folder,
        env=server.site.environment({"HOME": str(server.site.folder)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    return done.stdout, done.returncode


def openssh_without_keys(server: RealServer) -> tuple[bytes, int]:
    return by_openssh(server, "-o", "PubkeyAuthentication=no")


def openssh_with_an_unknown_key(server: RealServer) -> tuple[bytes, int]:
    return by_openssh(server)


def plink_without_keys(server: RealServer) -> tuple[bytes, int]:
    fingerprint = host_public_keys(server.site.keys_dir)[0].fingerprint
    where = ("-P", str(server.ssh_port), "-l", "visitor", "-hostkey", fingerprint, "127.0.0.1")
    done = subprocess.run(
        ["plink", "-batch", "-noagent", "-T", *where, "testing"],
        cwd=server.site.folder,
        env=server.site.environment({"HOME": str(server.site.folder)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    return done.stdout, done.returncode


def asyncssh_without_keys(server: RealServer) -> tuple[bytes, int]:
    class Guest(asyncssh.SSHClient):
        """Somebody who answers questions, if there are any."""

        def kbdint_auth_requested(self) -> str:
            return ""

    async def run() -> tuple[bytes, int]:
        host_key = asyncssh.read_public_key(f"{host_key_path(server.site.keys_dir)}.pub")
        async with asyncssh.connect(
            "127.0.0.1",
            server.ssh_port,
            config=None,
            username="visitor",
            client_keys=[],
            agent_path=None,
            known_hosts=([host_key], [], []),
            client_factory=Guest,
        ) as connection:
            done = await connection.run("testing", encoding=None)
        assert isinstance(done.stdout, bytes)
        assert done.exit_status is not None
        return done.stdout, done.exit_status

    return asyncio.run(asyncio.wait_for(run(), DEADLINE))


def by_paramiko(
    server: RealServer, log_in: Callable[[paramiko.Transport], object]
) -> tuple[bytes, int]:
    transport = paramiko.Transport(("127.0.0.1", server.ssh_port))
    try:
        transport.start_client(timeout=DEADLINE)
        log_in(transport)
        channel = transport.open_session()
        channel.settimeout(DEADLINE)
        channel.exec_command("testing")
        return b"".join(iter(lambda: channel.recv(65536), b"")), channel.recv_exit_status()
    finally:
        transport.close()


def paramiko_without_keys(server: RealServer) -> tuple[bytes, int]:
    return by_paramiko(server, lambda it: it.auth_interactive("visitor", lambda *_: []))


def paramiko_with_an_unknown_key(server: RealServer) -> tuple[bytes, int]:
    key = paramiko.Ed25519Key.from_private_key_file(str(server.site.folder / "id_unknown"))
    return by_paramiko(server, lambda it: it.auth_publickey("visitor", key))


WITHOUT_KEYS = [
    openssh_without_keys,
    pytest.param(
        plink_without_keys,
        marks=pytest.mark.skipif(not shutil.which("plink"), reason="needs plink"),
    ),
    asyncssh_without_keys,
    paramiko_without_keys,
]


@pytest.mark.parametrize("come_in", WITHOUT_KEYS)
def test_anyone_comes_in_as_a_guest(
    server: RealServer, come_in: Callable[[RealServer], tuple[bytes, int]]
) -> None:
    assert come_in(server) == (TESTING, 0)
    logged = server.logged("login: ")
    assert "user=(guest) from=127.0.0.1 key=none - by=" in logged
    assert "visitor" not in logged


@pytest.mark.parametrize("come_in", [openssh_with_an_unknown_key, paramiko_with_an_unknown_key])
def test_whose_key_nobody_knows_comes_in_as_a_guest(
    server: RealServer, come_in: Callable[[RealServer], tuple[bytes, int]]
) -> None:
    assert come_in(server) == (TESTING, 0)
    assert "user=(guest) from=127.0.0.1 key=ssh-ed25519 SHA256:" in server.logged("login: ")


@pytest.mark.parametrize("key", ["id_unknown", "id_oscar"])
def test_nobody_is_a_guest_under_the_name_of_a_user(server: RealServer, key: str) -> None:
    assert by_openssh(server, user="alice", key=key) == (b"", REFUSED)
    assert "user=alice" in server.logged("refused: ")


# Keys with options


def test_a_key_with_a_command_runs_it_whatever_is_asked_and_typed(server: RealServer) -> None:
    for words in (("whoami",), ()):
        done = server.ssh("-T", *words, user="forced", key="id_forced", input=b"quit\nhelp\n")
        assert (done.stdout, done.returncode) == (TESTING, 0)


def test_a_restricted_key_has_no_terminal_and_works_without(server: RealServer) -> None:
    insisting = server.ssh("-tt", user="piped", key="id_piped", input=b"testing\r")
    assert b"PTY allocation request failed" in insisting.stderr
    assert insisting.stdout == b""
    done = server.ssh("-T", user="piped", key="id_piped", input=b"testing\n")
    assert (done.stdout, done.returncode) == (TESTING, 0)


def test_operators_see_who_is_in_and_others_do_not(server: RealServer) -> None:
    with PipedSsh(server) as alice:
        alice.says("testing")
        alice.hears()
        who = server.ssh("-T", "who", user="oscar", key="id_oscar").stdout.decode().splitlines()
        assert [line.split()[1:3] for line in who] == [
            ["alice", "127.0.0.1"],
            ["oscar", "127.0.0.1"],
        ]
        alice.says("who")
        assert "oscar" not in alice.hears()
        kicked = server.ssh("-T", f"kick {who[0].split()[0]}", user="oscar", key="id_oscar")
        assert kicked.stdout == b"alice is gone.\n"
        _, status, errors = alice.leaves()
    assert status == 3
    assert "An operator has had enough of you." in errors


# The end while they are in


def test_a_key_that_is_taken_away_ends_a_pipe_and_says_why(server: RealServer) -> None:
    path = user_file(server.site, "alice")
    content = path.read_bytes()
    with PipedSsh(server) as alice:
        alice.says("testing")
        alice.hears()
        path.unlink()
        try:
            logged = server.logged("access ended: ")
            _, status, errors = alice.leaves()
        finally:
            path.write_bytes(content)
    assert status == 3
    assert "Your access has ended: what you came with makes you (guest) now." in errors
    assert "user=alice from=127.0.0.1" in logged


def test_a_hangup_ends_a_terminal_at_once_and_says_why(server: RealServer) -> None:
    site = server.site
    revoked = site.keys_dir / "revoked_keys"
    with PipedSsh(server, "-tt") as alice:
        alice.hears()
        subprocess.run(
            ["ssh-keygen", "-q", "-k", "-f", revoked, site.folder / "id_alice.pub"],
            check=True,
            timeout=DEADLINE,
        )
        try:
            server.process.send_signal(signal.SIGHUP)
            logged = server.logged("access ended: ")
            said, status, _ = alice.leaves()
        finally:
            revoked.unlink()
    assert status == 3
    assert "Your access has ended: revoked" in said
    assert str(revoked) in logged
