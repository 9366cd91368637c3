"""What the options of an authorized_keys line say, in OpenSSH's syntax and meaning.

All of them are understood and meant, or the line is refused (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
Must not know the key that they stand before, nor whether they hold for somebody now.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from conch_insults.access.address_patterns import AddressPatterns, parse_patterns
from conch_insults.access.expiry_time import parse_expiry_time
from conch_insults.errors import PublicKeyError
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

__all__ = ["MAXIMUM_OPTIONS_BYTES", "KeyOptions", "Role", "parse_options"]

MAXIMUM_OPTIONS_BYTES = 16 * 1024
"""How long the options of one line may be."""

MAXIMUM_TUNNEL = 0x7FFFFFFF - 2

_NAME_END = re.compile("[,=]")
# The alternatives exclude each other, so that no text is read in two ways or at length.
_QUOTED = re.compile(r'"((?:[^"\\]|\\"|\\(?!"))*)"')
_VARIABLE = re.compile(r"([A-Za-z0-9_]+)=(.*)", re.DOTALL)
_HOST_AND_PORT = re.compile(r"(\[[^]]*]|(?!\[)[^:/]*)[:/](?:\*|0*([1-9][0-9]{0,4}))")
_MAXIMUM_HOST_LENGTH = 1024
_MAXIMUM_PORT = 65535
_LONGEST_SHOWN = 40
_TUNNEL = re.compile(r"0*([0-9]{1,10})")
_AAGUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Role(enum.Enum):
    """Whose commands somebody has."""

    PLAYER = "player"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """What the options of one line say; without any, what OpenSSH says of a bare key.

    Attributes:
        text: the options as they are written in the line.
        sources: `from=`: where the key may be used.
        expires: `expiry-time=`: the last moment at which the key may be used, in UTC.
        command: `command=`: the only line of input that its sessions run.
        environment: `environment=`: variables that its sessions get, names and values.
        pty: `restrict`, `pty`, `no-pty`: whether it may have a terminal.
        is_authority: `cert-authority`: the key signs certificates, and is itself no way in.
        principals: `principals=`: whom its certificates must name instead of the user.
        touch_required: `no-touch-required`: whether a security key must have been touched.
        verify_required: `verify-required`: whether it must have verified its owner.
        rating: `rating@conch-insults=`: the most that its sessions may hear.
        role: `role@conch-insults=`: whose commands its sessions have.
        aaguid: `aaguid@conch-insults=`: the model of the security key, as its attestation named it
            when the line was written.
    """

    text: str = ""
    sources: AddressPatterns | None = None
    expires: datetime | None = None
    command: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    pty: bool = True
    is_authority: bool = False
    principals: tuple[str, ...] | None = None
    touch_required: bool = True
    verify_required: bool = False
    rating: Rating | None = None
    role: Role = Role.PLAYER
    aaguid: str | None = None


def parse_options(text: str, permitted_environment: Collection[str] = ()) -> KeyOptions:
    r"""Read the options of a line, without the blank that ends them.

    Names are in any case and values in double quotes, where `\"` is a quote. Of flags that
    contradict each other the last counts, of expiry times the earliest, of variables of one name
    the first. An empty option is none, as it is to sshd.

    Args:
        text: the options, with commas between them, at most `MAXIMUM_OPTIONS_BYTES`.
        permitted_environment: the variables that `environment=` may set.

    Raises:
        PublicKeyError: an option is unknown, malformed, not permitted, or given too often.
    """
    _refuse_unwritable(text)
    options = KeyOptions(text)
    environment: dict[str, str] = {}
    given: set[str] = set()
    for name, value in _each(text):
        if name in given and name in _ONCE:
            raise PublicKeyError(f"option {name!r} is given twice")
        given.add(name)
        if name == "environment":
            environment.setdefault(*_variable(value, permitted_environment))
        elif name in _FLAGS:
            options = _FLAGS[name](options)
        else:
            options = _VALUED[name](options, value)
    if options.principals is not None and not options.is_authority:
        raise PublicKeyError("option 'principals' means nothing without 'cert-authority'")
    return replace(options, environment=tuple(environment.items()))


def _refuse_unwritable(text: str) -> None:
    """Refuse what no line of a file can hold."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise PublicKeyError("options are not UTF-8 text") from error
    if size > MAXIMUM_OPTIONS_BYTES:
        raise PublicKeyError(f"options are longer than {MAXIMUM_OPTIONS_BYTES} bytes")
    if "\n" in text or "\0" in text:
        raise PublicKeyError("options hold a line end or a zero byte")


def _each(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each option in lower case, and its value, "" for a flag."""
    position = 0
    while position < len(text):
        end = _NAME_END.search(text, position)
        stop = end.start() if end else len(text)
        written = text[position:stop]
        # Outside ASCII there are letters whose lower case is inside.
        name = written.lower() if written.isascii() else written
        has_value = text.startswith("=", stop)
        value = ""
        if name in _WITH_VALUE:
            quoted = _QUOTED.match(text, stop + 1) if has_value else None
            if quoted is None:
                raise PublicKeyError(f"option {name!r} needs a value in double quotes")
            value, stop = quoted[1].replace('\\"', '"'), quoted.end()
            if text[stop : stop + 1] not in {",", ""}:
                raise PublicKeyError(f"option {name!r} goes on after its closing quote")
        elif name in _FLAGS:
            if has_value:
                raise PublicKeyError(f"option {name!r} takes no value")
        elif name or has_value:
            # What is long is not shown: it may be a part of a private key.
            what = f"option {written!a}" if len(written) <= _LONGEST_SHOWN else "what stands here"
            raise PublicKeyError(f"{what} is not understood here, so this line lets nobody in")
        if name:
            yield name, value
        position = stop + 1


def _variable(value: str, permitted: Collection[str]) -> tuple[str, str]:
    parts = _VARIABLE.fullmatch(value)
    if parts is None:
        raise _bad("environment", value, 'it is "NAME=value", the name of letters, digits and _')
    if parts[1] not in permitted:
        raise PublicKeyError(
            f"option 'environment' sets {parts[1][:40]}, which access.permit_environment"
            " does not name"
        )
    return parts[1], parts[2]


def _from(options: KeyOptions, value: str) -> KeyOptions:
    try:
        return replace(options, sources=parse_patterns(value))
    except PublicKeyError as error:
        raise PublicKeyError(f"option 'from': {error}") from error


def _expiry_time(options: KeyOptions, value: str) -> KeyOptions:
    try:
        expires = parse_expiry_time(value)
    except PublicKeyError as error:
        raise PublicKeyError(f"option 'expiry-time': {error}") from error
    return replace(options, expires=min(expires, options.expires or expires))


def _principals(options: KeyOptions, value: str) -> KeyOptions:
    # An empty name ends the list for OpenSSH (match_list).
    return replace(options, principals=tuple(takewhile(bool, value.split(","))))


def _rating(options: KeyOptions, value: str) -> KeyOptions:
    try:
        return replace(options, rating=Rating.parse(value))
    except ValueError as error:
        raise PublicKeyError(f"option 'rating@conch-insults': {error}") from error


def _role(options: KeyOptions, value: str) -> KeyOptions:
    try:
        return replace(options, role=Role(value))
    except ValueError as error:
        raise _bad("role@conch-insults", value, 'it is "player" or "operator"') from error


def _aaguid(options: KeyOptions, value: str) -> KeyOptions:
    if not _AAGUID.fullmatch(value):
        raise _bad("aaguid@conch-insults", value, "it is 8-4-4-4-12 hex digits in lower case")
    return replace(options, aaguid=value)


def _permit_open(options: KeyOptions, value: str) -> KeyOptions:
    """Check a host and a port; nothing is forwarded here."""
    parts = _HOST_AND_PORT.fullmatch(value)
    if parts is None or len(parts[1]) > _MAXIMUM_HOST_LENGTH or int(parts[2] or 0) > _MAXIMUM_PORT:
        raise _bad("permitopen", value, 'it is "host:port" with a number or * as port')
    return options


def _permit_listen(options: KeyOptions, value: str) -> KeyOptions:
    """Check a host and a port, or a port alone."""
    try:
        return _permit_open(options, value if ":" in value else f"*:{value}")
    except PublicKeyError as error:
        form = 'it is "[host:]port" with a number or * as port'
        raise _bad("permitlisten", value, form) from error


def _tunnel(options: KeyOptions, value: str) -> KeyOptions:
    number = _TUNNEL.fullmatch(value)
    if value.lower() != "any" and (number is None or int(number[1]) > MAXIMUM_TUNNEL):
        raise _bad("tunnel", value, 'it is the number of a device or "any"')
    return options


def _bad(name: str, value: str, form: str) -> PublicKeyError:
    return PublicKeyError(f"option {name!r} cannot be {value[:40]!a}: {form}")


def _unchanged(options: KeyOptions) -> KeyOptions:
    return options


_FLAGS: dict[str, Callable[[KeyOptions], KeyOptions]] = {
    "restrict": lambda options: replace(options, pty=False),
    "pty": lambda options: replace(options, pty=True),
    "no-pty": lambda options: replace(options, pty=False),
    "cert-authority": lambda options: replace(options, is_authority=True),
    "touch-required": lambda options: replace(options, touch_required=True),
    "no-touch-required": lambda options: replace(options, touch_required=False),
    "verify-required": lambda options: replace(options, verify_required=True),
    "no-verify-required": lambda options: replace(options, verify_required=False),
    # They give or take what this server never gives.
    **dict.fromkeys(
        (
            *("port-forwarding", "no-port-forwarding"),
            *("agent-forwarding", "no-agent-forwarding"),
            *("x11-forwarding", "no-x11-forwarding"),
            *("user-rc", "no-user-rc"),
        ),
        _unchanged,
    ),
}
_VALUED: dict[str, Callable[[KeyOptions, str], KeyOptions]] = {
    "from": _from,
    "expiry-time": _expiry_time,
    "command": lambda options, value: replace(options, command=value),
    "principals": _principals,
    "permitopen": _permit_open,
    "permitlisten": _permit_listen,
    "tunnel": _tunnel,
    "rating@conch-insults": _rating,
    "role@conch-insults": _role,
    "aaguid@conch-insults": _aaguid,
}
_WITH_VALUE = frozenset({"environment", *_VALUED})
_ONCE = frozenset({"from", "command", "principals"}) | {
    name for name in _VALUED if name.endswith("@conch-insults")
}
