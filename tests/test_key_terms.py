from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from conch_insults.access.certificate import parse_certificate
from conch_insults.access.grants import Offer, Terms
from conch_insults.access.key_options import Role, parse_options
from conch_insults.access.key_terms import NoTerms, terms_of_certificate, terms_of_key
from conch_insults.rating import Rating
from tests.certificate_authority import Draft, pairs
from tests.sample_keys import public_key
from tests.software_authenticator import string

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
AAGUID = "c0ffee00-2010-4b1d-8bad-f00dfacade42"


def offer(address: str = "192.0.2.1", user: str = "alice") -> Offer:
    return Offer(user, "ssh-ed25519", public_key(1).blob, address)


def of_key(options: str, *, now: datetime = NOON, address: str = "192.0.2.1") -> Terms:
    """Return the terms of a line with these options."""
    return terms_of_key(parse_options(options, {"LANG"}), offer(address), now)


def of_certificate(
    draft: Draft,
    options: str | None = None,
    *,
    now: datetime = NOON,
    address: str = "192.0.2.1",
    user: str = "alice",
) -> Terms:
    """Return the terms of a certificate by a `cert-authority` line, or by everybody's authority."""
    line = None
    if options is not None:
        line = parse_options(f"cert-authority,{options}".rstrip(","), {"LANG"})
    certificate = parse_certificate(draft.signed())
    return terms_of_certificate(certificate, line, offer(address, user), now)


def critical(name: bytes, value: str) -> bytes:
    return pairs((name, string(value.encode())))


PTY = pairs((b"permit-pty", b""))


class TestLine:
    def test_without_options_everything_is_allowed_and_nothing_given(self) -> None:
        assert of_key("") == Terms()

    @pytest.mark.parametrize(
        ("options", "terms"),
        [
            ("no-pty", Terms(pty=False)),
            ("restrict", Terms(pty=False)),
            ("restrict,pty", Terms()),
            ('command="perl"', Terms(command="perl")),
            ('command=""', Terms(command="")),
            ('environment="LANG=C"', Terms(environment=(("LANG", "C"),))),
            ('rating@conch-insults="pg"', Terms(rating=Rating.PG)),
            ('role@conch-insults="operator"', Terms(role=Role.OPERATOR)),
            ("no-touch-required", Terms(touch_required=False)),
            ("verify-required", Terms(verify_required=True)),
            (f'aaguid@conch-insults="{AAGUID}"', Terms(aaguid=AAGUID)),
            ('from="192.0.2.0/24"', Terms(sources=("192.0.2.0/24",))),
            ('expiry-time="20300101120000Z"', Terms(expires=NOON)),
            ("no-port-forwarding,no-X11-forwarding,no-agent-forwarding,no-user-rc", Terms()),
        ],
    )
    def test_an_option_becomes_a_term(self, options: str, terms: Terms) -> None:
        assert of_key(options) == terms


class TestExpiry:
    LINE = 'expiry-time="20300101120000Z"'

    @pytest.mark.parametrize("now", [NOON - SECOND, NOON, NOON + SECOND - TICK])
    def test_the_second_that_is_named_still_counts(self, now: datetime) -> None:
        assert of_key(self.LINE, now=now).expires == NOON

    @pytest.mark.parametrize("now", [NOON + SECOND, NOON + timedelta(days=3650)])
    def test_the_next_one_does_not(self, now: datetime) -> None:
        with pytest.raises(NoTerms, match=r"expired at 2030-01-01T12:00:00Z \(expiry-time\)"):
            of_key(self.LINE, now=now)

    def test_the_last_second_of_all_can_be_named(self) -> None:
        last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        assert of_key('expiry-time="99991231235959Z"', now=last).expires == last

    def test_the_earliest_of_several_counts(self) -> None:
        options = f'expiry-time="20310101Z",{self.LINE}'
        assert of_key(options).expires == NOON
        with pytest.raises(NoTerms):
            of_key(options, now=NOON + SECOND)


class TestFrom:
    @pytest.mark.parametrize(
        ("patterns", "address"),
        [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.0/24", "192.0.2.255"),
            ("192.0.2.?", "192.0.2.1"),
            ("*", "192.0.2.1"),
            ("192.0.2.0/24", "::ffff:192.0.2.1"),
            ("2001:db8::/32", "2001:db8::1"),
            ("fe80::*", "fe80::1%eth0"),
            ("!192.0.2.1,192.0.2.0/24", "192.0.2.2"),
        ],
    )
    def test_from_there(self, patterns: str, address: str) -> None:
        assert of_key(f'from="{patterns}"', address=address).sources == (patterns,)

    @pytest.mark.parametrize(
        ("patterns", "address"),
        [
            ("192.0.2.1", "192.0.2.2"),
            ("192.0.2.0/24", "2001:db8::1"),
            ("192.0.2.0/24,!192.0.2.1", "192.0.2.1"),
            ("192.0.2.0/24,!192.0.2.1", "::ffff:192.0.2.1"),
            ("!192.0.2.1", "192.0.2.2"),
            ("localhost", "127.0.0.1"),
        ],
    )
    def test_not_from_there(self, patterns: str, address: str) -> None:
        with pytest.raises(NoTerms) as refusal:
            of_key(f'from="{patterns}"', address=address)
        assert str(refusal.value) == f"not from {address} (from)"

    @pytest.mark.parametrize("patterns", ["*", "0.0.0.0/0,::/0", "?*"])
    def test_whoever_comes_from_no_address_matches_none(self, patterns: str) -> None:
        with pytest.raises(NoTerms, match=r"^not from an unknown address \(from\)$"):
            of_key(f'from="{patterns}"', address="")


class TestCertificateAlone:
    """By everybody's authority, where there is no line with options."""

    def test_it_gives_what_it_says_and_nothing_else(self) -> None:
        assert of_certificate(Draft()) == Terms(pty=False)
        assert of_certificate(Draft(extensions=PTY)) == Terms()

    @pytest.mark.parametrize(
        ("draft", "terms"),
        [
            (Draft(critical=critical(b"force-command", "perl")), Terms(pty=False, command="perl")),
            (
                Draft(critical=critical(b"source-address", "192.0.2.0/24")),
                Terms(pty=False, sources=("192.0.2.0/24",)),
            ),
            (
                Draft(critical=pairs((b"verify-required", b""))),
                Terms(pty=False, verify_required=True),
            ),
            (
                Draft(extensions=pairs((b"no-touch-required", b""))),
                Terms(pty=False, touch_required=False),
            ),
            (
                Draft(valid_before=int(NOON.timestamp()) + 1),
                Terms(pty=False, expires=NOON + SECOND),
            ),
        ],
    )
    def test_an_option_becomes_a_term(self, draft: Draft, terms: Terms) -> None:
        assert of_certificate(draft) == terms

    def test_it_holds_from_its_first_second_on_and_no_more_at_its_end(self) -> None:
        start = int(NOON.timestamp())
        draft = Draft(valid_after=start, valid_before=start + 1)
        assert of_certificate(draft, now=NOON).expires == NOON + SECOND
        assert of_certificate(draft, now=NOON + SECOND - TICK).expires == NOON + SECOND
        with pytest.raises(NoTerms, match="not valid before 2030-01-01T12:00:00Z"):
            of_certificate(draft, now=NOON - TICK)
        with pytest.raises(NoTerms, match="certificate expired at 2030-01-01T12:00:01Z"):
            of_certificate(draft, now=NOON + SECOND)

    def test_it_names_the_user_or_nobody(self) -> None:
        assert of_certificate(Draft(principals=(b"bob", b"alice")))
        with pytest.raises(NoTerms, match="for other principals: 'bob'"):
            of_certificate(Draft(principals=(b"bob",)))
        with pytest.raises(NoTerms, match="names no principal"):
            of_certificate(Draft(principals=()))

    @pytest.mark.parametrize("principal", [b"", b"*", b"alic?", b"Alice", b"alice,bob", b" alice"])
    def test_a_principal_is_no_pattern(self, principal: bytes) -> None:
        with pytest.raises(NoTerms, match="for other principals"):
            of_certificate(Draft(principals=(principal,)))

    def test_one_for_a_host_lets_no_user_in(self) -> None:
        with pytest.raises(NoTerms, match="for a host"):
            of_certificate(Draft(kind=2))

    def test_not_from_there(self) -> None:
        draft = Draft(critical=critical(b"source-address", "192.0.2.0/24"))
        with pytest.raises(NoTerms, match=r"^not from 198.51.100.1 \(certificate's source-address"):
            of_certificate(draft, address="198.51.100.1")
        with pytest.raises(NoTerms, match=r"^not from an unknown address \("):
            of_certificate(draft, address="")

    @pytest.mark.parametrize(
        "options",
        [
            critical(b"source-address", "192.0.2.0/33"),
            critical(b"unheard-of@example.com", "x"),
            pairs((b"verify-required", b"x")),
        ],
    )
    def test_a_critical_option_that_is_not_understood_lets_nobody_in(self, options: bytes) -> None:
        with pytest.raises(NoTerms, match="certificate"):
            of_certificate(Draft(critical=options))


class TestCertificateByLine:
    """Both must agree, and what either takes away is taken away."""

    @pytest.mark.parametrize(
        ("options", "extensions", "has_pty"),
        [("", PTY, True), ("", b"", False), ("no-pty", PTY, False), ("restrict,pty", PTY, True)],
    )
    def test_a_terminal_needs_both(self, options: str, extensions: bytes, has_pty: bool) -> None:
        assert of_certificate(Draft(extensions=extensions), options).pty is has_pty

    @pytest.mark.parametrize(
        ("options", "extensions", "touch_required"),
        [
            ("", (), True),
            ("no-touch-required", (), True),
            ("", ((b"no-touch-required", b""),), True),
            ("no-touch-required", ((b"no-touch-required", b""),), False),
        ],
    )
    def test_a_touch_is_spared_by_both_only(
        self, options: str, extensions: tuple[tuple[bytes, bytes], ...], touch_required: bool
    ) -> None:
        draft = Draft(extensions=pairs(*extensions))
        assert of_certificate(draft, options).touch_required is touch_required

    @pytest.mark.parametrize(
        ("options", "names", "verify_required"),
        [
            ("", (), False),
            ("verify-required", (), True),
            ("", ((b"verify-required", b""),), True),
            ("verify-required", ((b"verify-required", b""),), True),
        ],
    )
    def test_either_can_ask_for_more_than_a_touch(
        self, options: str, names: tuple[tuple[bytes, bytes], ...], verify_required: bool
    ) -> None:
        assert of_certificate(Draft(critical=pairs(*names)), options).verify_required is (
            verify_required
        )

    def test_either_can_force_a_command_and_both_the_same(self) -> None:
        perl = Draft(critical=critical(b"force-command", "perl"))
        assert of_certificate(Draft(), 'command="perl"').command == "perl"
        assert of_certificate(perl, "").command == "perl"
        assert of_certificate(perl, 'command="perl"').command == "perl"
        with pytest.raises(NoTerms, match="force different commands"):
            of_certificate(perl, 'command="cobol"')

    def test_an_empty_command_is_one_too(self) -> None:
        nothing = Draft(critical=critical(b"force-command", ""))
        assert of_certificate(nothing, "").command == ""
        with pytest.raises(NoTerms, match="force different commands"):
            of_certificate(nothing, 'command="perl"')
        with pytest.raises(NoTerms, match="force different commands"):
            of_certificate(Draft(critical=critical(b"force-command", "perl")), 'command=""')

    def test_both_must_agree_on_where_from(self) -> None:
        draft = Draft(critical=critical(b"source-address", "192.0.2.0/24"))
        terms = of_certificate(draft, 'from="*.1"')
        assert terms.sources == ("*.1", "192.0.2.0/24")
        with pytest.raises(NoTerms, match=r"not from 192.0.2.2 \(from\)"):
            of_certificate(draft, 'from="*.1"', address="192.0.2.2")
        with pytest.raises(NoTerms, match="source-address"):
            of_certificate(draft, 'from="*.1"', address="198.51.100.1")

    def test_the_earlier_end_counts(self) -> None:
        ends_later = Draft(valid_before=int(NOON.timestamp()) + 10)
        options = 'expiry-time="20300101120005Z"'
        assert of_certificate(ends_later, options).expires == NOON + 5 * SECOND
        assert of_certificate(ends_later, "").expires == NOON + 10 * SECOND
        assert of_certificate(Draft(), options).expires == NOON + 5 * SECOND
        with pytest.raises(NoTerms, match="expiry-time"):
            of_certificate(ends_later, options, now=NOON + 6 * SECOND)
        options = 'expiry-time="20300101120015Z"'
        assert of_certificate(ends_later, options).expires == NOON + 10 * SECOND
        with pytest.raises(NoTerms, match="certificate expired"):
            of_certificate(ends_later, options, now=NOON + 10 * SECOND)

    def test_what_only_lines_can_say_comes_from_the_line(self) -> None:
        terms = of_certificate(
            Draft(),
            'environment="LANG=C",rating@conch-insults="g",role@conch-insults="operator"',
        )
        assert terms.environment == (("LANG", "C"),)
        assert terms.rating is Rating.G
        assert terms.role is Role.OPERATOR

    def test_where_the_authority_lives_says_nothing_of_the_users_key(self) -> None:
        assert of_certificate(Draft(), f'aaguid@conch-insults="{AAGUID}"').aaguid is None


class TestPrincipals:
    def test_a_line_names_whom_the_certificate_must_name_instead_of_the_user(self) -> None:
        draft = Draft(principals=(b"admins",))
        assert of_certificate(draft, 'principals="staff,admins"')
        with pytest.raises(NoTerms, match="for other principals: 'admins'"):
            of_certificate(draft, 'principals="staff"')
        with pytest.raises(NoTerms, match="for other principals: 'admins'"):
            of_certificate(draft, "")

    def test_the_user_is_then_none_of_them(self) -> None:
        with pytest.raises(NoTerms, match="for other principals: 'alice'"):
            of_certificate(Draft(principals=(b"alice",)), 'principals="staff"')

    def test_an_empty_list_is_for_nobody(self) -> None:
        for principals in ((), (b"",), (b"alice",)):
            with pytest.raises(NoTerms, match="principal"):
                of_certificate(Draft(principals=principals), 'principals=""')

    def test_a_certificate_for_nobody_stays_one(self) -> None:
        with pytest.raises(NoTerms, match="names no principal"):
            of_certificate(Draft(principals=()), 'principals="staff"')
