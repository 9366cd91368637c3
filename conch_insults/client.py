"""The talk's client: standard input to the server, the server's lines to standard output.

Neither side blocks the other: both are protocols on one reactor, and each stops reading while the
other cannot take more. Knows the server's protocol only as lines and a goodbye.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.basic import LineReceiver
from typing_extensions import override
from zope.interface import implementer

from conch_insults.core.dialogue import GOODBYE
from conch_insults.core.printable import printable
from conch_insults.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from twisted.internet.interfaces import IStreamClientEndpoint
    from twisted.python.failure import Failure

__all__ = ["run_client"]

PROMPT = "> "

_QUIT = b"quit"
# What a person types to be told goodbye.
_WAYS_TO_LEAVE = {_QUIT, b"exit", b"bye"}

# The longest line that is kept, in bytes; a longer one comes in pieces.
_LONGEST_LINE = 64 * 1024


class _Lines(LineReceiver):
    """Lines that end with LF or CRLF; what is too long to keep comes in pieces."""

    delimiter = b"\n"
    MAX_LENGTH = _LONGEST_LINE
    # The reactor's: ITransport, IConsumer and IPushProducer in one.
    transport: Any

    _unread = b""

    @override
    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        while self._unread:
            rest, self._unread = self._unread, b""
            super().dataReceived(rest)

    @override
    def lineLengthExceeded(self, line: bytes) -> None:
        self.piece_received(line[:_LONGEST_LINE])
        self._unread = line[_LONGEST_LINE:]

    def piece_received(self, piece: bytes) -> None:
        """Take the beginning of a line whose end is still to come; as a line, if nothing else."""
        self.lineReceived(piece)

    def take_rest(self) -> None:
        """Take what came after the last line ending as a line."""
        rest = self.clearLineBuffer()
        if rest:
            self.lineReceived(rest)


class _Server(_Lines):
    """The connection to the server."""

    def __init__(self, console: _Console) -> None:
        self._console = console

    def say(self, line: bytes) -> None:
        """Send a line, with the only line ending that the talk's server knows."""
        self.transport.write(line + b"\r\n")

    @override
    def lineReceived(self, line: bytes) -> None:
        self._console.show(printable(line.removesuffix(b"\r").decode(errors="replace")))

    @override
    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self._console.prompt()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.take_rest()
        self._console.server_lost()


@implementer(IHalfCloseableProtocol)
class _Console(_Lines):
    """Standard input and output.

    Args:
        is_terminal: whether a person sits there, who gets a prompt.
        ended: is fired when everything has been written, or fails with a `ClientError`.
    """

    def __init__(self, *, is_terminal: bool, ended: Deferred[None]) -> None:
        self._is_terminal = is_terminal
        self._ended = ended
        self._prompting = False
        self._input_ended = False
        self._said_goodbye = False
        self._leaving = False
        self._failure: ClientError | None = None

    def meet(self, server: _Server) -> None:
        """Learn who is talked to, before there is any input."""
        self._server = server

    @override
    def connectionMade(self) -> None:
        self.transport.registerProducer(self._server.transport, True)
        self._server.transport.registerProducer(self.transport, True)
        self.prompt()

    @override
    def lineReceived(self, line: bytes) -> None:
        line = line.removesuffix(b"\r")
        self._prompting = False
        if not self._leaving:
            self._said_goodbye = self._said_goodbye or line.strip().lower() in _WAYS_TO_LEAVE
            self._server.say(line)

    @override
    def piece_received(self, piece: bytes) -> None:
        # Whether a line is too long is for the server to say.
        if not self._leaving:
            self._server.transport.write(piece)

    def readConnectionLost(self) -> None:
        """End the input with a `quit`, which every server answers after all that came before."""
        self.take_rest()
        if self._is_terminal:
            self.transport.write(b"\n")
            self._prompting = False
        self._input_ended = True
        if not self._leaving:
            self._server.say(_QUIT)

    def writeConnectionLost(self) -> None:
        """Leave: nobody reads any more, as after `| head`."""
        self._failure = None
        self._end()

    def show(self, line: str) -> None:
        """Print one of the server's lines."""
        says_goodbye = line == GOODBYE
        # Nobody who pipes text asked for the answer to our own quit.
        asked_for = self._is_terminal or self._said_goodbye or not self._input_ended
        if asked_for or not says_goodbye:
            over_prompt = "\r" if self._prompting else ""
            self._prompting = False
            self.transport.write(f"{over_prompt}{line}\n".encode())
        if says_goodbye:
            self._leave(None)

    def prompt(self) -> None:
        """Ask a person for the next line."""
        if self._is_terminal and not self._prompting and not self._leaving:
            self._prompting = True
            self.transport.write(PROMPT.encode())

    def server_lost(self) -> None:
        """Leave: quietly if the input is at its end, else as a failure."""
        self._leave(None if self._input_ended else ClientError("the connection was lost"))

    def _leave(self, failure: ClientError | None) -> None:
        if self._leaving:
            return
        self._leaving = True
        self._failure = failure
        if self._prompting:
            self.transport.write(b"\n")
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave: everything has been written."""
        self._end()

    def _end(self) -> None:
        self._leaving = True
        self._server.transport.unregisterProducer()
        self._server.transport.loseConnection()
        if self._failure is None:
            self._ended.callback(None)
        else:
            self._ended.errback(self._failure)


def run_client(
    endpoint: IStreamClientEndpoint,
    name: str,
    open_console: Callable[[Protocol], object],
    *,
    is_terminal: bool,
) -> Deferred[None]:
    """Talk to a server until either side leaves.

    Args:
        endpoint: where the server is.
        name: what to call it when something goes wrong.
        open_console: connects a protocol to standard input and output, as `StandardIO` does.
        is_terminal: whether a person sits there, who gets a prompt.

    Returns:
        A Deferred that fires when everything has been said, or fails with a `ClientError`.
    """
    ended: Deferred[None] = Deferred()
    console = _Console(is_terminal=is_terminal, ended=ended)

    def connected(server: _Server) -> Deferred[None]:
        console.meet(server)
        open_console(console)
        return ended

    def failed(failure: Failure) -> None:
        if failure.check(ClientError):
            raise ClientError(f"{name}: {failure.getErrorMessage()}")
        raise ClientError(f"cannot connect to {name}: {_reason(failure)}")

    connecting: Deferred[Any] = connectProtocol(endpoint, _Server(console))
    return connecting.addCallback(connected).addErrback(failed)


def _reason(failure: Failure) -> str:
    error = failure.value
    if isinstance(error, ConnectError) and isinstance(error.osError, int):
        return os.strerror(error.osError)
    return failure.getErrorMessage().rstrip(".")
