"""What a user certificate's options say (OpenSSH, PROTOCOL.certkeys; sshd's reading of it).

A critical option that is not understood refuses the certificate, an extension that is not does
nothing. Whether the certificate holds, and for whom, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conch_insults.access.address_patterns import parse_cidr_list
from conch_insults.errors import PublicKeyError
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from conch_insults.access.address_patterns import AddressPatterns
    from conch_insults.access.certificate import Certificate

__all__ = ["CertificateOptions", "parse_certificate_options"]

_ONCE = frozenset({b"force-command", b"source-address"})
# All but the first two permit what this server never gives.
_EXTENSIONS = frozenset(
    {
        b"permit-pty",
        b"no-touch-required",
        b"permit-X11-forwarding",
        b"permit-agent-forwarding",
        b"permit-port-forwarding",
        b"permit-user-rc",
    }
)


@dataclass(frozen=True, slots=True)
class CertificateOptions:
    """What the holder of a certificate may do, and how they must prove it.

    Attributes:
        command: the only line of input that their sessions run, if there is one.
        sources: where they may come from; None is anywhere.
        verify_required: whether a security key must have verified them (PIN or biometrics).
        touch_required: whether a security key must have been touched.
        pty: whether they may have a terminal.
    """

    command: str | None
    sources: AddressPatterns | None
    verify_required: bool
    touch_required: bool
    pty: bool


def parse_certificate_options(certificate: Certificate) -> CertificateOptions:
    """Read the options of a user certificate.

    Raises:
        PublicKeyError: a critical option is unknown, malformed or there twice, or a known
            extension is malformed; nobody may come in with that certificate.
    """
    command = sources = None
    verify_required = False
    for name, data in certificate.critical:
        if name == b"verify-required":
            _check_flag(name, data)
            verify_required = True
        elif name == b"force-command" and command is None:
            command = _value(name, data)
        elif name == b"source-address" and sources is None:
            sources = _networks(name, data)
        elif name in _ONCE:
            raise PublicKeyError(f"certificate has {_shown(name)} twice")
        else:
            raise PublicKeyError(
                f"certificate's critical option {_shown(name)} is not understood here"
            )
    extensions = {name for name, _ in certificate.extensions} & _EXTENSIONS
    for name, data in certificate.extensions:
        if name in extensions:
            _check_flag(name, data)
    return CertificateOptions(
        command,
        sources,
        verify_required=verify_required,
        touch_required=b"no-touch-required" not in extensions,
        pty=b"permit-pty" in extensions,
    )


def _check_flag(name: bytes, data: bytes) -> None:
    if data:
        raise PublicKeyError(f"certificate's option {_shown(name)} has data, which it cannot have")


def _networks(name: bytes, data: bytes) -> AddressPatterns:
    text = _value(name, data)
    try:
        return parse_cidr_list(text)
    except PublicKeyError as error:
        raise PublicKeyError(f"certificate's option {_shown(name)}: {error}") from error


def _value(name: bytes, data: bytes) -> str:
    """Return the text in the data: a string in its own right, and nothing after it."""
    try:
        fields = Fields(data)
        value = fields.string()
        fields.end()
        text = value.decode()
    except (ProtocolError, UnicodeDecodeError) as error:
        raise PublicKeyError(f"certificate's option {_shown(name)} is malformed") from error
    if "\0" in text:
        raise PublicKeyError(f"certificate's option {_shown(name)} has a zero byte")
    return text


def _shown(name: bytes) -> str:
    return ascii(name[:40].decode("latin-1"))
