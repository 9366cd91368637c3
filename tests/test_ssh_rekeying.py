"""Keys that change: when, who asks, and what waits meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.conch.ssh.common import NS

from conch_insults.config import SshSettings
from tests import ssh_client as ssh
from tests.ssh_client import SshClient, no_failure_logged, uint32

if TYPE_CHECKING:
    from collections.abc import Iterator

TOO_LONG = (11, b"you took too long")
CIPHERS = [b"aes256-gcm@openssh.com", b"chacha20-poly1305@openssh.com", b"aes256-ctr"]


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    with no_failure_logged():
        yield


def talking(ssh_settings: SshSettings | None = None) -> SshClient:
    client = SshClient(ssh_settings)
    client.log_in()
    client.shell()
    return client


def answers(client: SshClient) -> int:
    client.read()
    return b"".join(payload for number, payload in client.received if number == ssh.DATA).count(
        b"Line noise."
    )


# The moment


def test_after_its_newkeys_the_server_uses_them_though_ours_have_not_come() -> None:
    client = SshClient()
    client.say_version()
    client.send_kexinit()
    client.send(ssh.KEX_INIT, client.kex_init)
    assert client.numbers()[-1] == ssh.NEWKEYS
    client.server.sendDisconnect(11, b"secret")
    assert b"secret" not in client.link.pending
    assert client.disconnected() == (11, b"secret")


def test_after_our_newkeys_nothing_is_taken_under_the_old() -> None:
    client = SshClient()
    client.say_version()
    client.send_kexinit()
    client.send(ssh.KEX_INIT, client.kex_init)
    client.read()
    client.send(ssh.NEWKEYS)
    client.send(ssh.SERVICE_REQUEST, NS(b"ssh-userauth"))
    client.write(bytes(1000))
    assert ssh.SERVICE_ACCEPT not in client.numbers()
    assert client.link.is_over


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("strict", [True, False])
def test_numbers_start_again_in_strict_key_exchange_only(cipher: bytes, strict: bool) -> None:
    client = SshClient()
    client.strict, client.cipher = strict, cipher
    client.log_in()
    client.shell()
    for _ in range(3):
        sent = client.stream._outgoing_sequence
        client.exchange_keys()
        assert client.server._stream.incoming_sequence == (0 if strict else sent + 3)
        client.data(b"perl\n")
    assert answers(client) == 3


@pytest.mark.parametrize("cipher", CIPHERS)
def test_numbers_wrap(cipher: bytes) -> None:
    client = SshClient()
    client.strict, client.cipher = False, cipher
    client.log_in()
    client.shell()
    last = 2**32 - 2
    client.stream.incoming_sequence = client.server._stream._outgoing_sequence = last
    client.stream._outgoing_sequence = client.server._stream.incoming_sequence = last
    for _ in range(4):
        client.data(b"perl\n")
    assert answers(client) == 4
    client.stream._outgoing_sequence = client.server._stream.incoming_sequence = 2**32 - 1
    client.send(200)
    assert client.read() == [(ssh.UNIMPLEMENTED, uint32(2**32 - 1))]


# Who asks


def test_the_client_may_ask_in_the_middle_of_data() -> None:
    client = talking()
    for _ in range(10):
        client.data(b"perl\n")
        client.exchange_keys()
        client.data(b"perl\n")
    assert answers(client) == 20


def test_what_was_asked_before_a_key_exchange_is_answered_after_it() -> None:
    client = talking()
    client.server.sendKexInit()
    client.data(b"perl\n")
    assert client.numbers() == [ssh.KEXINIT]
    client.send_kexinit()
    client.send(ssh.KEX_INIT, client.kex_init)
    assert client.numbers() == [ssh.KEX_REPLY, ssh.NEWKEYS]
    client.send_newkeys()
    assert client.numbers() == [ssh.DATA]
    assert answers(client) == 1


def test_both_may_ask_at_once() -> None:
    client = talking()
    client.send_kexinit()
    client.server.sendPacket(ssh.IGNORE, NS(b""))
    client.server._rekey()
    client.send(ssh.KEX_INIT, client.kex_init)
    assert client.numbers() == [ssh.KEXINIT, ssh.IGNORE, ssh.KEX_REPLY, ssh.NEWKEYS]
    client.send_newkeys()
    client.data(b"perl\n")
    assert answers(client) == 1


@pytest.mark.no_cover
def test_the_server_asks_after_so_many_bytes() -> None:
    client = talking(SshSettings(rekey_bytes=2**16))
    exchanges = 0
    for _ in range(3000):
        client.data(b"perl\n" * 10)
        if client.numbers().count(ssh.KEXINIT):
            exchanges += 1
            client.exchange_keys()
    moved = 3000 * (len(b"perl\n") + len(b"Line noise.\n")) * 10
    assert moved // 2**16 <= exchanges <= 2 * moved // 2**16
    assert answers(client) == 30_000
    assert not client.link.is_over


def test_the_server_asks_once_however_much_it_sends_meanwhile() -> None:
    client = talking(SshSettings(rekey_bytes=2**16))
    for _ in range(20):
        client.server.sendPacket(ssh.DATA, uint32(0) + NS(b"x" * 8000))
    numbers = client.numbers()
    assert numbers == [ssh.DATA] * numbers.index(ssh.KEXINIT) + [ssh.KEXINIT]
    client.exchange_keys()
    rest = client.numbers()
    # What had waited is more than the new keys are good for, too.
    assert rest.count(ssh.KEXINIT) == 1
    client.exchange_keys()
    rest += client.numbers()
    assert numbers.count(ssh.DATA) + rest.count(ssh.DATA) == 20


def test_a_goodbye_starts_no_key_exchange() -> None:
    client = talking(SshSettings(rekey_bytes=2**16))
    client.server._stream.bytes_since_keys = 2**16
    client.server.loseConnection()
    assert client.numbers() == [ssh.DISCONNECT]


def test_the_server_asks_after_so_many_seconds() -> None:
    client = talking(SshSettings(rekey_seconds=100))
    client.pass_time(99)
    assert ssh.KEXINIT not in client.numbers()
    client.pass_time(1)
    assert ssh.KEXINIT in client.numbers()
    client.exchange_keys()
    client.pass_time(99)
    assert ssh.KEXINIT not in client.numbers()
    client.pass_time(1)
    assert ssh.KEXINIT in client.numbers()


def test_a_key_exchange_starts_the_clock_anew() -> None:
    client = talking(SshSettings(rekey_seconds=100))
    client.pass_time(99)
    client.exchange_keys()
    client.pass_time(50)
    assert client.numbers().count(ssh.KEXINIT) == 0


def test_a_slow_login_survives_keys_of_short_life() -> None:
    client = SshClient(SshSettings(rekey_seconds=10))
    client.request_service()
    for _ in range(2):
        client.pass_time(10)
        assert client.numbers() == [ssh.KEXINIT]
        client.exchange_keys()
    client.send(ssh.AUTH_REQUEST, client.claim())
    assert client.numbers() == [ssh.AUTH_SUCCESS]


# Too slow, too often


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_key_exchange_takes_half_a_minute_at_most(steps: int) -> None:
    client = talking()
    client.server.sendKexInit()
    if steps > 0:
        client.send_kexinit()
    if steps > 1:
        client.send(ssh.KEX_INIT, client.kex_init)
    client.pass_time(29)
    assert not client.link.is_over
    client.pass_time(1)
    assert client.disconnected() == TOO_LONG
    assert client.link.lost


def test_before_login_a_client_may_ask_once() -> None:
    client = SshClient()
    client.get_keys()
    client.exchange_keys()
    assert not client.link.is_over
    client.send_kexinit()
    assert client.disconnected() == (2, b"too many key exchanges")


def test_before_login_traffic_pays_for_nothing() -> None:
    client = SshClient()
    client.get_keys()
    client.exchange_keys()
    for _ in range(4):
        client.send(ssh.IGNORE, NS(b"x" * 30_000))
    assert not client.link.is_over
    client.send_kexinit()
    assert client.disconnected() == (2, b"too many key exchanges")


def test_a_kexinit_is_never_longer_than_before_login() -> None:
    client = talking()
    client.send_kexinit(ssh.kexinit(b"x," * 20_000 + b"curve25519-sha256"))
    assert client.disconnected() == (2, b"KEXINIT is too long")


def test_after_login_a_client_may_ask_fifty_times_at_once() -> None:
    client = talking()
    for _ in range(50):
        client.exchange_keys()
    assert not client.link.is_over
    client.send_kexinit()
    assert client.disconnected() == (2, b"too many key exchanges")


@pytest.mark.no_cover
def test_whoever_moves_much_may_ask_often() -> None:
    client = SshClient()
    client.log_in()
    client.shell(window=2**31)
    for _ in range(100):
        client.data(b"perl\n" * 1000)
        client.read()
        client.exchange_keys()
    assert not client.link.is_over
    assert answers(client) == 100_000


def test_whoever_waits_may_ask_again() -> None:
    client = talking()
    for _ in range(100):
        client.exchange_keys()
        client.clock.advance(5)
    assert not client.link.is_over
