"""Who is there, who says nothing, and how long anybody may stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.conch.ssh.common import NS

from conch_insults.config import LimitSettings
from conch_insults.ssh.liveness import IDLE_END, IDLE_WARNING, LIMIT_END
from tests import ssh_client as ssh
from tests.ssh_client import SshClient, no_failure_logged, uint32

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE = 60
# Conch packs true as 255.
KEEPALIVE = (ssh.GLOBAL_REQUEST, NS(b"keepalive@openssh.com") + b"\xff")


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    with no_failure_logged():
        yield


def logged_in(
    *,
    keepalive_interval: float = 1e6,
    idle_timeout: float = 15 * MINUTE,
    session_limit: float = 0,
) -> SshClient:
    client = SshClient(
        limits=LimitSettings(
            keepalive_interval=keepalive_interval,
            idle_timeout=idle_timeout,
            session_limit=session_limit,
        )
    )
    client.log_in()
    return client


def terminal(client: SshClient) -> None:
    client.open()
    client.pty()
    client.request(b"shell")
    client.read()


def exit_status(client: SshClient) -> int | None:
    statuses = [
        int.from_bytes(payload[-4:], "big")
        for number, payload in client.received
        if number == ssh.REQUEST and b"exit-status" in payload
    ]
    return statuses[-1] if statuses else None


# Signs of life


def test_a_silent_peer_is_asked_three_times_and_then_left() -> None:
    client = logged_in(keepalive_interval=30)
    client.shell()
    client.pass_time(29)
    assert client.read() == []
    client.pass_time(1)
    assert client.read() == [KEEPALIVE]
    client.pass_time(60)
    assert client.read() == [KEEPALIVE] * 2
    client.pass_time(29)
    assert not client.link.is_over
    client.pass_time(1)
    assert client.link.aborted
    assert not client.clock.getDelayedCalls()
    assert not client.conversations.sessions


@pytest.mark.parametrize("answer", [ssh.REQUEST_FAILURE, ssh.REQUEST_SUCCESS, ssh.IGNORE])
def test_a_peer_that_answers_anything_stays(answer: int) -> None:
    client = logged_in(keepalive_interval=30, idle_timeout=0)
    client.shell()
    for _ in range(100):
        client.pass_time(30)
        if KEEPALIVE in client.read():
            client.send(answer, NS(b"") if answer == ssh.IGNORE else b"")
    assert not client.link.is_over


def test_a_peer_that_says_something_is_not_asked() -> None:
    client = logged_in(keepalive_interval=30)
    client.shell()
    for _ in range(20):
        client.pass_time(29)
        client.send(ssh.IGNORE, NS(b""))
    assert client.read() == []


def test_an_answer_starts_the_count_anew() -> None:
    client = logged_in(keepalive_interval=30)
    client.shell()
    client.pass_time(100)
    assert client.read() == [KEEPALIVE] * 3
    client.send(ssh.REQUEST_FAILURE)
    client.pass_time(100)
    assert client.read() == [KEEPALIVE] * 3
    assert not client.link.is_over


# Idleness


def test_a_terminal_is_warned_once_and_then_left() -> None:
    client = logged_in()
    terminal(client)
    client.pass_time(14 * MINUTE - 1)
    assert client.output() == b""
    client.pass_time(1)
    assert client.output().count(IDLE_WARNING.encode()) == 1
    client.pass_time(59)
    assert client.output() == b""
    client.pass_time(1)
    assert IDLE_END.encode() in client.output()
    assert exit_status(client) == 3
    client.send(ssh.CLOSE, uint32(0))
    client.pass_time(MINUTE)
    assert client.disconnected() == (11, b"nothing is open on this connection")


def test_whoever_types_after_the_warning_stays_and_is_warned_again() -> None:
    client = logged_in()
    terminal(client)
    client.pass_time(14 * MINUTE + 30)
    assert IDLE_WARNING.encode() in client.output()
    client.data(b"p")
    client.read()
    client.pass_time(14 * MINUTE - 1)
    assert client.read() == []
    client.pass_time(1)
    assert client.output().count(IDLE_WARNING.encode()) == 1
    client.pass_time(MINUTE)
    assert IDLE_END.encode() in client.output()
    assert exit_status(client) == 3


def test_a_pipe_hears_nothing_among_its_answers() -> None:
    client = logged_in()
    client.shell()
    client.pass_time(15 * MINUTE - 1)
    assert client.read() == []
    client.pass_time(1)
    numbers = client.numbers()
    assert ssh.DATA not in numbers
    assert numbers == [ssh.EXTENDED_DATA, ssh.EOF, ssh.REQUEST, ssh.CLOSE]
    assert exit_status(client) == 3
    assert IDLE_END.encode() in dict(client.received)[ssh.EXTENDED_DATA]


def test_answers_to_keepalives_are_no_activity() -> None:
    client = logged_in(keepalive_interval=30)
    client.shell()
    for _ in range(15 * 60 // 30):
        client.pass_time(30)
        if client.read():
            client.send(ssh.REQUEST_FAILURE)
    client.pass_time(30)
    client.read()
    assert exit_status(client) == 3


@pytest.mark.parametrize("how", ["nothing runs", "window of nothing", "no CLOSE"])
def test_whoever_stays_after_the_end_is_sent_away(how: str) -> None:
    client = logged_in()
    if how == "nothing runs":
        client.open()
    elif how == "window of nothing":
        client.open(window=0)
        client.pty()
        client.request(b"shell")
    else:
        client.shell()
    client.read()
    client.pass_time(16 * MINUTE - 1)
    assert not client.link.is_over
    client.pass_time(1)
    assert client.disconnected() == (11, b"nothing has come for too long")


def test_a_short_timeout_is_warned_of_half_way() -> None:
    client = logged_in(idle_timeout=20)
    terminal(client)
    client.pass_time(9)
    assert client.output() == b""
    client.pass_time(1)
    assert IDLE_WARNING.encode() in client.output()
    client.pass_time(10)
    assert IDLE_END.encode() in client.output()


def test_without_a_timeout_idleness_is_no_matter() -> None:
    client = logged_in(idle_timeout=0)
    terminal(client)
    client.pass_time(3000)
    assert client.output() == b""
    assert not client.link.is_over


# The limit


def test_nobody_stays_beyond_the_limit_however_busy() -> None:
    client = logged_in(session_limit=100)
    terminal(client)
    for _ in range(99):
        client.pass_time(1)
        client.data(b"x")
    client.read()
    client.pass_time(1)
    assert LIMIT_END.encode() in client.output()
    assert exit_status(client) == 3
    client.open(8)
    assert client.numbers() == [ssh.OPEN_FAILURE]
    client.pass_time(59)
    assert not client.link.is_over
    client.pass_time(1)
    assert client.disconnected() == (11, b"this has lasted too long")


def test_without_a_limit_anybody_may_stay() -> None:
    client = logged_in()
    terminal(client)
    for _ in range(100):
        client.pass_time(60)
        client.data(b"x")
    client.read()
    assert exit_status(client) is None


# Without a channel


def test_a_connection_without_a_channel_is_closed_after_a_minute() -> None:
    client = logged_in()
    client.pass_time(59)
    assert not client.link.is_over
    client.pass_time(1)
    assert client.disconnected() == (11, b"nothing is open on this connection")


def test_the_minute_starts_when_the_last_channel_is_closed() -> None:
    client = logged_in()
    client.pass_time(30)
    client.shell()
    client.pass_time(100)
    client.send(ssh.CLOSE, uint32(0))
    client.pass_time(59)
    assert not client.link.is_over
    client.pass_time(1)
    assert client.disconnected() == (11, b"nothing is open on this connection")


def test_no_timer_outlives_the_connection() -> None:
    client = logged_in(keepalive_interval=30, session_limit=1000)
    terminal(client)
    client.link.lose()
    assert not client.clock.getDelayedCalls()
