from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.address_patterns import parse_patterns
from conch_insults.access.certificate import parse_certificate
from conch_insults.access.grants import ANYBODY, GUEST, Grant, Offer, Terms
from conch_insults.access.key_files import is_user_name
from conch_insults.access.key_options import Role
from conch_insults.rating import Rating
from tests.certificate_authority import Draft
from tests.sample_keys import public_key, public_rsa_key

if TYPE_CHECKING:
    from conch_insults.access.public_key import PublicKey

ALICE = public_key(1)
RSA = public_rsa_key()


def grant_for(key_type: str, blob: bytes, *, is_guest: bool = False) -> Grant:
    return Grant(Offer("alice", key_type, blob, "192.0.2.1"), "alice:1", is_guest=is_guest)


class TestGrant:
    def test_a_user_is_who_they_asked_to_be(self) -> None:
        assert grant_for("ssh-ed25519", ALICE.blob).user == "alice"

    def test_a_guest_is_nobody_whatever_they_asked_to_be(self) -> None:
        assert grant_for("ssh-ed25519", ALICE.blob, is_guest=True).user == GUEST
        assert not is_user_name(GUEST)

    def test_it_names_the_key_that_was_proved(self) -> None:
        grant = grant_for("ssh-ed25519", ALICE.blob)
        assert (grant.key_type, grant.fingerprint) == ("ssh-ed25519", ALICE.fingerprint)

    @pytest.mark.parametrize("algorithm", ["rsa-sha2-256", "rsa-sha2-512"])
    def test_an_rsa_key_has_the_type_of_its_blob(self, algorithm: str) -> None:
        grant = grant_for(algorithm, RSA.blob)
        assert (grant.key_type, grant.fingerprint) == ("ssh-rsa", RSA.fingerprint)

    @pytest.mark.parametrize("key", [ALICE, RSA])
    def test_of_a_certificate_it_names_the_key_inside(self, key: PublicKey) -> None:
        certificate = parse_certificate(Draft(key=key.blob).signed())
        offer = Offer("alice", "of no interest here", certificate.blob, "")
        grant = Grant(offer, "user_ca.pub:1", certificate=certificate)
        assert (grant.key_type, grant.fingerprint) == (key.key_type, key.fingerprint)

    def test_without_a_key_there_is_nothing_to_name(self) -> None:
        grant = grant_for(ANYBODY, b"", is_guest=True)
        assert (grant.key_type, grant.fingerprint) == ("", "")


class TestRestrictions:
    def test_there_are_none_by_default(self) -> None:
        assert Terms().restrictions == ()

    def test_each_is_said(self) -> None:
        terms = Terms(
            pty=False,
            command="perl\x1b",
            rating=Rating.PG,
            sources=(str(parse_patterns("10.0.0.0/8,!10.0.0.1")), "192.0.2.0/24"),
            verify_required=True,
            lines_per_minute=30,
            session_limit=600.0,
        )
        assert terms.restrictions == (
            "only from 10.0.0.0/8,!10.0.0.1",
            "only from 192.0.2.0/24",
            "no terminal",
            "only the input 'perl\\x1b'",
            "nothing ruder than pg",
            "only with a PIN or a finger",
            "30 lines a minute",
            "600 seconds at a time",
        )

    def test_what_restricts_nobody_is_not_said(self) -> None:
        terms = Terms(
            environment=(("LANG", "C"),),
            role=Role.OPERATOR,
            expires=datetime(2100, 1, 1, tzinfo=UTC),
            touch_required=False,
            aaguid="c0ffee00-2010-4b1d-8bad-f00dfacade42",
        )
        assert terms.restrictions == ()
