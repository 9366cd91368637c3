"""The ssh-userauth service (RFC 4252): a public key and its signature, or nothing where guests may.

A request becomes credentials for the portal; what the portal says becomes the answer. Nothing of
an offered key is kept: who somebody is comes out of the portal only. Knows no key files.

Written against Twisted 26.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.conch.error import ValidPublicKey
from twisted.conch.interfaces import IConchUser
from twisted.conch.ssh.common import NS
from twisted.conch.ssh.transport import (
    DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE,
    DISCONNECT_SERVICE_NOT_AVAILABLE,
)
from twisted.conch.ssh.userauth import (
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_PK_OK,
    MSG_USERAUTH_REQUEST,
    SSHUserAuthServer,
)
from twisted.cred.credentials import IAnonymous
from twisted.cred.error import UnauthorizedLogin
from typing_extensions import override

from conch_insults.access.grants import Offer
from conch_insults.events import LoginRefused
from conch_insults.ssh.checker import GuestCredentials, PublicKeyCredentials
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = ["InsultUserAuthServer"]

REFUSED = "That key opens nothing here. Bring a better one, or ask nicely to have it let in."

_PUBLIC_KEY = b"publickey"
# RFC 4256, of which nothing is needed but that clients try it after their keys: a guest is asked
# no question. The method `none` would let people in as nobody before they could show who they are.
_KEYBOARD = b"keyboard-interactive"

# Of one connection. A query is no failure, so that an agent full of keys can find the right one.
_MOST_FAILURES = 6
_MOST_REQUESTS = 20


class InsultUserAuthServer(SSHUserAuthServer):
    """Authenticates one connection, and tells of it if that never succeeds.

    Attributes:
        refusals: how many keys have been refused, signed for or not.
    """

    transport: InsultSSHTransport
    user: bytes | None

    @override
    def serviceStarted(self) -> None:
        """Get ready; how long this may take is the transport's to say."""
        factory = self.transport.factory
        self._log = self.transport._log  # noqa: SLF001 - Conch's name for the transport's logger
        self.portal = factory.portal
        self._takes_anybody = IAnonymous in self.portal.listCredentialsInterfaces()
        self.supportedAuthentications = [_PUBLIC_KEY]
        if self._takes_anybody:
            self.supportedAuthentications.append(_KEYBOARD)
        self.authenticatedWith: list[bytes] = []
        self.user = self.nextService = None
        self.refusals = 0
        self._failures = self._requests = 0
        self._was_told = False
        self._last_reason = ""
        if factory.ssh_settings.banner:
            self._say(factory.ssh_settings.banner)

    @override
    def serviceStopped(self) -> None:
        # Somebody who gets in at last has only let the client try the wrong keys first, unless
        # a signature was no good.
        if self._failures or (self.refusals and not self.transport.is_authenticated):
            peer = self.transport.peer
            self.transport.factory.emit(
                LoginRefused(
                    peer.connection,
                    _text(self.user or b""),
                    peer.address,
                    self._last_reason,
                    self.refusals,
                )
            )

    def _say(self, text: str) -> None:
        """Show the person something before they are in (RFC 4252, section 5.4)."""
        lines = "".join(f"{line}\r\n" for line in text.splitlines())
        self.transport.sendPacket(MSG_USERAUTH_BANNER, NS(lines.encode()) + NS(b"en"))

    @override
    def ssh_USERAUTH_REQUEST(self, packet: bytes) -> None:
        """Answer one request; the checker decides at once, so that none overtakes another."""
        fields = Fields(packet)
        user, service, method = fields.string(), fields.string(), fields.string()
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            self._give_up()
        elif service != b"ssh-connection":
            self.transport.sendDisconnect(DISCONNECT_SERVICE_NOT_AVAILABLE, b"no such service")
        elif self.user not in {None, user}:
            # RFC 4252, section 5: forget what came before or disconnect. sshd disconnects.
            raise ProtocolError("change of user name is not allowed")
        else:
            self.user, self.nextService, self.method = user, service, method
            self._try(method, fields.rest())

    def _try(self, method: bytes, rest: bytes) -> None:
        if method == _PUBLIC_KEY:
            self._ask_about_key(rest)
        elif method == _KEYBOARD and self._takes_anybody:
            self._ask_about_guest()
        else:
            self._refuse()

    def _ask_about_key(self, packet: bytes) -> None:
        """Ask the portal about a key (RFC 4252, section 7)."""
        fields = Fields(packet)
        is_signed = fields.boolean()
        algorithm, blob = fields.string(), fields.string()
        signature = fields.string() if is_signed else None
        fields.end()
        user, session_id = self.user or b"", self.transport.sessionID or b""
        offer = Offer(_text(user), _text(algorithm), blob, self.transport.peer.address)
        signed_data = (
            NS(session_id)
            + bytes((MSG_USERAUTH_REQUEST,))
            + NS(user)
            + NS(b"ssh-connection")
            + NS(b"publickey")
            + b"\1"
            + NS(algorithm)
            + NS(blob)
        )
        login: Deferred[Any] = self.portal.login(
            PublicKeyCredentials(offer, signed_data, signature), self.transport.peer, IConchUser
        )
        login.addCallback(self._cbFinishedAuth)
        login.addErrback(self._key_not_proved, NS(algorithm) + NS(blob), is_signed=is_signed)
        login.addErrback(self._log_failure)

    def _ask_about_guest(self) -> None:
        """Ask the portal about somebody without a key."""
        credentials = GuestCredentials(_text(self.user or b""), self.transport.peer.address)
        login: Deferred[Any] = self.portal.login(credentials, self.transport.peer, IConchUser)
        login.addCallback(self._cbFinishedAuth)
        login.addErrback(self._not_let_in, is_signed=True)
        login.addErrback(self._log_failure)

    def _key_not_proved(self, reason: Failure, key: bytes, *, is_signed: bool) -> None:
        """Tell a client that only asked that its key is worth a signature, or refuse."""
        if reason.check(ValidPublicKey):
            self.transport.sendPacket(MSG_USERAUTH_PK_OK, key)
        else:
            self._not_let_in(reason, is_signed=is_signed)

    def _not_let_in(self, reason: Failure, *, is_signed: bool) -> None:
        reason.trap(UnauthorizedLogin)
        self.refusals += 1
        self._last_reason = reason.getErrorMessage()
        # Where guests are welcome, a key that is not does not matter yet.
        if not self._was_told and (not self._takes_anybody or self.method == _KEYBOARD):
            self._was_told = True
            self._say(REFUSED)
        self._failures += is_signed
        if self._failures >= _MOST_FAILURES:
            self._give_up()
        else:
            self._refuse()

    def _log_failure(self, reason: Failure) -> None:
        """Let nobody in because of an error of ours."""
        self._log.failure("while deciding about a key", reason)
        self._refuse()

    def _refuse(self) -> None:
        methods = b",".join(self.supportedAuthentications)
        self.transport.sendPacket(MSG_USERAUTH_FAILURE, NS(methods) + b"\0")

    def _give_up(self) -> None:
        self.transport.sendDisconnect(
            DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE, b"too many attempts"
        )


def _text(name: bytes) -> str:
    """Decode a name that is ASCII if it is one of ours; no other becomes one of ours."""
    return name.decode("ascii", "backslashreplace")
