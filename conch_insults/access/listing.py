"""Every line that lets somebody in, and what is in its way at a given time.

Reads what the policy reads, in the same way, and asks the rules that it asks. What depends on an
offer, such as where somebody comes from, is left open. How a listing is shown is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from conch_insults.access.authorities import parse_authorities
from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES, KeyRules, parse_file
from conch_insults.access.grants import Grant, Offer, Terms
from conch_insults.access.key_directory import users
from conch_insults.access.key_files import (
    KeyFiles,
    authorized_keys_path,
    revoked_keys_path,
    user_ca_path,
)
from conch_insults.access.key_terms import NoTerms, terms_of_key
from conch_insults.access.known_files import KnownFiles, Parsed
from conch_insults.access.revocation import MAXIMUM_BYTES as MAXIMUM_REVOKED_BYTES
from conch_insults.access.revocation import RevokedKeys, parse_revoked
from conch_insults.access.security_keys import refuse_unattested
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from conch_insults.access.authorized_keys import Entry
    from conch_insults.access.policy import AccessRules

__all__ = ["UNKNOWN_REVOCATIONS", "AccessListing", "WayIn"]

UNKNOWN_REVOCATIONS = "revoked_keys cannot be used"
"""The obstacle that is in everybody's way at once."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """A line that lets somebody in.

    Attributes:
        user: who comes in by it; "" where it is whomever a certificate names.
        path: the file.
        entry: the line.
        obstacle: why nobody comes in by it now, None if nothing is in the way.
    """

    user: str
    path: Path
    entry: Entry
    obstacle: str | None

    @property
    def source(self) -> str:
        """The line as `path:line`."""
        return f"{self.path}:{self.entry.line}"

    @property
    def is_authority(self) -> bool:
        """Whether it is not the key that comes in, but those with its certificates."""
        return not self.user or self.entry.options.is_authority

    @property
    def restrictions(self) -> tuple[str, ...]:
        """What is restricted, in words; where from and until when is not among them."""
        options = self.entry.options
        return Terms(
            pty=options.pty,
            command=options.command,
            rating=options.rating,
            verify_required=options.verify_required,
        ).restrictions


class AccessListing:
    """Reads who may come in, a file at a time.

    Args:
        keys_dir: the keys directory.
        rules: what holds for all files.
        now: the time, with its time zone, by which keys have expired or not.
        report: is told `path:line: reason` for each line that cannot be used, and `path: reason`
            for a file that cannot.
    """

    def __init__(
        self, keys_dir: Path, rules: AccessRules, now: datetime, report: Callable[[str], None]
    ) -> None:
        self._keys_dir = keys_dir
        self._rules = rules
        self._now = now
        files = KeyFiles(keys_dir, strict_modes=rules.strict_modes)
        parse_user = partial(_parse_user, rules=rules.keys)
        self._users = KnownFiles(files, parse_user, MAXIMUM_FILE_BYTES, report)
        parse_everybody = partial(_parse_everybody, rules=rules.keys)
        self._everybody = KnownFiles(files, parse_everybody, MAXIMUM_FILE_BYTES, report)
        revoked = KnownFiles(
            files,
            _parse_revoked,
            MAXIMUM_REVOKED_BYTES,
            lambda problem: report(f"{problem}: nobody may come in"),
        ).look_up(revoked_keys_path(keys_dir), now.timestamp())
        # None where nobody knows what is revoked.
        self._revoked = RevokedKeys({}) if revoked is None else revoked.value

    def all(self) -> Iterator[WayIn]:
        """Yield all ways in: everybody's, and then user by user, in the order of their names.

        Raises:
            KeyFileError: the keys directory is missing or cannot be read.
        """
        names = users(self._keys_dir)
        yield from self.of("")
        for name in names:
            yield from self.of(name)

    def of(self, user: str) -> tuple[WayIn, ...]:
        """Return the lines of a user's file in their order, or for "" those of user_ca.pub.

        Raises:
            KeyFileError: `user` is not a user name.
        """
        moment = self._now.timestamp()
        path = authorized_keys_path(self._keys_dir, user) if user else user_ca_path(self._keys_dir)
        file = (self._users if user else self._everybody).look_up(path, moment)
        entries = file.value if file and file.value else ()
        return tuple(WayIn(user, path, entry, self.obstacle(user, entry)) for entry in entries)

    def obstacle(self, user: str, entry: Entry) -> str | None:
        """Say why nobody comes in by a line of a user's now, or return None.

        Args:
            user: whose line it is, or "" if it is one of user_ca.pub.
            entry: the line; it need not be in the file.
        """
        if self._revoked is None:
            return UNKNOWN_REVOCATIONS
        key = entry.key
        if reason := self._revoked.reason(key.blob):
            return reason
        offer = Offer(user, key.key_type, key.blob, "")
        try:
            terms = terms_of_key(replace(entry.options, sources=None), offer, self._now)
        except NoTerms as error:
            return str(error)
        if not user or entry.options.is_authority:
            return None
        refusal = refuse_unattested(Grant(offer, "", terms), self._rules.attested_aaguids)
        return None if refusal is None else refusal.reason


def _parse_user(content: bytes, name: str, rules: KeyRules) -> Parsed[tuple[Entry, ...]]:
    parsed = parse_file(content, name, rules=rules)
    return Parsed(parsed.entries, parsed.problems)


def _parse_everybody(content: bytes, name: str, rules: KeyRules) -> Parsed[tuple[Entry, ...]]:
    parsed = parse_authorities(content, name, rules=rules)
    return Parsed(tuple(parsed.value.values()), parsed.problems)


def _parse_revoked(content: bytes, name: str) -> Parsed[RevokedKeys]:
    try:
        return Parsed(parse_revoked(content))
    except KeyFileError as error:
        raise KeyFileError(f"{name}: {error}") from error
