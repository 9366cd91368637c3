"""The command `client`: what it is told, and the real process against real servers."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click
import pyte
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.cli.client import client
from tests.real_server import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

COMMAND = Path(sys.executable).with_name("conch-insults")

# Today's server and the one of the talk, which knows CRLF only.
SERVERS = """
from random import Random
from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver
from conch_insults.core.packs import parse_pack
from conch_insults.conversations import InsultFactory

class Talk(LineReceiver):
    def connectionMade(self):
        self.sendLine(b"Oh no.")
        self.sendLine(b"Not you.")

    def lineReceived(self, line):
        topic = line.lower()
        if topic == b"quit":
            self.sendLine(b"Goodbye, loser.")
            self.transport.loseConnection()
        else:
            self.sendLine(b"Line noise." if topic == b"perl" else b"I've got nothing.")

pack = parse_pack(b"perl: Line noise.", "test")
today = InsultFactory(
    pack, lambda event: None, reactor, greeting=("Oh no.", "Not you."), classic=True
)
for factory in (today, Factory.forProtocol(Talk)):
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    print(port.getHost().port, flush=True)
reactor.run()
"""


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """Where the real servers listen."""
    with subprocess.Popen([sys.executable, "-c", SERVERS], stdout=subprocess.PIPE) as servers:
        assert servers.stdout is not None
        try:
            yield {name: int(servers.stdout.readline()) for name in ("today", "talk")}
        finally:
            servers.kill()


@pytest.fixture(params=["today", "talk"])
def server(request: pytest.FixtureRequest, ports: dict[str, int]) -> str:
    """One real server's address."""
    return f"127.0.0.1:{ports[request.param]}"


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, and nobody else will."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def run(
    *arguments: str,
    stdin: bytes | IO[bytes] = b"",
    stdout: IO[bytes] | int = subprocess.PIPE,
) -> tuple[int, str, str]:
    """Run the client; return its exit status, output and errors."""
    text = stdin if isinstance(stdin, bytes) else None
    with subprocess.Popen(
        [COMMAND, "client", *arguments],
        stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
    ) as process:
        said, errors = process.communicate(text, timeout=DEADLINE)
    return process.returncode, (said or b"").decode(), errors.decode()


def target(*arguments: str) -> tuple[str, int]:
    """Return the host and port that the command would connect to."""
    context = client.make_context("client", list(arguments))
    host, port = context.params["server"]
    return host, port


class TestArgument:
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ([], ("localhost", 8080)),
            (["insults.example"], ("insults.example", 8080)),
            (["insults.example:99"], ("insults.example", 99)),
            (["192.0.2.1:65535"], ("192.0.2.1", 65535)),
            (["2001:db8::1"], ("2001:db8::1", 8080)),
            (["::1"], ("::1", 8080)),
            (["[::1]"], ("::1", 8080)),
            (["[::1]:99"], ("::1", 99)),
            (["[insults.example]:1"], ("insults.example", 1)),
        ],
    )
    def test_host_and_port(self, arguments: list[str], expected: tuple[str, int]) -> None:
        assert target(*arguments) == expected

    @pytest.mark.parametrize(
        "argument",
        [
            *("", ":", ":80", "host:", "host:http", "host:-1", "host:+1", "host: 1", "host:1_0"),
            *("host:\u0663", "[::1", "[]", "[]:80", "[::1]80", "[::1]:", "[::1]:x", "[::1]x:1"),
        ],
    )
    def test_what_is_neither(self, argument: str) -> None:
        with pytest.raises(click.BadParameter, match=r"is not HOST or HOST:PORT$"):
            target(argument)

    @pytest.mark.parametrize("port", ["0", "65536", "99999", "100000", "9" * 5000])
    def test_ports_that_are_none(self, port: str) -> None:
        with pytest.raises(click.BadParameter, match=f"^there is no port {port}$"):
            target(f"host:{port}")

    @settings(deadline=None, max_examples=200)
    @given(st.text(alphabet="[]:.019ah ٣", max_size=12).filter(lambda text: text[:1] != "-"))
    def test_anything_is_an_address_or_wrong_usage(self, argument: str) -> None:
        with contextlib.suppress(click.BadParameter):
            host, port = target(argument)
            assert host
            assert 0 < port < 65536

    def test_wrong_usage_is_exit_status_2(self) -> None:
        done = CliRunner().invoke(client, ["host:http"])
        assert done.exit_code == 2
        assert "'host:http' is not HOST or HOST:PORT" in done.output

    def test_help(self) -> None:
        done = CliRunner().invoke(client, ["--help"])
        assert done.exit_code == 0
        assert "[HOST[:PORT]]" in done.output


class TestPiped:
    def test_answers_only(self, server: str) -> None:
        status, said, errors = run(server, stdin=b"Perl\nmumps\nperl")
        assert said == "Oh no.\nNot you.\nLine noise.\nI've got nothing.\nLine noise.\n"
        assert (status, errors) == (0, "")

    def test_goodbye_that_was_asked_for(self, server: str) -> None:
        status, said, errors = run(server, stdin=b"perl\nquit\nperl\n")
        assert said == "Oh no.\nNot you.\nLine noise.\nGoodbye, loser.\n"
        assert (status, errors) == (0, "")

    def test_many_lines_come_back_complete(self, server: str) -> None:
        status, said, errors = run(server, stdin=b"perl\nmumps\n" * 5000)
        assert said == "Oh no.\nNot you.\n" + "Line noise.\nI've got nothing.\n" * 5000
        assert (status, errors) == (0, "")

    def test_from_a_file_to_a_file(self, server: str, tmp_path: Path) -> None:
        (tmp_path / "in").write_bytes(b"perl\n")
        with (tmp_path / "in").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
            assert run(server, stdin=stdin, stdout=stdout) == (0, "", "")
        assert (tmp_path / "out").read_bytes() == b"Oh no.\nNot you.\nLine noise.\n"

    def test_nobody_reading_any_more_is_no_error(self, server: str) -> None:
        with subprocess.Popen(
            [COMMAND, "client", server],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == b"Oh no.\n"
            process.stdout.close()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(b"perl\n")
                process.stdin.flush()
            assert process.wait(DEADLINE) == 0
            assert process.stderr.read() == b""


class TestFailures:
    def test_nobody_listens(self, nobody: str) -> None:
        expected = f"conch-insults: cannot connect to {nobody}: Connection refused\n"
        assert run(nobody) == (1, "", expected)

    def test_no_such_host(self) -> None:
        expected = "conch-insults: cannot connect to a b:1: invalid hostname: a b\n"
        assert run("a b:1") == (1, "", expected)

    def test_an_ipv6_address_is_named_so_that_it_can_be_given_again(self) -> None:
        status, said, errors = run("[::1%nowhere]:1")
        assert (status, said) == (1, "")
        assert errors.startswith("conch-insults: cannot connect to [::1%nowhere]:1: ")
        assert errors.count("\n") == 1

    def test_the_server_hangs_up(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            address = f"127.0.0.1:{listening.getsockname()[1]}"
            with subprocess.Popen(
                [COMMAND, "client", address],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as process:
                listening.settimeout(DEADLINE)
                connection, _ = listening.accept()
                connection.sendall(b"Oh no.\r\nNot y")
                connection.close()
                # Standard input stays open: it is not the end of it that ends the client.
                assert process.stdout is not None
                assert process.stderr is not None
                assert process.stdout.read() == b"Oh no.\nNot y\n"
                assert process.stderr.read().decode() == (
                    f"conch-insults: {address}: the connection was lost\n"
                )
                assert process.wait(DEADLINE) == 1

    @pytest.mark.parametrize("closed", ["<&-", ">&-"])
    def test_without_a_console(self, closed: str, nobody: str) -> None:
        done = subprocess.run(
            ["/bin/sh", "-c", f'"$0" client "$1" {closed}', COMMAND, nobody],
            capture_output=True,
            encoding="utf-8",
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr == (
            "conch-insults: client: needs standard input and output, and one of them is closed\n"
        )


class Terminal:
    """A person's terminal with the client on it; its screen is what pyte makes of the output."""

    def __init__(self, server: str) -> None:
        self.screen = pyte.Screen(72, 12)
        self._stream = pyte.ByteStream(self.screen)
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (12, 72))
        self.process = subprocess.Popen(
            [COMMAND, "client", server],
            stdin=self.slave,
            stdout=self.slave,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self.master)
        os.close(self.slave)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def types(self, text: bytes) -> None:
        os.write(self.master, text)

    def shows(self, *lines: str) -> None:
        """Wait until the screen holds these lines and no others."""
        while self.lines != list(lines):
            ready, _, _ = select.select([self.master], [], [], DEADLINE)
            assert ready, self.lines
            self._stream.feed(os.read(self.master, 4096))

    def leaves(self) -> tuple[int, bytes]:
        """Wait for the end; return the exit status and what went to standard error."""
        _, errors = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, errors


class TestTerminal:
    def test_a_conversation(self, server: str) -> None:
        with Terminal(server) as terminal:
            terminal.shows("Oh no.", "Not you.", ">")
            terminal.types(b"Perl\n")
            terminal.shows("Oh no.", "Not you.", "> Perl", "Line noise.", ">")
            terminal.types(b"quit\n")
            terminal.shows(
                "Oh no.", "Not you.", "> Perl", "Line noise.", "> quit", "Goodbye, loser."
            )
            assert terminal.leaves() == (0, b"")

    def test_ctrl_d(self, server: str) -> None:
        with Terminal(server) as terminal:
            terminal.shows("Oh no.", "Not you.", ">")
            terminal.types(b"\x04")
            terminal.shows("Oh no.", "Not you.", ">", "Goodbye, loser.")
            assert terminal.leaves() == (0, b"")

    def test_ctrl_c_leaves_at_once_and_without_a_complaint(self, server: str) -> None:
        with Terminal(server) as terminal:
            terminal.shows("Oh no.", "Not you.", ">")
            terminal.process.send_signal(signal.SIGINT)
            assert terminal.leaves() == (130, b"")

    @pytest.mark.parametrize("leave", [b"quit\n", b""])
    def test_the_terminal_is_left_as_it_was(self, server: str, leave: bytes) -> None:
        with Terminal(server) as terminal:
            terminal.shows("Oh no.", "Not you.", ">")
            assert not os.get_blocking(terminal.slave)
            if leave:
                terminal.types(leave)
            else:
                terminal.process.send_signal(signal.SIGINT)
            terminal.leaves()
            assert os.get_blocking(terminal.slave)
