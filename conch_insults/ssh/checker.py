"""From a signature to a grant: the credentials of an SSH login and their checker.

The signature is verified first and the one access decision asked for then, so that how long a
refusal takes says nothing about who may come in. Knows no packets and reads no files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twisted.conch.error import ValidPublicKey
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import ISSHPrivateKey
from twisted.cred.error import UnauthorizedLogin
from zope.interface import implementer

from conch_insults.access.policy import Grant, Offer
from conch_insults.access.signature import SignatureError, verify

if TYPE_CHECKING:
    from conch_insults.access.policy import Policy

__all__ = ["PublicKeyChecker", "PublicKeyCredentials"]


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
        if credentials.signature is not None:
            try:
                verify(offer.key_type, offer.blob, credentials.signature, credentials.signed_data)
            except SignatureError as error:
                raise UnauthorizedLogin(str(error)) from error
        decision = self._policy.decide(offer, datetime.now(UTC))
        if not isinstance(decision, Grant):
            raise UnauthorizedLogin(decision.reason)
        if credentials.signature is None:
            raise ValidPublicKey
        return decision
