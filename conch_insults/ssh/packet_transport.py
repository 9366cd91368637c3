"""The packets of one connection (RFC 4253, section 6): in order, rationed, and at the peer's pace.

What has come is acted on as long as the protocol allows it and the peer takes what it leads to;
what is sent waits for key exchanges, within bounds. Knows what messages mean to the order they
come in, and no more.

Written against Twisted 26.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.conch.ssh.common import NS
from twisted.conch.ssh.transport import (
    DISCONNECT_KEY_EXCHANGE_FAILED,
    DISCONNECT_PROTOCOL_ERROR,
    MSG_DISCONNECT,
    SSHServerTransport,
)
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPushProducer, ITCPTransport
from typing_extensions import override
from zope.interface import implementer

from conch_insults.allowance import Allowance
from conch_insults.ssh.algorithms import NoAgreement
from conch_insults.ssh.connection import InsultConnection
from conch_insults.ssh.deadlines import Deadlines
from conch_insults.ssh.message_order import MessageOrder, Verdict
from conch_insults.ssh.packet_stream import PacketStream
from conch_insults.wire import ProtocolError

if TYPE_CHECKING:
    from typing import Any

    from conch_insults.ssh.factory import InsultSSHFactory

__all__ = ["LARGEST_PACKET_BEFORE_LOGIN", "PacketTransport"]

# In bytes, as RFC 4253, section 6.1, asks for.
LARGEST_PACKET_BEFORE_LOGIN = 35_000

# Messages' numbers as bytes.
_NUMBERS = tuple(bytes((number,)) for number in range(256))

# In seconds.
_STALL_DEADLINE = 60.0
_CLOSE_DEADLINE = 5.0

# Messages that ask for nothing: so many in all.
_NOISE_BEFORE_LOGIN = 20

# In bytes: what is sent in one turn goes out at once, but no more than this, so that a peer who is
# slow can stop us in the middle of it; and no more than that, so that others get their turn.
_WRITE_SIZE = 16 * 1024
_MOST_A_TURN = 64 * 1024


@implementer(IPushProducer)
class PacketTransport(SSHServerTransport):
    """One connection, as packets.

    Attributes:
        last_heard: when bytes came from the peer, by the factory's clock.
    """

    # Beside Conch's own attributes, with which these would be too many for a dict that shares its
    # keys with those of other connections.
    __slots__ = (
        "_closing",
        "_deadlines",
        "_is_in_turn",
        "_noise",
        "_order",
        "_outgoing",
        "_outgoing_size",
        "_output_full",
        "_sent_in_turn",
        "_stream",
        "_takes_some",
        "_waiting_bytes",
        "last_heard",
    )

    factory: InsultSSHFactory
    # The reactor's: ITCPTransport, IConsumer and IPushProducer in one.
    transport: Any

    @override
    def connectionMade(self) -> None:
        """Get ready; what is said first is for who builds on this."""
        clock = self.factory.clock
        self.last_heard = clock.seconds()
        self._deadlines = Deadlines(clock)
        self._order = MessageOrder()
        self._stream = PacketStream(LARGEST_PACKET_BEFORE_LOGIN)
        self._noise = Allowance(clock, _NOISE_BEFORE_LOGIN, 0)
        self._closing = self._output_full = False
        self._waiting_bytes = 0
        self._outgoing: list[bytes] = []
        self._outgoing_size = 0
        # While a turn lasts, what is sent is collected.
        self._is_in_turn = False
        self._sent_in_turn = 0
        # Its own, not that of a wrapper around it.
        self._takes_some = isinstance(self.transport, FileDescriptor)
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(self, streaming=True)

    @override
    def sendDisconnect(self, reason: int, desc: bytes) -> None:
        """Say why and go; nothing that comes after is looked at."""
        if self._closing:
            return
        self._send_now(MSG_DISCONNECT, reason.to_bytes(4, "big") + NS(desc) + NS(b""))
        self._log.debug("disconnecting: {reason}", reason=desc)
        self._close()

    def _close(self) -> None:
        self._flush()
        self._closing = True
        self._deadlines.cancel_all()
        self._deadlines.start("close", _CLOSE_DEADLINE, self.transport.abortConnection)
        # TCP would wait for a paused producer to go on before it closes.
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    # Packets

    @override
    def dataReceived(self, data: bytes) -> None:
        self.last_heard = self.factory.clock.seconds()
        self._stream.receive(data)
        self._read_on()

    def _read_on(self) -> None:
        """Act on all that has come, as long as the peer takes what it leads to."""
        self._is_in_turn = True
        self._sent_in_turn = 0
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
        finally:
            self._is_in_turn = False
            self._flush()

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
        packet = self._stream.seal(_NUMBERS[number] + payload)
        if self._output_full:
            self._count_waiting(len(packet))
        self._write(packet)

    def _write(self, data: bytes) -> None:
        """Send bytes as they are, with what else is sent in this turn."""
        self._outgoing.append(data)
        self._outgoing_size += len(data)
        if not self._is_in_turn or self._outgoing_size >= _WRITE_SIZE:
            self._flush()

    def _flush(self) -> None:
        """Send what has been collected, at once if the kernel takes it.

        That saves the reactor's two changes of what it waits for, and its turn between them.
        """
        if not self._outgoing:
            return
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        self._outgoing_size = 0
        if not self._takes_some or self._output_full:
            self.transport.write(data)
            return
        sent = self.transport.writeSomeData(data)
        if sent == len(data):
            self._sent_in_turn += sent
            if not self._is_in_turn or self._sent_in_turn < _MOST_A_TURN:
                return
            # The reactor finds nothing left to write, and has us go on, in its next turn.
            self.transport.startWriting()
        else:
            # The rest waits, as does everything after it until the reactor has sent it; if the
            # connection is lost, it is the reactor that says so.
            self.transport.write(data[sent:] if isinstance(sent, int) else data)
        self.transport.producerPaused = True
        self.pauseProducing()

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
        self._outgoing.clear()
        self.transport.abortConnection()

    def _rekey(self) -> None:
        if self._keyExchangeState == self._KEY_EXCHANGE_NONE:
            self.sendKexInit()

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
