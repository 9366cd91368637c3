"""From the settings to the rules of access, for the server and for commands that ask it.

Nothing is decided here, and nothing read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.access.authorized_keys import KeyRules
from conch_insults.access.grants import Terms
from conch_insults.access.policy import AccessRules
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from conch_insults.config import AccessSettings

__all__ = ["access_rules", "key_rules"]


def key_rules(access: AccessSettings) -> KeyRules:
    """Return what the settings ask of a line with a key."""
    return KeyRules(access.minimum_rsa_bits, frozenset(access.permit_environment))


def access_rules(access: AccessSettings) -> AccessRules:
    """Return what the settings say of all files at once."""
    return AccessRules(
        keys=key_rules(access),
        strict_modes=access.strict_modes,
        guests=access.guests,
        guest_terms=Terms(
            rating=Rating.parse(access.guest_rating),
            lines_per_minute=access.guest_lines_per_minute,
            session_limit=access.guest_session_limit,
        ),
        attested_aaguids=(
            frozenset(str(model) for model in access.attested_aaguids)
            if access.require_attestation
            else None
        ),
    )
