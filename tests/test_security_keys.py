from __future__ import annotations

import pytest

from conch_insults.access.certificate import parse_certificate
from conch_insults.access.grants import Grant, Offer, Refusal, Terms
from conch_insults.access.security_keys import refuse_unattested, refuse_unproved
from conch_insults.access.signature import Proof
from tests.certificate_authority import Draft
from tests.sample_keys import public_key
from tests.software_authenticator import SecurityKey

KNOWN = "c0ffee00-2010-4b1d-8bad-f00dfacade42"
OTHER = "00000000-0000-0000-0000-000000000001"

KEYS = [SecurityKey.ed25519(), SecurityKey.ecdsa()]
each_key = pytest.mark.parametrize("key", KEYS, ids=["sk-ed25519", "sk-ecdsa"])


def grant_for(key: SecurityKey, terms: Terms, proof: Proof | None = None) -> Grant:
    return Grant(Offer("alice", key.key_type, key.blob, "", proof), "alice:1", terms)


def certified(key: SecurityKey, terms: Terms, proof: Proof | None = None) -> Grant:
    certificate = parse_certificate(Draft(key=key.blob).signed())
    offer = Offer("alice", "whatever", certificate.blob, "", proof)
    return Grant(offer, "user_ca.pub:1", terms, certificate)


class TestProof:
    @each_key
    @pytest.mark.parametrize(
        ("terms", "touched", "verified", "missing"),
        [
            (Terms(), True, False, None),
            (Terms(), True, True, None),
            (Terms(), False, False, "nobody touched the security key"),
            (Terms(), False, True, "nobody touched the security key"),
            (Terms(touch_required=False), False, False, None),
            (
                Terms(verify_required=True),
                True,
                False,
                "the security key did not verify its holder",
            ),
            (Terms(verify_required=True), True, True, None),
            (Terms(verify_required=True), False, True, "nobody touched the security key"),
            (Terms(touch_required=False, verify_required=True), False, True, None),
        ],
    )
    def test_what_the_terms_ask_for_must_be_shown(
        self, key: SecurityKey, terms: Terms, touched: bool, verified: bool, missing: str | None
    ) -> None:
        proof = Proof(touched=touched, verified=verified)
        for grant in (grant_for(key, terms, proof), certified(key, terms, proof)):
            expected = missing and Refusal(missing, grant.source)
            assert refuse_unproved(grant) == expected

    @each_key
    def test_a_proof_that_says_nothing_shows_nothing(self, key: SecurityKey) -> None:
        assert refuse_unproved(grant_for(key, Terms(), Proof()))

    @each_key
    def test_a_question_needs_no_proof_yet(self, key: SecurityKey) -> None:
        terms = Terms(verify_required=True)
        assert refuse_unproved(grant_for(key, terms)) is None
        assert refuse_unproved(certified(key, terms)) is None

    def test_other_keys_are_not_touched(self) -> None:
        offer = Offer("alice", "ssh-ed25519", public_key(1).blob, "", Proof())
        assert refuse_unproved(Grant(offer, "alice:1", Terms(verify_required=True))) is None


class TestAttestation:
    @each_key
    @pytest.mark.parametrize(
        ("models", "model", "welcome"),
        [
            (None, None, True),
            (None, OTHER, True),
            (frozenset(), KNOWN, True),
            (frozenset(), None, False),
            ({KNOWN}, KNOWN, True),
            ({KNOWN}, OTHER, False),
            ({KNOWN}, None, False),
            ({KNOWN, OTHER}, OTHER, True),
        ],
    )
    def test_only_models_on_the_list_are_welcome(
        self, key: SecurityKey, models: frozenset[str] | None, model: str | None, welcome: bool
    ) -> None:
        grant = grant_for(key, Terms(aaguid=model))
        assert (refuse_unattested(grant, models) is None) is welcome

    def test_the_setting_that_refuses_is_named(self) -> None:
        unknown = refuse_unattested(grant_for(KEYS[0], Terms()), frozenset())
        assert unknown == Refusal(
            "security key is not attested (access.require_attestation)", "alice:1"
        )
        other = refuse_unattested(grant_for(KEYS[0], Terms(aaguid=OTHER)), {KNOWN})
        assert other == Refusal(
            f"security key lives in a {OTHER} (not in access.attested_aaguids)", "alice:1"
        )

    @each_key
    def test_a_certificate_attests_nothing(self, key: SecurityKey) -> None:
        assert refuse_unattested(certified(key, Terms()), frozenset()) is not None

    def test_other_keys_need_none(self) -> None:
        offer = Offer("alice", "ssh-ed25519", public_key(1).blob, "")
        assert refuse_unattested(Grant(offer, "alice:1"), frozenset({KNOWN})) is None
