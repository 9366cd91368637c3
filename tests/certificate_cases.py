"""Which certificates are believed by sshd (ssh-keygen(1), CERTIFICATES; PROTOCOL.certkeys).

All of this is decided when the certificate is offered. What it gives to its holder, and what they
have to prove, is in `certified_cases`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.access_case import NO, YES, Case, Difference
from tests.certificate_authority import Draft, pairs
from tests.identities import SECURITY_CA, certified, drafted
from tests.offering_client import USER
from tests.software_authenticator import string

if TYPE_CHECKING:
    from tests.identities import Recipe
    from tests.offering_client import Verdict

__all__ = ["CERTIFICATE_CASES"]

_NAMED = ("-n", USER)
_CA = ("{ca}",)
_DRAFT_CA = ("{draft_ca}",)

_UNREADABLE_TEXT = Difference(NO, "two names that differ must never look the same")
_NOBODY = Difference(NO, "a certificate that names nobody is for nobody", is_newer_sshd=True)

_FORCED = (b"force-command", string(b"true"))
_FROM_HERE = (b"source-address", string(b"127.0.0.1/32"))


def _draft(**fields: Any) -> Recipe:
    return drafted(**{"principals": (USER.encode(),), **fields})


_NAMES_AND_TIMES = tuple(
    Case(name, verdict, offer=certified(*options), authorities=_CA)
    for name, verdict, *options in (
        ("for somebody else", NO, "-n", "somebody"),
        ("for several", YES, "-n", f"somebody,{USER},else"),
        ("for a pattern", NO, "-n", f"{USER[:2]}*"),
        ("for a name in other letters", NO, "-n", USER.upper()),
        ("for a longer name", NO, "-n", f"{USER}x"),
        ("for a host", NO, *_NAMED, "-h"),
        ("from an hour ago to in an hour", YES, *_NAMED, "-V", "-1h:+1h"),
        ("expired", NO, *_NAMED, "-V", "20200101:20210101"),
        ("expired a minute ago", NO, *_NAMED, "-V", "-1h:-1m"),
        ("not valid yet", NO, *_NAMED, "-V", "20900101:20910101"),
        ("not valid for a minute", NO, *_NAMED, "-V", "+1m:+1h"),
        ("always valid", YES, *_NAMED, "-V", "always:forever"),
        ("from here", YES, *_NAMED, "-O", "source-address=10.0.0.0/8,127.0.0.0/8"),
        ("from elsewhere", NO, *_NAMED, "-O", "source-address=10.0.0.0/8"),
        ("with an unknown critical option", NO, *_NAMED, "-O", "critical:x@example=1"),
        ("with an unknown extension", YES, *_NAMED, "-O", "extension:x@example=1"),
    )
)

_LINES = tuple(
    Case(f"line {line!r} {' '.join(options)}", verdict, (f"{line} {{ca}}",), certified(*options))
    for verdict, line, *options in (
        (YES, "CERT-authority", *_NAMED),
        (NO, 'cert-authority,from="10.0.0.0/8"', *_NAMED),
        (YES, 'cert-authority,from="127.0.0.1"', *_NAMED, "-O", "source-address=127.0.0.1/32"),
        (NO, 'cert-authority,from="127.0.0.1"', *_NAMED, "-O", "source-address=10.0.0.0/8"),
        (NO, 'cert-authority,expiry-time="20200101"', *_NAMED),
        (NO, 'cert-authority,command="true"', *_NAMED, "-O", "force-command=false"),
        (NO, "cert-authority,unknown", *_NAMED),
        (NO, "cert-authority", "-n", "somebody"),
        (YES, 'cert-authority,principals="somebody"', "-n", "somebody"),
        (YES, 'cert-authority,principals="else,somebody"', "-n", "x,somebody"),
        (NO, 'cert-authority,principals="somebody"', *_NAMED),
        (NO, 'cert-authority,principals="some*"', "-n", "somebody"),
        (NO, 'cert-authority,principals=" somebody"', "-n", "somebody"),
        (NO, 'cert-authority,principals="else,,somebody"', "-n", "somebody"),
        (NO, 'cert-authority,principals=""', *_NAMED),
        (NO, "cert-authority,principals=somebody", "-n", "somebody"),
        (NO, 'cert-authority,principals="a",principals="somebody"', "-n", "somebody"),
    )
)

_FIELDS: tuple[tuple[str, Verdict | None, Difference | None, dict[str, Any]], ...] = (
    ("as it should be", YES, None, {}),
    ("nobody named", NO, None, {"principals": ()}),
    ("an empty name", NO, None, {"principals": (b"",)}),
    ("256 names", YES, None, {"principals": (*[b"x"] * 255, USER.encode())}),
    ("257 names", NO, None, {"principals": (*[b"x"] * 256, USER.encode())}),
    ("a zero byte in a name", YES, _UNREADABLE_TEXT, {"principals": (USER.encode() + b"\0",)}),
    ("a name that is no text", YES, _UNREADABLE_TEXT, {"principals": (USER.encode(), b"\xff")}),
    ("a key ID that is no text", YES, _UNREADABLE_TEXT, {"key_id": b"\xff"}),
    ("a key ID with a zero byte", NO, None, {"key_id": b"a\0b"}),
    ("neither for users nor for hosts", NO, None, {"kind": 3}),
    ("for nothing", NO, None, {"kind": 0}),
    ("ends before it begins", NO, None, {"valid_after": 2**62, "valid_before": 5}),
    ("ends in 1970", NO, None, {"valid_before": 0}),
    ("no nonce", YES, None, {"nonce": b""}),
    ("something reserved", YES, None, {"reserved": b"zzz"}),
    ("an authority that is a certificate", NO, None, {"authority": Draft().signed()}),
    ("an authority that did not sign", NO, None, {"authority": SECURITY_CA.blob}),
    ("half an authority", NO, None, {"authority": Draft().authority[:-1]}),
    ("an empty authority", NO, None, {"authority": b""}),
    (
        "another type than its key",
        NO,
        None,
        {"certificate_type": b"ssh-rsa-cert-v01@openssh.com"},
    ),
    ("a forced command", YES, None, {"critical": pairs(_FORCED)}),
    ("two forced commands", NO, None, {"critical": pairs(_FORCED, _FORCED)}),
    ("two sources", NO, None, {"critical": pairs(_FROM_HERE, _FROM_HERE)}),
    (
        "unsorted options",
        YES,
        None,
        {"critical": pairs(_FROM_HERE, (b"verify-required", b""), _FORCED)},
    ),
    ("no command", NO, None, {"critical": pairs((b"force-command", b""))}),
    (
        "a command and more",
        NO,
        None,
        {"critical": pairs((b"force-command", string(b"true") + b"x"))},
    ),
    (
        "a command with a zero byte",
        NO,
        None,
        {"critical": pairs((b"force-command", string(b"a\0b")))},
    ),
    (
        "a command that is no text",
        YES,
        _UNREADABLE_TEXT,
        {"critical": pairs((b"force-command", string(b"true #\xff")))},
    ),
    (
        "an option in capitals",
        NO,
        None,
        {"critical": pairs((b"Force-Command", string(b"true")))},
    ),
    ("an extension among the critical", NO, None, {"critical": pairs((b"permit-pty", b""))}),
    ("a critical one among extensions", YES, None, {"extensions": pairs(_FORCED)}),
    ("a terminal", YES, None, {"extensions": pairs((b"permit-pty", b""))}),
    ("a terminal with data", NO, None, {"extensions": pairs((b"permit-pty", b"x"))}),
    ("an option without data", NO, None, {"critical": string(b"verify-required")}),
    ("half an option", NO, None, {"critical": b"\0\0"}),
    ("half an extension", NO, None, {"extensions": b"\0\0\0\5perm"}),
    *(
        (
            f"source-address {text!r}",
            verdict,
            None,
            {"critical": pairs((b"source-address", string(text)))},
        )
        for verdict, text in (
            (YES, b"127.0.0.1"),
            (YES, b"10.0.0.1,127.0.0.0/8"),
            (NO, b"127.0.0.1/8"),
            (NO, b"127.0.0.1,10.0.0.1/8"),
            (NO, b"127.*"),
            (NO, b"!10.0.0.1,127.0.0.1"),
            (NO, b"localhost"),
            (NO, b""),
        )
    ),
)

_DRAFTS = tuple(
    Case(f"draft: {name}", verdict, offer=_draft(**fields), authorities=_DRAFT_CA, differs=differs)
    for name, verdict, differs, fields in _FIELDS
)

_MORE_DRAFTS = (
    Case(
        "nobody named, by a line",
        YES,
        ("cert-authority {draft_ca}",),
        _draft(principals=()),
        differs=_NOBODY,
    ),
    Case(
        "nobody named, by a line with principals",
        NO,
        ('cert-authority,principals="somebody" {draft_ca}',),
        _draft(principals=()),
    ),
    Case(
        "a signature that is none",
        NO,
        offer=drafted(
            lambda data: string(b"ssh-ed25519") + string(bytes(64)), principals=(USER.encode(),)
        ),
        authorities=_DRAFT_CA,
    ),
    Case(
        "a signature of another type",
        NO,
        offer=drafted(SECURITY_CA.sign, principals=(USER.encode(),)),
        authorities=_DRAFT_CA,
    ),
)

CERTIFICATE_CASES = {
    "names and times": _NAMES_AND_TIMES,
    "lines with authorities": _LINES,
    "certificates by hand": _DRAFTS + _MORE_DRAFTS,
}
