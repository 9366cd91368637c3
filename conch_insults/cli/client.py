"""The command `client`: the talk's client at the command line."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.stdio import StandardIO
from twisted.internet.task import react

from conch_insults.client import run_client
from conch_insults.errors import ClientError

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

__all__ = ["client"]

DEFAULT_HOST = "localhost"
DEFAULT_PORT = 8080
_LARGEST_PORT = 65535

# The exit status of a program that Ctrl-C has ended, as shells have it.
_INTERRUPTED = 130


def _host_and_port(
    _context: click.Context, _parameter: click.Parameter, value: str
) -> tuple[str, int]:
    """Split `HOST`, `HOST:PORT`, `[IPv6]` or `[IPv6]:PORT`."""
    if value.startswith("["):
        host, bracket, rest = value[1:].partition("]")
        separator, port = rest[:1], rest[1:]
        well_formed = bool(bracket) and separator in {"", ":"}
    elif value.count(":") > 1:
        host, separator, port, well_formed = value, "", "", True
    else:
        host, separator, port = value.partition(":")
        well_formed = True
    if not separator:
        port = str(DEFAULT_PORT)
    if not (well_formed and host and port.isascii() and port.isdigit()):
        raise click.BadParameter(f"{value!r} is not HOST or HOST:PORT")
    if len(port) > len(str(_LARGEST_PORT)) or not 0 < int(port) <= _LARGEST_PORT:
        raise click.BadParameter(f"there is no port {port}")
    return host, int(port)


@click.command()
@click.argument("server", metavar="[HOST[:PORT]]", default=DEFAULT_HOST, callback=_host_and_port)
def client(server: tuple[str, int]) -> None:
    """Talk to an insult server over TCP (localhost:8080 unless you say otherwise)."""
    host, port = server
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if sys.stdin is None or sys.stdout is None:
        raise ClientError("client: needs standard input and output, and one of them is closed")
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()

    interrupted: list[bool] = []

    def run(reactor: Any) -> Deferred[None]:  # noqa: ANN401 - a reactor has many interfaces
        endpoint = HostnameEndpoint(reactor, host, port)
        talk = run_client(endpoint, name, StandardIO, is_terminal=is_terminal)
        # While we are still talking it is only a signal that shuts the reactor down.
        reactor.addSystemEventTrigger("before", "shutdown", interrupt, talk)
        return talk.addErrback(give_up)

    def interrupt(talk: Deferred[None]) -> None:
        interrupted.append(True)
        talk.cancel()

    def give_up(failure: Failure) -> None:
        if interrupted:
            raise SystemExit(_INTERRUPTED)
        failure.trap(ClientError)
        click.echo(f"conch-insults: {failure.getErrorMessage()}", err=True)
        raise SystemExit(1)

    try:
        react(run)
    finally:
        # A terminal's blocking mode belongs to everybody who has it open, our shell among them.
        for stream in (0, 1):
            os.set_blocking(stream, True)
