"""Listings of who may come in agree with the policy, line by line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from conch_insults.access.grants import Grant, Offer, Refusal
from conch_insults.access.listing import UNKNOWN_REVOCATIONS, AccessListing, WayIn
from conch_insults.access.policy import AccessRules, Policy
from conch_insults.errors import KeyFileError
from tests.desk import Desk
from tests.sample_keys import public_key
from tests.software_authenticator import AAGUID, SecurityKey

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
ALICE = public_key(1, "alice@home")
WORK = public_key(2, "alice@work")
BOB = public_key(3, "bob")
CA = public_key(4, "the authority")
TOKEN = SecurityKey.ed25519().public


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "keys")


class Listed:
    """What is listed, and what is reported meanwhile."""

    def __init__(self, desk: Desk, rules: AccessRules | None = None, now: datetime = NOW) -> None:
        self.reports: list[str] = []
        listing = AccessListing(desk.keys_dir, rules or desk.rules, now, self.reports.append)
        self.ways = list(listing.all())

    @property
    def lines(self) -> list[tuple[str, int, str | None]]:
        return [(way.user, way.entry.line, way.obstacle) for way in self.ways]


def only(desk: Desk, rules: AccessRules | None = None, now: datetime = NOW) -> WayIn:
    (way,) = Listed(desk, rules, now).ways
    return way


class TestWhatIsListed:
    def test_every_line_of_every_user_in_order_of_names(self, desk: Desk) -> None:
        desk.let_in("bob", BOB.line)
        desk.let_in("alice", "# at home", ALICE.line, "", WORK.line)
        assert Listed(desk).lines == [("alice", 2, None), ("alice", 4, None), ("bob", 1, None)]

    def test_the_authorities_of_everybody_come_first(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line)
        desk.write(desk.user_ca, "# ours", CA.line)
        way, _ = Listed(desk).ways
        assert (way.user, way.entry.key, way.entry.line) == ("", CA, 2)
        assert way.is_authority
        assert way.source == f"{desk.user_ca}:2"

    def test_an_authority_of_a_users_own_is_told_from_a_key(self, desk: Desk) -> None:
        desk.let_in("alice", f"cert-authority {CA.line}", ALICE.line)
        assert [way.is_authority for way in Listed(desk).ways] == [True, False]

    def test_a_line_that_cannot_be_used_is_reported_and_no_way_in(self, desk: Desk) -> None:
        path = desk.let_in("alice", "rubbish", ALICE.line)
        listed = Listed(desk)
        assert listed.lines == [("alice", 2, None)]
        assert [report.partition(": ")[0] for report in listed.reports] == [f"{path}:1"]

    def test_a_file_that_others_may_write_to_is_reported_and_no_way_in(self, desk: Desk) -> None:
        path = desk.let_in("alice", ALICE.line)
        path.chmod(0o664)
        listed = Listed(desk)
        assert listed.lines == []
        assert listed.reports[0].startswith(f"{path}: others may write to it")
        desk.rule(strict_modes=False)
        assert Listed(desk).lines == [("alice", 1, None)]

    def test_a_link_that_stays_inside_is_followed_as_at_login(self, desk: Desk) -> None:
        desk.let_in("bob", BOB.line)
        desk.file("alice").symlink_to("bob")
        assert Listed(desk).lines == [("alice", 1, None), ("bob", 1, None)]

    def test_a_setting_decides_which_lines_can_be_used(self, desk: Desk) -> None:
        desk.let_in("alice", f'environment="LANG=C" {ALICE.line}')
        assert Listed(desk).lines == []
        desk.rule(permit_environment=("LANG",))
        assert Listed(desk).lines == [("alice", 1, None)]

    def test_without_a_keys_directory_there_is_nothing_to_list(self, desk: Desk) -> None:
        with pytest.raises(KeyFileError, match="run `conch-insults init`"):
            Listed(desk)


class TestObstacles:
    """What a listing says of a line is what the policy says of an offer of its key."""

    @pytest.mark.parametrize(
        ("line", "obstacle"),
        [
            (ALICE.line, None),
            (f'expiry-time="20300601120000Z" {ALICE.line}', None),
            (
                f'expiry-time="20300601115959Z" {ALICE.line}',
                "expired at 2030-06-01T11:59:59Z (expiry-time)",
            ),
            (f'from="192.0.2.0/24" {ALICE.line}', None),
            (f'command="perl",no-pty {ALICE.line}', None),
            (WORK.line, "revoked: key listed on line 1"),
            (f'expiry-time="20200101Z" {WORK.line}', "revoked: key listed on line 1"),
        ],
    )
    def test_of_a_key(self, desk: Desk, line: str, obstacle: str | None) -> None:
        desk.let_in("alice", line)
        desk.write(desk.revoked, WORK.line)
        way = only(desk)
        assert way.obstacle == obstacle
        assert self.reason_of_policy(desk, way) == obstacle

    @pytest.mark.parametrize(
        ("welcome", "options", "obstacle"),
        [
            (None, "", None),
            ((), "", "security key is not attested (access.require_attestation)"),
            ((), f'aaguid@conch-insults="{AAGUID}" ', None),
            ((str(AAGUID),), f'aaguid@conch-insults="{AAGUID}" ', None),
            (
                ("00000000-0000-0000-0000-000000000000",),
                f'aaguid@conch-insults="{AAGUID}" ',
                f"security key lives in a {AAGUID} (not in access.attested_aaguids)",
            ),
        ],
    )
    def test_of_a_security_key(
        self, desk: Desk, welcome: tuple[str, ...] | None, options: str, obstacle: str | None
    ) -> None:
        desk.rule(require_attestation=welcome is not None, attested_aaguids=welcome or ())
        desk.let_in("alice", f"{options}{TOKEN.line}")
        way = only(desk)
        assert way.obstacle == obstacle
        assert self.reason_of_policy(desk, way) == obstacle

    def test_of_an_authority(self, desk: Desk) -> None:
        desk.write(desk.user_ca, CA.line, TOKEN.line)
        desk.write(desk.revoked, CA.line)
        desk.rule(require_attestation=True)
        # An authority is asked for no attestation: it is not what comes in.
        assert Listed(desk).lines == [("", 1, "revoked: key listed on line 1"), ("", 2, None)]

    def test_that_nobody_knows_what_is_revoked(self, desk: Desk) -> None:
        desk.let_in("alice", ALICE.line)
        desk.write(desk.revoked, "rubbish")
        listed = Listed(desk)
        assert listed.lines == [("alice", 1, UNKNOWN_REVOCATIONS)]
        (report,) = listed.reports
        assert report.startswith(f"{desk.revoked}: line 1: ")
        assert report.endswith(": nobody may come in")
        assert self.reason_of_policy(desk, listed.ways[0])

    def reason_of_policy(self, desk: Desk, way: WayIn) -> str | None:
        policy = Policy(desk.keys_dir, lambda _: None, desk.rules)
        key = way.entry.key
        decision = policy.decide(Offer(way.user, key.key_type, key.blob, "192.0.2.1"), NOW)
        if isinstance(decision, Grant):
            return None
        assert isinstance(decision, Refusal)
        return decision.reason


class TestRestrictions:
    def test_in_words(self, desk: Desk) -> None:
        desk.let_in(
            "alice",
            f'restrict,command="perl",rating@conch-insults="pg",verify-required {TOKEN.line}',
        )
        assert only(desk).restrictions == (
            "no terminal",
            "only the input 'perl'",
            "nothing ruder than pg",
            "only with a PIN or a finger",
        )

    def test_where_from_and_until_when_are_not_among_them(self, desk: Desk) -> None:
        desk.let_in("alice", f'from="192.0.2.1",expiry-time="20310101Z" {ALICE.line}')
        assert only(desk).restrictions == ()
