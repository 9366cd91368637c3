"""Which addresses a list such as `10.0.0.0/8,!10.0.0.1,192.168.?.*` means.

The list of a key's `from=` and that of a certificate's `source-address` mean here what they mean to
OpenSSH's sshd with `UseDNS no`: an address has no name. Must not know of keys, nor of connections.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

from conch_insults.errors import PublicKeyError

__all__ = ["MAXIMUM_ITEMS", "AddressPatterns", "parse_cidr_list", "parse_patterns"]

MAXIMUM_ITEMS = 256
"""How many items a list may have."""

MAXIMUM_ITEM_LENGTH = 255
# What OpenSSH takes for an address or network; anything longer is none.
MAXIMUM_NETWORK_LENGTH = 63

# The parts of an IPv4 address may be octal or hexadecimal to inet_aton(3), which sshd reads with.
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+")
_OCTAL = re.compile(r"0[0-7]*")
_DECIMAL = re.compile(r"[1-9][0-9]*")
_PREFIX_LENGTH = re.compile(r"[0-9]+")
_CIDR_CHARACTERS = re.compile(r"[0-9a-fA-F.:/]*")


@dataclass(frozen=True, slots=True)
class AddressPatterns:
    """A list of addresses, networks and patterns, some of them negated; its `str` is its text."""

    text: str
    _items: tuple[tuple[bool, IPv4Network | IPv6Network | str], ...] = field(repr=False)

    def match(self, address: str) -> bool:
        """Say whether somebody may come from an address.

        A negated item that matches decides against it, whatever else matches, and so does a list
        in which no item matches.

        Args:
            address: an IP address as text. One that is mapped from IPv4 into IPv6 counts as IPv4.
                One with a zone, as link-local ones have, is in no network, and the zone belongs to
                its text; to what is negated it belongs to neither. Any other text matches nothing.
        """
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        zone = ""
        if isinstance(peer, IPv6Address):
            zone = f"%{peer.scope_id.lower()}" if peer.scope_id else ""
            peer = peer.ipv4_mapped or IPv6Address(int(peer))
        written = _written(peer)
        found = False
        for negated, item in self._items:
            if isinstance(item, str):
                matches = _wildcard_match(written + zone, item) or (
                    negated and _wildcard_match(written, item)
                )
            else:
                matches = peer in item and (negated or not zone)
            if matches and negated:
                return False
            found = found or matches
        return found

    def __str__(self) -> str:
        """Return the list as it was written."""
        return self.text


def parse_patterns(text: str) -> AddressPatterns:
    """Read the list of a `from=` option (sshd(8), ssh_config(5) PATTERNS, OpenSSH's addrmatch.c).

    Args:
        text: addresses, networks in CIDR notation, and patterns in which `*` is any number of
            characters and `?` one, with commas between them and `!` before a negated one.

    Raises:
        PublicKeyError: the list has an empty item, a network with bits beyond its prefix, or an
            item that is none of the three.
    """
    items: list[tuple[bool, IPv4Network | IPv6Network | str]] = []
    for written in _items_of(text):
        item = written.removeprefix("!")
        if not item:
            raise PublicKeyError("an address list has an empty item")
        network = _network(item)
        # Neither occurs in an address: a network or negation would silently be none.
        if network is None and ("/" in item or "!" in item):
            raise PublicKeyError(f"{_shown(written)} is no address, network or pattern")
        items.append((item != written, item.lower() if network is None else network))
    return AddressPatterns(text, tuple(items))


def parse_cidr_list(text: str) -> AddressPatterns:
    """Read the list of a certificate's `source-address` (OpenSSH's PROTOCOL.certkeys).

    Args:
        text: addresses and networks in CIDR notation, with commas between them.

    Raises:
        PublicKeyError: an item is none of these, or a network with bits beyond its prefix.
    """
    items: list[tuple[bool, IPv4Network | IPv6Network | str]] = []
    for item in _items_of(text):
        network = _network(item) if _CIDR_CHARACTERS.fullmatch(item) else None
        if network is None:
            raise PublicKeyError(f"{_shown(item)} is no address or network")
        items.append((False, network))
    return AddressPatterns(text, tuple(items))


def _items_of(text: str) -> list[str]:
    # One more than are allowed is enough to know.
    items = text.split(",", MAXIMUM_ITEMS)
    if len(items) > MAXIMUM_ITEMS:
        raise PublicKeyError(f"an address list has more than {MAXIMUM_ITEMS} items")
    if any(len(item) > MAXIMUM_ITEM_LENGTH for item in items):
        raise PublicKeyError(
            f"an address list has an item of more than {MAXIMUM_ITEM_LENGTH} characters"
        )
    return items


def _network(item: str) -> IPv4Network | IPv6Network | None:
    """Read an address or network; return None for what is neither."""
    written, slash, suffix = item.partition("/")
    if len(item) > MAXIMUM_NETWORK_LENGTH or (slash and not _PREFIX_LENGTH.fullmatch(suffix)):
        return None
    address = _ipv4_address(written) or _ipv6_address(written)
    if address is None:
        return None
    length = int(suffix) if slash else address.max_prefixlen
    try:
        if isinstance(address, IPv4Address):
            return IPv4Network((address, length))
        return IPv6Network((address, length))
    except ValueError as error:
        raise PublicKeyError(
            f"{_shown(item)} is no network: its prefix length does not fit its address"
        ) from error


def _ipv4_address(text: str) -> IPv4Address | None:
    """Read one to four numbers, of which the last fills what is left, as inet_aton(3) does."""
    numbers: list[int] = []
    for part in text.split("."):
        if _DECIMAL.fullmatch(part):
            numbers.append(int(part))
        elif _OCTAL.fullmatch(part):
            numbers.append(int(part, 8))
        elif _HEXADECIMAL.fullmatch(part):
            numbers.append(int(part, 16))
        else:
            return None
    *leading, last = numbers
    bits = 32 - 8 * len(leading)
    if bits <= 0 or last >> bits or any(number not in range(256) for number in leading):
        return None
    return IPv4Address((int.from_bytes(bytes(leading)) << bits) + last)


def _ipv6_address(text: str) -> IPv6Address | None:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None
    if address.scope_id is not None:
        raise PublicKeyError(f"{_shown(text)} names a zone: write a pattern such as fe80::*")
    return address


def _written(address: IPv4Address | IPv6Address) -> str:
    """Write an address as inet_ntop(3) does, which sees IPv4 in what was to be compatible with it.

    RFC 4291, section 2.5.5.1, has done away with those.
    """
    number = int(address)
    if isinstance(address, IPv6Address) and 1 << 16 <= number < 1 << 32:
        return f"::{IPv4Address(number)}"
    return str(address)


def _wildcard_match(text: str, pattern: str) -> bool:
    """Match as ssh_config(5) PATTERNS says; both are in lower case.

    Only the last `*` ever has to be tried again, so that the work is bounded by the product of both
    lengths.
    """
    at = position = resume = 0
    star = -1
    while at < len(text):
        wanted = pattern[position : position + 1]
        if wanted == "*":
            star, resume = position, at
            position += 1
        elif wanted in {"?", text[at]}:
            position += 1
            at += 1
        elif star >= 0:
            resume += 1
            position, at = star + 1, resume
        else:
            return False
    return not pattern[position:].strip("*")


def _shown(item: str) -> str:
    return ascii(item[:40])
