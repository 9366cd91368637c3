"""The ssh-userauth service (RFC 4252): a public key and its signature, nothing else.

A request becomes credentials for the portal; what the portal says becomes the answer. Nothing of
an offered key is kept: who somebody is comes out of the portal only. Knows no key files.

Written against Twisted 26.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.conch.error import ConchError, IgnoreAuthentication, ValidPublicKey
from twisted.conch.interfaces import IConchUser
from twisted.conch.ssh.common import NS
from twisted.conch.ssh.transport import (
    DISCONNECT_PROTOCOL_ERROR,
    DISCONNECT_SERVICE_NOT_AVAILABLE,
)
from twisted.conch.ssh.userauth import (
    MSG_USERAUTH_PK_OK,
    MSG_USERAUTH_REQUEST,
    SSHUserAuthServer,
)
from twisted.cred.error import UnauthorizedLogin
from typing_extensions import override

from conch_insults.access.policy import Offer
from conch_insults.events import LoginRefused
from conch_insults.ssh.checker import PublicKeyCredentials
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = ["InsultUserAuthServer"]


class InsultUserAuthServer(SSHUserAuthServer):
    """Authenticates one connection, and tells of it if that never succeeds."""

    # Stock Conch allows ten hours.
    loginTimeout = 120  # noqa: N815 - Conch's name; seconds

    transport: InsultSSHTransport
    user: bytes | None

    @override
    def serviceStarted(self) -> None:
        self._log = self.transport._log  # noqa: SLF001 - Conch's name for the transport's logger
        self.clock = self.transport.factory.clock
        self._refusals = 0
        self._last_reason = ""
        super().serviceStarted()

    @override
    def serviceStopped(self) -> None:
        super().serviceStopped()
        if self._refusals and not self.transport.is_authenticated:
            peer = self.transport.peer
            self.transport.factory.emit(
                LoginRefused(
                    peer.connection,
                    _text(self.user or b""),
                    peer.address,
                    self._last_reason,
                    self._refusals,
                )
            )

    @override
    def packetReceived(self, messageNum: int, packet: bytes) -> None:
        """Act on a message, or end the connection if it breaks the protocol."""
        try:
            super().packetReceived(messageNum, packet)
        except ProtocolError as error:
            self.transport.sendDisconnect(DISCONNECT_PROTOCOL_ERROR, str(error).encode())

    @override
    def ssh_USERAUTH_REQUEST(self, packet: bytes) -> Deferred[Any] | None:
        fields = Fields(packet)
        fields.string()
        service, method = fields.string(), fields.string()
        if service != b"ssh-connection":
            self.transport.sendDisconnect(DISCONNECT_SERVICE_NOT_AVAILABLE, b"no such service")
            return None
        if method == b"publickey":
            # Read it once here, where an error still ends the connection.
            _PublicKeyRequest(fields.rest())
        return super().ssh_USERAUTH_REQUEST(packet)

    @override
    def auth_publickey(self, packet: bytes) -> Deferred[Any]:
        """Ask the portal about a key (RFC 4252, section 7)."""
        request = _PublicKeyRequest(packet)
        user, session_id = self.user or b"", self.transport.sessionID or b""
        offer = Offer(
            _text(user), _text(request.algorithm), request.blob, self.transport.peer.address
        )
        if request.signature is None:
            credentials = PublicKeyCredentials(offer)
        else:
            signed_data = (
                NS(session_id)
                + bytes((MSG_USERAUTH_REQUEST,))
                + NS(user)
                + NS(b"ssh-connection")
                + NS(b"publickey")
                + b"\1"
                + NS(request.algorithm)
                + NS(request.blob)
            )
            credentials = PublicKeyCredentials(offer, signed_data, request.signature)
        login: Deferred[Any] = self.portal.login(credentials, self.transport.peer, IConchUser)
        return login.addErrback(self._key_not_proved, request)

    def _key_not_proved(self, reason: Failure, request: _PublicKeyRequest) -> Failure:
        """Tell a client that only asked that its key is worth a signature."""
        if reason.check(ValidPublicKey):
            self.transport.sendPacket(MSG_USERAUTH_PK_OK, NS(request.algorithm) + NS(request.blob))
            raise IgnoreAuthentication
        return reason

    @override
    def _ebBadAuth(self, reason: Failure) -> Any:
        if reason.check(UnauthorizedLogin, ConchError) and self.method != b"none":
            self._refusals += 1
            self._last_reason = reason.getErrorMessage()
        return super()._ebBadAuth(reason)


class _PublicKeyRequest:
    """The method's own fields of a publickey request."""

    __slots__ = ("algorithm", "blob", "signature")

    def __init__(self, packet: bytes) -> None:
        fields = Fields(packet)
        is_signed = fields.boolean()
        self.algorithm = fields.string()
        self.blob = fields.string()
        self.signature = fields.string() if is_signed else None
        fields.end()


def _text(name: bytes) -> str:
    """Decode a name that is ASCII if it is one of ours; no other becomes one of ours."""
    return name.decode("ascii", "backslashreplace")
