"""The SSH transport (RFC 4253) of one connection, fit to face the Internet.

Packets are taken only in the order that the protocol allows, under keys that change at the right
moment, from a peer that reads what it has asked for, and for a bounded time before it has logged
in. Knows neither keys of users nor channels.

Written against Twisted 26.10.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twisted.conch.ssh.common import NS
from twisted.conch.ssh.transport import (
    DISCONNECT_BY_APPLICATION,
    DISCONNECT_KEY_EXCHANGE_FAILED,
    DISCONNECT_PROTOCOL_ERROR,
    DISCONNECT_SERVICE_NOT_AVAILABLE,
    MSG_DISCONNECT,
    MSG_KEXINIT,
    MSG_NEWKEYS,
    MSG_SERVICE_ACCEPT,
    SSHServerTransport,
)
from twisted.internet.interfaces import IPushProducer, ITCPTransport
from typing_extensions import override
from zope.interface import implementer

from conch_insults.access.signature import ALGORITHMS
from conch_insults.limits import Outcome
from conch_insults.ssh.algorithms import NoAgreement
from conch_insults.ssh.allowance import Allowance
from conch_insults.ssh.ciphers import new_opener, new_sealer
from conch_insults.ssh.connection import InsultConnection
from conch_insults.ssh.deadlines import Deadlines
from conch_insults.ssh.message_order import MessageOrder, Verdict
from conch_insults.ssh.packet_stream import PacketStream
from conch_insults.ssh.userauth import InsultUserAuthServer
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from typing import Any

    from twisted.conch.ssh.service import SSHService
    from twisted.python.failure import Failure

    from conch_insults.limits import Admission
    from conch_insults.ssh.algorithms import Agreement
    from conch_insults.ssh.ciphers import Opener
    from conch_insults.ssh.factory import InsultSSHFactory
    from conch_insults.ssh.realm import InsultAvatar, Peer

__all__ = ["InsultSSHTransport"]

_SIGNATURE_ALGORITHMS = ",".join(ALGORITHMS).encode()

# In bytes; OpenSSH takes the same after authentication, RFC 4253, section 6.1 asks for this before.
_LARGEST_PACKET = 256 * 1024
_LARGEST_PACKET_BEFORE_LOGIN = 35_000

# In seconds.
_KEX_DEADLINE = 30.0
_STALL_DEADLINE = 60.0
_CLOSE_DEADLINE = 5.0

# Messages that ask for nothing, and key exchanges: a few at once, then as time and traffic pass.
_NOISE_BEFORE_LOGIN, _NOISE = 20, 1000
_NOISE_A_SECOND = 20.0
_REKEYS, _REKEYS_A_SECOND = 50, 0.2
_BYTES_FOR_A_REKEY = 16 * 1024


@implementer(IPushProducer)
class InsultSSHTransport(SSHServerTransport):
    """One connection.

    Attributes:
        peer: who is at the other end.
        last_heard: when bytes came from there, by the factory's clock.
    """

    ourVersionString = b"SSH-2.0-conch_insults"  # noqa: N815 - Conch's

    factory: InsultSSHFactory
    avatar: InsultAvatar
    peer: Peer
    admission: Admission
    # The reactor's: ITCPTransport, IConsumer and IPushProducer in one.
    transport: Any

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody has proved who they are."""
        return hasattr(self, "avatar")

    # The connection

    @override
    def connectionMade(self) -> None:
        clock, settings = self.factory.clock, self.factory.limits
        self.last_heard = clock.seconds()
        self._deadlines = Deadlines(clock)
        self._order = MessageOrder()
        self._stream = PacketStream(_LARGEST_PACKET_BEFORE_LOGIN)
        self._noise = Allowance(clock, _NOISE_BEFORE_LOGIN, 0)
        self._rekeys = Allowance(clock, 1, 0)
        self._closing = self._output_full = False
        self._waiting_bytes = 0
        # Unless somebody logs in: the gate knows about that.
        self._outcome = Outcome.NEVER_FINISHED
        self._agreement: Agreement | None = None
        self._next_opener: Opener | None = None
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(self, streaming=True)
        self._deadlines.start("login", settings.login_grace, self._took_too_long)
        self.transport.write(self.ourVersionString + b"\r\n")
        self.sendKexInit()

    @override
    def connectionLost(self, reason: Failure | None = None) -> None:
        self._closing = True
        self._deadlines.cancel_all()
        if isinstance(self.service, InsultUserAuthServer) and self.service.refusals:
            self._outcome = Outcome.NO_LOGIN
        try:
            super().connectionLost(reason)
        finally:
            self.factory.connections.discard(self)
            self.admission.ended(self._outcome)

    @override
    def sendDisconnect(self, reason: int, desc: bytes) -> None:
        """Say why and go; nothing that comes after is looked at."""
        if self._closing:
            return
        self._send_now(MSG_DISCONNECT, reason.to_bytes(4, "big") + NS(desc) + NS(b""))
        self._log.debug("disconnecting: {reason}", reason=desc)
        self._close()

    def _close(self) -> None:
        self._closing = True
        self._deadlines.cancel_all()
        self._deadlines.start("close", _CLOSE_DEADLINE, self.transport.abortConnection)
        # TCP would wait for a paused producer to go on before it closes.
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _took_too_long(self) -> None:
        self._outcome = Outcome.TIMED_OUT
        self.sendDisconnect(DISCONNECT_BY_APPLICATION, b"you took too long")

    def end_sessions(self, text: str) -> None:
        """End whatever runs on this connection; whoever is at a terminal is told why."""
        if isinstance(self.service, InsultConnection):
            self.service.end_sessions(text)

    # Packets

    @override
    def dataReceived(self, data: bytes) -> None:
        self.last_heard = self.factory.clock.seconds()
        self._stream.receive(data)
        self._read_on()

    def _read_on(self) -> None:
        """Act on all that has come, as long as the peer takes what it leads to."""
        try:
            if not self.gotVersion:
                version = self._stream.next_version()
                if version is None:
                    return
                self.otherVersionString, self.gotVersion = version, True
            while not (self._closing or self._output_full):
                payload = self._stream.next_payload()
                if payload is None:
                    break
                self._act_on(payload[0], payload[1:])
        except NoAgreement as error:
            self.sendDisconnect(DISCONNECT_KEY_EXCHANGE_FAILED, str(error).encode())
        except ProtocolError as error:
            self.sendDisconnect(DISCONNECT_PROTOCOL_ERROR, str(error).encode())

    def _act_on(self, number: int, payload: bytes) -> None:
        if (verdict := self._order.judge(number)) is Verdict.DISPATCH:
            self.dispatchMessage(number, payload)
        elif verdict is not Verdict.DROP:
            self.count_noise()
            if verdict is Verdict.UNKNOWN:
                self.sendUnimplemented()

    def count_noise(self) -> None:
        """Ration what asks for nothing.

        Raises:
            ProtocolError: there has been too much of it.
        """
        if not self._noise.spend():
            raise ProtocolError("too many messages that ask for nothing")

    @override
    def sendUnimplemented(self) -> None:
        """Answer that the packet just received is of no kind we know (RFC 4253, section 11.4)."""
        # The stream counts the next packet already.
        self.incomingPacketSequence = (self._stream.incoming_sequence - 1) % 2**32
        super().sendUnimplemented()

    @override
    def sendPacket(self, messageType: int, payload: bytes) -> None:
        if self._closing:
            return
        if self._keyExchangeState != self._KEY_EXCHANGE_NONE and (
            not self._allowedKeyExchangeMessageType(messageType)
        ):
            self._blockedByKeyExchange.append((messageType, payload))
            self._count_waiting(len(payload))
            return
        self._send_now(messageType, payload)
        if self._stream.bytes_since_keys > self.factory.ssh_settings.rekey_bytes:
            self._rekey()

    def _send_now(self, number: int, payload: bytes) -> None:
        packet = self._stream.seal(bytes((number,)) + payload)
        if self._output_full:
            self._count_waiting(len(packet))
        self.transport.write(packet)

    def _count_waiting(self, size: int) -> None:
        self._waiting_bytes += size
        self.check_waiting(0)

    def check_waiting(self, elsewhere: int) -> None:
        """Cut off a peer for whom more waits than it may make us hold.

        Args:
            elsewhere: how many bytes wait that have not been sent this way.
        """
        if self._waiting_bytes + elsewhere > self.factory.limits.pending_output:
            self.abort()

    def abort(self) -> None:
        """Go without a word: the peer does not listen."""
        self._closing = True
        self.transport.abortConnection()

    # Flow control

    def pauseProducing(self) -> None:
        """Stop reading and answering: the peer must take what it has asked for first."""
        if self._output_full:  # TCP says so again with each write.
            return
        self._output_full = True
        self.transport.pauseProducing()
        self._deadlines.start("stall", _STALL_DEADLINE, self.abort)
        self._block_output()

    def resumeProducing(self) -> None:
        """Read and answer again."""
        self._output_full = False
        self._waiting_bytes = 0
        self._deadlines.cancel("stall")
        self.transport.resumeProducing()
        self._block_output()
        self._read_on()

    def stopProducing(self) -> None:
        """Do nothing: the connection is gone."""

    @property
    def output_is_blocked(self) -> bool:
        """Whether what is sent now has to wait, for the peer or for a key exchange."""
        return self._output_full or self._keyExchangeState != self._KEY_EXCHANGE_NONE

    def _block_output(self) -> None:
        if isinstance(self.service, InsultConnection):
            self.service.output_blocked_changed()

    # Key exchange

    def _rekey(self) -> None:
        if self._keyExchangeState == self._KEY_EXCHANGE_NONE:
            self.sendKexInit()

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
        if len(packet) > _LARGEST_PACKET_BEFORE_LOGIN:
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
        iv_in, iv_out, key_in, key_out, integrity_in, integrity_out = (
            self._getKey(bytes((letter,)), sharedSecret, exchangeHash) for letter in b"ABCDEF"
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
    def ssh_NEWKEYS(self, packet: bytes) -> None:
        """Take what comes now under the new keys, and send what had to wait."""
        Fields(packet).end()
        assert self._next_opener is not None  # noqa: S101 - as in _keySetup
        self._stream.switch_incoming(self._next_opener, reset=self._order.strict)
        self._next_opener = None
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
