"""What runs on a session channel: the conversation, with or without a terminal around it.

This is the whole of what an application has to write to live behind Conch: an `ISession` that
connects a protocol to the process protocol it is handed. Knows no packets and no windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.conch.interfaces import ISession, ISessionSetEnv
from twisted.conch.ssh.session import wrapProtocol
from zope.interface import implementer

from conch_insults.core.appearance import Appearance
from conch_insults.core.dialogue import Status
from conch_insults.terminal import CookedTransport, Terminal

if TYPE_CHECKING:
    from conch_insults.protocol import InsultProtocol
    from conch_insults.ssh.channel import SessionTransport
    from conch_insults.ssh.realm import InsultAvatar

__all__ = ["InsultSession"]

# What `Appearance` looks at, and how long a value may be, in bytes.
_APPEARANCE = frozenset(
    {
        b"CLICOLOR",
        b"CLICOLOR_FORCE",
        b"COLORTERM",
        b"LANG",
        b"LC_ALL",
        b"LC_CTYPE",
        b"NO_COLOR",
    }
)
_LONGEST_VALUE = 256


@implementer(ISession, ISessionSetEnv)
class InsultSession:
    """One session of an avatar, on a channel of its own."""

    def __init__(self, avatar: InsultAvatar) -> None:
        self._avatar = avatar
        self._width: int | None = None
        self._height = 0
        self._term = ""
        self._environment: dict[str, str] = {}
        self._application: Terminal | InsultProtocol | None = None
        self._conversation: InsultProtocol | None = None
        self._transport: SessionTransport | None = None
        self._is_command = False
        self._was_ended = False

    @property
    def exit_status(self) -> int:
        """What the session ends with: a command's own status; a shell has done what it could."""
        if self._was_ended:
            return Status.REFUSED
        if self._is_command and self._conversation is not None:
            return self._conversation.status
        return Status.ANSWERED

    def warn(self, text: str) -> None:
        """Show a line to a person at a terminal; nobody else is disturbed."""
        if isinstance(self._application, Terminal):
            self._application.say(f"{text}\n".encode())

    def end(self, text: str) -> None:
        """End the session and say why: at a terminal in the talk, else beside the answers."""
        if self._conversation is None or self._transport is None:
            return
        if self._is_command and self._conversation.lines_served:
            # It ends as soon as the answer has been read.
            return
        self._was_ended = True
        if isinstance(self._application, Terminal):
            self._conversation.farewell(text)
        else:
            self._transport.errReceived(f"{text}\n".encode())
            self._conversation.farewell(None)

    @property
    def may_have_terminal(self) -> bool:
        """Whether this person's key allows a terminal."""
        return self._avatar.grant.terms.pty

    def setEnv(self, name: bytes, value: bytes) -> None:
        """Note a variable that says how the client wants things to look; forget any other."""
        if name in _APPEARANCE and len(value) <= _LONGEST_VALUE:
            self._environment[name.decode()] = value.decode("ascii", "replace")

    def getPty(
        self,
        term: bytes,
        window_size: tuple[int, int, int, int],
        modes: list[tuple[int, int]],
    ) -> None:
        """Remember that there is a terminal.

        Args:
            term: the client's TERM, which says whether there are sequences at all.
            window_size: rows, columns, and both in pixels, as the client claims.
            modes: terminal modes (RFC 4254, section 8), of which none matters here.
        """
        del modes
        self._term = term[:_LONGEST_VALUE].decode("ascii", "replace")
        self._height, self._width = window_size[:2]

    def windowChanged(self, window_size: tuple[int, int, int, int]) -> None:
        """Lay the terminal's line out anew."""
        if isinstance(self._application, Terminal):
            self._application.windowChanged(window_size[1], window_size[0])

    def openShell(self, transport: SessionTransport) -> None:
        """Talk line by line: through a terminal if there is one, else as a plain pipe.

        Whose key forces a command gets that instead.
        """
        if self._avatar.grant.terms.command is not None:
            self.execCommand(transport, b"")
        elif self._width is None:
            self._conversation = self._avatar.converse()
            self._connect(self._conversation, transport)
        else:
            self._connect(self._terminal(self._width), transport)

    def _terminal(self, width: int) -> Terminal:
        """Put a terminal around a new conversation, which says how it looks from then on."""
        conversation = self._conversation = self._avatar.converse(self._avatar.greeting)
        appearance = conversation.dialogue.appearance = self._appearance()
        return Terminal(
            conversation,
            width,
            call_later=self._avatar.clock.callLater,
            height=self._height,
            appearance=appearance,
            history=self._avatar.history,
            complete=conversation.dialogue.complete,
        )

    def _appearance(self) -> Appearance:
        # What the operator wrote into the key's line counts more than what a client sends.
        environment = self._environment | dict(self._avatar.grant.terms.environment)
        return Appearance.from_environment(self._term, environment)

    def execCommand(self, transport: SessionTransport, command: bytes) -> None:
        """Answer the command as if it were the only line of input.

        A command that the person's key forces takes its place (sshd(8), `command=`).
        """
        forced = self._avatar.grant.terms.command
        if forced is not None:
            command = forced.encode()
        self._is_command = True
        conversation = self._conversation = self._avatar.converse()
        self._connect(conversation, transport, cooked=self._width is not None)
        conversation.dataReceived(b" ".join(command.split(b"\n")) + b"\n")
        conversation.readConnectionLost()

    def eofReceived(self) -> None:
        """End the input: what has come is answered, then the session closes."""
        if self._application is not None:
            self._application.readConnectionLost()

    def closed(self) -> None:
        """Do nothing: the application hears of the end as `connectionLost`."""

    def _connect(
        self,
        application: Terminal | InsultProtocol,
        transport: SessionTransport,
        *,
        cooked: bool = False,
    ) -> None:
        self._application, self._transport = application, transport
        application.makeConnection(
            CookedTransport(transport, self._appearance()) if cooked else transport
        )
        transport.makeConnection(wrapProtocol(application))
