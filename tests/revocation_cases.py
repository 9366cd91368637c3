"""What is revoked for sshd (ssh-keygen(1), KEY REVOCATION LISTS; OpenSSH's PROTOCOL.krl)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.access_case import NO, YES, Case, Difference
from tests.identities import certified, key, krl
from tests.offering_client import USER
from tests.software_authenticator import string

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.access_case import Revoked
    from tests.identities import Recipe, Wallet
    from tests.offering_client import Verdict

__all__ = ["REVOCATION_CASES"]


def _changed(
    revoked: Callable[[Wallet], bytes], change: Callable[[bytes], bytes]
) -> Callable[[Wallet], bytes]:
    return lambda wallet: change(revoked(wallet))


def _revokes(
    name: str,
    verdict: Verdict | None,
    offer: Recipe,
    revoked: Revoked,
    differs: Difference | None = None,
) -> Case:
    """Make a case in which the key and its certificates are welcome but for what is revoked."""
    return Case(name, verdict, ("{key}",), offer, ("{ca}",), revoked, differs=differs)


_NAMED = ("-n", USER)
_SERIAL_7 = krl("serial: 7", "-s", "ca")
_FINGERPRINTS = Difference(YES, "fingerprints in a list are this server's own")
_EMPTY_LINES = Difference(YES, "an empty line says nothing, whatever ends it")
_SEVENTH = certified(*_NAMED, "-z", "7")
_EIGHTH = certified(*_NAMED, "-z", "8")

_LIST = (
    _revokes("the key", NO, key(), "{key}"),
    _revokes("another key", YES, key(), "{other}"),
    _revokes("the key among others", NO, key(), "# gone\n\n{other}\n  {key}\n{ca}"),
    _revokes("the key in a comment", YES, key(), "# {key}"),
    _revokes("blank lines", YES, key(), "\n\n"),
    _revokes("blank lines of Windows", NO, key(), "\r\n{other}\r\n", _EMPTY_LINES),
    _revokes("the key of a certificate", NO, _SEVENTH, "{key}"),
    _revokes("the authority of a certificate", NO, _SEVENTH, "{ca}"),
    _revokes("the authority, not the key", YES, key(), "{ca}"),
    _revokes("another key than the certificate's", YES, _SEVENTH, "{other}"),
    _revokes("a certificate, for its key", NO, key(), "{certificate}"),
    _revokes("a certificate, for another", NO, _SEVENTH, "{certificate}"),
    _revokes("a weak key", YES, key(), "{rsa_1024}"),
    _revokes("rubbish", NO, key(), "rubbish"),
    _revokes("rubbish after another key", NO, key(), "{other}\nrubbish"),
    _revokes("half a key", NO, key(), "{other.type} AAAAC3Nza"),
    _revokes("a key with options", NO, key(), "restrict {other}"),
    _revokes("another's fingerprint", NO, key(), "SHA256:" + "A" * 43, _FINGERPRINTS),
)

_KRL = (
    _revokes("nothing", YES, key(), krl("")),
    _revokes("the key", NO, key(), krl("key: {key}")),
    _revokes("another key", YES, key(), krl("key: {other}")),
    _revokes("the key of a certificate", NO, _SEVENTH, krl("key: {key}")),
    _revokes("the key by SHA1", NO, key(), krl("sha1: {key}")),
    _revokes("the key by SHA256", NO, key(), krl("sha256: {key}")),
    _revokes("another key by SHA256", YES, key(), krl("sha256: {other}")),
    _revokes("the authority", NO, _SEVENTH, krl("key: {ca}")),
    _revokes("the authority by SHA256", NO, _SEVENTH, krl("sha256: {ca}")),
    _revokes("the authority, not the key", YES, key(), krl("key: {ca}")),
    _revokes("the serial", NO, _SEVENTH, _SERIAL_7),
    _revokes("another serial", YES, _EIGHTH, _SERIAL_7),
    _revokes("a serial, not the key", YES, key(), _SERIAL_7),
    _revokes("no serial", YES, certified(*_NAMED), krl("serial: 1-9", "-s", "ca")),
    _revokes("the end of a range", NO, _SEVENTH, krl("serial: 3-7", "-s", "ca")),
    _revokes("beyond a range", YES, _EIGHTH, krl("serial: 3-7", "-s", "ca")),
    _revokes(
        "many serials", NO, _SEVENTH, krl("serial: 1\nserial: 3\nserial: 5\nserial: 7", "-s", "ca")
    ),
    _revokes("another's serial", YES, _SEVENTH, krl("serial: 7", "-s", "ca_ecdsa")),
    _revokes("everybody's serial", NO, _SEVENTH, krl("serial: 7", "-s", "none")),
    _revokes("the key ID", NO, _SEVENTH, krl("id: test", "-s", "ca")),
    _revokes("another key ID", YES, _SEVENTH, krl("id: tes", "-s", "ca")),
    _revokes("everybody's key ID", NO, _SEVENTH, krl("id: test", "-s", "none")),
    _revokes("cut off", NO, key(), _changed(_SERIAL_7, lambda content: content[:-1])),
    _revokes("too long", NO, key(), _changed(_SERIAL_7, lambda content: content + b"x")),
    _revokes("only its first bytes", NO, key(), _changed(_SERIAL_7, lambda content: content[:8])),
    _revokes(
        "of another format",
        NO,
        key(),
        _changed(_SERIAL_7, lambda content: content[:11] + b"\2" + content[12:]),
    ),
    _revokes(
        "with an unknown section",
        NO,
        key(),
        _changed(_SERIAL_7, lambda content: content + b"\x63" + string(b"")),
    ),
)

REVOCATION_CASES = {"revoked by a list": _LIST, "revoked by a KRL": _KRL}
