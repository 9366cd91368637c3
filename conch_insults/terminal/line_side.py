"""What a line protocol sees of a terminal: a transport like any other.

Hands on what is said and asked for. Must not know what becomes of it, nor what is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from conch_insults.core.transliteration import to_ascii
from conch_insults.line_transport import LineTransport

if TYPE_CHECKING:
    from twisted.internet.interfaces import IPushProducer
    from twisted.python.failure import Failure

    from conch_insults.core.appearance import Appearance
    from conch_insults.terminal.terminal import Terminal

__all__ = ["CookedTransport", "LineApplication", "LineSide"]


class CookedTransport(LineTransport):
    """A terminal without a line editor: only the line endings and characters that it can show.

    Args:
        outer: what it is written to.
        appearance: says whether only ASCII is printed.
    """

    def __init__(self, outer: Any, appearance: Appearance) -> None:  # noqa: ANN401 - as LineTransport's
        super().__init__(outer)
        self._appearance = appearance

    @override
    def write(self, data: bytes) -> None:
        if self._appearance.ascii:
            # An application writes whole lines.
            data = "\n".join(map(to_ascii, data.decode().split("\n"))).encode()
        super().write(data.replace(b"\n", b"\r\n"))


class LineApplication(Protocol):
    """What answers the lines: `InsultProtocol`, or whatever is like it."""

    def makeConnection(self, transport: LineTransport) -> None:  # noqa: N802 - IProtocol's
        """Begin; from now on `transport` may be written to."""

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - IProtocol's
        """Take a line with its newline."""

    def readConnectionLost(self) -> None:
        """Note that no more lines come; answer and close."""

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - IProtocol's
        """Note that the connection is gone."""


class LineSide(LineTransport):
    """What the application sees of a `Terminal`."""

    def __init__(self, outer: LineTransport, terminal: Terminal) -> None:
        super().__init__(outer)
        self._terminal = terminal

    @override
    def write(self, data: bytes) -> None:
        self._terminal.say(data)

    @override
    def loseConnection(self) -> None:
        if not self.disconnecting:
            self.disconnecting = True
            self._terminal.leave()

    @override
    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        self._terminal.pause_with_output(producer)

    @override
    def unregisterProducer(self) -> None:
        self._terminal.pause_with_output(None)

    @override
    def pauseProducing(self) -> None:
        self._terminal.want_lines(wanted=False)

    @override
    def resumeProducing(self) -> None:
        self._terminal.want_lines(wanted=True)

    @override
    def stopProducing(self) -> None:
        self.loseConnection()
