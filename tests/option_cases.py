"""What those may do, and have to prove, whom a line of authorized_keys lets in for sshd.

sshd(8), AUTHORIZED_KEYS FILE FORMAT; OpenSSH's PROTOCOL.u2f. Which lines count at all is in
`line_cases`.
"""

from __future__ import annotations

from tests.access_case import NO, NO_PTY, YES, Case, runs
from tests.identities import key
from tests.software_authenticator import USER_PRESENT, USER_VERIFIED

__all__ = ["OPTION_CASES"]

_OPTIONS = tuple(
    Case(f"options {options}", verdict, (f"{options} {{key}}",))
    for verdict, options in (
        (NO_PTY, "restrict"),
        (NO_PTY, "no-pty"),
        (YES, "pty"),
        (NO_PTY, "pty,restrict"),
        (YES, "no-pty,pty"),
        (NO_PTY, "pty,no-pty"),
        (NO_PTY, "RESTRICT"),
        (YES, "Restrict,PtY"),
        (NO_PTY, ",,restrict,"),
        (YES, "port-forwarding,no-agent-forwarding,no-user-rc"),
        (runs("own"), "restrict,pty"),
        (runs("forced"), 'command="echo forced"'),
        (runs("forced"), 'COMMAND="echo forced"'),
        (runs("a, b"), r'command="echo \"a, b\""'),
        (runs("a  b"), r'command="echo \"a  b\""'),
        (runs("a b"), r'command="echo a\ b"'),
        (runs("a\\ b"), r'command="echo a\\ b"'),
        (runs("forced", pty=False), 'restrict,command="echo forced"'),
        (runs("pty,restrict"), 'command="echo pty,restrict",pty'),
    )
)

_SEVERAL_LINES = (
    Case("the first of two lines", NO_PTY, ("restrict {key}", "{key}")),
    Case("the first of two lines, turned", YES, ("{key}", "restrict {key}")),
    Case(
        "the first of two commands",
        runs("one"),
        ('command="echo one" {key}', 'command="echo two" {key}'),
    ),
    Case("a line from elsewhere first", NO_PTY, ('from="10.0.0.1" {key}', "restrict {key}")),
    Case("an expired line first", YES, ('restrict,expiry-time="20200101" {key}', "{key}")),
    Case("an unknown option first", YES, ("unknown {key}", "{key}")),
    Case("a malformed option first", YES, ('from="127.0.0.1/8" {key}', "{key}")),
    Case("an authority first", YES, ("cert-authority {key}", "{key}")),
    Case("only refusals", NO, ('from="10.0.0.1" {key}', 'expiry-time="20200101" {key}')),
)

_TOUCHED_AND_VERIFIED = USER_PRESENT | USER_VERIFIED

_KEY_TYPES = (
    *(
        Case(f"a key {name}", YES, (f"{{{name}}}",), key(name))
        for name in ("ecdsa_256", "ecdsa_384", "ecdsa_521", "rsa_2048", "rsa_3072")
    ),
    Case("a key rsa_1024", NO, ("{rsa_1024}",), key("rsa_1024")),
    Case("a key dsa", NO, ("{dsa}",), key("dsa")),
    Case("rsa with SHA-256", YES, ("{rsa_2048}",), key("rsa_2048", "rsa-sha2-256")),
    Case("rsa with SHA-1", NO, ("{rsa_2048}",), key("rsa_2048", "ssh-rsa")),
    Case("an offer under another type", NO, ("{key}",), key("key", "ecdsa-sha2-nistp256")),
    Case("an offer under an RSA type", NO, ("{key}",), key("key", "rsa-sha2-512")),
    Case("an offer under no type", NO, ("{key}",), key("key", "ssh-nothing")),
    Case("another's signature", NO, ("{key}", "{other}"), key("key", signed_by="other")),
    Case(
        "another's signature of another type",
        NO,
        ("{key}", "{rsa_2048}"),
        key("key", signed_by="rsa_2048"),
    ),
    *(
        Case(
            f"a security key, {said}",
            verdict,
            (f"{options} {{sk_ed25519}}",),
            key("sk_ed25519", flags=flags),
        )
        for verdict, said, options, flags in (
            (YES, "touched", "", USER_PRESENT),
            (NO, "not touched", "", 0),
            (NO, "verified but not touched", "", USER_VERIFIED),
            (YES, "no touch required", "no-touch-required", 0),
            (NO, "touch required after all", "no-touch-required,touch-required", 0),
            (YES, "verified", "verify-required", _TOUCHED_AND_VERIFIED),
            (NO, "not verified", "verify-required", USER_PRESENT),
            (NO, "verified but not touched for the line", "verify-required", USER_VERIFIED),
            (YES, "only verified", "verify-required,no-touch-required", USER_VERIFIED),
            (YES, "need not verify after all", "verify-required,no-verify-required", USER_PRESENT),
        )
    ),
    Case("an ECDSA security key", YES, ("{sk_ecdsa}",), key("sk_ecdsa")),
    Case("an ECDSA security key, not touched", NO, ("{sk_ecdsa}",), key("sk_ecdsa", flags=0)),
    Case("options of security keys for others", YES, ("verify-required {key}",)),
    Case(
        "the first line is not touched",
        NO,
        ("{sk_ed25519}", "no-touch-required {sk_ed25519}"),
        key("sk_ed25519", flags=0),
    ),
)

OPTION_CASES = (
    Case("a bare key", YES, ("{key}",)),
    *_OPTIONS,
    *_SEVERAL_LINES,
    *_KEY_TYPES,
)
