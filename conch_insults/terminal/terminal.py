"""A person's terminal: a console between a transport and a line protocol.

The transport has a PTY at its far end; the protocol knows nothing of terminals. Here it is decided
who waits for whom. Must not know SSH, what the lines mean, or what the screen shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet import protocol
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from typing_extensions import override
from zope.interface import implementer

from conch_insults.core.console import Console
from conch_insults.core.outputs import Display, EndOfInput, HangUp, Interrupt, Line
from conch_insults.core.window import Window
from conch_insults.terminal.line_side import LineSide

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from conch_insults.core.appearance import Appearance
    from conch_insults.core.history import History
    from conch_insults.core.line_editor import Completer
    from conch_insults.core.outputs import Output
    from conch_insults.line_transport import LineTransport
    from conch_insults.terminal.line_side import LineApplication

__all__ = ["Terminal"]

_HOW_TO_LEAVE = "Type quit or press Ctrl-D to leave.\n"
_LEAVE = b"quit\n"

# What one read causes goes out in one write, but no more than this at once, in characters, so
# that a reader who is slow can stop us in the middle of a long read. After as much, everybody else
# gets their turn too: one byte may recall a line of a thousand and the next may run it.
_WRITE_SIZE = 32 * 1024
# What an answer is worth of that, however short it is: it has to be thought of, too.
_ANSWER_EFFORT = 1024


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
        height: the window's rows; 0 if the client does not know.
        appearance: how things are shown; may be changed at any time.
        history: the lines that this person typed before.
        complete: says what may become of the text before the cursor, each time as a whole.
    """

    transport: LineTransport

    def __init__(  # noqa: PLR0913 - what a person's comfort is made of
        self,
        application: LineApplication,
        width: int,
        prompt: str = "> ",
        call_later: Callable[[float, Callable[[], None]], object] | None = None,
        *,
        height: int = 0,
        appearance: Appearance | None = None,
        history: History | None = None,
        complete: Completer = lambda _: (),
    ) -> None:
        self._application = application
        self._console = Console(
            prompt, Window.claimed(width, height), appearance, history, complete
        )
        self._call_later = call_later
        # What is said while a line is being answered.
        self._answer: list[bytes] | None = None
        self._outgoing: list[str] = []
        self._outgoing_size = 0
        # How much has been done in this turn, as if it were characters written; and whether we
        # wait for the next.
        self._turn_size = 0
        self._resting = False
        # While we work through input, output is collected.
        self._working = False
        self._reading = True
        self._output_full = False
        self._lines_wanted = True
        self._lost = False
        self._producer: IPushProducer | None = None

    @override
    def connectionMade(self) -> None:
        self._line_side = LineSide(self.transport, self)
        self.transport.registerProducer(self, streaming=True)
        self._working = True
        self._application.makeConnection(self._line_side)
        if not self._line_side.disconnecting:
            self._print(self._console.start())
        self._working = False
        self._flush()

    @override
    def dataReceived(self, data: bytes) -> None:
        if not self._over:
            self._console.receive(data)
            self._work()

    def readConnectionLost(self) -> None:
        """Tell the application that no more lines come, once it has had those that did."""
        self._console.end_input()
        self._work()

    def writeConnectionLost(self) -> None:
        """Do nothing: nobody closes only our writing side."""

    @override
    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        # Conch says it more than once.
        if not self._lost:
            self._lost = True
            self._application.connectionLost(reason)

    def windowChanged(self, width: int, height: int = 0) -> None:
        """Fit what is shown into a window of another size, in columns and rows; 0 is unknown."""
        self._console.resize(Window.claimed(width, height))
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
        """Show lines at any time, each with its newline: an answer, or something in between."""
        if self._over:
            return
        if self._answer is not None:
            self._answer.append(data)
            return
        self._print(self._console.say(data.decode(errors="replace")))
        if not self._working:
            self._catch_up()
            self._flush()

    def leave(self) -> None:
        """Let the transport close, without a prompt that nobody would answer."""
        self._print(self._console.say(self._take_answer()) + self._console.stop())
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
            while self._may_print and (output := self._next_output()) is not None:
                self._act_on(output)
                if self._outgoing_size >= _WRITE_SIZE or self._turn_is_over:
                    self._flush()
            self._working = False
            self._flush()
        self._update_reading()

    def _catch_up(self) -> None:
        """Bring what is shown up to date with the window and what has been said."""
        if self._may_print:
            self._act_on(self._console.refresh())

    def _next_turn(self) -> None:
        """Go on after others had their turn."""
        self._resting = False
        self._turn_size = 0
        self._catch_up()
        self._work()

    def _next_output(self) -> Output | None:
        return self._console.next_output(read=self._lines_wanted)

    def _act_on(self, output: Output) -> None:
        match output:
            case Display():
                self._print(output.text)
                self._turn_size += output.effort
            case Line():
                self._answer_line(output.text.encode() + b"\n")
            case Interrupt():
                notice = self._console.say(_HOW_TO_LEAVE) if output.empty else ""
                self._print(notice + self._console.show())
            case EndOfInput():
                self._answer_line(_LEAVE)
            case HangUp():
                self._application.readConnectionLost()

    def _answer_line(self, line: bytes) -> None:
        self._answer = []
        self._turn_size += _ANSWER_EFFORT
        self._application.dataReceived(line)
        answer = self._take_answer()
        if not self._over:
            self._console.answer(answer)

    def _take_answer(self) -> str:
        answer, self._answer = self._answer or [], None
        return b"".join(answer).decode(errors="replace")

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
