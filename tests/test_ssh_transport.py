"""The transport against a client that is slow, wrong, greedy or noisy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.conch.ssh.common import NS

from conch_insults.access.signature import ALGORITHMS
from conch_insults.config import LimitSettings
from tests import ssh_client as ssh
from tests.ssh_client import SshClient, kexinit, no_failure_logged, uint32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOO_NOISY = (2, b"too many messages that ask for nothing")
TOO_LONG = (11, b"you took too long")


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    with no_failure_logged():
        yield


@pytest.fixture
def client() -> SshClient:
    return SshClient()


# The beginning


def test_the_server_speaks_first(client: SshClient) -> None:
    assert client.link.pending.startswith(b"SSH-2.0-conch_insults\r\n")
    assert client.numbers() == [ssh.KEXINIT]


def test_the_version_may_come_byte_by_byte(client: SshClient) -> None:
    for byte in b"SSH-2.0-slow\r\n":
        client.write(bytes((byte,)))
    client.version = b"SSH-2.0-slow"
    client.exchange_keys()
    assert client.numbers() == [ssh.EXT_INFO]


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"SSH-1.5-old\r\n",
        b"\r\n",
        b"SSH-2.0-" + b"x" * 250,
        b"SSH-2.0-" + b"x" * 100_000 + b"\r\n",
    ],
)
def test_no_ssh_client_is_told_so(client: SshClient, line: bytes) -> None:
    client.write(line)
    assert client.disconnected() == (2, b"no SSH 2.0 client")
    assert client.link.lost


def test_users_may_sign_with_more_than_the_host_keys(client: SshClient) -> None:
    client.get_keys()
    ((number, payload),) = client.read()[-1:]
    assert number == ssh.EXT_INFO
    assert payload == uint32(1) + NS(b"server-sig-algs") + NS(",".join(ALGORITHMS).encode())


def test_extensions_are_not_told_to_who_does_not_ask(client: SshClient) -> None:
    client.say_version()
    client.send_kexinit(kexinit().replace(b"ext-info-c", b"ext-info-x"))
    client.read()
    client.send(ssh.KEX_INIT, client.kex_init)
    client.read()
    client.send_newkeys()
    assert client.read() == []


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (kexinit(b"diffie-hellman-group14-sha1"), b"no common key exchange"),
        (kexinit(cipher=b"aes128-cbc"), b"no common cipher"),
        (kexinit(compression=b"zlib"), b"no common compression"),
        (kexinit(compression=b"zlib@openssh.com"), b"no common compression"),
    ],
)
def test_what_is_not_offered_is_not_agreed_on(
    client: SshClient, payload: bytes, complaint: bytes
) -> None:
    client.say_version()
    client.send_kexinit(payload)
    assert client.disconnected() == (3, complaint)


def test_compression_is_passed_over_if_none_will_do(client: SshClient) -> None:
    client.say_version()
    client.send_kexinit(kexinit(compression=b"zlib,zlib@openssh.com,none"))
    client.send(ssh.KEX_INIT, client.kex_init)
    assert client.numbers() == [ssh.KEXINIT, ssh.KEX_REPLY, ssh.NEWKEYS]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        NS(b""),
        NS(bytes(32)),
        NS(b"x" * 31),
        NS(b"x" * 33),
        NS(b"x" * 32) + b"more",
        b"\xff\xff\xff\xff",
    ],
)
def test_a_bad_public_key_ends_the_key_exchange(client: SshClient, payload: bytes) -> None:
    client.say_version()
    client.send_kexinit()
    client.send(ssh.KEX_INIT, payload)
    code, _ = client.disconnected() or (None, None)
    assert code == 2


@pytest.mark.parametrize("payload", [b"", kexinit()[:-1], kexinit() + b"x", kexinit()[:40]])
def test_a_malformed_kexinit_ends_the_connection(client: SshClient, payload: bytes) -> None:
    client.say_version()
    client.send(ssh.KEXINIT, payload)
    code, _ = client.disconnected() or (None, None)
    assert code in {2, 3}
    assert client.link.lost


def test_newkeys_carry_nothing(client: SshClient) -> None:
    client.say_version()
    client.send_kexinit()
    client.send(ssh.KEX_INIT, client.kex_init)
    client.send(ssh.NEWKEYS, b"x")
    assert client.disconnected() == (2, b"packet too long")


# Time


def nothing(client: SshClient) -> None:
    assert not client.version


@pytest.mark.parametrize(
    "get_so_far", [nothing, SshClient.say_version, SshClient.get_keys, SshClient.request_service]
)
def test_whoever_is_not_in_after_the_grace_is_sent_away(
    client: SshClient, get_so_far: Callable[[SshClient], None]
) -> None:
    get_so_far(client)
    client.pass_time(29)
    assert not client.link.is_over
    client.pass_time(1)
    assert client.disconnected() == TOO_LONG
    assert client.link.lost
    assert not client.clock.getDelayedCalls()


def test_talking_does_not_prolong_the_grace() -> None:
    client = SshClient(limits=LimitSettings(login_grace=10))
    client.request_service()
    for _ in range(9):
        client.pass_time(1)
        client.send(ssh.IGNORE, NS(b""))
        client.send(ssh.AUTH_REQUEST, NS(b"alice") + NS(b"ssh-connection") + NS(b"none"))
    assert not client.link.is_over
    client.pass_time(1)
    assert client.disconnected() == TOO_LONG


def test_whoever_is_in_may_stay(client: SshClient) -> None:
    client.pass_time(29)
    client.log_in()
    client.shell()
    client.pass_time(60)
    assert not client.link.is_over


# Size


def limit_before_login(client: SshClient) -> int:
    client.request_service()
    return 35_000


def limit_after_login(client: SshClient) -> int:
    client.log_in()
    return 256 * 1024


@pytest.mark.parametrize("get_there", [limit_before_login, limit_after_login])
def test_packets_are_as_large_as_the_limit_at_most(
    client: SshClient, get_there: Callable[[SshClient], int]
) -> None:
    limit = get_there(client)
    client.send(ssh.IGNORE, b"x" * (limit - 40))
    assert client.read() == []
    assert not client.link.is_over
    client.send(ssh.IGNORE, b"x" * (limit + 1))
    code, text = client.disconnected() or (0, b"")
    assert (code, text[:17]) == (2, b"bad packet length")


def test_a_length_is_refused_before_the_packet_has_come(client: SshClient) -> None:
    client.say_version()
    client.write(uint32(35_004 + 8))
    assert client.link.is_over
    assert len(client.server._stream._buffer) < 100


def test_packets_byte_by_byte_are_kept_once(client: SshClient) -> None:
    client.log_in()
    packet = client.stream.seal(bytes((ssh.GLOBAL_REQUEST,)) + NS(b"x" * 2000) + b"\1")
    for count, byte in enumerate(packet, 1):
        client.write(bytes((byte,)))
        assert len(client.server._stream._buffer) == count % len(packet)
    assert client.numbers() == [ssh.REQUEST_FAILURE]


@pytest.mark.parametrize("at", [0, 5, -1])
def test_an_altered_packet_ends_the_connection(client: SshClient, at: int) -> None:
    client.log_in()
    packet = bytearray(client.stream.seal(bytes((ssh.GLOBAL_REQUEST,)) + NS(b"x") + b"\1"))
    packet[at] ^= 1
    client.write(bytes(packet))
    assert client.disconnected() is not None
    assert ssh.REQUEST_FAILURE not in client.numbers()


# Noise

NOISES = {
    "IGNORE": (ssh.IGNORE, NS(b"x")),
    "DEBUG": (ssh.DEBUG, b"\0" + NS(b"x") + NS(b"")),
    "UNIMPLEMENTED": (ssh.UNIMPLEMENTED, uint32(0)),
    "malformed DEBUG": (ssh.DEBUG, b""),
    "unknown": (200, b""),
}


@pytest.mark.parametrize("kind", NOISES)
def test_before_login_twenty_messages_may_ask_for_nothing(client: SshClient, kind: str) -> None:
    client.get_keys()
    client.pass_time(20)
    for _ in range(20):
        client.send(*NOISES[kind])
    assert not client.link.is_over
    client.send(*NOISES[kind])
    assert client.disconnected() == TOO_NOISY


@pytest.mark.parametrize("kind", NOISES)
def test_after_login_it_is_a_thousand_and_twenty_a_second(client: SshClient, kind: str) -> None:
    client.log_in()
    for _ in range(1000):
        client.send(*NOISES[kind])
    client.read()
    client.clock.advance(1)
    for _ in range(20):
        client.send(*NOISES[kind])
    client.read()
    assert not client.link.is_over
    client.send(*NOISES[kind])
    assert client.disconnected() == TOO_NOISY


# The end


def test_a_client_that_says_goodbye_is_let_go(client: SshClient) -> None:
    client.log_in()
    client.send(ssh.DISCONNECT, uint32(11) + NS(b"bye") + NS(b""))
    assert client.read() == []
    assert client.link.lost
    assert not client.clock.getDelayedCalls()


@pytest.mark.parametrize("payload", [b"", b"\0", uint32(11) + b"\xff\xff\xff\xff"])
def test_a_goodbye_may_be_mumbled(client: SshClient, payload: bytes) -> None:
    client.say_version()
    client.send(ssh.DISCONNECT, payload)
    client.read()
    assert client.link.lost


def test_only_the_first_reason_is_told(client: SshClient) -> None:
    client.log_in()
    client.server.loseConnection()
    client.server.loseConnection()
    assert client.numbers() == [ssh.DISCONNECT]


def test_after_the_connection_is_lost_nothing_is_written(client: SshClient) -> None:
    client.log_in()
    client.link.lose()
    client.server.sendPacket(ssh.IGNORE, NS(b""))
    client.server.sendDisconnect(2, b"too late")
    client.server.end_sessions("bye")
    assert not client.link.pending
    assert not client.factory.connections


def test_sessions_are_ended_where_there_are_some(client: SshClient) -> None:
    client.get_keys()
    client.server.end_sessions("bye")
    assert not client.link.is_over
    client.send(ssh.SERVICE_REQUEST, NS(b"ssh-userauth"))
    client.read()
    client.send(ssh.AUTH_REQUEST, client.claim())
    client.open()
    client.pty()
    client.request(b"shell")
    client.read()
    client.server.end_sessions("We are closed.")
    assert b"We are closed." in client.output()


@pytest.mark.parametrize("name", [b"ssh-connection", b"", b"made-up", b"\xff"])
def test_a_service_that_is_not_next_is_refused(client: SshClient, name: bytes) -> None:
    client.get_keys()
    client.send(ssh.SERVICE_REQUEST, NS(name))
    assert client.disconnected() == (7, b"no such service")


@pytest.mark.parametrize(
    "payload", [b"", uint32(2) + NS(b"a") + NS(b"b"), uint32(0) + b"x", b"\xff\xff\xff\xff"]
)
def test_malformed_extensions_end_the_connection(client: SshClient, payload: bytes) -> None:
    client.get_keys()
    client.send(ssh.EXT_INFO, payload)
    code, _ = client.disconnected() or (0, b"")
    assert code == 2


def test_the_server_stops_producing_by_doing_nothing(client: SshClient) -> None:
    client.log_in()
    client.server.stopProducing()
    assert client.server.isEncrypted()
    assert not client.link.is_over


def test_a_connection_that_is_not_tcp_does_as_well() -> None:
    client = SshClient(tcp=False)
    client.log_in()
    assert not client.link.no_delay
    assert not client.link.keep_alive
