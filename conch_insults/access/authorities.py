"""The certificate authorities that everybody's certificates may come from.

A file with one public key a line, as sshd_config(5) has it for TrustedUserCAKeys. Whose
certificates they have signed is not known here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from conch_insults.access.known_files import Parsed
from conch_insults.access.public_key import MINIMUM_RSA_BITS, parse_public_key
from conch_insults.errors import KeyFileError, PublicKeyError, at_line

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAXIMUM_BYTES", "parse_authorities"]

MAXIMUM_BYTES = 256 * 1024


def parse_authorities(
    content: bytes, name: str, *, minimum_rsa_bits: int = MINIMUM_RSA_BITS
) -> Parsed[Mapping[bytes, int]]:
    """Read the keys, each with the number of its line; a line that cannot be used is reported.

    Raises:
        KeyFileError: it is not text.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise KeyFileError(f"{name}: is not UTF-8 text: none of its keys is used") from error
    lines: dict[bytes, int] = {}
    problems: list[str] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        try:
            key = parse_public_key(line, minimum_rsa_bits=minimum_rsa_bits)
        except PublicKeyError as error:
            problems.append(at_line(name, number, str(error)))
        else:
            lines.setdefault(key.blob, number)
    return Parsed(MappingProxyType(lines), tuple(problems))
