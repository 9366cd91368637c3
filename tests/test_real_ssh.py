"""OpenSSH clients at a real server: the pipe and the command, and what nobody gets here."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conch_insults.core.packs import builtin_pack
from tests.real_server import DEADLINE, PipedSsh, Stream, needs_openssh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real_server import RealServer, Site

pytestmark = needs_openssh

TESTING = b"You test in production, on behalf of everyone.\n"
JAPANESE = "漢字で侮辱する価値もない。\n".encode()
GREETING_LINES = 2
MANY = 100_000
needs_proc = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs Linux's /proc to look into processes"
)


def said(client: subprocess.CompletedProcess[bytes]) -> tuple[bytes, int]:
    return client.stdout, client.returncode


class TestThePipe:
    def test_answers_in_order_and_says_nothing_else(self, server: RealServer) -> None:
        client = server.ssh(input="testing\n日本語".encode())
        assert said(client) == (TESTING + JAPANESE, 0)

    def test_is_the_same_with_the_terminal_declined(self, server: RealServer) -> None:
        client = server.ssh("-T", input="testing\r\n日本語\n".encode())
        assert (*said(client), client.stderr) == (TESTING + JAPANESE, 0, b"")

    def test_has_built_in_topics(self, server: RealServer) -> None:
        answers, status = said(server.ssh(input=b"perl\ncobol"))
        perl, cobol = answers.decode().splitlines()
        pack = builtin_pack()
        assert (perl in pack.texts("perl"), cobol in pack.texts("cobol")) == (True, True)
        assert status == 0

    def test_of_nothing_answers_nothing(self, server: RealServer) -> None:
        assert said(server.ssh()) == (b"", 0)

    def test_stops_at_goodbye(self, server: RealServer) -> None:
        client = server.ssh(input=b"testing\nquit\ntesting\n")
        assert said(client) == (TESTING + b"Goodbye, loser.\n", 0)

    def test_takes_a_conversation_line_by_line(self, server: RealServer) -> None:
        with PipedSsh(server, "-T") as alice:
            for _ in range(3):
                alice.says("testing")
                assert alice.hears() == TESTING.decode().strip()
            assert alice.leaves() == ("", 0, "")

    def test_is_logged_with_key_and_count(self, server: RealServer) -> None:
        server.ssh(input=b"testing\n" * 7)
        login = server.logged("login: user=alice from=127.0.0.1 key=ssh-ed25519 SHA256:")
        connection = login.split()[-1]
        assert re.fullmatch(r"connection=[0-9a-f]{8}", connection)
        end = server.logged("disconnect: ssh user=alice from=127.0.0.1 after ")
        assert end.endswith(f" s, 7 lines served {connection}")


class TestAHundredThousandLines:
    @needs_proc
    def test_come_back_complete_and_in_order(self, site: Site) -> None:
        with site.start() as server:
            before = server.memory("VmRSS")
            answers, status = said(server.ssh(input=b"".join(_numbered_topics())))
            assert server.memory("VmHWM") - before < 32 * 1024
        assert status == 0
        assert _numbers_in(answers) == list(range(MANY))

    @needs_proc
    def test_wait_for_a_slow_reader(self, site: Site) -> None:
        lines = site.folder / "lines"
        lines.write_bytes(b"".join(_numbered_topics()))
        with site.start() as server, lines.open("rb") as stdin:
            before = server.memory("VmRSS")
            with subprocess.Popen(
                server.ssh_command("-T"),
                env=site.environment(),
                stdin=stdin,
                stdout=subprocess.PIPE,
            ) as client:
                try:
                    assert client.stdout
                    answers = Stream(client.stdout.fileno())
                    answers.until(lambda content: len(content) > 1000)
                    taken = _input_taken_when_stuck(client.pid, server)
                    assert 0 < taken < lines.stat().st_size
                    assert server.memory("VmRSS") - before < 32 * 1024
                    answers.to_the_end()
                    assert client.wait(DEADLINE) == 0
                finally:
                    client.kill()
            assert server.memory("VmHWM") - before < 32 * 1024
        assert _numbers_in(answers.content) == list(range(MANY))


class TestACommand:
    def test_is_one_line_of_input(self, server: RealServer) -> None:
        assert said(server.ssh("testing")) == (TESTING, 0)

    @pytest.mark.parametrize(
        ("line", "status"),
        [
            (b"help", 0),
            (b"topics", 0),
            (b"testing", 0),
            ("日本語".encode(), 0),
            (b"quit", 0),
            (b" ", 2),
            (b"not utf-8: \xc3(", 2),
            (b"x" * 1025, 2),
        ],
    )
    def test_is_answered_as_at_every_door(
        self, server: RealServer, line: bytes, status: int
    ) -> None:
        answer, command_status = said(server.ssh(line))
        assert command_status == status
        assert answer.endswith(b"\n")
        assert said(server.ssh(input=line + b"\n")) == (answer, 0)
        assert server.tcp(line + b"\r\n").split(b"\n", GREETING_LINES)[-1] == answer

    def test_about_an_unknown_topic_still_gets_an_answer(self, server: RealServer) -> None:
        answer, status = said(server.ssh("zorkmids", "and", "gold"))
        assert b"zorkmids and gold" in answer.lower()
        assert (answer.count(b"\n"), status) == (1, 0)

    def test_about_an_unknown_topic_fails_where_the_classic_answer_is_set(self, site: Site) -> None:
        site.configure('[insults]\nunknown_topic = "classic"\n')
        with site.start() as server:
            assert said(server.ssh("zorkmids")) == (b"I've got nothing.\n", 1)
            assert said(server.ssh(input=b"zorkmids\n")) == (b"I've got nothing.\n", 0)

    def test_ends_its_lines_for_a_terminal_where_there_is_one(self, server: RealServer) -> None:
        # ssh sets its terminal to raw: nobody else would add the carriage returns.
        assert said(server.ssh("-tt", "testing")) == (TESTING.replace(b"\n", b"\r\n"), 0)
        plain, _ = said(server.ssh("help"))
        assert said(server.ssh("-tt", "help")) == (plain.replace(b"\n", b"\r\n"), 0)


class TestTwoShellsOnOneConnection:
    def test_do_not_disturb_each_other(self, server: RealServer) -> None:
        path = ("-o", "ControlPath=mux")
        with PipedSsh(server, "-T", "-o", "ControlMaster=yes", *path) as first:
            first.says("only-first")
            assert "only-first" in first.hears().lower()
            with PipedSsh(server, "-T", *path) as second:
                for number in range(20):
                    first.says(f"first-{number}")
                    second.says(f"second-{number}")
                    assert f"second-{number}" in second.hears().lower()
                    assert f"first-{number}" in first.hears().lower()
                second.says("quit")
                assert second.hears() == "Goodbye, loser."
                assert second.leaves() == ("", 0, "")
            first.says("testing")
            assert first.hears() == TESTING.decode().strip()
            assert first.leaves() == ("", 0, "")
        assert server.count_logged("login: ") == 1
        assert " 43 lines served " in server.logged("disconnect: ssh")

    def test_have_a_terminal_or_a_command_each(self, server: RealServer) -> None:
        path = ("-o", "ControlPath=mux")
        with PipedSsh(server, "-T", "-o", "ControlMaster=yes", *path) as first:
            first.says("testing")
            first.hears()
            for _ in range(3):
                assert said(server.ssh(*path, "testing")) == (TESTING, 0)
            assert said(server.ssh(*path, " "))[1] == 2
            assert first.leaves() == ("", 0, "")
        assert server.count_logged("login: ") == 1


class TestEnvironmentVariables:
    def test_are_accepted_and_ignored(self, server: RealServer) -> None:
        variables = ("-o", "SendEnv=LC_ALL", "-o", "SetEnv=TERM=dumb COLUMNS=2")
        client = server.ssh("-v", *variables, "testing", LC_ALL="C.UTF-8")
        assert said(client) == (TESTING, 0)
        assert b"channel 0: setting env LC_ALL" in client.stderr


class TestWhatNobodyGets:
    """Each is refused, and what else was asked for on the same connection works."""

    def test_a_subsystem(self, server: RealServer) -> None:
        client = server.ssh("-s", "sftp")
        assert said(client) == (b"", 255)
        assert b"subsystem request failed" in client.stderr

    def test_a_connection_from_the_server_to_elsewhere(self, server: RealServer) -> None:
        client = server.ssh("-W", f"127.0.0.1:{server.tcp_port}")
        assert said(client) == (b"", 255)
        assert b"administratively prohibited: nothing is forwarded here" in client.stderr

    def test_a_port_of_the_server(self, server: RealServer) -> None:
        client = server.ssh("-R", "0:127.0.0.1:1", "testing")
        assert said(client) == (TESTING, 0)
        assert b"remote port forwarding failed" in client.stderr
        insisting = server.ssh("-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1", "testing")
        assert said(insisting) == (b"", 255)

    def test_a_socket_of_the_server(self, server: RealServer) -> None:
        client = server.ssh("-R", "/nowhere/socket:127.0.0.1:1", "testing")
        assert said(client) == (TESTING, 0)
        assert b"remote port forwarding failed" in client.stderr

    @pytest.mark.parametrize(
        ("option", "request_bytes"),
        [("-L", b"hello\n"), ("-D", b"\x04\x01\x00\x50\x7f\0\0\1\0")],
        ids=["local", "dynamic"],
    )
    def test_a_forwarded_connection(
        self, server: RealServer, tmp_path: Path, option: str, request_bytes: bytes
    ) -> None:
        door = str(tmp_path / "door")
        where = {"-L": f"{door}:127.0.0.1:{server.tcp_port}", "-D": door}[option]
        with PipedSsh(server, "-T", option, where) as alice:
            alice.says("testing")
            alice.hears()
            with socket.socket(socket.AF_UNIX) as forwarded:
                forwarded.settimeout(DEADLINE)
                forwarded.connect(door)
                # The refusal may be faster than the request.
                with suppress(BrokenPipeError):
                    forwarded.sendall(request_bytes)
                assert b"insult" not in b"".join(_all_of(forwarded))
            alice.says("testing")
            assert alice.hears() == TESTING.decode().strip()
            rest, status, errors = alice.leaves()
        assert (rest, status) == ("", 0)
        assert "administratively prohibited: nothing is forwarded here" in errors

    def test_an_x11_display(self, server: RealServer) -> None:
        client = server.ssh("-Y", "testing", DISPLAY="127.0.0.1:99")
        assert said(client) == (TESTING, 0)
        assert b"X11 forwarding request failed" in client.stderr

    def test_an_agent(self, server: RealServer, tmp_path: Path) -> None:
        path = tmp_path / "agent"
        with subprocess.Popen(
            ["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as agent:
            try:
                assert agent.stdout
                # It says where it is once it is there.
                agent.stdout.readline()
                client = server.ssh("-v", "-A", "testing", SSH_AUTH_SOCK=str(path))
            finally:
                agent.kill()
        assert b"Requesting authentication agent forwarding" in client.stderr
        assert said(client) == (TESTING, 0)


def _numbered_topics() -> Iterator[bytes]:
    """Ask for no suggestions, and then about as many topics as there are numbers."""
    yield b"quiet\n"
    yield from (b"topic-%06d\n" % number for number in range(MANY))


def _numbers_in(answers: bytes) -> list[int]:
    """Return the number that each line of the answers is about, after the first."""
    return [int(_NUMBER.findall(line)[0]) for line in answers.splitlines()[1:]]


_NUMBER = re.compile(rb"[Tt]opic-(\d{6})")


def _input_taken_when_stuck(pid: int, server: RealServer) -> int:
    """Return how much of its input a client has read once it reads no more.

    Between two looks, the server answers somebody else at length: it had the time to go on.
    """
    information = Path(f"/proc/{pid}/fdinfo/0")
    taken, looks_alike = -1, 0
    while looks_alike < 20:
        assert server.tcp(b"topics\n" * 50).count(b"\n") > 50
        now = int(information.read_text(encoding="utf-8").partition("pos:")[2].split()[0])
        looks_alike = looks_alike + 1 if now == taken else 0
        taken = now
    return taken


def _all_of(connection: socket.socket) -> Iterator[bytes]:
    try:
        while chunk := connection.recv(4096):
            yield chunk
    except ConnectionResetError:
        return
