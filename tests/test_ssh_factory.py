"""The factory: what each connection gets, and which service comes when."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from twisted.conch.error import ConchError
from twisted.conch.ssh.factory import SSHFactory
from twisted.conch.ssh.keys import Key
from twisted.cred.portal import Portal
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.task import Clock
from twisted.logger import Logger

from conch_insults.access.certificate import parse_certificate
from conch_insults.config import LimitSettings, SshSettings
from conch_insults.errors import SettingsError
from conch_insults.limits import ConnectionLimits, Gate
from conch_insults.ssh.connection import InsultConnection
from conch_insults.ssh.factory import InsultSSHFactory
from conch_insults.ssh.host_keys import CertifiedKey, create_host_key, load_host_keys
from conch_insults.ssh.realm import InsultRealm
from conch_insults.ssh.transport import InsultSSHTransport
from conch_insults.ssh.userauth import InsultUserAuthServer
from conch_insults.wire import Fields
from tests.certificate_authority import Draft
from tests.ssh_peer import started_conversations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conch_insults.ssh.host_keys import HostKey


def factory(
    host_keys: Mapping[bytes, HostKey], ssh_settings: SshSettings | None = None
) -> InsultSSHFactory:
    clock = Clock()
    realm = InsultRealm(started_conversations(), lambda _: None, clock)
    return InsultSSHFactory(
        Portal(realm),
        host_keys,
        Gate(ConnectionLimits(max_connections=2), clock, Random()),
        set(),
        ssh_settings=ssh_settings or SshSettings(),
        limits=LimitSettings(),
        emit=lambda _: None,
        log=Logger(),
        clock=clock,
    )


@pytest.fixture
def started(tmp_path: Path) -> InsultSSHFactory:
    create_host_key(tmp_path)
    ours = factory(load_host_keys(tmp_path))
    ours.doStart()
    return ours


def test_without_a_host_key_it_does_not_start() -> None:
    with pytest.raises(ConchError):
        factory({}).doStart()


def test_private_host_keys_are_not_among_the_public(started: InsultSSHFactory) -> None:
    public, private = started.publicKeys[b"ssh-ed25519"], started.privateKeys[b"ssh-ed25519"]
    assert isinstance(public, Key)
    assert isinstance(private, Key)
    assert (public.isPublic(), private.isPublic()) == (True, False)


def test_the_services_that_all_factories_share_are_left_alone() -> None:
    assert InsultSSHFactory.services is not SSHFactory.services
    assert SSHFactory.services[b"ssh-connection"] is not InsultConnection


def test_each_connection_knows_its_peer_and_has_a_name_of_its_own(
    started: InsultSSHFactory,
) -> None:
    first = started.buildProtocol(IPv4Address("TCP", "192.0.2.7", 40000))
    second = started.buildProtocol(UNIXAddress(b"/socket"))
    assert first is not None
    assert second is not None
    assert first.peer.address == "192.0.2.7"
    assert second.peer.address == "-"
    assert first.peer.connection != second.peer.connection
    assert started.connections == {first, second}


def test_whoever_the_gate_refuses_gets_no_transport(started: InsultSSHFactory) -> None:
    address = IPv4Address("TCP", "192.0.2.7", 40000)
    assert started.buildProtocol(address)
    assert started.buildProtocol(address)
    assert started.buildProtocol(address) is None
    assert len(started.connections) == 2


@pytest.mark.parametrize(
    ("bits", "offered"),
    [
        (2048, (b"ssh-ed25519",)),
        (3072, (b"ssh-ed25519", b"rsa-sha2-512", b"rsa-sha2-256")),
    ],
)
def test_an_rsa_host_key_is_offered_if_it_is_long_enough(
    bits: int, offered: tuple[bytes, ...]
) -> None:
    rsa = Key(generate_private_key(public_exponent=65537, key_size=bits))
    keys = {b"ssh-ed25519": Key(Ed25519PrivateKey.generate()), b"ssh-rsa": rsa}
    kexinit = Fields(factory(keys).offer.kexinit(b"", first=True))
    kexinit.string()
    assert kexinit.string() == b",".join(offered)


@pytest.mark.parametrize(
    ("bits", "offered"),
    [
        (2048, (b"ssh-ed25519-cert-v01@openssh.com", b"ssh-ed25519")),
        (
            3072,
            (
                b"ssh-ed25519-cert-v01@openssh.com",
                b"rsa-sha2-512-cert-v01@openssh.com",
                b"rsa-sha2-256-cert-v01@openssh.com",
                b"ssh-ed25519",
                b"rsa-sha2-512",
                b"rsa-sha2-256",
            ),
        ),
    ],
)
def test_a_certificate_is_offered_before_every_plain_key(
    bits: int, offered: tuple[bytes, ...]
) -> None:
    certificate = parse_certificate(Draft(kind=2).signed())
    ed25519 = Key(Ed25519PrivateKey.generate())
    rsa = Key(generate_private_key(public_exponent=65537, key_size=bits))
    ours = factory(
        {
            b"ssh-ed25519-cert-v01@openssh.com": CertifiedKey(ed25519, certificate),
            b"ssh-rsa-cert-v01@openssh.com": CertifiedKey(rsa, certificate),
            b"ssh-ed25519": ed25519,
            b"ssh-rsa": rsa,
        }
    )
    kexinit = Fields(ours.offer.kexinit(b"", first=True))
    kexinit.string()
    assert kexinit.string() == b",".join(offered)
    transport = ours.buildProtocol(UNIXAddress(b"/socket"))
    assert transport is not None
    for algorithm in offered:
        # What Conch shows and signs with in a key exchange.
        public, private = transport._getHostKeys(algorithm)
        assert (public.blob() == certificate.blob) == (b"-cert-" in algorithm)
        label = algorithm.removesuffix(b"-cert-v01@openssh.com")
        assert Fields(private.sign(b"", signatureType=algorithm)).string() == label


class TestWithoutMlKem:
    """An OpenSSL older than 3.5, under a cryptography that came in no wheel."""

    @pytest.fixture(autouse=True)
    def old_openssl(self, monkeypatch: pytest.MonkeyPatch) -> None:
        known = [b"curve25519-sha256", b"curve25519-sha256@libssh.org"]
        monkeypatch.setattr(InsultSSHTransport, "supportedKeyExchanges", known)

    def test_it_is_not_offered(self, tmp_path: Path) -> None:
        create_host_key(tmp_path)
        offered = Fields(factory(load_host_keys(tmp_path)).offer.kexinit(b"", first=False))
        assert offered.string() == b"curve25519-sha256,curve25519-sha256@libssh.org"

    def test_a_server_that_wants_nothing_else_does_not_start(self, tmp_path: Path) -> None:
        create_host_key(tmp_path)
        with pytest.raises(SettingsError, match=r"^ssh\.profile: 'strict' needs ML-KEM, "):
            factory(load_host_keys(tmp_path), SshSettings(profile="strict"))


def test_authentication_comes_once_and_the_connection_once(started: InsultSSHFactory) -> None:
    transport = started.buildProtocol(IPv4Address("TCP", "192.0.2.7", 40000))
    assert transport is not None
    services = (b"ssh-userauth", b"ssh-connection", b"made-up")

    def offered() -> list[bytes]:
        return [name for name in services if started.getService(transport, name)]

    assert offered() == [b"ssh-userauth"]
    transport.service = InsultUserAuthServer()
    assert offered() == []
    transport.avatar = object()  # type: ignore[assignment]
    assert offered() == [b"ssh-connection"]
    transport.service = InsultConnection()
    assert offered() == []
