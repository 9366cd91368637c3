"""What a certificate gives to its holder for sshd, and what they have to prove.

ssh-keygen(1), CERTIFICATES; OpenSSH's PROTOCOL.certkeys and PROTOCOL.u2f. Which certificates count
at all is in `certificate_cases`.
"""

from __future__ import annotations

from tests.access_case import NO, NO_PTY, YES, Case, runs
from tests.certificate_authority import pairs
from tests.identities import certified, drafted
from tests.offering_client import USER
from tests.software_authenticator import USER_PRESENT, USER_VERIFIED

__all__ = ["CERTIFIED_CASES"]

_NAMED = ("-n", USER)
_CA = ("{ca}",)
_LINE = ("cert-authority {ca}",)

_CERTIFIED_KEYS = (
    *(
        Case(f"a certified {name}", YES, offer=certified(*_NAMED, name=name), authorities=_CA)
        for name in ("ecdsa_256", "ecdsa_384", "ecdsa_521", "rsa_2048", "sk_ed25519", "sk_ecdsa")
    ),
    *(
        Case(
            f"a certified {name}, signing with {algorithm}",
            verdict,
            offer=certified(*_NAMED, name=name, algorithm=algorithm),
            authorities=_CA,
        )
        for verdict, name, algorithm in (
            (YES, "rsa_2048", "rsa-sha2-256"),
            (NO, "rsa_2048", "ssh-rsa"),
            (NO, "rsa_1024", "rsa-sha2-512"),
        )
    ),
    *(
        Case(
            f"a certified security key, {said}",
            verdict,
            lines,
            certified(*_NAMED, *options, name="sk_ecdsa", flags=flags),
            authorities=None if lines else _CA,
        )
        for verdict, said, lines, flags, *options in (
            (NO, "not touched", None, 0),
            (YES, "need not be touched", None, 0, "-O", "no-touch-required"),
            (NO, "touch required by the line", _LINE, 0, "-O", "no-touch-required"),
            (
                YES,
                "need not be touched for line and certificate",
                ("cert-authority,no-touch-required {ca}",),
                0,
                "-O",
                "no-touch-required",
            ),
            (
                NO,
                "touch required by the certificate",
                ("cert-authority,no-touch-required {ca}",),
                0,
            ),
            (NO, "not verified", None, USER_PRESENT, "-O", "verify-required"),
            (YES, "verified", None, USER_PRESENT | USER_VERIFIED, "-O", "verify-required"),
            (
                NO,
                "not verified for the line",
                ("cert-authority,verify-required {ca}",),
                USER_PRESENT,
            ),
        )
    ),
)

_OPTIONS = tuple(
    Case(f"a certificate {name}", verdict, offer=certified(*_NAMED, *options), authorities=_CA)
    for name, verdict, *options in (
        ("with all that ssh-keygen permits", YES),
        ("without permissions", NO_PTY, "-O", "clear"),
        ("with the permission of a terminal", YES, "-O", "clear", "-O", "permit-pty"),
        ("without a terminal", NO_PTY, "-O", "no-pty"),
        ("with a command", runs("forced"), "-O", "force-command=echo forced"),
        ("of which nobody verifies the key", YES, "-O", "verify-required"),
    )
)

_LINES = tuple(
    Case(f"line {line!r} {' '.join(options)}", verdict, (f"{line} {{ca}}",), certified(*options))
    for verdict, line, *options in (
        (YES, "cert-authority", *_NAMED),
        (NO_PTY, "cert-authority,no-pty", *_NAMED),
        (NO_PTY, "restrict,cert-authority", *_NAMED),
        (NO_PTY, "cert-authority", *_NAMED, "-O", "no-pty"),
        (runs("line"), 'cert-authority,command="echo line"', *_NAMED),
        (
            runs("same"),
            'cert-authority,command="echo same"',
            *(*_NAMED, "-O", "force-command=echo same"),
        ),
    )
)

_BOTH = (
    Case(
        "a line's restrictions beside the authority of all",
        NO_PTY,
        ("cert-authority,no-pty {ca}",),
        certified(*_NAMED),
        authorities=_CA,
    ),
    Case(
        "a line that refuses beside the authority of all",
        YES,
        ('no-pty,cert-authority,from="10.0.0.1" {ca}',),
        certified(*_NAMED),
        authorities=_CA,
    ),
    Case(
        "the permission of a terminal in other letters",
        NO_PTY,
        offer=drafted(principals=(USER.encode(),), extensions=pairs((b"permit-PTY", b""))),
        authorities=("{draft_ca}",),
    ),
)

CERTIFIED_CASES = (
    *_CERTIFIED_KEYS,
    *_OPTIONS,
    *_LINES,
    *_BOTH,
)
