"""Which lines of authorized_keys count for sshd (sshd(8), AUTHORIZED_KEYS FILE FORMAT).

All of this is decided when the key is offered. What a line gives to whom it lets in, and what they
have to prove, is in `option_cases`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tests.access_case import NO, YES, Case, Difference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.offering_client import Verdict

__all__ = ["LINE_CASES", "LOCAL_ZONE"]

# What the tests tell both servers their time zone is (tzset(3)): nine hours before UTC.
LOCAL_ZONE = "XXX-9"

_NOW = datetime.now(UTC)
_LOCAL = timezone(timedelta(hours=9))
_SOON, _LATELY = _NOW + timedelta(hours=2), _NOW - timedelta(hours=2)

_ENVIRONMENT = Difference(NO, "variables that no setting permits refuse the line")
_OURS = Difference(YES, "sshd does not know the options of this server")
_TYPO = Difference(NO, "an item that can match nothing is a mistake")
_NO_SERVICES = Difference(NO, "nothing here knows the names of ports")
_NOT_TEXT = Difference(NO, "a line is UTF-8 text without zero bytes")
_TOO_LONG = Difference(NO, "nothing of unbounded length is read")


def _written(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%S}"


_LINES = (
    Case("a bare key", YES, ("{key}",)),
    Case("a key without a comment", YES, ("{key.type} {key.base64}",)),
    Case("a comment with quotes and blanks", YES, ('{key} of "alice, and',)),
    Case("blanks around a key", YES, (" \t {key} \t ",)),
    Case("tabs in a key", YES, ("{key.type}\t{key.base64}\tcomment",)),
    Case("lines with nothing on them", YES, ("", "# {other}", "  \t", " # no", "{key}")),
    Case("line ends of Windows", YES, ("{other}\r", "restrict,pty {key}\r")),
    Case("a key in a comment", NO, ("# {key}",)),
    Case("a key behind a word", NO, ("hello {key}",)),
    Case("another key", NO, ("{other}",)),
    Case("no key at all", NO, ("",)),
    Case("no file", NO),
    Case("a byte order mark", NO, ("\ufeff{key}",)),
    Case("a comment that is no text", YES, ("{key} \udcff",), differs=_NOT_TEXT),
    Case("a zero byte before the key", NO, ("\0{key}",)),
    Case("a zero byte in the comment", YES, ("{key} a\0b",), differs=_NOT_TEXT),
    Case("half a key", NO, ("{key.type} AAAAC3NzaC1lZDI1NTE5",)),
    Case("a key of another type than is said", NO, ("ssh-rsa {key.base64}",)),
    Case("a key without its type", NO, ("{key.base64}",)),
    Case("a key in quotes", NO, ('"{key}"',)),
    Case("rubbish, then the key", YES, ("rubbish", "{key.type} rubbish", "{dsa}", "{key}")),
    Case("an unclosed quote, then the key", YES, ('command="x {other}', "{key}")),
    Case("the key, then rubbish", YES, ("{key}", "rubbish", '"')),
    Case("a very long comment", YES, ("{key} " + "x" * 20000,), differs=_TOO_LONG),
)

_SYNTAX = tuple(
    Case(f"options {options!a}", verdict, (f"{options} {{key}}",))
    for verdict, options in (
        (YES, "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-user-rc"),
        (YES, "port-forwarding,agent-forwarding,x11-forwarding,user-rc"),
        (YES, "touch-required,no-touch-required,verify-required,no-verify-required"),
        (YES, "restrict\t"),
        (YES, "restrict,"),
        (YES, ",restrict"),
        (YES, "restrict,,pty"),
        (YES, ","),
        (NO, "restrict ,pty"),
        (NO, "restrict, pty"),
        (NO, "restrict;pty"),
        (NO, "restrict#pty"),
        (NO, 'restrict=""'),
        (NO, 'pty="yes"'),
        (NO, "pty="),
        (NO, "=pty"),
        (NO, '"restrict"'),
        (NO, 're"strict"'),
        (NO, "no-restrict"),
        (NO, "no-no-pty"),
        (NO, "no-cert-authority"),
        (NO, "unknown"),
        (NO, "restrict,unknown"),
        (NO, 'unknown="x"'),
        (NO, "restrict\r"),
        (NO, "restrict\xa0"),
        # KELVIN SIGN, whose lower case is k.
        (NO, "no-to\u212aen"),
        (NO, "cert-authority"),
        (NO, 'principals="root"'),
        (NO, 'zos-key-ring-label="x"'),
        (NO, 'command="true",command="true"'),
        (NO, "command=true"),
        (NO, "command"),
        (NO, "command="),
        (NO, 'command ="true"'),
        (NO, 'command="true'),
        (NO, r'command="true\"'),
        (NO, 'command="true"x'),
        (NO, 'command="true""x"'),
        (NO, "command='true'"),
    )
)

_SOURCES = {
    "127.0.0.1": (
        (YES, "127.0.0.1"),
        (YES, "127.0.0.0/8"),
        (YES, "127.0.0.1/32"),
        (YES, "0.0.0.0/0"),
        (YES, "127.*"),
        (YES, "127.0.0.?"),
        (YES, "*"),
        (YES, "10.0.0.0/8,127.0.0.0/8"),
        (YES, "!10.0.0.0/8,127.0.0.1"),
        (YES, "127.0.0.1,!127.0.0.2"),
        (YES, "127.1"),
        (YES, "0x7f.0.0.1"),
        (YES, "0177.0.0.1"),
        (NO, "10.0.0.0/8"),
        (NO, "127.0.0.2"),
        (NO, "12?.0.0"),
        (NO, "!127.0.0.1"),
        (NO, "!10.0.0.1"),
        (NO, "*,!127.0.0.1"),
        (NO, "!127.0.0.1,*"),
        (NO, "*,!127.*"),
        (NO, "127.0.0.1/8"),
        (NO, "127.0.0.1,10.0.0.1/8"),
        (NO, "127.0.0.0/33"),
        (NO, "127.0.0.1,10.0.0.0/33"),
        (NO, "127.0.0.0/8x"),
        (NO, "127.0.0.0/"),
        (NO, ""),
        (YES, "127.0.0.1, 10.0.0.1"),
        (NO, "10.0.0.1, 127.0.0.1"),
        (NO, "localhost"),
        (NO, "::1"),
        (NO, "::/0"),
        (NO, "::ffff:127.0.0.1"),
    ),
    "127.0.0.2": ((YES, "127.0.0.2"), (NO, "127.0.0.1")),
}

_SOURCES_IPV6 = {
    "::1": (
        (YES, "::1"),
        (YES, "0:0:0:0:0:0:0:1"),
        (YES, "::/64"),
        (YES, "*:*"),
        (YES, "2001:DB8::/32,::1/128"),
        (NO, "::2"),
        (NO, "::1/64"),
        (NO, "::/129"),
        (NO, "127.0.0.1"),
        (NO, "0.0.0.0/0"),
        (NO, "*,!::1"),
    ),
    "::ffff:127.0.0.1": (
        (YES, "127.0.0.1"),
        (YES, "127.0.0.0/8"),
        (NO, "::ffff:127.0.0.1"),
        (NO, "::ffff:0:0/96"),
        (NO, "*,!127.0.0.1"),
    ),
}


def _from(sources: Mapping[str, tuple[tuple[Verdict | None, str], ...]]) -> tuple[Case, ...]:
    return tuple(
        Case(f"from={text!r}, as {address}", verdict, (f'from="{text}" {{key}}',), address=address)
        for address, rows in sources.items()
        for verdict, text in rows
    )


_MORE_SOURCES = (
    Case("no quotes around an address", NO, ("from=127.0.0.1 {key}",)),
    Case("two lists of addresses", NO, ('from="127.0.0.1",from="127.0.0.1" {key}',)),
    Case("FROM", YES, ('FROM="127.0.0.1" {key}',)),
    Case("a slash, but no network", YES, ('from="127.0.0.1,x/8" {key}',), differs=_TYPO),
    Case("a negation in the middle", YES, ('from="127.0.0.1,10!0" {key}',), differs=_TYPO),
)

_TIMES = tuple(
    Case(f"expiry-time {name}", verdict, (f'expiry-time="{time}" {{key}}',))
    for verdict, name, time in (
        (YES, "in two hours, in UTC", f"{_written(_SOON)}Z"),
        (NO, "two hours ago, in UTC", f"{_written(_LATELY)}Z"),
        (YES, "in two hours, in local time", _written(_SOON.astimezone(_LOCAL))),
        (NO, "two hours ago, in local time", _written(_LATELY.astimezone(_LOCAL))),
        (NO, "seven hours ago, as if it were UTC", _written(_SOON)),
        (YES, "in seven hours, as if it were local", f"{_written(_LATELY.astimezone(_LOCAL))}Z"),
        (YES, "of a day", "20380119"),
        (YES, "of a minute", "203801190314"),
        (YES, "of a day in UTC", "20380119Z"),
        (YES, "with a small z", "20380119z"),
        (YES, "with UTC", "20380119UTC"),
        (YES, "on 31 February", "20380231"),
        (YES, "at second 60", "20380119031460"),
        (YES, "in the year 9999", "99991231Z"),
        (NO, "long ago", "20200101"),
        (NO, "of a month", "203801"),
        (NO, "in month 13", "20381301"),
        (NO, "in month 0", "20380001"),
        (NO, "on day 0", "20380100"),
        (NO, "on day 32", "20380132"),
        (NO, "at hour 24", "203801192400"),
        (NO, "at minute 60", "203801190060"),
        (NO, "with a blank after it", "20380119 "),
        (NO, "with a blank before it", " 20380119"),
        (NO, "with a letter in it", "2038o119"),
        (NO, "with dashes", "2038-01-19"),
        (NO, "with an offset", "20380119+0100"),
        (NO, "without digits", ""),
        (NO, "in 1970", "19700101Z"),
    )
)

_MORE_TIMES = (
    Case("two expiry times, one past", NO, ('expiry-time="20380101",expiry-time="2020" {key}',)),
    Case("the earlier of two", NO, ('expiry-time="20380101",expiry-time="20200101" {key}',)),
    Case("the earlier of two first", NO, ('expiry-time="20200101",expiry-time="20380101" {key}',)),
    Case(
        "a blank instead of a zero",
        YES,
        ('expiry-time="2038 119" {key}',),
        differs=Difference(NO, "a time is digits, and then perhaps a Z"),
    ),
    Case("no quotes around a time", NO, ("expiry-time=20380101 {key}",)),
)

_VALUES = tuple(
    Case(f"options {options}", verdict, (f"{options} {{key}}",), differs=differs)
    for verdict, differs, options in (
        (YES, None, 'permitopen="host.example:22"'),
        (YES, None, 'permitopen="[::1]:22",permitopen="*:*"'),
        (YES, None, 'permitopen="host/22"'),
        (YES, _NO_SERVICES, 'permitopen="host:ssh"'),
        (NO, None, 'permitopen="host"'),
        (NO, None, 'permitopen="22"'),
        (NO, None, 'permitopen="host:0"'),
        (NO, None, 'permitopen="host:65536"'),
        (NO, None, 'permitopen="::1:22"'),
        (NO, None, 'permitopen=""'),
        (NO, None, "permitopen=host:22"),
        (YES, None, 'permitlisten="22"'),
        (YES, None, 'permitlisten="localhost:8080"'),
        (NO, None, 'permitlisten="localhost"'),
        (NO, None, 'permitlisten=""'),
        (YES, None, 'tunnel="0"'),
        (YES, None, 'tunnel="any"'),
        (NO, None, 'tunnel="tun0"'),
        (NO, None, 'tunnel="-1"'),
        (NO, None, 'tunnel=""'),
        (YES, _ENVIRONMENT, 'environment="A=1"'),
        (YES, _ENVIRONMENT, 'environment="A=1",environment="A="'),
        (NO, None, 'environment="A"'),
        (NO, None, 'environment="=1"'),
        (NO, None, 'environment="A B=1"'),
        (NO, None, "environment=A=1"),
        (NO, _OURS, 'rating@conch-insults="g"'),
        (NO, _OURS, 'role@conch-insults="operator"'),
        (NO, None, 'rating@conch-insults="x"'),
        (NO, None, 'rating@elsewhere.example="g"'),
    )
)

LINE_CASES = {
    "lines": _LINES,
    "syntax": _SYNTAX,
    "sources": _from(_SOURCES) + _MORE_SOURCES,
    "sources in IPv6": _from(_SOURCES_IPV6),
    "times": _TIMES + _MORE_TIMES,
    "values": _VALUES,
}
