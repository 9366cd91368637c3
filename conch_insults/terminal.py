"""A person's terminal: typed bytes to lines, and what is said back above the line in progress.

Stands between a transport with a PTY at its far end and a line protocol that knows nothing of
terminals. Must not know SSH, what the lines mean, or how a line is edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet import protocol
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from typing_extensions import override
from zope.interface import implementer

from conch_insults.core.line_editor import Display, Interrupt, Line, LineEditor
from conch_insults.protocol import LineTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.python.failure import Failure

    from conch_insults.core.line_editor import Output

__all__ = ["CookedTransport", "LineApplication", "Terminal"]

_HOW_TO_LEAVE = "Type quit or press Ctrl-D to leave.\r\n"
_LEAVE = b"quit\n"

# What one read causes goes out in one write, but no more than this at once, in characters, so
# that a reader who is slow can stop us in the middle of a long read. After as much, everybody else
# gets their turn too: one byte may recall a line of a thousand and the next may run it.
_WRITE_SIZE = 32 * 1024

# Keys are worked through in pieces of so many bytes, and each byte, and each resize, counts as
# so many characters written: keys that print nothing take their time, too.
_READ_SIZE = 1024
_KEY_COST = 8
_RESIZE_COST = 4096


class CookedTransport(LineTransport):
    """A terminal without a line editor: only the line endings that its screen needs."""

    @override
    def write(self, data: bytes) -> None:
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


class _LineSide(LineTransport):
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


@implementer(IHalfCloseableProtocol, IPushProducer)
class Terminal(protocol.Protocol):
    """Lets a person edit lines, feeds them to an application, and shows what it says.

    Each line is fed when the one before it has been answered. While the transport cannot take
    more output, or the application wants no lines, nothing more is read.

    Args:
        application: answers the lines; writes UTF-8 text whose lines end with a newline.
        width: the window's columns; 0 if the client does not know.
        prompt: what stands before the line in progress.
        call_later: a reactor's; what takes long is done in several of its turns. Without one, a
            read is worked through at once, however much comes of it.
    """

    transport: LineTransport

    def __init__(
        self,
        application: LineApplication,
        width: int,
        prompt: str = "> ",
        call_later: Callable[[float, Callable[[], None]], object] | None = None,
    ) -> None:
        self._application = application
        self._editor = LineEditor(prompt, width)
        self._call_later = call_later
        self._outputs: Iterator[Output] = iter(())
        # Bounded by what the transport delivers after it was asked to pause.
        self._unread = bytearray()
        self._outgoing: list[str] = []
        self._outgoing_size = 0
        # How much has been done in this turn, as if it were characters written; and whether we
        # wait for the next.
        self._turn_size = 0
        self._resting = False
        # What is put off while output is full, or others have their turn: there is no end to the
        # windows and notices that may come meanwhile, and only the last screen matters.
        self._width = width
        self._new_width: int | None = None
        self._line_hidden = False
        # While we work through input, output is collected.
        self._working = False
        self._reading = True
        self._output_full = False
        self._lines_wanted = True
        self._input_ended = False
        self._lost = False
        self._producer: IPushProducer | None = None

    @override
    def connectionMade(self) -> None:
        self._line_side = _LineSide(self.transport, self)
        self.transport.registerProducer(self, streaming=True)
        self._working = True
        self._application.makeConnection(self._line_side)
        if not self._line_side.disconnecting:
            self._print(self._editor.start())
        self._working = False
        self._flush()

    @override
    def dataReceived(self, data: bytes) -> None:
        if not self._over:
            self._unread += data
            self._work()

    def readConnectionLost(self) -> None:
        """Tell the application that no more lines come, once it has had those that did."""
        self._input_ended = True
        self._work()

    def writeConnectionLost(self) -> None:
        """Do nothing: nobody closes only our writing side."""

    @override
    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        # Conch says it more than once.
        if not self._lost:
            self._lost = True
            self._application.connectionLost(reason)

    def windowChanged(self, width: int) -> None:
        """Fit the line in progress into a window that is now `width` columns wide."""
        if width != self._width:
            self._width = self._new_width = width
            self._catch_up()
            self._flush()

    def pauseProducing(self) -> None:
        """Stop: the transport has as much output as it can take."""
        self._output_full = True
        self._update_reading()
        if self._producer is not None:
            self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """Go on: the transport can take output again."""
        self._output_full = False
        self._catch_up()
        if self._producer is not None:
            self._producer.resumeProducing()
        self._work()

    def stopProducing(self) -> None:
        """Stop for good: the transport will take no more output."""
        self._output_full = True

    def say(self, data: bytes) -> None:
        """Show something that ends with a newline, at any time, above the line in progress."""
        if self._over:
            return
        hide = self._editor.hide()
        self._print(hide + data.decode(errors="replace").replace("\n", "\r\n"))
        if not self._working:
            self._line_hidden |= bool(hide)
            self._catch_up()
            self._flush()

    def leave(self) -> None:
        """Let the transport close, without a prompt that nobody would answer."""
        self._print(self._editor.hide() + self._editor.stop())
        self._flush()
        # A transport may wait for a paused producer to go on before it closes.
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def pause_with_output(self, producer: IPushProducer | None) -> None:
        """Have `producer` stop and go on as the transport takes output."""
        self._producer = producer
        if producer is not None and self._output_full:
            producer.pauseProducing()

    def want_lines(self, *, wanted: bool) -> None:
        """Feed lines to the application, or keep them until it wants them."""
        self._lines_wanted = wanted
        self._work()

    @property
    def _over(self) -> bool:
        return self._lost or self._line_side.disconnecting

    @property
    def _may_print(self) -> bool:
        return not self._output_full and not self._resting and not self._over

    @property
    def _may_go_on(self) -> bool:
        return self._lines_wanted and self._may_print

    @property
    def _turn_is_over(self) -> bool:
        return self._call_later is not None and self._turn_size >= _WRITE_SIZE

    def _work(self) -> None:
        """Read on as far as possible."""
        if not self._working:
            self._working = True
            while self._may_go_on and self._step():
                if self._outgoing_size >= _WRITE_SIZE or self._turn_is_over:
                    self._flush()
            self._working = False
            self._flush()
        self._update_reading()

    def _catch_up(self) -> None:
        """Bring the line in progress up to date with the window and what has been said."""
        if not self._may_print:
            return
        if self._new_width is not None:
            self._print(self._editor.resize(self._new_width))
            self._new_width = None
            self._turn_size += _RESIZE_COST
        if self._line_hidden:
            self._line_hidden = False
            self._print(self._editor.show())

    def _next_turn(self) -> None:
        """Go on after others had their turn."""
        self._resting = False
        self._turn_size = 0
        self._catch_up()
        self._work()

    def _step(self) -> bool:
        """Act on the next thing that came of the input; return whether there was one."""
        output = next(self._outputs, None)
        if output is not None:
            self._act_on(output)
        elif self._unread:
            some = bytes(self._unread[:_READ_SIZE])
            del self._unread[:_READ_SIZE]
            self._turn_size += len(some) * _KEY_COST
            self._outputs = self._editor.receive(some)
        elif self._input_ended:
            self._input_ended = False
            self._application.readConnectionLost()
        else:
            return False
        return True

    def _act_on(self, output: Output) -> None:
        if isinstance(output, Display):
            self._print(output.text)
            return
        if isinstance(output, Line):
            self._application.dataReceived(output.text.encode() + b"\n")
        elif not isinstance(output, Interrupt):
            self._application.dataReceived(_LEAVE)
        elif output.empty:
            self._print(_HOW_TO_LEAVE)
        if not self._over:
            self._print(self._editor.show())

    def _update_reading(self) -> None:
        """Have the transport read only when what it reads can be used."""
        if self._over or self._reading == self._may_go_on:
            return
        self._reading = not self._reading
        if self._reading:
            self.transport.resumeProducing()
        else:
            self.transport.pauseProducing()

    def _print(self, text: str) -> None:
        self._outgoing.append(text)
        self._outgoing_size += len(text)
        self._turn_size += len(text)

    def _flush(self) -> None:
        text = "".join(self._outgoing)
        self._outgoing.clear()
        self._outgoing_size = 0
        if text and not self._lost:
            self.transport.write(text.encode())
        if self._call_later is not None and self._turn_is_over and not self._resting:
            self._resting = True
            self._call_later(0, self._next_turn)
