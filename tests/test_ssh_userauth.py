"""The ssh-userauth service: who asks, who signs, who gets in."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

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

from conch_insults.access.policy import AccessRules, Policy
from conch_insults.config import LimitSettings, SshSettings
from conch_insults.events import Event, LoginAccepted, LoginRefused, SessionEnded
from conch_insults.limits import ConnectionLimits, Gate
from conch_insults.ssh.checker import GuestChecker, PublicKeyChecker
from conch_insults.ssh.factory import InsultSSHFactory
from conch_insults.ssh.realm import InsultRealm, Peer
from conch_insults.ssh.userauth import REFUSED, InsultUserAuthServer
from conch_insults.wire import Fields, ProtocolError
from tests import access_door
from tests import ssh_client as ssh
from tests.access_door import AccessDoor
from tests.ssh_client import no_failure_logged
from tests.ssh_peer import started_conversations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twisted.conch.ssh.service import SSHService

    from conch_insults.access.policy import GuestMode
    from conch_insults.ssh.realm import InsultAvatar

FAILURE = (MSG_USERAUTH_FAILURE, NS(b"publickey") + b"\0")
SUCCESS = (MSG_USERAUTH_SUCCESS, b"")

ALICE, MALLORY = (Key(Ed25519PrivateKey.generate()) for _ in range(2))


class AuthPeer:
    """The client of an `InsultUserAuthServer` under test, in place of its transport."""

    avatar: InsultAvatar
    logoutFunction: Callable[[], None]  # noqa: N815 - Conch's
    sessionID = b"session"  # noqa: N815 - Conch's

    def __init__(self, keys_dir: Path, banner: str = "", guests: GuestMode = "off") -> None:
        self.keys_dir = keys_dir
        folder = keys_dir / "authorized_keys.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "alice").write_bytes(ALICE.public().toString("openssh") + b"\n")
        self.clock = Clock()
        self.events: list[Event] = []
        realm = InsultRealm(started_conversations(), self.events.append, self.clock)
        policy = Policy(keys_dir, lambda _: None, AccessRules(guests=guests))
        checkers: list[PublicKeyChecker | GuestChecker] = [PublicKeyChecker(policy)]
        if guests == "anyone":
            checkers.append(GuestChecker(policy))
        self.factory = InsultSSHFactory(
            Portal(realm, checkers),
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


def claim_with(
    *,
    session_id: bytes = b"session",
    signed_user: bytes = b"alice",
    signed_service: bytes = b"ssh-connection",
    signed_method: bytes = b"publickey",
    signed_algorithm: bytes = b"ssh-ed25519",
    signed_blob: bytes = ALICE.public().blob(),
    number: int = MSG_USERAUTH_REQUEST,
) -> bytes:
    """Make a claim of alice's whose signature is over something else in one respect."""
    data = NS(session_id) + bytes((number,)) + NS(signed_user) + NS(signed_service)
    data += NS(signed_method) + b"\1" + NS(signed_algorithm) + NS(signed_blob)
    head = NS(b"alice") + NS(b"ssh-connection") + NS(b"publickey") + b"\1"
    return head + NS(b"ssh-ed25519") + NS(ALICE.public().blob()) + NS(ALICE.sign(data))


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


@pytest.mark.parametrize(
    "different",
    [
        {"session_id": b"another session"},
        {"signed_user": b"bob"},
        {"signed_service": b"ssh-userauth"},
        {"signed_method": b"hostbased"},
        {"signed_algorithm": b"rsa-sha2-256"},
        {"signed_blob": MALLORY.public().blob()},
        {"number": MSG_USERAUTH_FAILURE},
    ],
    ids=lambda different: next(iter(different)),
)
def test_a_signature_counts_only_for_the_very_request_it_was_made_for(
    peer: AuthPeer, different: dict[str, Any]
) -> None:
    peer.send(claim_with())
    assert peer.received() == [SUCCESS]
    other = AuthPeer(peer.keys_dir)
    other.send(claim_with(**different))
    assert other.received() == [FAILURE]
    assert not other.is_authenticated


def test_a_question_about_one_key_does_not_help_the_signature_of_another(peer: AuthPeer) -> None:
    (peer.keys_dir / "authorized_keys.d" / "mallory").write_bytes(
        MALLORY.public().toString("openssh") + b"\n"
    )
    peer.send(request(ALICE, b"mallory"))
    peer.send(request(MALLORY, b"mallory", signer=MALLORY))
    assert peer.received() == [FAILURE, SUCCESS]
    assert peer.avatar.grant.user == "mallory"
    assert peer.avatar.grant.offer.blob == MALLORY.public().blob()


FIRST_REQUESTS = {
    "none": NS(b"alice") + NS(b"ssh-connection") + NS(b"none"),
    "a question": request(ALICE),
    "a signature": request(MALLORY, signer=MALLORY),
    "no such method": NS(b"alice") + NS(b"ssh-connection") + NS(b"password") + b"\0" + NS(b""),
}


@pytest.mark.parametrize("first", FIRST_REQUESTS.values(), ids=FIRST_REQUESTS)
@pytest.mark.parametrize("name", [b"mallory", b"", b"Alice", b"alice "])
def test_whoever_changes_their_name_is_disconnected(
    peer: AuthPeer, first: bytes, name: bytes
) -> None:
    (peer.keys_dir / "authorized_keys.d" / "mallory").write_bytes(
        MALLORY.public().toString("openssh") + b"\n"
    )
    peer.send(first)
    peer.received()
    peer.send(request(MALLORY, name, signer=MALLORY))
    assert peer.disconnected == b"change of user name is not allowed"
    assert peer.received() == []
    assert not peer.is_authenticated


def test_an_empty_name_is_a_name_that_must_not_change_either(peer: AuthPeer) -> None:
    peer.send(request(ALICE, b""))
    peer.send(request(ALICE, signer=ALICE))
    assert peer.disconnected
    assert not peer.is_authenticated


@pytest.mark.parametrize("service", [b"ssh-userauth", b"", b"ssh-connection\0"])
def test_whoever_changes_the_service_is_disconnected(peer: AuthPeer, service: bytes) -> None:
    peer.send(request(ALICE))
    peer.send(request(ALICE, signer=ALICE, service=service))
    assert peer.disconnected == b"no such service"
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


# Guests

GUESTS_FAILURE = (MSG_USERAUTH_FAILURE, NS(b"publickey,keyboard-interactive") + b"\0")


@pytest.fixture
def open_door(tmp_path: Path) -> AuthPeer:
    return AuthPeer(tmp_path, guests="anyone")


def keyboard(user: bytes = b"visitor") -> bytes:
    """Make a keyboard-interactive request (RFC 4256, section 3.1)."""
    return NS(user) + NS(b"ssh-connection") + NS(b"keyboard-interactive") + NS(b"") + NS(b"")


def test_a_guest_comes_in_by_the_keyboard_method_and_is_asked_nothing(open_door: AuthPeer) -> None:
    open_door.send(keyboard())
    assert open_door.received() == [SUCCESS]
    assert open_door.avatar.grant.user == "(guest)"
    (accepted,) = open_door.events
    assert isinstance(accepted, LoginAccepted)
    assert (accepted.user, accepted.key_type, accepted.fingerprint) == ("(guest)", "none", "-")


def test_none_lets_no_guest_in_so_that_clients_try_their_keys(open_door: AuthPeer) -> None:
    open_door.send(NS(b"visitor") + NS(b"ssh-connection") + NS(b"none"))
    assert open_door.received() == [GUESTS_FAILURE]
    assert not open_door.is_authenticated


@pytest.mark.parametrize("guests", ["off", "key"])
def test_nobody_comes_in_without_a_key_where_they_must_have_one(
    tmp_path: Path, guests: GuestMode
) -> None:
    peer = AuthPeer(tmp_path, guests=guests)
    with no_failure_logged():
        peer.send(keyboard())
    assert peer.received() == [FAILURE]
    assert not peer.is_authenticated
    peer.leave()
    # It is a method that is not to be had, like any other.
    assert not peer.events


@pytest.mark.parametrize(("guests", "is_let_in"), [("off", False), ("key", True), ("anyone", True)])
def test_the_holder_of_any_key_is_a_guest_where_they_may_be(
    tmp_path: Path, guests: GuestMode, *, is_let_in: bool
) -> None:
    peer = AuthPeer(tmp_path, guests=guests)
    peer.send(request(MALLORY, b"visitor"))
    peer.send(request(MALLORY, b"visitor", signer=ALICE))
    assert not peer.is_authenticated
    peer.send(request(MALLORY, b"visitor", signer=MALLORY))
    assert peer.is_authenticated is is_let_in
    if is_let_in:
        assert peer.avatar.grant.user == "(guest)"
        assert peer.avatar.grant.offer.blob == MALLORY.public().blob()


@pytest.mark.parametrize("guests", ["key", "anyone"])
def test_no_guest_comes_in_under_the_name_of_somebody(tmp_path: Path, guests: GuestMode) -> None:
    peer = AuthPeer(tmp_path, guests=guests)
    peer.send(request(MALLORY, b"alice", signer=MALLORY))
    peer.send(keyboard(b"alice"))
    assert not peer.is_authenticated
    peer.send(request(ALICE, signer=ALICE))
    assert peer.avatar.grant.user == "alice"


def test_a_guest_carries_no_trace_of_keys_that_failed(open_door: AuthPeer) -> None:
    open_door.send(request(ALICE, b"visitor"))
    open_door.send(request(ALICE, b"visitor", signer=MALLORY))
    open_door.send(keyboard())
    assert open_door.received()[-1] == SUCCESS
    grant = open_door.avatar.grant
    assert grant.is_guest
    assert (grant.offer.blob, grant.offer.proof, grant.certificate) == (b"", None, None)
    assert (grant.key_type, grant.fingerprint) == ("", "")
    assert open_door.avatar._person.about.whoami()[0] == "You are a guest."
    open_door.leave()
    traces = [ALICE, MALLORY]
    for event in open_door.events:
        for key in traces:
            shown = key.fingerprint(FingerprintFormats.SHA256_BASE64).rstrip("=")
            assert shown not in repr(event)


def test_keys_that_failed_are_no_news_to_whom_guests_are_welcome(open_door: AuthPeer) -> None:
    open_door.send(request(ALICE, b"visitor", signer=MALLORY))
    open_door.send(keyboard())
    assert open_door.received() == [GUESTS_FAILURE, SUCCESS]
    assert open_door.banners == []


def test_a_guest_who_is_refused_hears_it(open_door: AuthPeer) -> None:
    open_door.send(keyboard(b"alice"))
    assert open_door.received() == [GUESTS_FAILURE]
    assert open_door.banners == [f"{REFUSED}\r\n"]


def test_six_guests_under_names_of_others_are_enough(open_door: AuthPeer) -> None:
    for _ in range(6):
        assert not open_door.disconnected
        open_door.send(keyboard(b"alice"))
    assert open_door.disconnected


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


# Over a whole connection


def test_whoever_is_in_cannot_become_somebody_else(tmp_path: Path) -> None:
    door = AccessDoor(tmp_path)
    door.let_in("alice", access_door.ALICE)
    door.let_in("bob", access_door.BOB)
    client = door.client("alice", access_door.ALICE)
    avatar = door.avatar_of(client)
    client.send(ssh.AUTH_REQUEST, client.claim("bob", access_door.BOB))
    assert client.disconnected() == (2, b"message 50 must not come now")
    assert client.server.avatar is avatar
    assert avatar.grant.user == "alice"


def test_a_name_that_changes_in_mid_stream_ends_the_connection(tmp_path: Path) -> None:
    door = AccessDoor(tmp_path)
    door.let_in("bob", access_door.BOB)
    client = door.visitor()
    client.send(ssh.AUTH_REQUEST, access_door.none("alice"))
    client.send(ssh.AUTH_REQUEST, client.claim("bob", access_door.BOB))
    assert client.disconnected() == (2, b"change of user name is not allowed")
    assert not client.server.is_authenticated
