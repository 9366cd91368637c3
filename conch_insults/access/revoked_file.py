"""Adding to `revoked_keys`, where it is a list.

Whatever it holds stays byte for byte as it was. A KRL is left to ssh-keygen. Must not know of
commands, nor of the sessions that a key has open.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conch_insults.access.durable_files import replace_file
from conch_insults.access.key_files import revoked_keys_path
from conch_insults.access.locked_files import changing
from conch_insults.access.public_key import tidy_comment
from conch_insults.access.regular_files import read_regular_file
from conch_insults.access.revocation import MAXIMUM_BYTES, is_krl, parse_fingerprint, parse_list
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from conch_insults.access.public_key import PublicKey
    from conch_insults.access.regular_files import Snapshot

__all__ = ["Revoked", "revoke"]

MAXIMUM_COMMENT = 200


@dataclass(frozen=True, slots=True)
class Revoked:
    """What came of revoking keys.

    Attributes:
        added: the lines that were added, without their newlines.
        listed: of each key that was revoked before, its fingerprint and its line's number.
    """

    added: tuple[str, ...]
    listed: tuple[tuple[str, int], ...]


def revoke(keys_dir: Path, entries: Sequence[PublicKey | str], comment: str = "") -> Revoked:
    """Revoke keys, all or none of them; those that are revoked already stay so.

    Args:
        keys_dir: the keys directory.
        entries: keys, or SHA256 fingerprints as `ssh-keygen -l` prints them. A list with a
            fingerprint in it cannot be used by sshd as well.
        comment: what to write after each, in place of a key's own comment.

    Raises:
        PublicKeyError: an entry is no fingerprint.
        KeyFileError: the file is a KRL, cannot be understood, or cannot be changed.
    """
    lines: dict[str, str] = {}
    for entry in entries:
        lines.setdefault(_fingerprint(entry), _line(entry, comment))
    digests = {text: parse_fingerprint(text) for text in lines}
    path = revoked_keys_path(keys_dir)
    with changing(path, _read) as file:
        before = file.content if file else b""
        if is_krl(before):
            raise KeyFileError(
                f"{path}: is a KRL, which ssh-keygen changes: run {_keygen(path, lines)}"
            )
        there = _understood(before, path)
        listed = tuple((text, there[digest]) for text, digest in digests.items() if digest in there)
        added = tuple(lines[text] for text, digest in digests.items() if digest not in there)
        if added:
            if before and not before.endswith(b"\n"):
                before += b"\n"
            after = before + "".join(f"{line}\n" for line in added).encode()
            if not set(digests.values()) <= set(_understood(after, path)):
                raise KeyFileError(f"{path}: would not hold what was added to it")
            replace_file(path, after, file.status if file else None)
    return Revoked(added, listed)


def _fingerprint(entry: PublicKey | str) -> str:
    return entry if isinstance(entry, str) else entry.fingerprint


def _line(entry: PublicKey | str, comment: str) -> str:
    written = comment or ("" if isinstance(entry, str) else entry.comment)
    # A comment ends with its line, too.
    written = tidy_comment(written[:MAXIMUM_COMMENT])
    if isinstance(entry, str):
        return f"{entry} {written}".rstrip()
    return replace(entry, comment=written).line


def _read(path: Path) -> Snapshot:
    return read_regular_file(path, MAXIMUM_BYTES + 1, follow_link=False)


def _understood(content: bytes, path: Path) -> dict[bytes, int]:
    try:
        return parse_list(content)
    except KeyFileError as error:
        raise KeyFileError(f"{path}: {error}") from error


def _keygen(path: Path, fingerprints: Iterable[str]) -> str:
    """Return the command that adds fingerprints to a KRL (ssh-keygen(1), KEY REVOCATION LISTS)."""
    directives = " ".join(shlex.quote(f"hash: {text}") for text in fingerprints)
    return f"`printf '%s\\n' {directives} | ssh-keygen -k -u -f {shlex.quote(str(path))} -`"
