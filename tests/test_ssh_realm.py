"""Avatars: made from a grant, and from nothing else."""

from __future__ import annotations

import pytest
from twisted.conch.error import ConchError
from twisted.conch.interfaces import IConchUser
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm
from twisted.internet.task import Clock
from zope.interface.verify import verifyClass

from conch_insults.access.grants import Refusal
from conch_insults.ssh.channel import InsultChannel
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
    said = {avatar.converse()._dialogue.answer(b"perl").lines for _ in range(4)}
    assert len(said) == 4
