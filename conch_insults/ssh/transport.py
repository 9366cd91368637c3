"""The SSH transport (RFC 4253) of one connection, fit to face the Internet.

Keys change at the right moment, services come in their order, and there is a bounded time for a
login. Knows neither keys of users nor channels.

Written against Twisted 26.10.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from twisted.conch.ssh.common import NS
from twisted.conch.ssh.transport import (
    DISCONNECT_BY_APPLICATION,
    DISCONNECT_SERVICE_NOT_AVAILABLE,
    MSG_KEXINIT,
    MSG_NEWKEYS,
    MSG_SERVICE_ACCEPT,
)
from typing_extensions import override

from conch_insults.access.signature import ALGORITHMS
from conch_insults.allowance import Allowance
from conch_insults.limits import Outcome
from conch_insults.ssh.about import Protection
from conch_insults.ssh.ciphers import new_opener, new_sealer
from conch_insults.ssh.connection import InsultConnection
from conch_insults.ssh.packet_transport import LARGEST_PACKET_BEFORE_LOGIN, PacketTransport
from conch_insults.ssh.userauth import InsultUserAuthServer
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from twisted.conch.ssh.service import SSHService
    from twisted.python.failure import Failure

    from conch_insults.limits import Admission
    from conch_insults.ssh.algorithms import Agreement
    from conch_insults.ssh.ciphers import Opener
    from conch_insults.ssh.realm import InsultAvatar, Peer

__all__ = ["InsultSSHTransport"]

_SIGNATURE_ALGORITHMS = ",".join(ALGORITHMS).encode()

# In bytes; OpenSSH takes the same after authentication.
_LARGEST_PACKET = 256 * 1024

# In seconds.
_KEX_DEADLINE = 30.0

# Messages that ask for nothing, and key exchanges: a few at once, then as time and traffic pass.
_NOISE = 1000
_NOISE_A_SECOND = 20.0
_REKEYS, _REKEYS_A_SECOND = 50, 0.2
_BYTES_FOR_A_REKEY = 16 * 1024


class InsultSSHTransport(PacketTransport):
    """One connection.

    Attributes:
        peer: who is at the other end.
        is_leaving: whether they have been sent away.
    """

    __slots__ = (
        "_agreement",
        "_next_opener",
        "_outcome",
        "_rekeys",
        "admission",
        "avatar",
        "is_leaving",
        "peer",
    )

    ourVersionString = b"SSH-2.0-conch_insults"  # noqa: N815 - Conch's

    avatar: InsultAvatar
    peer: Peer
    admission: Admission

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody has been let in."""
        return hasattr(self, "avatar")

    @property
    def protection(self) -> Protection:
        """What the two sides have agreed on; there is no login before that."""
        agreement = self._agreement
        assert agreement is not None  # noqa: S101 - the order of messages has seen to it
        return Protection(
            agreement.kex.decode(),
            agreement.host_key.decode(),
            self.factory.host_fingerprint(agreement.host_key),
            agreement.cipher_in.decode(),
            agreement.mac_in.decode(),
            agreement.cipher_out.decode(),
            agreement.mac_out.decode(),
        )

    # The connection

    @override
    def connectionMade(self) -> None:
        super().connectionMade()
        # Conch's, which it sets when many other connections may have been made: their dicts share
        # only what the first ones had when these were (PEP 412).
        self.sessionID = self.service = self.ecPub = None
        self.otherVersionString = self.ourKexInitPayload = self.otherKexInitPayload = b""
        self.keyAlg = self._kexAlg = None
        self.gotVersion = self._peerSupportsExtensions = False
        self._rekeys = Allowance(self.factory.clock, 1, 0)
        # Unless somebody logs in: the gate knows about that.
        self._outcome = Outcome.NEVER_FINISHED
        self._agreement: Agreement | None = None
        self._next_opener: Opener | None = None
        self.is_leaving = False
        grace = self.factory.limits.login_grace
        self._deadlines.start("login", grace, self._took_too_long)
        self._is_in_turn = True
        self._write(self.ourVersionString + b"\r\n")
        self.sendKexInit()
        self._is_in_turn = False
        self._flush()

    @override
    def connectionLost(self, reason: Failure | None = None) -> None:
        self._closing = True
        self._outgoing.clear()
        self._deadlines.cancel_all()
        if isinstance(self.service, InsultUserAuthServer) and self.service.refusals:
            self._outcome = Outcome.NO_LOGIN
        try:
            super().connectionLost(reason)
        finally:
            self.factory.connections.discard(self)
            self.admission.ended(self._outcome)

    def _took_too_long(self) -> None:
        self._outcome = Outcome.TIMED_OUT
        self.sendDisconnect(DISCONNECT_BY_APPLICATION, b"you took too long")

    def end_sessions(self, text: str) -> None:
        """End whatever runs on this connection; whoever is at a terminal is told why."""
        if isinstance(self.service, InsultConnection):
            self.service.end_sessions(text)

    def send_away(self, text: str) -> None:
        """End everything, and tell why."""
        self.is_leaving = True
        if isinstance(self.service, InsultConnection):
            self.service.send_away(text)
        else:
            self.sendDisconnect(DISCONNECT_BY_APPLICATION, text.encode())

    # Key exchange

    @override
    def sendKexInit(self) -> None:
        payload = self.factory.offer.kexinit(os.urandom(16), first=self.sessionID is None)
        self.ourKexInitPayload = bytes((MSG_KEXINIT,)) + payload
        self._send_now(MSG_KEXINIT, payload)
        self._keyExchangeState = self._KEY_EXCHANGE_REQUESTED
        self._blockedByKeyExchange = []
        self._deadlines.start("kex", _KEX_DEADLINE, self._took_too_long)
        self._block_output()

    @override
    def ssh_KEXINIT(self, packet: bytes) -> None:
        first = self.sessionID is None
        if len(packet) > LARGEST_PACKET_BEFORE_LOGIN:
            raise ProtocolError("KEXINIT is too long")
        if self.is_authenticated:
            self._rekeys.earn(self._stream.bytes_since_keys / _BYTES_FOR_A_REKEY)
        # An answer to our own KEXINIT is not charged for.
        if self._keyExchangeState == self._KEY_EXCHANGE_NONE and not self._rekeys.spend():
            raise ProtocolError("too many key exchanges")
        agreement = self._agreement = self.factory.offer.agree(packet, first=first)
        if first:
            self._order.strict = agreement.strict
            self._peerSupportsExtensions = agreement.ext_info
            if agreement.strict and self._stream.incoming_sequence != 1:
                raise ProtocolError("something came before the first KEXINIT")
        self.otherKexInitPayload = bytes((MSG_KEXINIT,)) + packet
        self.kexAlg, self.keyAlg = agreement.kex, agreement.host_key
        self._order.kexinit_agreed(wrong_guess=agreement.wrong_guess)
        if self._keyExchangeState == self._KEY_EXCHANGE_NONE:
            self.sendKexInit()
        self._keyExchangeState = self._KEY_EXCHANGE_PROGRESSING

    @override
    def ssh_KEX_DH_GEX_REQUEST_OLD(self, packet: bytes) -> None:
        """Act on message 30, which each method offered here sends once, with one string."""
        fields = Fields(packet)
        fields.string()
        fields.end()
        try:
            super().ssh_KEX_DH_GEX_REQUEST_OLD(packet)
        except ValueError as error:
            raise ProtocolError("bad public key in key exchange") from error

    @override
    def _keySetup(self, sharedSecret: bytes, exchangeHash: bytes) -> None:
        """Derive the keys; from our NEWKEYS on, what we send is under them."""
        agreement = self._agreement
        assert agreement is not None  # noqa: S101 - the order of messages has seen to it
        first = self.sessionID is None
        if first:
            self.sessionID = exchangeHash
        iv_in, iv_out, key_in, key_out = (
            self._getKey(letter, sharedSecret, exchangeHash) for letter in (b"A", b"B", b"C", b"D")
        )
        integrity_in, integrity_out = (
            self._getKey(letter, sharedSecret, exchangeHash) if mac else b""
            for letter, mac in ((b"E", agreement.mac_in), (b"F", agreement.mac_out))
        )
        self._next_opener = new_opener(
            agreement.cipher_in, agreement.mac_in, iv_in, key_in, integrity_in
        )
        sealer = new_sealer(agreement.cipher_out, agreement.mac_out, iv_out, key_out, integrity_out)
        self.sendPacket(MSG_NEWKEYS, b"")
        self._stream.switch_outgoing(sealer, reset=self._order.strict)
        self._order.keys_derived()
        if first:
            self.sendExtInfo([(b"server-sig-algs", _SIGNATURE_ALGORITHMS)])

    @override
    def _getKey(self, c: bytes, sharedSecret: bytes, exchangeHash: bytes) -> bytes:
        """Derive 64 bytes, half of Conch's and the most that is used (RFC 4253, section 7.2)."""
        seed = sharedSecret + exchangeHash
        # What every key exchange method offered here hashes with.
        first = sha256(seed + c + (self.sessionID or b"")).digest()
        return first + sha256(seed + first).digest()

    @override
    def ssh_NEWKEYS(self, packet: bytes) -> None:
        """Take what comes now under the new keys, and send what had to wait."""
        Fields(packet).end()
        assert self._next_opener is not None  # noqa: S101 - as in _keySetup
        self._stream.switch_incoming(self._next_opener, reset=self._order.strict)
        self._next_opener = None
        # Conch keeps these for as long as the connection lasts.
        self.ourKexInitPayload = self.otherKexInitPayload = b""
        self.ecPub = None
        self._order.keys_taken()
        self._keyExchangeState = self._KEY_EXCHANGE_NONE
        self._deadlines.cancel("kex")
        self._deadlines.start("rekey", self.factory.ssh_settings.rekey_seconds, self._rekey)
        waiting, self._blockedByKeyExchange = self._blockedByKeyExchange, []
        self._waiting_bytes = 0
        for number, payload in waiting:
            self.sendPacket(number, payload)
        self._block_output()

    @override
    def isEncrypted(self, direction: str = "out") -> bool:
        return self.sessionID is not None

    # Other messages

    @override
    def ssh_DISCONNECT(self, packet: bytes) -> None:
        """Go: a peer that says why it leaves is no error of ours."""
        self._close()

    @override
    def ssh_EXT_INFO(self, packet: bytes) -> None:
        """Read and forget it: no extension of a client's matters here (RFC 8308)."""
        fields = Fields(packet)
        for _ in range(fields.uint32()):
            fields.string()
            fields.string()
        fields.end()

    @override
    def ssh_SERVICE_REQUEST(self, packet: bytes) -> None:
        fields = Fields(packet)
        name = fields.string()
        fields.end()
        service = self.factory.getService(self, name)
        if service is None:
            self.sendDisconnect(DISCONNECT_SERVICE_NOT_AVAILABLE, b"no such service")
            return
        self.sendPacket(MSG_SERVICE_ACCEPT, NS(name))
        self.setService(service())

    @override
    def setService(self, service: SSHService) -> None:
        if isinstance(service, InsultConnection):
            self._deadlines.cancel("login")
            self._stream.limit = _LARGEST_PACKET
            self._noise = Allowance(self.factory.clock, _NOISE, _NOISE_A_SECOND)
            self._rekeys = Allowance(self.factory.clock, _REKEYS, _REKEYS_A_SECOND)
            self._order.authenticated()
            self.admission.authenticated()
        else:
            self._order.authentication_started()
        super().setService(service)
