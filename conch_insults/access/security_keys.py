"""What a security key must show beside a good signature: a touch, its holder, its model.

Judges a grant by its own terms and proof (OpenSSH, PROTOCOL.u2f). How a signature is verified and
an attestation checked is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.access.grants import Refusal
from conch_insults.access.public_key import is_security_key

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from conch_insults.access.grants import Grant

__all__ = ["refuse_unattested", "refuse_unproved"]


def refuse_unattested(grant: Grant, models: AbstractSet[str] | None) -> Refusal | None:
    """Refuse a security key of which nobody knows where it lives; None if there is nothing to.

    Args:
        grant: what would be granted.
        models: the AAGUIDs of the authenticators that are welcome; empty is any that is known,
            None is any at all.
    """
    if models is None or not is_security_key(grant.key_type):
        return None
    model = grant.terms.aaguid
    if model is None:
        return Refusal("security key is not attested (access.require_attestation)", grant.source)
    if models and model not in models:
        return Refusal(
            f"security key lives in a {model} (not in access.attested_aaguids)", grant.source
        )
    return None


def refuse_unproved(grant: Grant) -> Refusal | None:
    """Refuse a security key that has not shown what it must; None if there is nothing to.

    As long as there is no signature, nothing is missing in it.
    """
    terms, proof = grant.terms, grant.offer.proof
    if proof is None or not is_security_key(grant.key_type):
        return None
    if terms.touch_required and not proof.touched:
        return Refusal("nobody touched the security key", grant.source)
    if terms.verify_required and not proof.verified:
        return Refusal("the security key did not verify its holder", grant.source)
    return None
