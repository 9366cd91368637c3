"""The ssh-connection service (RFC 4254): channels opened, addressed, fed and closed.

Every message is read with checks and applied to a channel that exists, or it ends the connection
with a reason; nothing a peer sends becomes a traceback. Only sessions are offered: forwarding of
every kind is refused. Knows nothing of what a channel carries.

Written against Twisted 26.10.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from twisted.conch.error import ConchError
from twisted.conch.ssh.common import NS
from twisted.conch.ssh.connection import (
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_FAILURE,
    MSG_CHANNEL_OPEN_CONFIRMATION,
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_CHANNEL_SUCCESS,
    MSG_REQUEST_FAILURE,
    OPEN_CONNECT_FAILED,
    OPEN_RESOURCE_SHORTAGE,
    SSHConnection,
)
from twisted.conch.ssh.transport import DISCONNECT_BY_APPLICATION
from typing_extensions import override

from conch_insults.allowance import Allowance
from conch_insults.ssh.liveness import Liveness
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from conch_insults.ssh.channel import InsultChannel
    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = ["InsultConnection"]

# Channels opened: so many at once, then as time passes; nobody types faster.
_OPENS = 100
_OPENS_A_SECOND = 20.0

# The most that a window may grow to (RFC 4254, section 5.2).
_LARGEST_WINDOW = 2**32 - 1

# Smaller packets than this would turn each answer into a flood of them; no client asks for less.
_SMALLEST_MAX_PACKET = 256


# Of CHANNEL_DATA: the channel, and how much it is.
_DATA_HEAD = struct.Struct(">2L")

# Which method each message is for, looked up once.
_METHODS = {
    number: f"ssh_{name.removeprefix('MSG_')}"
    for number, name in SSHConnection.protocolMessages.items()
}


class InsultConnection(SSHConnection):
    """The channels of one connection."""

    transport: InsultSSHTransport
    channels: dict[int, InsultChannel]

    @override
    def serviceStarted(self) -> None:
        self._log = self.transport._log  # noqa: SLF001 - Conch's name for the transport's logger
        factory = self.transport.factory
        self._limits = factory.limits
        self._opens = Allowance(factory.clock, _OPENS, _OPENS_A_SECOND)
        self._takes_channels = True
        self._liveness = Liveness(self, factory.limits, factory.clock)
        super().serviceStarted()
        self._liveness.start()

    @override
    def serviceStopped(self) -> None:
        super().serviceStopped()
        # Last: each channel that closes is news to it.
        self._liveness.stop()

    @override
    def packetReceived(self, messageNum: int, packet: bytes) -> None:
        """Act on a message; the order of messages lets none through that is not in the table."""
        getattr(self, _METHODS[messageNum])(packet)

    # What the clock asks for

    def send_keepalive(self) -> None:
        """Ask the peer for a sign of life; whatever it answers is one."""
        answer = self.sendGlobalRequest(b"keepalive@openssh.com", b"", wantReply=1)
        answer.addErrback(lambda _: None)

    def warn_sessions(self, text: str) -> None:
        """Show a line to everybody at a terminal."""
        for channel in list(self.channels.values()):
            channel.insult_session.warn(text)

    def end_sessions(self, text: str) -> None:
        """End every session; whoever is at a terminal is told why."""
        for channel in list(self.channels.values()):
            channel.insult_session.end(text)

    def send_away(self, text: str) -> None:
        """End every session with a sentence, and then the connection."""
        self._liveness.send_away(text)

    @property
    def session_limit(self) -> float | None:
        """How long this person may stay, in seconds, if that is limited for them."""
        return self.transport.avatar.grant.terms.session_limit

    @property
    def takes_channels(self) -> bool:
        """Whether anything may still begin here, on a new channel or on one that is open."""
        return self._takes_channels

    def take_no_more_channels(self) -> None:
        """Let nothing begin from now on, and nobody operate from what has begun."""
        self._takes_channels = False
        self.transport.avatar.operate_no_more()

    def disconnect(self, text: str) -> None:
        """End the connection."""
        self.transport.sendDisconnect(DISCONNECT_BY_APPLICATION, text.encode())

    # What the transport asks for

    @property
    def output_is_blocked(self) -> bool:
        """Whether nothing should be written to any channel now."""
        return self.transport.output_is_blocked

    def output_blocked_changed(self) -> None:
        """Have the channels' producers stop or go on, as the transport can send."""
        for channel in list(self.channels.values()):
            channel.update_producer()

    @property
    def waiting_output(self) -> int:
        """How many bytes wait for the windows of the channels."""
        return sum(len(channel.buf) for channel in self.channels.values())

    # Global requests (RFC 4254, section 4)

    @override
    def ssh_GLOBAL_REQUEST(self, packet: bytes) -> None:
        """Refuse: there is nothing to forward, and a keepalive is content with any answer."""
        fields = Fields(packet)
        fields.string()
        self.transport.count_noise()
        if fields.boolean():
            self.transport.sendPacket(MSG_REQUEST_FAILURE, b"")

    @override
    def ssh_REQUEST_SUCCESS(self, packet: bytes) -> None:
        self._expect_answer()
        super().ssh_REQUEST_SUCCESS(packet)

    @override
    def ssh_REQUEST_FAILURE(self, packet: bytes) -> None:
        self._expect_answer()
        super().ssh_REQUEST_FAILURE(packet)

    def _expect_answer(self) -> None:
        if not self.deferreds["global"]:
            raise ProtocolError("answer to a global request that was not made")

    # Opening (RFC 4254, section 5.1)

    @override
    def ssh_CHANNEL_OPEN(self, packet: bytes) -> None:
        fields = Fields(packet)
        channel_type = fields.string()
        remote_id, window, max_packet = (fields.uint32() for _ in range(3))
        if remote_id in self.localToRemoteChannel.values():
            raise ProtocolError("channel number is in use")
        try:
            channel = self.getChannel(channel_type, window, max_packet, fields.rest())
        except ConchError as refusal:
            self.transport.sendPacket(
                MSG_CHANNEL_OPEN_FAILURE,
                struct.pack(">2L", remote_id, refusal.data)
                + NS(str(refusal.value).encode())
                + NS(b""),
            )
            return
        channel.id = self.localChannelID
        self.localChannelID += 1
        self.channels[channel.id] = channel
        self.channelsToRemoteChannel[channel] = remote_id
        self.localToRemoteChannel[channel.id] = remote_id
        self._liveness.channels_changed()
        self.transport.sendPacket(
            MSG_CHANNEL_OPEN_CONFIRMATION,
            struct.pack(
                ">4L", remote_id, channel.id, channel.localWindowSize, channel.localMaxPacket
            ),
        )

    @override
    def getChannel(
        self, channelType: bytes, windowSize: int, maxPacket: int, data: bytes
    ) -> InsultChannel:
        """Make the channel that the avatar offers for this type.

        Raises:
            ConchError: with the text and the reason code of an OPEN_FAILURE.
        """
        if not self._opens.spend():
            raise ProtocolError("too many channels were opened")
        if len(self.channels) >= self._limits.channels or not self._takes_channels:
            raise ConchError("too many channels are open", OPEN_RESOURCE_SHORTAGE)
        if maxPacket < _SMALLEST_MAX_PACKET:
            raise ConchError("maximum packet size is too small", OPEN_CONNECT_FAILED)
        channel: InsultChannel = self.transport.avatar.lookupChannel(
            channelType, windowSize, maxPacket, data
        )
        channel.conn = self
        channel._log = self._log  # noqa: SLF001 - as in serviceStarted
        return channel

    @override
    def ssh_CHANNEL_OPEN_CONFIRMATION(self, packet: bytes) -> None:
        raise ProtocolError("confirmation of a channel that was not asked for")

    @override
    def ssh_CHANNEL_OPEN_FAILURE(self, packet: bytes) -> None:
        raise ProtocolError("refusal of a channel that was not asked for")

    # Data (RFC 4254, section 5.2)

    @override
    def ssh_CHANNEL_WINDOW_ADJUST(self, packet: bytes) -> None:
        fields = Fields(packet)
        channel, count = self._channel(fields.uint32()), fields.uint32()
        fields.end()
        if not count:
            self.transport.count_noise()
        if channel.remoteWindowLeft + count > _LARGEST_WINDOW:
            raise ProtocolError("window is too large")
        if not channel.localClosed:
            channel.addWindowBytes(count)

    @override
    def ssh_CHANNEL_DATA(self, packet: bytes) -> None:
        # Nearly every packet is one, so that this is worth more than `Fields` and `NS`.
        data = packet[_DATA_HEAD.size :]
        try:
            number, size = _DATA_HEAD.unpack_from(packet)
        except struct.error:
            raise ProtocolError("packet too short") from None
        if size != len(data):
            raise ProtocolError("packet too short" if size > len(data) else "packet too long")
        channel = self._channel(number)
        self._take_from_window(channel, data)
        if not channel.localClosed:
            channel.dataReceived(data)
            self.reopen_window(channel)

    @override
    def sendData(self, channel: InsultChannel, data: bytes) -> None:
        if not channel.localClosed:
            head = _DATA_HEAD.pack(self.channelsToRemoteChannel[channel], len(data))
            self.transport.sendPacket(MSG_CHANNEL_DATA, head + data)

    @override
    def ssh_CHANNEL_EXTENDED_DATA(self, packet: bytes) -> None:
        fields = Fields(packet)
        channel, data_type, data = self._channel(fields.uint32()), fields.uint32(), fields.string()
        fields.end()
        self._take_from_window(channel, data)
        if not channel.localClosed:
            channel.extReceived(data_type, data)
            self.reopen_window(channel)

    def _take_from_window(self, channel: InsultChannel, data: bytes) -> None:
        size = len(data)
        if size > channel.localWindowLeft or size > channel.localMaxPacket:
            raise ProtocolError("more data than the window allows")
        if channel.input_ended:
            raise ProtocolError("data after EOF")
        if not size:
            self.transport.count_noise()
        channel.localWindowLeft -= size

    def reopen_window(self, channel: InsultChannel) -> None:
        """Let the peer send again what has been read, if somebody reads.

        Args:
            channel: an open channel, or one just closed, for which nothing is done.
        """
        used = channel.localWindowSize - channel.localWindowLeft
        if channel.reading and used > channel.localWindowSize // 2:
            self.adjustWindow(channel, used)

    # Closing (RFC 4254, section 5.3)

    @override
    def ssh_CHANNEL_EOF(self, packet: bytes) -> None:
        fields = Fields(packet)
        channel = self._channel(fields.uint32())
        fields.end()
        if not channel.input_ended:
            channel.eofReceived()

    @override
    def channelClosed(self, channel: InsultChannel) -> None:
        super().channelClosed(channel)
        self._liveness.channels_changed()

    @override
    def ssh_CHANNEL_CLOSE(self, packet: bytes) -> None:
        fields = Fields(packet)
        channel = self._channel(fields.uint32())
        fields.end()
        channel.remoteClosed = True
        if channel.localClosed:
            self.channelClosed(channel)
        else:
            channel.closeReceived()

    # Requests to a channel (RFC 4254, section 5.4)

    @override
    def ssh_CHANNEL_REQUEST(self, packet: bytes) -> None:
        """Answer the request first and act on it then, so that no output overtakes the answer."""
        fields = Fields(packet)
        channel, request_type, wants_reply = (
            self._channel(fields.uint32()),
            fields.string(),
            fields.boolean(),
        )
        if channel.localClosed:
            return
        # Most requests come a few times in a session; a window may be dragged for a while.
        self.transport.count_noise()
        granted = channel.requestReceived(request_type, fields.rest())
        if wants_reply:
            self.transport.sendPacket(
                MSG_CHANNEL_SUCCESS if granted else MSG_CHANNEL_FAILURE,
                struct.pack(">L", self.localToRemoteChannel[channel.id]),
            )
        channel.request_answered()

    @override
    def ssh_CHANNEL_SUCCESS(self, packet: bytes) -> None:
        raise ProtocolError("answer to a channel request that was not made")

    @override
    def ssh_CHANNEL_FAILURE(self, packet: bytes) -> None:
        raise ProtocolError("answer to a channel request that was not made")

    def _channel(self, number: int) -> InsultChannel:
        """Find the channel that a message is for; its number comes first in each."""
        self._liveness.active()
        channel = self.channels.get(number)
        if channel is None:
            raise ProtocolError("no such channel")
        return channel
