"""What is wrong with the files that say who may come in.

Reads all of them, also those that the policy leaves alone for their modes, and says what an
operator should know. Must not know of host keys, nor how a finding is shown.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conch_insults.access.key_files import FOLDER, is_user_name
from conch_insults.access.listing import UNKNOWN_REVOCATIONS, AccessListing, WayIn
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from conch_insults.access.policy import AccessRules

__all__ = ["AccessCheck", "Finding"]

# What is in a keys directory, by this program or by hand; who reads it is not known here.
_KNOWN_NAMES = ("README.md", "client", "host", FOLDER, "revoked_keys", "user_ca.pub")


@dataclass(frozen=True, slots=True)
class Finding:
    """What an operator should know of a line or file.

    Attributes:
        text: `path:line: reason` or `path: reason`.
        is_warning: whether the files can be used as they are, and may only say something else
            than was meant.
    """

    text: str
    is_warning: bool = False


class AccessCheck:
    """Goes through a keys directory once, and counts.

    Attributes:
        users: how many users have a file.
        ways_in: how many lines let somebody in.

    Args:
        keys_dir: the keys directory.
        rules: what holds for all files.
        now: the time, with its time zone, by which keys have expired or not.
    """

    def __init__(self, keys_dir: Path, rules: AccessRules, now: datetime) -> None:
        self.users = 0
        self.ways_in = 0
        self._keys_dir = keys_dir
        self._folder = keys_dir / FOLDER
        self._rules = rules
        self._now = now
        self._problems: list[str] = []
        # A folder's problem comes with each file in it, a line's when it is read without modes too.
        self._told: set[str] = set()
        # By the digest of a key's blob: whose it is, and the line that says so.
        self._holders: dict[bytes, tuple[str, str]] = {}

    def findings(self) -> Iterator[Finding]:
        """Yield what is found, user by user in the order of their names.

        Raises:
            KeyFileError: the keys directory is missing or cannot be read.
        """
        names = _names(self._folder)
        listing = self._listing(self._rules)
        # Whatever else is wrong with a file can be said before its mode is right.
        lenient = self._listing(replace(self._rules, strict_modes=False))
        yield from self._new_problems()
        yield from self._surroundings()
        yield from self._unread()
        yield from self._file(listing, lenient, "")
        for name in names:
            # Folders of volumes, files of editors, and our own of a moment begin like this.
            if name.startswith("."):
                continue
            if is_user_name(name):
                self.users += 1
                yield from self._file(listing, lenient, name)
            else:
                yield Finding(
                    f"{self._folder / name}: nobody can have this name: use up to 32 of"
                    " a-z 0-9 _ . - and start with a letter or _"
                )

    def _unread(self) -> Iterator[Finding]:
        """A list under a name that is spelt wrong revokes nothing, and nobody is told."""
        for name in _names(self._keys_dir):
            if name in _KNOWN_NAMES or name.startswith("."):
                continue
            close = difflib.get_close_matches(name.lower(), _KNOWN_NAMES, 1)
            hint = f": did you mean {close[0]}?" if close else ""
            yield Finding(f"{self._keys_dir / name}: nothing reads this{hint}", is_warning=True)

    def _surroundings(self) -> Iterator[Finding]:
        """Whoever may rename the keys directory can put another one in its place."""
        if not self._rules.strict_modes:
            return
        try:
            real = self._keys_dir.resolve(strict=True)
            trusted = {0, os.geteuid(), real.stat().st_uid}
            parents = [(path, path.stat()) for path in real.parents]
        except OSError as error:
            raise KeyFileError(f"{self._keys_dir}: cannot be found: {error.strerror}") from error
        for path, status in parents:
            # In a sticky directory, such as /tmp, nobody renames what is another's.
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX:
                reason = f"others may write to it: run `chmod go-w {path}`"
            elif status.st_uid not in trusted:
                reason = f"belongs to user {status.st_uid}, who could write to it"
            else:
                continue
            yield Finding(
                f"{path}: {reason}: the keys directory in it could be replaced", is_warning=True
            )

    def _listing(self, rules: AccessRules) -> AccessListing:
        return AccessListing(self._keys_dir, rules, self._now, self._problems.append)

    def _file(self, listing: AccessListing, lenient: AccessListing, user: str) -> Iterator[Finding]:
        ways = listing.of(user)
        self.ways_in += sum(way.obstacle is None for way in ways)
        if not ways and self._rules.strict_modes:
            ways = lenient.of(user)
        yield from self._new_problems()
        for way in ways:
            yield from self._way(way)

    def _new_problems(self) -> Iterator[Finding]:
        for problem in self._problems:
            if problem not in self._told:
                self._told.add(problem)
                yield Finding(problem)
        self._problems.clear()

    def _way(self, way: WayIn) -> Iterator[Finding]:
        # What is in everybody's way is told once, with the file that it comes from.
        if way.obstacle not in {None, UNKNOWN_REVOCATIONS}:
            yield Finding(f"{way.source}: lets nobody in: {way.obstacle}", is_warning=True)
        if way.is_authority:
            return
        key = way.entry.key
        holder, source = self._holders.setdefault(
            hashlib.sha256(key.blob).digest(), (way.user, way.source)
        )
        if holder != way.user:
            reason = f"{key.fingerprint} is the key of {holder}, too: {source}"
            yield Finding(f"{way.source}: {reason}", is_warning=True)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise KeyFileError(
            f"{folder}: cannot be read: {error.strerror}: run `conch-insults init`"
        ) from error
