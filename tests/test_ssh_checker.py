"""The checker: a signature first, the policy then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.conch.error import ValidPublicKey
from twisted.conch.ssh.keys import Key
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IAnonymous, ISSHPrivateKey
from twisted.cred.error import UnauthorizedLogin
from zope.interface.verify import verifyClass, verifyObject

from conch_insults.access.grants import ANYBODY, Grant, Offer, Refusal
from conch_insults.access.signature import Proof
from conch_insults.ssh.checker import (
    GuestChecker,
    GuestCredentials,
    PublicKeyChecker,
    PublicKeyCredentials,
)

if TYPE_CHECKING:
    from datetime import datetime

KEY = Key(Ed25519PrivateKey.generate())
OFFER = Offer("alice", "ssh-ed25519", KEY.public().blob(), "192.0.2.1")
GRANT = Grant(OFFER, "alice:1")


class Decisions:
    """A policy that decides as it is told, and remembers that it was asked."""

    def __init__(self, decision: Grant | Refusal) -> None:
        self.decision = decision
        self.asked: list[Offer] = []

    def decide(self, offer: Offer, now: datetime) -> Grant | Refusal:
        assert now.tzinfo is not None
        self.asked.append(offer)
        return self.decision


def checker(decisions: Decisions) -> PublicKeyChecker:
    return PublicKeyChecker(decisions)  # type: ignore[arg-type]


def test_it_is_a_checker() -> None:
    assert verifyClass(ICredentialsChecker, PublicKeyChecker)
    assert ISSHPrivateKey.providedBy(PublicKeyCredentials(OFFER))
    assert verifyObject(ICredentialsChecker, checker(Decisions(GRANT)))


def test_a_signed_offer_that_is_granted() -> None:
    signed = PublicKeyCredentials(OFFER, b"data", KEY.sign(b"data"))
    assert checker(Decisions(GRANT)).requestAvatarId(signed) is GRANT


def test_a_question_is_never_a_grant() -> None:
    with pytest.raises(ValidPublicKey):
        checker(Decisions(GRANT)).requestAvatarId(PublicKeyCredentials(OFFER))
    with pytest.raises(UnauthorizedLogin, match="not for you"):
        checker(Decisions(Refusal("not for you", ""))).requestAvatarId(PublicKeyCredentials(OFFER))


def test_a_signed_offer_that_is_refused() -> None:
    signed = PublicKeyCredentials(OFFER, b"data", KEY.sign(b"data"))
    with pytest.raises(UnauthorizedLogin, match="not for you"):
        checker(Decisions(Refusal("not for you", ""))).requestAvatarId(signed)


@pytest.mark.parametrize(
    "signature",
    [b"", b"\0" * 83, KEY.sign(b"other data")],
    ids=["none", "zeros", "of something else"],
)
def test_the_policy_is_not_asked_about_a_signature_that_proves_nothing(signature: bytes) -> None:
    decisions = Decisions(GRANT)
    with pytest.raises(UnauthorizedLogin):
        checker(decisions).requestAvatarId(PublicKeyCredentials(OFFER, b"data", signature))
    assert not decisions.asked


def test_only_a_signed_offer_has_a_proof() -> None:
    decisions = Decisions(GRANT)
    with pytest.raises(ValidPublicKey):
        checker(decisions).requestAvatarId(PublicKeyCredentials(OFFER))
    checker(decisions).requestAvatarId(PublicKeyCredentials(OFFER, b"data", KEY.sign(b"data")))
    assert [type(offer.proof) for offer in decisions.asked] == [type(None), Proof]


# Guests


def guest_checker(decisions: Decisions) -> GuestChecker:
    return GuestChecker(decisions)  # type: ignore[arg-type]


def test_it_is_a_checker_of_guests() -> None:
    assert verifyClass(ICredentialsChecker, GuestChecker)
    assert IAnonymous.providedBy(GuestCredentials("visitor", "192.0.2.1"))
    assert not ISSHPrivateKey.providedBy(GuestCredentials("visitor", "192.0.2.1"))
    assert verifyObject(ICredentialsChecker, guest_checker(Decisions(GRANT)))


def test_a_guest_is_asked_about_without_any_key() -> None:
    decisions = Decisions(GRANT)
    assert guest_checker(decisions).requestAvatarId(GuestCredentials("who", "192.0.2.1")) is GRANT
    assert decisions.asked == [Offer("who", ANYBODY, b"", "192.0.2.1", None)]


def test_a_guest_who_is_refused() -> None:
    with pytest.raises(UnauthorizedLogin, match="not for you"):
        guest_checker(Decisions(Refusal("not for you", ""))).requestAvatarId(
            GuestCredentials("who", "192.0.2.1")
        )
