"""Avatars: made from a grant, and from nothing else."""

from __future__ import annotations

import pytest
from twisted.conch.error import ConchError
from twisted.conch.interfaces import IConchUser
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm
from twisted.internet.task import Clock
from zope.interface.verify import verifyClass

from conch_insults.access.grants import ANYBODY, Grant, Offer, Refusal, Terms
from conch_insults.access.key_options import Role
from conch_insults.events import Event, LoginAccepted, SessionEnded
from conch_insults.rating import Rating
from conch_insults.ssh.channel import InsultChannel
from conch_insults.ssh.operations import ConnectionOperations
from conch_insults.ssh.realm import InsultAvatar, InsultRealm, Peer
from tests.ssh_peer import GRANT, insult_pack, started_conversations

PEER = Peer("c0ffee", "192.0.2.1")


def realm() -> InsultRealm:
    return InsultRealm(started_conversations(), lambda _: None, Clock())


def test_it_is_a_realm() -> None:
    assert verifyClass(IRealm, InsultRealm)


@pytest.mark.parametrize(
    ("avatar_id", "mind", "interface"),
    [
        ((), PEER, IConchUser),
        (b"alice", PEER, IConchUser),
        (Refusal("no", ""), PEER, IConchUser),
        (GRANT, None, IConchUser),
        (GRANT, PEER, IRealm),
    ],
)
def test_nobody_is_somebody_without_a_grant(
    avatar_id: object, mind: object, interface: object
) -> None:
    with pytest.raises(UnauthorizedLogin):
        realm().requestAvatar(avatar_id, mind, interface)


def test_a_grant_makes_an_avatar_of_its_own() -> None:
    one, two = (realm().requestAvatar(GRANT, PEER, IConchUser)[1] for _ in range(2))
    assert one is not two
    assert one.grant == GRANT
    assert one._person.heard is not two._person.heard


def test_an_avatar_offers_sessions_only() -> None:
    avatar = InsultAvatar(GRANT, started_conversations(), Clock())
    assert isinstance(avatar.lookupChannel(b"session", 1, 1, b""), InsultChannel)
    with pytest.raises(ConchError):
        avatar.lookupChannel(b"direct-tcpip", 1, 1, b"")


def test_one_person_hears_everything_once_whatever_the_channel() -> None:
    pack = insult_pack(b"perl: one\nperl: two\nperl: three\nperl: four\n")
    avatar = InsultAvatar(GRANT, started_conversations(pack), Clock())
    said = {avatar.converse().dialogue.answer(b"perl").lines for _ in range(4)}
    assert len(said) == 4


# What is remembered

OTHER_KEY = Grant(Offer("alice", "ssh-ed25519", b"another key", "192.0.2.2"), "alice:2")
BOB = Grant(Offer("bob", "ssh-ed25519", b"a key", "192.0.2.1"), "bob:1")


def visit(here: InsultRealm, grant: Grant) -> InsultAvatar:
    """Come in and leave, and return who it was."""
    _, avatar, logout = here.requestAvatar(grant, PEER, IConchUser)
    logout()
    return avatar


def test_whoever_comes_back_is_remembered_by_name() -> None:
    here = realm()
    first, second, other = visit(here, GRANT), visit(here, OTHER_KEY), visit(here, BOB)
    assert first is not second
    assert first.history is second.history
    assert first._person.heard is second._person.heard
    assert other.history is not first.history
    assert other._person.heard is not first._person.heard


def test_whoever_comes_back_hears_nothing_again() -> None:
    conversations = started_conversations(insult_pack(b"perl: one\nperl: two\nperl: three\n"))
    here = InsultRealm(conversations, lambda _: None, Clock())
    said = {visit(here, GRANT).converse().dialogue.answer(b"perl").lines for _ in range(3)}
    assert len(said) == 3


def test_what_somebody_asked_for_ends_with_their_visit() -> None:
    here = realm()
    visit(here, GRANT)._person.wanted = Rating.G
    assert visit(here, GRANT)._person.wanted is Rating.R


def test_a_guest_is_nobody_to_be_remembered() -> None:
    here = realm()
    first, second = visit(here, A_GUEST), visit(here, A_GUEST)
    assert first.history is not second.history
    # Guests may call themselves what they like.
    namesake = Grant(Offer("alice", ANYBODY, b"", "192.0.2.1"), "guests", is_guest=True)
    assert visit(here, GRANT).history is not visit(here, namesake).history


# Terms

GUEST_TERMS = Terms(rating=Rating.G, lines_per_minute=60, session_limit=300)
A_GUEST = Grant(
    Offer("visitor", ANYBODY, b"", "192.0.2.1"),
    "access.guests = anyone",
    GUEST_TERMS,
    is_guest=True,
)


def with_terms(terms: Terms) -> Grant:
    return Grant(GRANT.offer, GRANT.source, terms)


@pytest.mark.parametrize(
    ("most_of_all", "own", "ceiling"),
    [
        (Rating.PG, None, Rating.PG),
        (Rating.PG, Rating.G, Rating.G),
        (Rating.PG, Rating.R, Rating.PG),
        (Rating.R, Rating.R, Rating.R),
        (Rating.G, Rating.R, Rating.G),
    ],
)
def test_nobody_hears_more_than_their_key_and_the_server_allow(
    most_of_all: Rating, own: Rating | None, ceiling: Rating
) -> None:
    conversations = started_conversations()
    conversations.ceiling = most_of_all
    avatar = InsultAvatar(with_terms(Terms(rating=own)), conversations, Clock())
    assert avatar._person.ceiling is ceiling
    assert avatar._person.rating is ceiling


def test_only_operators_can_operate() -> None:
    clock = Clock()
    operations = ConnectionOperations(set(), lambda: None, clock)
    conversations = started_conversations()
    player = InsultAvatar(GRANT, conversations, clock, operations)
    operator = InsultAvatar(with_terms(Terms(role=Role.OPERATOR)), conversations, clock, operations)
    assert player._person.operations is None
    assert operator._person.operations is operations
    operator.grant = GRANT
    assert operator._person.operations is None


def test_who_operates_no_more_does_not_by_another_grant() -> None:
    clock = Clock()
    operations = ConnectionOperations(set(), lambda: None, clock)
    grant = with_terms(Terms(role=Role.OPERATOR))
    operator = InsultAvatar(grant, started_conversations(), clock, operations)
    operator.operate_no_more()
    assert operator._person.operations is None
    operator.grant = grant
    assert operator._person.operations is None


def test_all_sessions_of_a_guest_share_one_pace() -> None:
    avatar = InsultAvatar(A_GUEST, started_conversations(), Clock())
    one, two = avatar.converse(), avatar.converse()
    assert one._pace is not None
    assert one._pace is two._pace
    assert InsultAvatar(GRANT, started_conversations(), Clock()).converse()._pace is None


def test_a_guest_is_greeted_as_one_with_what_there_is_for_them() -> None:
    avatar = InsultAvatar(A_GUEST, started_conversations(), Clock())
    greeting = "\n".join(avatar.greeting)
    assert "guest" in greeting
    assert "visitor" not in greeting
    assert "nothing ruder than g; 60 lines a minute; 300 seconds at a time" in greeting


def test_the_greeting_of_a_guest_fits_a_terminal_of_80_columns() -> None:
    terms = Terms(rating=Rating.PG, lines_per_minute=60, session_limit=3600)
    guest = Grant(A_GUEST.offer, A_GUEST.source, terms, is_guest=True)
    avatar = InsultAvatar(guest, started_conversations(), Clock())
    assert max(len(line) for line in avatar.greeting) <= 80


def test_a_guest_comes_and_goes_as_nobody() -> None:
    events: list[Event] = []
    clock = Clock()
    realm = InsultRealm(started_conversations(), events.append, clock)
    _, _, logout = realm.requestAvatar(A_GUEST, PEER, IConchUser)
    clock.advance(7)
    logout()
    assert events == [
        LoginAccepted("c0ffee", "(guest)", "192.0.2.1", "none", "-", "access.guests = anyone", "-"),
        SessionEnded("c0ffee", "ssh", "(guest)", "192.0.2.1", 7, 0),
    ]
    assert "visitor" not in repr(events)
