"""The line logic on the wire: bytes to lines, lines to a `Dialogue`, replies back in one write.

One protocol serves every door; what is under it is only a transport. Knows neither SSH nor
terminals, and never decodes: that is the dialogue's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.protocols.basic import LineReceiver
from typing_extensions import override
from zope.interface import implementer

from conch_insults.core.dialogue import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from conch_insults.core.dialogue import Dialogue, Reply
    from conch_insults.line_transport import LineTransport
    from conch_insults.pace import Pace

__all__ = ["InsultProtocol"]

# RFC 854: a negotiation (IAC WILL|WONT|DO|DONT option), a subnegotiation (IAC SB ... IAC SE) or a
# lone command. An option is never a line ending here: stripping must not join two lines.
_TELNET_COMMANDS = re.compile(
    rb"\xff(?:[\xfb-\xfe][^\r]|\xfa.*?(?:\xff\xf0|\Z)|[\xf0-\xf9])", re.DOTALL
)

# Replies of one read go out in one write, but no more than this at once, in characters, so that a
# reader who is slow can stop us in the middle of a long read.
_WRITE_SIZE = 32 * 1024

# After so many lines of answers everybody else gets their turn: one read may hold thousands of
# questions.
_LINES_A_TURN = 64


@implementer(IHalfCloseableProtocol, IPushProducer)
class InsultProtocol(LineReceiver):
    """A conversation: every line gets its reply, in order.

    Lines end with LF or CRLF. A longer line than `MAX_LINE` is answered once and dropped up to
    its end; telnet's commands are stripped from a line. When the transport cannot take more, no
    further line is answered until it can.

    Args:
        dialogue: who answers.
        greeting: what is said first, a line each.
        ended: is called once, when the connection is lost.
        pace: how fast the person may ask, None for as fast as they can.
        clock: a reactor's; many lines are answered in several of its turns. Without one, a read
            is worked through at once.

    Attributes:
        dialogue: who answers.
        lines_served: how many lines have been answered.
        status: the exit status that the last reply asks for.
    """

    delimiter = b"\n"
    # A CR before the LF is not part of the line.
    MAX_LENGTH = MAX_LINE + 1

    # On TCP it is the reactor's own transport, which has the same methods.
    transport: LineTransport

    def __init__(
        self,
        dialogue: Dialogue,
        greeting: Sequence[str] = (),
        ended: Callable[[InsultProtocol], None] = lambda _: None,
        pace: Pace | None = None,
        clock: IReactorTime | None = None,
    ) -> None:
        self.lines_served = 0
        self._pace = pace
        self._clock = clock
        # Since others had their turn.
        self._lines_said = 0
        self._peer_is_slow = False
        self._turn: IDelayedCall | None = None
        self.status = 0
        self.dialogue = dialogue
        self._greeting = greeting
        self._ended = ended
        self._outgoing: list[str] = []
        self._outgoing_size = 0
        self._discarding = False
        # LineReceiver's, set here so that all conversations' dicts share their keys (PEP 412).
        self._buffer = b""
        self._busyReceiving = self.paused = False
        self._input_ended = False
        self._finished = False

    @override
    def connectionMade(self) -> None:
        self.transport.registerProducer(self, streaming=True)
        self._send(self._greeting)
        self._flush()

    @override
    def dataReceived(self, data: bytes) -> None:
        """Answer every line that `data` completes."""
        if self._finished:
            return
        if self._input_ended:
            # Only what came before the end of input is answered, now or after a pause.
            data = b""
        if self._discarding:
            _, newline, data = data.partition(self.delimiter)
            self._discarding = not newline
        self._buffer += data
        # What an answer leads to may come back here, by way of a transport that takes more again.
        if not self._busyReceiving:
            self._busyReceiving = True
            try:
                self._answer_lines()
            finally:
                self._busyReceiving = False
        self._flush()
        self._end_if_all_is_answered()

    def _answer_lines(self) -> None:
        """Answer what has come, as LineReceiver does, but without a copy of all for each line."""
        while self._buffer and not (self.paused or self._finished):
            *lines, self._buffer = self._buffer.split(self.delimiter, _LINES_A_TURN)
            for at, line in enumerate(lines, 1):
                if len(line) > self.MAX_LENGTH:
                    self._reply(self.dialogue.too_long())
                else:
                    self.lineReceived(line)
                if self.paused or self._finished:
                    self._buffer = self.delimiter.join((*lines[at:], self._buffer))
                    return
            if len(lines) < _LINES_A_TURN:
                if len(self._buffer) > self.MAX_LENGTH:
                    self._buffer = b""
                    self._discarding = True
                    self._reply(self.dialogue.too_long())
                return

    @override
    def pauseProducing(self) -> None:
        """Answer no further line until the transport takes more."""
        self._peer_is_slow = True
        super().pauseProducing()

    @override
    def resumeProducing(self) -> None:
        self._peer_is_slow = False
        self._go_on()

    def _hold(self, turn: IDelayedCall) -> None:
        """Answer no further line until it is this person's turn again."""
        self._turn = turn
        super().pauseProducing()

    def _release(self) -> None:
        self._turn = None
        self._lines_said = 0
        self._go_on()

    def _go_on(self) -> None:
        """Answer what has come before taking more, or what waits here would have no bound."""
        if self._peer_is_slow or self._turn is not None or self._finished:
            return
        self.paused = False
        self.dataReceived(b"")
        if not (self.paused or self._finished):
            self.transport.resumeProducing()

    @override
    def lineReceived(self, line: bytes) -> None:
        if b"\xff" in line:
            line = _TELNET_COMMANDS.sub(b"", line)
        self._reply(self.dialogue.answer(line.removesuffix(b"\r")))

    def readConnectionLost(self) -> None:
        """Answer what has come, also a last line without its ending, and close."""
        self._input_ended = True
        self._end_if_all_is_answered()

    def writeConnectionLost(self) -> None:
        """Do nothing: nobody closes only our writing side."""

    @override
    def connectionLost(self, reason: Failure | None = None) -> None:
        self._finished = True
        if self._turn is not None:
            self._turn.cancel()
        self._ended(self)

    def farewell(self, text: str | None) -> None:
        """Say one last line, if there is one, and close."""
        if not self._finished:
            self._send((text,) if text else ())
            self._finish()

    def _end_if_all_is_answered(self) -> None:
        # Whoever has nothing more to ask need not wait until they might.
        if self._input_ended and not self._finished and not (self.paused and self._buffer):
            self._answer_last_line()

    def _answer_last_line(self) -> None:
        rest = self.clearLineBuffer()
        if _TELNET_COMMANDS.sub(b"", rest).removesuffix(b"\r"):
            self.lineReceived(rest)
        if not self._finished:
            self._finish()

    def _reply(self, reply: Reply) -> None:
        lines = reply.lines
        self.lines_served += 1
        self.status = reply.status
        self._lines_said += len(lines) or 1
        self._send(lines)
        if reply.finished:
            self._finish()
        elif self._pace is not None and not self._pace.spend(reply.answers):
            self._hold(self._pace.call_when_due(self._release))
        elif self._clock is not None and self._lines_said >= _LINES_A_TURN:
            self._hold(self._clock.callLater(0, self._release))

    def _send(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._outgoing.append(line)
            self._outgoing_size += len(line) + 1
        if self._outgoing_size >= _WRITE_SIZE:
            self._flush()

    def _flush(self) -> None:
        if self._outgoing:
            self._outgoing.append("")
            data = "\n".join(self._outgoing).encode()
            self._outgoing.clear()
            self._outgoing_size = 0
            self.transport.write(data)

    def _finish(self) -> None:
        self._finished = True
        self._flush()
        # A transport waits for a paused producer to go on before it closes.
        self.transport.unregisterProducer()
        self.transport.loseConnection()
