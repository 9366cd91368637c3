"""The certificate authorities that everybody's certificates may come from.

A file with one public key a line, as sshd_config(5) has it for TrustedUserCAKeys. Whose
certificates they have signed is not known here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from conch_insults.access.authorized_keys import KeyRules, parse_file
from conch_insults.access.known_files import Parsed
from conch_insults.errors import at_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conch_insults.access.authorized_keys import Entry

__all__ = ["parse_authorities"]

_DEFAULT_RULES = KeyRules()


def parse_authorities(
    content: bytes, name: str, *, rules: KeyRules = _DEFAULT_RULES
) -> Parsed[Mapping[bytes, Entry]]:
    """Read the lines, by the blob of their key; one that cannot be used is reported.

    Where a key is on two lines, the first is returned.

    Args:
        content: the file, at most `authorized_keys.MAXIMUM_FILE_BYTES`.
        name: what to call the file in a problem.
        rules: what the settings ask of a key.
    """
    parsed = parse_file(content, name, rules=rules)
    problems = list(parsed.problems)
    entries: dict[bytes, Entry] = {}
    for entry in parsed.entries:
        if entry.options.text:
            # sshd takes no such line either, `cert-authority` included.
            reason = "a line of this file is a key without options"
            problems.append(at_line(name, entry.line, reason))
        else:
            entries.setdefault(entry.key.blob, entry)
    return Parsed(MappingProxyType(entries), tuple(problems))
