"""From a signature to a grant: the credentials of an SSH login and their checkers.

The signature is verified first and the one access decision asked for then, so that how long a
refusal takes says nothing about who may come in. Knows no packets and reads no files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twisted.conch.error import ValidPublicKey
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IAnonymous, ISSHPrivateKey
from twisted.cred.error import UnauthorizedLogin
from zope.interface import implementer

from conch_insults.access.grants import ANYBODY, Grant, Offer
from conch_insults.access.signature import SignatureError, verify

if TYPE_CHECKING:
    from conch_insults.access.policy import Policy

__all__ = ["GuestChecker", "GuestCredentials", "PublicKeyChecker", "PublicKeyCredentials"]


@implementer(ISSHPrivateKey)
@dataclass(frozen=True, slots=True)
class PublicKeyCredentials:
    """A key that is offered, or, with a signature, claimed.

    Attributes:
        offer: who wants to come in, with which key, from where.
        signed_data: what the signature is over (RFC 4252, section 7).
        signature: the signature's wire form, or None where the client only asks.
    """

    offer: Offer
    signed_data: bytes = b""
    signature: bytes | None = None


@implementer(ICredentialsChecker)
class PublicKeyChecker:
    """Asks the policy about keys, and for a grant about those whose holder has proved it."""

    credentialInterfaces = (ISSHPrivateKey,)  # noqa: N815 - ICredentialsChecker's

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def requestAvatarId(self, credentials: PublicKeyCredentials) -> Any:  # noqa: ANN401 - a Grant, where the interface says bytes
        """Return the `Grant` for a signed offer.

        Raises:
            ValidPublicKey: the offer is not signed, and would be granted if it were.
            UnauthorizedLogin: the signature proves nothing, or the policy refuses.
        """
        offer = credentials.offer
        if credentials.signature is None:
            _decide(self._policy, offer)
            raise ValidPublicKey
        try:
            proof = verify(
                offer.key_type, offer.blob, credentials.signature, credentials.signed_data
            )
        except SignatureError as error:
            raise UnauthorizedLogin(str(error)) from error
        return _decide(self._policy, replace(offer, proof=proof))


@implementer(IAnonymous)
@dataclass(frozen=True, slots=True)
class GuestCredentials:
    """Somebody without a key.

    Nothing in here can come from a key that was offered before: there is no place for one.

    Attributes:
        user: the name asked for.
        address: the peer's IP address.
    """

    user: str
    address: str


@implementer(ICredentialsChecker)
class GuestChecker:
    """Asks the policy about people without a key."""

    credentialInterfaces = (IAnonymous,)  # noqa: N815 - ICredentialsChecker's

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def requestAvatarId(self, credentials: GuestCredentials) -> Any:  # noqa: ANN401 - as above
        """Return the guest's `Grant`.

        Raises:
            UnauthorizedLogin: guests may not come in, or not under this name.
        """
        return _decide(self._policy, Offer(credentials.user, ANYBODY, b"", credentials.address))


def _decide(policy: Policy, offer: Offer) -> Grant:
    decision = policy.decide(offer, datetime.now(UTC))
    if not isinstance(decision, Grant):
        raise UnauthorizedLogin(decision.reason)
    return decision
