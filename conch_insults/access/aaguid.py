"""Which model of authenticator a certificate is for: its AAGUID, which the maker writes into it.

The number stands in an extension that cryptography hands over as it is, in DER. Knows this one
extension, not whether the certificate can be believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from cryptography import x509
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type.univ import OctetString

from conch_insults.errors import PublicKeyError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

__all__ = ["AAGUID_BYTES", "ID_FIDO_GEN_CE_AAGUID", "certified_aaguid", "parse_aaguid"]

ID_FIDO_GEN_CE_AAGUID = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
AAGUID_BYTES = 16
# A tag and a length of one byte each: what is longer need not be decoded to be wrong.
_ENCODED_BYTES = 2 + AAGUID_BYTES


def certified_aaguid(certificate: Certificate) -> UUID:
    """Return the AAGUID in an attestation certificate (WebAuthn, section 8.2.1).

    Args:
        certificate: one whose extensions can be read.

    Raises:
        PublicKeyError: it has none, or one that is not written as it must be.
    """
    try:
        extension = certificate.extensions.get_extension_for_oid(ID_FIDO_GEN_CE_AAGUID)
    except x509.ExtensionNotFound as error:
        raise PublicKeyError(
            "attestation certificate names no AAGUID, as those of old U2F tokens: "
            "use an authenticator that speaks FIDO2"
        ) from error
    if extension.critical:
        raise PublicKeyError("attestation certificate's AAGUID is marked as critical")
    return parse_aaguid(extension.value.public_bytes())


def parse_aaguid(encoded: bytes) -> UUID:
    """Read the extension's value: in DER, one OCTET STRING of 16 bytes.

    Raises:
        PublicKeyError: for anything else.
    """
    try:
        value, _ = decoder.decode(encoded[: _ENCODED_BYTES + 1], asn1Spec=OctetString())
        # The decoder takes BER's longer spellings of a length too; DER is what the encoder writes.
        spelt_well = encoder.encode(value) == encoded
    except (PyAsn1Error, OverflowError) as error:
        # A length that no memory could have makes it fail in its own way.
        raise _malformed() from error
    aaguid = bytes(value)
    if not spelt_well or len(aaguid) != AAGUID_BYTES:
        raise _malformed()
    return UUID(bytes=aaguid)


def _malformed() -> PublicKeyError:
    return PublicKeyError("attestation certificate's AAGUID is not 16 bytes in DER")
