from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conch_insults.access.address_patterns import (
    MAXIMUM_ITEMS,
    parse_cidr_list,
    parse_patterns,
)
from conch_insults.errors import PublicKeyError

NETWORKS = st.ip_addresses(v=4).flatmap(
    lambda address: st.integers(0, 32).map(
        lambda length: ipaddress.ip_network((address, length), strict=False)
    )
) | st.ip_addresses(v=6).flatmap(
    lambda address: st.integers(0, 128).map(
        lambda length: ipaddress.ip_network((address, length), strict=False)
    )
)


def recursive_match(text: str, pattern: str) -> bool:
    """Say the same as the product, as one would explain it."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return recursive_match(text, pattern[1:]) or (
            bool(text) and recursive_match(text[1:], pattern)
        )
    return bool(text) and pattern[0] in {"?", text[0]} and recursive_match(text[1:], pattern[1:])


def as_getaddrinfo_reads(text: str) -> str | None:
    """Read an address with the function that sshd reads it with."""
    try:
        return str(socket.getaddrinfo(text, None, flags=socket.AI_NUMERICHOST)[0][4][0])
    except (OSError, UnicodeError):
        return None


class TestPatterns:
    @pytest.mark.parametrize(
        ("patterns", "address", "matches"),
        [
            ("192.0.2.1", "192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("192.0.2.0/24", "192.0.2.255", True),
            ("192.0.2.0/24", "192.0.3.0", False),
            ("192.0.2.0/024", "192.0.2.255", True),
            ("0.0.0.0/0", "203.0.113.9", True),
            ("0.0.0.0/0", "2001:db8::1", False),
            ("::/0", "192.0.2.1", False),
            ("2001:db8::/32", "2001:db8:ffff::1", True),
            ("2001:DB8::/32", "2001:db8::1", True),
            ("2001:db8::1", "2001:db8:0:0::1", True),
            ("2001:db8::1", "2001:db8::2", False),
            ("10.0.0.1,192.0.2.1", "192.0.2.1", True),
            ("10.0.0.1,192.0.2.1", "10.0.0.1", True),
            ("192.0.2.*", "192.0.2.77", True),
            ("192.0.2.*", "192.0.22.7", False),
            ("192.0.2.?", "192.0.2.7", True),
            ("192.0.2.?", "192.0.2.77", False),
            ("192.0.2.??", "192.0.2.7", False),
            ("*.7", "192.0.2.7", True),
            ("*", "192.0.2.7", True),
            ("*", "2001:db8::1", True),
            ("FE80::*", "fe80::1", True),
            ("*:db8::?", "2001:0DB8:0::1", True),
            ("*.example.com", "192.0.2.7", False),
            ("gw.example.com,192.0.2.*", "192.0.2.7", True),
        ],
    )
    def test_who_comes_from_where(self, patterns: str, address: str, matches: bool) -> None:
        assert parse_patterns(patterns).match(address) is matches

    @pytest.mark.parametrize(
        ("patterns", "address", "matches"),
        [
            ("!192.0.2.1,192.0.2.0/24", "192.0.2.2", True),
            ("!192.0.2.1,192.0.2.0/24", "192.0.2.1", False),
            ("192.0.2.0/24,!192.0.2.1", "192.0.2.1", False),
            ("*,!192.0.2.*", "192.0.2.9", False),
            ("*,!192.0.2.*", "192.0.3.9", True),
            ("*,!2001:db8::/32", "2001:db8::9", False),
            ("!192.0.2.1", "192.0.2.2", False),
            ("!192.0.2.1,!10.0.0.0/8", "203.0.113.1", False),
        ],
    )
    def test_a_negated_item_decides_and_lets_nobody_in(
        self, patterns: str, address: str, matches: bool
    ) -> None:
        assert parse_patterns(patterns).match(address) is matches

    @pytest.mark.parametrize(
        ("patterns", "address", "matches"),
        [
            ("192.0.2.0/24", "::ffff:192.0.2.1", True),
            ("192.0.2.*", "::ffff:192.0.2.1", True),
            ("192.0.2.*", "::FFFF:c000:0201", True),
            ("*,!192.0.2.1", "::ffff:192.0.2.1", False),
            # To sshd too an item is what it is written as, and no peer is.
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1", False),
            ("::ffff:0:0/96", "192.0.2.1", False),
        ],
    )
    def test_an_ipv4_address_in_ipv6_is_the_ipv4_address(
        self, patterns: str, address: str, matches: bool
    ) -> None:
        assert parse_patterns(patterns).match(address) is matches

    @pytest.mark.parametrize("patterns", ["fe80::1*", "fe80:*", "*%eth0", "FE80::?%ETH0", "*:*"])
    def test_the_zone_of_an_address_is_part_of_its_text(self, patterns: str) -> None:
        assert parse_patterns(patterns).match("fe80::1%eth0")
        assert parse_patterns(patterns).match("fe80::1%Eth0")

    @pytest.mark.parametrize("patterns", ["fe80::/10", "fe80::1", "::/0", "fe80::?", "*%eth1"])
    def test_with_one_it_is_in_no_network_as_for_sshd(self, patterns: str) -> None:
        assert not parse_patterns(patterns).match("fe80::1%eth0")

    @pytest.mark.parametrize("negated", ["fe80::/10", "fe80::1", "fe80::?", "fe80:*", "*%eth0"])
    def test_what_is_negated_is_so_in_every_zone(self, negated: str) -> None:
        assert not parse_patterns(f"*,!{negated}").match("fe80::1%eth0")

    @pytest.mark.parametrize(
        ("patterns", "matches"),
        [("::1.2.3.*", True), ("*,!::1.2.3.*", False), ("::102:30?", False), ("::/96", True)],
    )
    def test_ipv4_inside_is_seen_where_sshd_sees_it(self, patterns: str, matches: bool) -> None:
        assert parse_patterns(patterns).match("::102:304") is matches

    @given(
        (st.integers(0, 2**33) | st.integers(0, 2**128 - 1)).map(ipaddress.IPv6Address)
        | st.ip_addresses(v=4)
    )
    @settings(deadline=None, max_examples=300)
    def test_an_address_is_written_as_the_system_does(
        self, address: ipaddress.IPv4Address | ipaddress.IPv6Address
    ) -> None:
        assume(getattr(address, "ipv4_mapped", None) is None)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        text = socket.inet_ntop(family, address.packed)
        assert parse_patterns(f"{text[:-1]}?").match(str(address))

    @pytest.mark.parametrize(
        "address",
        ["", "-", "UNKNOWN", "localhost", "192.0.2", "192.0.2.01", "192.0.2.1 ", "::1%", "1", "*"],
    )
    def test_what_is_no_address_comes_from_nowhere(self, address: str) -> None:
        assert not parse_patterns("*,0.0.0.0/0,::/0").match(address)

    @pytest.mark.parametrize(
        ("written", "address"),
        [
            ("127.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("0X7F000001", "127.0.0.1"),
            ("010.0.0.1", "8.0.0.1"),
            ("10.258", "10.0.1.2"),
            ("10.0/15", "10.0.0.0"),
        ],
    )
    def test_an_address_may_be_short_octal_or_hexadecimal(self, written: str, address: str) -> None:
        assert parse_patterns(written).match(address)
        assert not parse_patterns(f"*,!{written}").match(address)

    @pytest.mark.parametrize("written", ["256.0.0.1", "1.2.3.4.0", "1.2.3.256", "08.0.0.1", "0x"])
    def test_what_only_resembles_an_address_is_a_pattern_that_no_address_fits(
        self, written: str
    ) -> None:
        assert not parse_patterns(written).match("0.0.0.0")
        assert parse_patterns(f"*,!{written}").match("8.0.0.1")

    def test_a_blank_belongs_to_its_item(self) -> None:
        """As for sshd: a blank after a comma makes the next item match nothing."""
        patterns = parse_patterns("192.0.2.1, 192.0.2.2")
        assert patterns.match("192.0.2.1")
        assert not patterns.match("192.0.2.2")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "an address list has an empty item"),
            ("192.0.2.1,", "an address list has an empty item"),
            (",192.0.2.1", "an address list has an empty item"),
            ("192.0.2.1,!", "an address list has an empty item"),
            (
                "10.0.0.0/8,10.0.0.1/8",
                "'10.0.0.1/8' is no network: its prefix length does not fit its address",
            ),
            (
                "!10.0.0.0/33",
                "'10.0.0.0/33' is no network: its prefix length does not fit its address",
            ),
            (
                "2001:db8::1/64",
                "'2001:db8::1/64' is no network: its prefix length does not fit its address",
            ),
            ("*,!10.0.0.0/", "'!10.0.0.0/' is no address, network or pattern"),
            ("10.0.0.0/255.0.0.0", "'10.0.0.0/255.0.0.0' is no address, network or pattern"),
            ("10.0.0.0/+8", "'10.0.0.0/+8' is no address, network or pattern"),
            ("10.0.0.0/\u0668", "'10.0.0.0/\\u0668' is no address, network or pattern"),
            ("10.*/8", "'10.*/8' is no address, network or pattern"),
            ("*, !10.0.0.1", "' !10.0.0.1' is no address, network or pattern"),
            ("!!10.0.0.1", "'!!10.0.0.1' is no address, network or pattern"),
            (
                "fe80::1%eth0",
                "'fe80::1%eth0' names a zone: write a pattern such as fe80::*",
            ),
            ("\x1b[2J/8", "'\\x1b[2J/8' is no address, network or pattern"),
            ("1" * 64 + "/8", f"'{'1' * 40}' is no address, network or pattern"),
            ("*" * 256, "an address list has an item of more than 255 characters"),
            (",".join("*" * 257), "an address list has more than 256 items"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, text: str, said: str) -> None:
        with pytest.raises(PublicKeyError) as caught:
            parse_patterns(text)
        assert str(caught.value) == said

    def test_as_many_items_as_allowed(self) -> None:
        patterns = parse_patterns(",".join(f"10.0.{n}.0/24" for n in range(MAXIMUM_ITEMS)))
        assert patterns.match("10.0.255.1")

    def test_the_text_comes_back(self) -> None:
        text = "192.0.2.0/24,!192.0.2.1,FE80::*"
        assert str(parse_patterns(text)) == text
        assert parse_patterns(text) == parse_patterns(text)
        assert hash(parse_patterns(text)) == hash(parse_patterns(text))

    def test_many_stars_are_soon_answered(self) -> None:
        """With a try for each way to divide the text this would take years."""
        address = "2001:db8:1111:2222:3333:4444:5555:6666"
        assert not parse_patterns("*?" * 30 + "*x").match(address)
        assert parse_patterns("*?" * 30 + "*6").match(address)

    @given(NETWORKS, st.ip_addresses(), st.integers(0, 2**32 - 1))
    @settings(deadline=None, max_examples=200)
    def test_a_network_holds_what_the_standard_library_says(
        self,
        network: ipaddress.IPv4Network | ipaddress.IPv6Network,
        other: ipaddress.IPv4Address | ipaddress.IPv6Address,
        offset: int,
    ) -> None:
        inside = network[offset % network.num_addresses]
        for address in (inside, other):
            if getattr(address, "ipv4_mapped", None) is None:
                assert parse_patterns(str(network)).match(str(address)) is (address in network)
                assert parse_patterns(f"*,!{network}").match(str(address)) is (
                    address not in network
                )

    @given(
        st.text("0123456789abcdefxX.:", max_size=20)
        | st.lists(st.sampled_from(["0", "1", "08", "010", "0xff", "255", "256", "70000"])).map(
            ".".join
        )
        | st.lists(st.sampled_from(["", "0", "1", "ffff", "00001", "1.2.3.4"])).map(":".join)
    )
    @settings(deadline=None, max_examples=300)
    def test_an_address_is_what_the_resolver_of_sshd_takes_for_one(self, text: str) -> None:
        assume(text)
        address = as_getaddrinfo_reads(text)
        assume(address is None or "ffff:" not in address or "." not in address)
        if address is None:
            with pytest.raises(PublicKeyError):
                parse_cidr_list(text)
            assert parse_patterns(f"*,!{text}").match("10.9.8.7")
        else:
            assert parse_patterns(text).match(address)

    @given(st.text("1.?*", max_size=8), st.sampled_from(["1.1.1.1", "1.11.1.111", "11.1.1.11"]))
    @settings(deadline=None, max_examples=300)
    def test_a_pattern_matches_as_its_definition_says(self, pattern: str, text: str) -> None:
        assume("*" in pattern or "?" in pattern)
        assert parse_patterns(pattern).match(text) is recursive_match(text, pattern)

    @given(st.text(max_size=60) | st.text("0189afx.:/!,*?% ", max_size=40), st.text(max_size=20))
    @settings(deadline=None, max_examples=300)
    def test_no_text_surprises_it(self, text: str, address: str) -> None:
        for parse in (parse_patterns, parse_cidr_list):
            said = ""
            try:
                parse(text).match(address)
            except PublicKeyError as error:
                said = str(error)
            assert "\n" not in said


class TestCidrList:
    @pytest.mark.parametrize(
        ("text", "address", "matches"),
        [
            ("192.0.2.1", "192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("10.0.0.0/8,2001:db8::/32", "2001:db8::1", True),
            ("10.0.0.0/8,2001:db8::/32", "10.1.2.3", True),
            ("10.0.0.0/8,2001:db8::/32", "::ffff:10.1.2.3", True),
            ("10.0.0.0/8,2001:db8::/32", "11.0.0.1", False),
            ("fe80::/10", "fe80::1%eth0", False),
            ("0.0.0.0/0", "", False),
        ],
    )
    def test_who_comes_from_where(self, text: str, address: str, matches: bool) -> None:
        assert parse_cidr_list(text).match(address) is matches

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "'' is no address or network"),
            ("10.0.0.1,", "'' is no address or network"),
            ("!10.0.0.1", "'!10.0.0.1' is no address or network"),
            ("10.0.0.*", "'10.0.0.*' is no address or network"),
            ("10.0.0.0/8, 10.0.0.1", "' 10.0.0.1' is no address or network"),
            ("0x7f.1", "'0x7f.1' is no address or network"),
            ("fe80::1%1", "'fe80::1%1' is no address or network"),
            ("10.0.0.0/129", "its prefix length does not fit its address"),
            ("10.0.0.1/8", "its prefix length does not fit its address"),
            ("a" * 300, "an address list has an item of more than 255 characters"),
        ],
    )
    def test_anything_but_addresses_and_networks_is_refused(self, text: str, said: str) -> None:
        with pytest.raises(PublicKeyError) as caught:
            parse_cidr_list(text)
        assert str(caught.value).endswith(said)
