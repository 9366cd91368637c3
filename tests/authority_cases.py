"""Which authorities are believed by sshd, and how their certificates are offered.

sshd_config(5), TrustedUserCAKeys; sshd(8), cert-authority. All of this is decided when the
certificate is offered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.access_case import NO, YES, Case, Difference
from tests.identities import SECURITY_CA, certified, drafted, key
from tests.offering_client import USER
from tests.software_authenticator import USER_PRESENT

if TYPE_CHECKING:
    from tests.identities import Recipe

__all__ = ["AUTHORITY_CASES"]

_NAMED = ("-n", USER)
_CA = ("{ca}",)
_LINE = ("cert-authority {ca}",)

_OTHER_LINES = Difference(YES, "a line that cannot be used never disables another")


def _renamed(recipe: Recipe, algorithm: str) -> Recipe:
    return lambda wallet: replace(recipe(wallet), algorithm=algorithm)


def _by_security_key(flags: int) -> Recipe:
    return drafted(
        lambda data: SECURITY_CA.sign(data, flags),
        authority=SECURITY_CA.blob,
        principals=(USER.encode(),),
    )


_AUTHORITIES = (
    Case("a certificate", YES, offer=certified(*_NAMED), authorities=_CA),
    Case("a certificate, by a line", YES, _LINE, certified(*_NAMED)),
    Case("no authority", NO, ("{other}",), certified(*_NAMED)),
    Case("another authority", NO, offer=certified(*_NAMED), authorities=("{ca_ecdsa}",)),
    Case("another authority's line", NO, ("cert-authority {ca_ecdsa}",), certified(*_NAMED)),
    Case("an authority that is only a key", NO, _CA, certified(*_NAMED)),
    Case("the certified key is listed", NO, ("{key}",), certified(*_NAMED)),
    Case("the key of a certified one", NO, offer=key(), authorities=_CA),
    Case("the authority itself", NO, _LINE, key("ca"), authorities=_CA),
    Case("a certificate in place of a key", NO, ("{certificate}",), key()),
    Case("the same, offered", NO, ("{certificate}",), certified(*_NAMED)),
    Case(
        "a certificate under the name of a key",
        NO,
        ("{key}", "cert-authority {ca}"),
        _renamed(certified(*_NAMED), "ssh-ed25519"),
    ),
    Case(
        "a key under the name of a certificate",
        NO,
        ("{key}", "cert-authority {ca}"),
        _renamed(key(), "ssh-ed25519-cert-v01@openssh.com"),
    ),
    Case(
        "a certificate under the name of another",
        NO,
        ("{key}", "cert-authority {ca}"),
        _renamed(certified(*_NAMED), "rsa-sha2-512-cert-v01@openssh.com"),
    ),
    Case("an authority with options", NO, offer=certified(*_NAMED), authorities=_LINE),
    Case(
        "one of several authorities",
        YES,
        offer=certified(*_NAMED),
        authorities=("# ours", "", "{ca_ecdsa} of hers", "{ca} of mine"),
    ),
    Case(
        "an authority and then rubbish",
        YES,
        offer=certified(*_NAMED),
        authorities=("{ca}", "rubbish"),
    ),
    Case(
        "rubbish and then an authority",
        NO,
        offer=certified(*_NAMED),
        authorities=("rubbish", "{ca}"),
        differs=_OTHER_LINES,
    ),
    *(
        Case(
            f"signed by {name} {' '.join(options)}",
            verdict,
            offer=certified(*_NAMED, *options, by=name),
            authorities=(f"{{{name}}}",),
        )
        for verdict, name, *options in (
            (YES, "ca_ecdsa"),
            (YES, "rsa_3072"),
            (YES, "rsa_3072", "-t", "rsa-sha2-256"),
            (NO, "rsa_3072", "-t", "ssh-rsa"),
        )
    ),
    Case(
        "signed by rsa_1024",
        YES,
        offer=certified(*_NAMED, by="rsa_1024"),
        authorities=("{rsa_1024}",),
        differs=Difference(NO, "an authority's key may be no weaker than a user's"),
    ),
    Case(
        "signed by a security key",
        YES,
        offer=_by_security_key(USER_PRESENT),
        authorities=("{ca_sk}",),
    ),
    Case("signed by an untouched one", YES, offer=_by_security_key(0), authorities=("{ca_sk}",)),
)

AUTHORITY_CASES = {"authorities": _AUTHORITIES}
