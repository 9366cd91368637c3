"""The ssh-userauth service: who asks, who signs, who gets in."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.conch.ssh.common import NS
from twisted.conch.ssh.keys import FingerprintFormats, Key
from twisted.conch.ssh.userauth import (
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_PK_OK,
    MSG_USERAUTH_REQUEST,
    MSG_USERAUTH_SUCCESS,
)
from twisted.cred.portal import Portal
from twisted.internet.task import Clock
from twisted.logger import Logger

from conch_insults.access.policy import Policy
from conch_insults.config import LimitSettings, SshSettings
from conch_insults.events import Event, LoginAccepted, LoginRefused, SessionEnded
from conch_insults.limits import ConnectionLimits, Gate
from conch_insults.ssh.checker import PublicKeyChecker
from conch_insults.ssh.factory import InsultSSHFactory
from conch_insults.ssh.realm import InsultRealm, Peer
from conch_insults.ssh.userauth import REFUSED, InsultUserAuthServer
from conch_insults.wire import Fields, ProtocolError
from tests.ssh_peer import started_conversations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twisted.conch.ssh.service import SSHService

    from conch_insults.ssh.realm import InsultAvatar

FAILURE = (MSG_USERAUTH_FAILURE, NS(b"publickey") + b"\0")
SUCCESS = (MSG_USERAUTH_SUCCESS, b"")

ALICE, MALLORY = (Key(Ed25519PrivateKey.generate()) for _ in range(2))


class AuthPeer:
    """The client of an `InsultUserAuthServer` under test, in place of its transport."""

    avatar: InsultAvatar
    logoutFunction: Callable[[], None]  # noqa: N815 - Conch's
    sessionID = b"session"  # noqa: N815 - Conch's

    def __init__(self, keys_dir: Path, banner: str = "") -> None:
        folder = keys_dir / "authorized_keys.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "alice").write_bytes(ALICE.public().toString("openssh") + b"\n")
        self.clock = Clock()
        self.events: list[Event] = []
        realm = InsultRealm(started_conversations(), self.events.append, self.clock)
        checker = PublicKeyChecker(Policy(keys_dir, lambda _: None))
        self.factory = InsultSSHFactory(
            Portal(realm, [checker]),
            {},
            Gate(ConnectionLimits(), self.clock, Random()),
            set(),
            ssh_settings=SshSettings(banner=banner),
            limits=LimitSettings(),
            emit=self.events.append,
            log=Logger(),
            clock=self.clock,
        )
        self.peer = Peer("c0ffee", "192.0.2.1")
        self._log = Logger()
        self.sent: list[tuple[int, bytes]] = []
        self.banners: list[str] = []
        self.disconnected: bytes | None = None
        self.service: SSHService | None = None
        self.setService(InsultUserAuthServer())

    @property
    def is_authenticated(self) -> bool:
        return hasattr(self, "avatar")

    def isEncrypted(self, _direction: str) -> bool:  # noqa: N802 - Conch's
        return True

    def setService(self, service: SSHService) -> None:  # noqa: N802 - Conch's
        if self.service is not None:
            self.service.serviceStopped()
        self.service = service
        service.transport = self  # type: ignore[assignment]
        service.serviceStarted()

    def sendPacket(self, number: int, payload: bytes) -> None:  # noqa: N802 - Conch's
        if number == MSG_USERAUTH_BANNER:
            self.banners.append(Fields(payload).string().decode())
        else:
            self.sent.append((number, payload))

    def sendDisconnect(self, _reason: int, text: bytes) -> None:  # noqa: N802 - Conch's
        self.disconnected = text

    def send(self, payload: bytes) -> None:
        assert self.service is not None
        try:
            self.service.packetReceived(MSG_USERAUTH_REQUEST, payload)
        except ProtocolError as error:
            self.disconnected = str(error).encode()

    def received(self) -> list[tuple[int, bytes]]:
        sent, self.sent = self.sent, []
        return sent

    def leave(self) -> None:
        assert self.service is not None
        self.service.serviceStopped()
        if self.is_authenticated:
            self.logoutFunction()


def request(
    key: Key,
    user: bytes = b"alice",
    *,
    signer: Key | None = None,
    signed_user: bytes | None = None,
    algorithm: bytes = b"ssh-ed25519",
    service: bytes = b"ssh-connection",
) -> bytes:
    """Make a publickey request: a query, or, with a signer, a claim."""
    blob = key.public().blob()
    ask = NS(algorithm) + NS(blob)
    head = NS(user) + NS(service) + NS(b"publickey")
    if signer is None:
        return head + b"\0" + ask
    signed = NS(signed_user or user) + NS(service) + NS(b"publickey") + b"\1" + ask
    data = NS(AuthPeer.sessionID) + bytes((MSG_USERAUTH_REQUEST,)) + signed
    return head + b"\1" + ask + NS(signer.sign(data))


@pytest.fixture
def peer(tmp_path: Path) -> AuthPeer:
    return AuthPeer(tmp_path)


def test_the_holder_of_a_key_gets_in(peer: AuthPeer) -> None:
    peer.send(request(ALICE))
    assert peer.received() == [(MSG_USERAUTH_PK_OK, NS(b"ssh-ed25519") + NS(ALICE.public().blob()))]
    assert not peer.is_authenticated
    peer.send(request(ALICE, signer=ALICE))
    assert peer.received() == [SUCCESS]
    assert peer.avatar.grant.user == "alice"
    peer.clock.advance(20)
    peer.leave()
    accepted, ended = peer.events
    assert isinstance(accepted, LoginAccepted)
    assert accepted.user == "alice"
    assert accepted.address == "192.0.2.1"
    assert accepted.fingerprint == "SHA256:" + ALICE.fingerprint(
        FingerprintFormats.SHA256_BASE64
    ).rstrip("=")
    assert ended == SessionEnded("c0ffee", "ssh", "alice", "192.0.2.1", 20, 0)


def test_none_is_told_what_there_is(peer: AuthPeer) -> None:
    peer.send(NS(b"alice") + NS(b"ssh-connection") + NS(b"none"))
    assert peer.received() == [FAILURE]
    peer.leave()
    assert not peer.events


@pytest.mark.parametrize("method", [b"password", b"keyboard-interactive", b"\xff", b""])
def test_no_other_method_is_known(peer: AuthPeer, method: bytes) -> None:
    peer.send(NS(b"alice") + NS(b"ssh-connection") + NS(method) + b"\0" + NS(b"secret"))
    assert peer.received() == [FAILURE]


@pytest.mark.parametrize(
    "refused",
    [
        request(MALLORY),
        request(MALLORY, signer=MALLORY),
        request(ALICE, signer=MALLORY),
        request(ALICE, b"bob"),
        request(ALICE, b"bob", signer=ALICE),
        request(ALICE, b"../alice", signer=ALICE),
        request(ALICE, b"\xff\n", signer=ALICE),
        request(ALICE, b"", signer=ALICE),
        request(ALICE, signer=ALICE, signed_user=b"bob"),
        request(ALICE, signer=ALICE, algorithm=b"rsa-sha2-256"),
        request(ALICE, signer=ALICE, algorithm=b"made-up"),
        request(ALICE, signer=ALICE, algorithm=b"\xff"),
    ],
)
def test_nobody_else_gets_in_and_one_line_tells_of_it(peer: AuthPeer, refused: bytes) -> None:
    peer.send(refused)
    assert peer.received() == [FAILURE]
    assert not peer.is_authenticated
    peer.leave()
    (event,) = peer.events
    assert isinstance(event, LoginRefused)
    assert event.attempts == 1
    assert event.reason


def test_offering_a_key_and_signing_with_another_is_nobody(peer: AuthPeer) -> None:
    peer.send(request(ALICE))
    peer.received()
    peer.send(request(MALLORY, signer=MALLORY))
    peer.send(request(ALICE, signer=MALLORY))
    assert peer.received() == [FAILURE] * 2
    assert not peer.is_authenticated


def test_who_gets_in_after_all_was_not_refused(peer: AuthPeer) -> None:
    peer.send(request(MALLORY))
    peer.send(request(ALICE, signer=ALICE))
    assert peer.received() == [FAILURE, SUCCESS]
    assert [type(event) for event in peer.events] == [LoginAccepted]


def test_another_service_is_not_to_be_had(peer: AuthPeer) -> None:
    peer.send(request(ALICE, signer=ALICE, service=b"ssh-userauth"))
    assert peer.disconnected
    assert not peer.is_authenticated


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        NS(b"alice"),
        NS(b"alice") + NS(b"ssh-connection") + NS(b"publickey"),
        NS(b"alice") + NS(b"ssh-connection") + NS(b"publickey") + b"\0" + NS(b"ssh-ed25519"),
        request(ALICE, signer=ALICE)[:-1],
        request(ALICE, signer=ALICE) + b"x",
        request(ALICE) + b"x",
        b"\xff\xff\xff\xff",
    ],
)
def test_a_request_that_breaks_the_protocol_ends_the_connection(
    peer: AuthPeer, payload: bytes
) -> None:
    peer.send(payload)
    assert peer.disconnected
    assert not peer.is_authenticated


def test_whoever_is_refused_hears_one_sentence_that_tells_nothing(tmp_path: Path) -> None:
    heard = []
    for user in (b"alice", b"nobody"):
        peer = AuthPeer(tmp_path)
        peer.send(request(MALLORY, user))
        peer.send(request(MALLORY, user, signer=MALLORY))
        heard.append(peer.banners)
    assert heard == [[f"{REFUSED}\r\n"]] * 2


def test_a_banner_comes_before_anything_else(tmp_path: Path) -> None:
    peer = AuthPeer(tmp_path, banner="Be warned.\nTwice.")
    assert peer.banners == ["Be warned.\r\nTwice.\r\n"]
    assert not peer.received()


def test_six_bad_signatures_are_enough_however_they_come(peer: AuthPeer) -> None:
    for _ in range(6):
        assert not peer.disconnected
        peer.send(request(ALICE, signer=MALLORY))
    assert peer.disconnected
    assert peer.received() == [FAILURE] * 5


def test_questions_are_no_failures_but_they_are_counted(peer: AuthPeer) -> None:
    for _ in range(10):
        peer.send(request(MALLORY))
        peer.send(NS(b"alice") + NS(b"ssh-connection") + NS(b"none"))
    assert not peer.disconnected
    assert len(peer.received()) == 20
    peer.send(request(ALICE, signer=ALICE))
    assert peer.disconnected
    assert not peer.is_authenticated


def test_a_bad_signature_is_told_of_even_if_a_good_one_follows(peer: AuthPeer) -> None:
    peer.send(request(ALICE, signer=MALLORY))
    peer.send(request(ALICE, signer=ALICE))
    assert [type(event) for event in peer.events] == [LoginAccepted, LoginRefused]


def test_an_error_of_ours_lets_nobody_in(peer: AuthPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    logged: list[str] = []
    assert peer.service is not None
    monkeypatch.setattr(Policy, "decide", broken)
    monkeypatch.setattr(peer.service._log, "failure", lambda text, _: logged.append(text))
    peer.send(request(ALICE, signer=ALICE))
    assert peer.received() == [FAILURE]
    assert not peer.is_authenticated
    assert logged == ["while deciding about a key"]


@settings(deadline=None, max_examples=150)
@given(
    st.binary(max_size=200),
    st.binary(max_size=100),
    st.sampled_from([b"ssh-ed25519", b"ssh-rsa", b"rsa-sha2-256", b"ecdsa-sha2-nistp256", b"x"]),
)
def test_no_key_and_no_signature_raises(
    tmp_path_factory: pytest.TempPathFactory, blob: bytes, signature: bytes, algorithm: bytes
) -> None:
    peer = AuthPeer(tmp_path_factory.getbasetemp() / "any")
    for key in (blob, NS(algorithm) + blob):
        peer.send(
            NS(b"alice")
            + NS(b"ssh-connection")
            + NS(b"publickey")
            + b"\1"
            + NS(algorithm)
            + NS(key)
            + NS(NS(algorithm) + signature)
        )
    assert peer.received() == [FAILURE] * 2
    assert not peer.is_authenticated
