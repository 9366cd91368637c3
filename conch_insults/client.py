"""The talk's client: standard input to the server, the server's lines to standard output.

Neither side blocks the other: both are protocols on one reactor, and each stops reading while the
other cannot take more. Knows the server's protocol only as lines and a goodbye.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
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

# The longest line that is taken from a server, in bytes; a longer one comes in pieces.
_LONGEST_LINE = 64 * 1024


class _Server(LineReceiver):
    """The connection to the server."""

    delimiter = b"\n"
    MAX_LENGTH = _LONGEST_LINE
    # The reactor's: ITransport, IConsumer and IPushProducer in one.
    transport: Any

    def __init__(self, console: _Console) -> None:
        self._console = console

    @override
    def lineReceived(self, line: bytes) -> None:
        self._console.show(printable(line.removesuffix(b"\r").decode(errors="replace")))

    @override
    def lineLengthExceeded(self, line: bytes) -> None:
        self.lineReceived(line[:_LONGEST_LINE])
        self.setLineMode(line[_LONGEST_LINE:])

    @override
    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self._console.prompt()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        rest = self.clearLineBuffer()
        if rest:
            self.lineReceived(rest)
        self._console.server_lost()


@implementer(IHalfCloseableProtocol)
class _Console(LineReceiver):
    """Standard input and output.

    Args:
        is_terminal: whether a person sits there, who gets a prompt.
        ended: is fired when everything has been written, or fails with a `ClientError`.
    """

    delimiter = b"\n"
    # Whether a line is too long is for the server to say.
    MAX_LENGTH = 2**31
    # StandardIO: ITransport, IConsumer and IPushProducer in one.
    transport: Any

    def __init__(self, *, is_terminal: bool, ended: Deferred[None]) -> None:
        self._is_terminal = is_terminal
        self._ended = ended
        self._server: _Server | None = None
        self._prompting = False
        self._input_ended = False
        self._leaving = False
        self._failure: ClientError | None = None

    def connect(self, server: _Server) -> None:
        """Start the conversation."""
        self._server = server
        self.transport.registerProducer(server.transport, True)
        server.transport.registerProducer(self.transport, True)
        self.prompt()

    @override
    def lineReceived(self, line: bytes) -> None:
        self._prompting = False
        if self._server is not None and not self._leaving:
            self._server.sendLine(line)

    def readConnectionLost(self) -> None:
        """End the input with a `quit`, which every server answers after all that came before."""
        rest = self.clearLineBuffer()
        if rest:
            self.lineReceived(rest)
        if self._is_terminal:
            self.transport.write(b"\n")
            self._prompting = False
        self._input_ended = True
        self.lineReceived(b"quit")

    def writeConnectionLost(self) -> None:
        """Leave: nobody reads any more, as after `| head`."""
        self._failure = None
        self._end()

    def show(self, line: str) -> None:
        """Print one of the server's lines."""
        says_goodbye = line == GOODBYE
        if not (says_goodbye and self._input_ended and not self._is_terminal):
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
        if self._server is not None:
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
        open_console(console)
        console.connect(server)
        return ended

    def failed(failure: Failure) -> None:
        if failure.check(ClientError):
            raise ClientError(f"{name}: {failure.getErrorMessage()}")
        raise ClientError(f"cannot connect to {name}: {_reason(failure)}")

    connecting: Deferred[Any] = connectProtocol(endpoint, _Server(console))
    return connecting.addCallback(connected).addErrback(failed)


def _reason(failure: Failure) -> str:
    return getattr(failure.value, "osError", None) or failure.getErrorMessage().rstrip(".")
