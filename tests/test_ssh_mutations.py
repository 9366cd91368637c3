"""Sessions in which something was altered: they go on or end, and nothing else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.conch.ssh.common import NS

from conch_insults.wire import ProtocolError
from tests import ssh_client as ssh
from tests.ssh_client import SshClient, no_failure_logged, uint32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Message = tuple[int, bytes]
    Mutation = Callable[[Message], list[Message]]


@pytest.fixture(autouse=True, scope="module")
def quiet_log() -> Iterator[None]:
    with no_failure_logged():
        yield


def before_login(client: SshClient) -> Iterator[Message]:
    """Yield what a client says until it is in; steps of the key exchange are taken on the way."""
    client.say_version()
    yield ssh.KEXINIT, ssh.kexinit()
    yield ssh.KEX_INIT, client.kex_init
    yield ssh.NEWKEYS, b""
    yield ssh.EXT_INFO, uint32(1) + NS(b"x") + NS(b"y")
    yield ssh.SERVICE_REQUEST, NS(b"ssh-userauth")
    head = NS(b"alice") + NS(b"ssh-connection")
    yield ssh.AUTH_REQUEST, head + NS(b"none")
    key = NS(b"ssh-ed25519") + NS(ssh.ALICE_BLOB)
    yield ssh.AUTH_REQUEST, head + NS(b"publickey") + b"\0" + key
    yield ssh.AUTH_REQUEST, client.claim()


def after_login(client: SshClient) -> Iterator[Message]:
    """Yield what a client says to open a terminal, a pipe and a command, and to leave."""
    for channel in range(3):
        yield ssh.OPEN, NS(b"session") + uint32(channel, 2**20, 32768)
    terminal = NS(b"xterm") + uint32(80, 24, 0, 0) + NS(b"\x35\0\0\0\1\0")
    yield ssh.REQUEST, uint32(0) + NS(b"pty-req") + b"\1" + terminal
    yield ssh.REQUEST, uint32(0) + NS(b"env") + b"\0" + NS(b"LANG") + NS(b"C")
    yield ssh.REQUEST, uint32(0) + NS(b"shell") + b"\1"
    yield ssh.REQUEST, uint32(1) + NS(b"shell") + b"\1"
    yield ssh.REQUEST, uint32(2) + NS(b"exec") + b"\1" + NS(b"perl")
    yield ssh.GLOBAL_REQUEST, NS(b"keepalive@openssh.com") + b"\1"
    yield ssh.DATA, uint32(0) + NS(b"perl\r\x1b[A")
    yield ssh.REQUEST, uint32(0) + NS(b"window-change") + b"\0" + uint32(40, 10, 0, 0)
    yield ssh.DATA, uint32(1) + NS(b"perl\ncobol\n")
    yield ssh.EXTENDED_DATA, uint32(1, 1) + NS(b"?")
    yield ssh.ADJUST, uint32(1, 1000)
    yield ssh.KEXINIT, ssh.kexinit()
    yield ssh.KEX_INIT, client.kex_init
    yield ssh.NEWKEYS, b""
    yield ssh.EOF, uint32(1)
    yield ssh.CLOSE, uint32(1)
    yield ssh.DISCONNECT, uint32(11) + NS(b"bye") + NS(b"")


def say(client: SshClient, number: int, payload: bytes) -> None:
    if number == ssh.KEXINIT:
        client.send_kexinit(payload or b"\0")
    elif number == ssh.NEWKEYS and not payload and client._keys:
        client.send_newkeys()
    else:
        client.send(number, payload)


def altered(number: int, payload: bytes, mutations: list[tuple[str, int, int]]) -> list[Message]:
    """Apply changes to one message: each is a kind, a place and a value."""
    messages = [(number, payload)]
    for kind, place, value in mutations:
        at = place % (len(payload) + 1)
        if kind == "flip":
            flipped = bytearray(payload + b"\0")
            flipped[at] ^= 1 << value % 8
            payload = bytes(flipped[: len(payload)])
        elif kind == "cut":
            payload = payload[:at]
        elif kind == "insert":
            payload = payload[:at] + bytes((value,)) * (1 + value % 4) + payload[at:]
        elif kind == "huge":
            payload = payload[:at] + b"\xff\xff\xff\xff" + payload[at + 4 :]
        elif kind == "renumber":
            number = value
        messages[0] = (number, payload)
        if kind == "twice":
            messages *= 2
        elif kind == "drop":
            return []
    return messages


CHANGES = st.dictionaries(
    st.integers(0, 22),
    st.lists(
        st.tuples(
            st.sampled_from(["flip", "cut", "insert", "huge", "renumber", "twice", "drop"]),
            st.integers(0, 300),
            st.integers(0, 255),
        ),
        min_size=1,
        max_size=3,
    ),
    max_size=3,
)


def reads(client: SshClient) -> bool:
    """Read all there is, and say whether the client still understands it."""
    try:
        client.read()
    except ProtocolError:
        return False
    return True


def hold(
    client: SshClient,
    transcript: Iterator[Message],
    changes: dict[int, list[tuple[str, int, int]]],
) -> None:
    """Say a transcript with changes, and see that whatever becomes of it comes to an end."""
    for step, message in enumerate(transcript):
        for number, payload in altered(*message, changes.get(step, [])):
            say(client, number, payload)
        if not reads(client) or client.link.is_over:
            break
    client.clock.pump([30.0] * 60)
    assert client.link.is_over
    client.link.lose()
    assert not client.clock.getDelayedCalls()
    assert not client.conversations.sessions
    assert not client.factory.connections


@settings(deadline=None, max_examples=200)
@given(CHANGES)
@example({})
def test_altered_before_login(changes: dict[int, list[tuple[str, int, int]]]) -> None:
    client = SshClient()
    hold(client, before_login(client), changes)
    if not changes:
        assert ssh.AUTH_SUCCESS in dict(client.received)


@settings(deadline=None, max_examples=200)
@given(CHANGES)
@example({})
def test_altered_after_login(changes: dict[int, list[tuple[str, int, int]]]) -> None:
    client = SshClient()
    client.log_in()
    hold(client, after_login(client), changes)
    if not changes:
        assert ssh.DISCONNECT not in dict(client.received)
        numbers = [number for number, _ in client.received]
        assert numbers.count(ssh.OPENED) == 3
        assert numbers.count(ssh.CLOSE) == 2


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 3000), st.integers(0, 7), st.booleans())
def test_altered_on_the_wire(at: int, bit: int, logged_in: bool) -> None:
    client = SshClient()
    if logged_in:
        client.log_in()
    with client.at_once():
        if logged_in:
            for number in range(20):
                client.send(ssh.GLOBAL_REQUEST, NS(b"x" * number) + b"\1")
        else:
            client.say_version()
            client.send_kexinit()
            client.send(ssh.KEX_INIT, client.kex_init)
        assert client._held is not None
        client._held[at % len(client._held)] ^= 1 << bit
    client.clock.pump([30.0] * 60)
    assert client.link.is_over
    client.link.lose()
    assert not client.clock.getDelayedCalls()
