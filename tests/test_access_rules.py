from __future__ import annotations

from pathlib import Path
from uuid import UUID

from conch_insults.access.authorized_keys import KeyRules
from conch_insults.access.grants import Terms
from conch_insults.access.policy import AccessRules
from conch_insults.access_rules import access_rules, key_rules
from conch_insults.config import AccessSettings
from conch_insults.rating import Rating

AAGUID = "c0ffee00-2010-4b1d-8bad-f00dfacade42"


def test_without_settings_nobody_is_a_guest_and_strangers_write_nothing() -> None:
    rules = access_rules(AccessSettings())
    assert rules == AccessRules(
        guest_terms=Terms(rating=Rating.G, lines_per_minute=30, session_limit=600)
    )
    assert (rules.guests, rules.strict_modes, rules.attested_aaguids) == ("off", True, None)


def test_every_setting_becomes_its_rule() -> None:
    rules = access_rules(
        AccessSettings(
            keys_dir=Path("elsewhere"),
            minimum_rsa_bits=3072,
            strict_modes=False,
            permit_environment=("LANG",),
            guests="anyone",
            guest_rating="pg",
            guest_lines_per_minute=5,
            guest_session_limit=60,
            require_attestation=True,
            attested_aaguids=(UUID(AAGUID),),
        )
    )
    assert rules == AccessRules(
        keys=KeyRules(3072, frozenset({"LANG"})),
        strict_modes=False,
        guests="anyone",
        guest_terms=Terms(rating=Rating.PG, lines_per_minute=5, session_limit=60),
        attested_aaguids=frozenset({AAGUID}),
    )


def test_the_rules_of_a_line_are_the_same_for_those_who_write_it() -> None:
    settings = AccessSettings(minimum_rsa_bits=4096, permit_environment=("A", "B"))
    assert key_rules(settings) == access_rules(settings).keys


def test_any_attested_model_is_welcome_where_none_is_named() -> None:
    rules = access_rules(AccessSettings(require_attestation=True))
    assert rules.attested_aaguids == frozenset()


def test_a_list_of_models_alone_requires_no_attestation() -> None:
    assert access_rules(AccessSettings(attested_aaguids=(UUID(AAGUID),))).attested_aaguids is None


def test_models_are_compared_as_lines_write_them() -> None:
    settings = AccessSettings(require_attestation=True, attested_aaguids=(UUID(AAGUID.upper()),))
    assert access_rules(settings).attested_aaguids == frozenset({AAGUID})
