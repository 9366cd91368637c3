"""What a client can make the server hold: little, whatever it sends and does not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.conch.ssh.common import NS

from conch_insults.config import LimitSettings, SshSettings
from conch_insults.ssh.channel import WINDOW_SIZE
from conch_insults.ssh.connection import InsultConnection
from tests import ssh_client as ssh
from tests.ssh_client import SshClient, no_failure_logged, uint32
from tests.ssh_peer import insult_pack

if TYPE_CHECKING:
    from collections.abc import Iterator

# One answer to `topics` is some 9 KB.
MANY_TOPICS = insult_pack(b"".join(b"topic number %d: so-so\n" % n for n in range(400)))

A_LITTLE = 256 * 1024


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    with no_failure_logged():
        yield


@pytest.fixture
def client() -> SshClient:
    client = SshClient(pack=MANY_TOPICS)
    client.log_in()
    return client


def waiting_in(client: SshClient) -> int:
    """Count the bytes that the server itself holds, beside those given to TCP."""
    server = client.server
    queued = sum(len(payload) for _, payload in server._blockedByKeyExchange)
    channels = getattr(server.service, "channels", {}).values()
    return queued + sum(len(channel.buf) + len(channel._early_input) for channel in channels)


def test_tcp_is_told_not_to_wait_and_to_look_after_itself(client: SshClient) -> None:
    assert client.link.no_delay
    assert client.link.keep_alive


def test_answers_that_nobody_reads_stop_the_questions(client: SshClient) -> None:
    client.shell(window=2**32 - 1)
    for _ in range(1000):
        client.data(b"topics\n" * 4)
    assert not client.link.reading
    assert len(client.link.unread) > 10_000
    assert client.link.most_pending < A_LITTLE
    assert waiting_in(client) < A_LITTLE
    assert not client.link.is_over


def test_whoever_reads_again_gets_every_answer(client: SshClient) -> None:
    client.shell(window=2**32 - 1)
    client.data(b"topics\n")
    once = client.output()
    for _ in range(50):
        client.data(b"topics\n")
    assert not client.link.reading
    output = b""
    while piece := client.output():
        output += piece
        client.link.deliver()
    assert output == once * 50
    assert client.link.reading
    client.pass_time(61)
    assert not client.link.is_over


def test_messages_that_are_answered_by_themselves_are_rationed(client: SshClient) -> None:
    for _ in range(20_000):
        client.send(ssh.GLOBAL_REQUEST, NS(b"x") + b"\1")
    assert client.link.most_pending < A_LITTLE
    assert client.numbers().count(ssh.REQUEST_FAILURE) == 1000
    assert client.disconnected() == (2, b"too many messages that ask for nothing")


def test_a_stalled_reader_is_cut_off_after_a_minute(client: SshClient) -> None:
    client.shell(window=2**32 - 1)
    for _ in range(100):
        client.data(b"topics\n")
    assert not client.link.reading
    client.pass_time(59)
    assert not client.link.aborted
    client.pass_time(1)
    assert client.link.aborted
    assert not client.clock.getDelayedCalls()
    assert not client.conversations.sessions


def test_a_stall_is_no_longer_for_what_we_send_meanwhile() -> None:
    client = SshClient(limits=LimitSettings(keepalive_interval=10), pack=MANY_TOPICS)
    client.log_in()
    client.shell(window=2**32 - 1)
    for _ in range(100):
        client.data(b"topics\n")
    before = len(client.link.pending)
    client.pass_time(35)
    assert len(client.link.pending) > before
    client.pass_time(25)
    assert client.link.aborted


def test_a_window_of_nothing_stops_the_questions(client: SshClient) -> None:
    client.shell(window=0)
    sent = 0
    while sent + 70 <= WINDOW_SIZE:
        client.data(b"topics\n" * 10)
        sent += 70
    client.read()
    assert not client.received[-1:] or client.received[-1][0] != ssh.ADJUST
    assert waiting_in(client) < A_LITTLE
    assert client.link.most_pending < 1000
    client.data(b"x" * 70)
    assert client.disconnected() == (2, b"more data than the window allows")


def test_what_waits_for_a_window_is_sent_when_it_opens(client: SshClient) -> None:
    client.shell(window=0)
    client.data(b"topics\n" * 3)
    assert client.output() == b""
    client.send(ssh.ADJUST, uint32(0, 10))
    assert len(client.output()) == 10
    client.send(ssh.ADJUST, uint32(0, 2**20))
    assert client.output().count(b"topic number 7") >= 3


def test_data_before_a_shell_is_held_up_to_the_window(client: SshClient) -> None:
    client.open()
    client.read()
    for _ in range(WINDOW_SIZE // 1024):
        client.data(b"topics\n" * 146 + b"  ")
    assert client.numbers() == []
    assert waiting_in(client) == WINDOW_SIZE
    client.data(b"x")
    assert client.disconnected() == (2, b"more data than the window allows")


def test_four_channels_are_open_at_most_and_no_more_are_held(client: SshClient) -> None:
    answers: list[int] = []
    for channel in range(10_000):
        client.open(channel)
        answers += client.numbers()
        assert len(getattr(client.server.service, "channels", ())) <= 4
        if client.link.is_over:
            break
    assert answers == [ssh.OPENED] * 4 + [ssh.OPEN_FAILURE] * 96 + [ssh.DISCONNECT]
    assert client.disconnected() == (2, b"too many channels were opened")


def test_channels_may_be_opened_again_and_again_in_time(client: SshClient) -> None:
    for number in range(500):
        client.open()
        client.send(ssh.CLOSE, uint32(number))
        client.clock.advance(0.05)
    assert ssh.OPEN_FAILURE not in client.numbers()
    assert not client.link.is_over


def test_what_waits_for_new_keys_is_bounded_too(client: SshClient) -> None:
    client.shell(window=2**32 - 1)
    client.send_kexinit()
    client.send(ssh.KEX_INIT, client.kex_init)
    # The client must not send such things now; the application may have more to say.
    for _ in range(200):
        client.server.sendPacket(ssh.DATA, uint32(0) + NS(b"x" * 8000))
    assert client.link.aborted
    assert waiting_in(client) <= 1024 * 1024 + 8192


def test_an_application_is_paused_while_keys_are_exchanged() -> None:
    client = SshClient(pack=MANY_TOPICS)
    client.log_in()
    client.shell(window=2**32 - 1)
    client.server.sendKexInit()
    for _ in range(1000):
        client.data(b"topics\n")
    assert waiting_in(client) < A_LITTLE
    assert client.link.most_pending < A_LITTLE
    client.pass_time(31)
    assert client.link.is_over


def test_more_than_the_setting_is_never_held_for_a_slow_reader() -> None:
    client = SshClient(limits=LimitSettings(pending_output=256 * 1024))
    client.log_in()
    client.shell(window=2**32 - 1)
    for _ in range(100):
        client.server.sendPacket(ssh.DATA, uint32(0) + NS(b"x" * 8000))
        if client.link.aborted:
            break
    assert client.link.aborted
    assert client.link.most_pending < 256 * 1024 + 100 * 1024


@pytest.mark.parametrize("logged_in", [False, True])
def test_whoever_does_not_read_the_goodbye_is_cut_off(logged_in: bool) -> None:
    client = SshClient(SshSettings())
    client.log_in() if logged_in else client.say_version()
    client.send(ssh.EXT_INFO)
    assert client.link.disconnecting
    assert not client.link.lost
    client.pass_time(5)
    assert client.link.aborted


def test_a_full_link_can_still_be_closed(client: SshClient) -> None:
    client.shell(window=2**32 - 1)
    for _ in range(100):
        client.data(b"topics\n")
    client.server.loseConnection()
    assert client.link.disconnecting
    assert client.disconnected() == (10, b"user closed connection")
    assert client.link.lost


def test_what_comes_with_the_answer_that_was_too_much_waits(client: SshClient) -> None:
    client.server.sendPacket(ssh.IGNORE, NS(b"x" * 65_000))
    with client.at_once():
        for _ in range(1000):
            client.send(ssh.GLOBAL_REQUEST, NS(b"x") + b"\1")
    # What goes out in one write was collected before it was too much.
    assert len(client.link.pending) < 66_000 + 16 * 1024
    assert client.numbers().count(ssh.REQUEST_FAILURE) == 1000


@pytest.mark.parametrize("number", [ssh.OPENED, ssh.DISCONNECT])
def test_nothing_is_done_that_comes_after_the_end(client: SshClient, number: int) -> None:
    with client.at_once():
        client.send(number)
        client.open()
    assert client.link.disconnecting
    assert isinstance(client.server.service, InsultConnection)
    assert not client.server.service.channels


def test_what_has_waited_and_was_sent_counts_no_more(client: SshClient) -> None:
    for _ in range(40):
        client.server.sendKexInit()
        client.read()
        client.server.sendPacket(ssh.DATA, uint32(0) + NS(b"x" * 30_000))
        client.exchange_keys()
        assert client.numbers() == [ssh.DATA]
    for _ in range(20):
        for _ in range(10):
            client.server.sendPacket(ssh.DATA, uint32(0) + NS(b"x" * 30_000))
        assert not client.link.reading
        assert client.numbers().count(ssh.DATA) == 10
    assert not client.link.is_over
