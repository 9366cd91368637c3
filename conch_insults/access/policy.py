"""The one access decision: may this key come in as this user, and which line says so.

Whatever cannot be read or understood lets nobody in. Time is an argument; this module must not
know of connections, signatures, or what a user may do once inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conch_insults.access.authorized_keys import Entry, parse_file
from conch_insults.access.key_files import (
    FOLDER,
    Version,
    is_user_name,
    read_key_file,
    version_of,
)
from conch_insults.access.public_key import MINIMUM_RSA_BITS
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

__all__ = ["Grant", "Offer", "Policy", "Refusal"]

MAXIMUM_CACHED_USERS = 1024
# Two writes within one tick of a file system's clock can look like one; no tick is this long.
_SETTLED_AFTER_NS = 2_000_000_000

# RSA keys have signature algorithms of their own names (RFC 8332, section 3).
_RSA_ALGORITHMS = frozenset({"rsa-sha2-256", "rsa-sha2-512"})


@dataclass(frozen=True, slots=True)
class Offer:
    """A key that somebody wants to come in with.

    Args:
        user: the name asked for, as the stranger sent it.
        key_type: the key's type, or the signature algorithm that was named for it.
        blob: the public key's wire form.
        address: the peer's IP address as text, "" when there is none.
    """

    user: str
    key_type: str
    blob: bytes
    address: str


@dataclass(frozen=True, slots=True)
class Grant:
    """The key may come in; `source` is the deciding line as `path:line`."""

    user: str
    key_type: str
    fingerprint: str
    source: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The key may not come in; `source` is the deciding file, "" when none was looked at."""

    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a user's file; `version` is None when it could not even be looked at."""

    version: Version | None
    settled: bool
    entries: dict[bytes, Entry]
    problems: tuple[str, ...]
    unusable: bool = False


class Policy:
    """Decides from `keys_dir/authorized_keys.d/<user>`, read again when it has changed."""

    def __init__(
        self,
        keys_dir: Path,
        report: Callable[[str], None],
        minimum_rsa_bits: int = MINIMUM_RSA_BITS,
    ) -> None:
        """Decide from the files under `keys_dir`.

        Args:
            keys_dir: the keys directory.
            report: called with `path:line: reason` for each line that cannot be used, and with
                `path: reason` for a file that cannot; once per version of the file.
            minimum_rsa_bits: an RSA key of fewer lets nobody in.
        """
        self._minimum_rsa_bits = minimum_rsa_bits
        self._folder = keys_dir / FOLDER
        self._report = report
        # The least recently used first.
        self._known: dict[str, _Known] = {}

    def decide(self, offer: Offer, now: datetime) -> Grant | Refusal:
        """Say whether the offered key may come in, by what the files say at `now`."""
        if not is_user_name(offer.user):
            return Refusal("not a valid user name", "")
        path = self._folder / offer.user
        known = self._look_up(offer.user, path, int(now.timestamp() * 1e9))
        if known is None:
            return Refusal("unknown user", str(path))
        if known.unusable:
            return Refusal(known.problems[0].removeprefix(f"{path}: "), str(path))
        entry = known.entries.get(offer.blob)
        if entry is None:
            return Refusal("key not authorized for this user", str(path))
        key_type = entry.key.key_type
        if offer.key_type != key_type and not (
            key_type == "ssh-rsa" and offer.key_type in _RSA_ALGORITHMS
        ):
            return Refusal("key is not of the type it was offered as", str(path))
        return Grant(offer.user, key_type, entry.key.fingerprint, f"{path}:{entry.line}")

    def _look_up(self, user: str, path: Path, now: int) -> _Known | None:
        """Return what the user's file says now, or None when there is no such file."""
        earlier = self._known.pop(user, None)
        try:
            version = version_of(path.lstat())
            if earlier and earlier.settled and earlier.version == version:
                known = earlier
            else:
                known = self._read(path, now)
        except FileNotFoundError:
            return None
        except KeyFileError as error:
            known = _unusable(version, str(error))
        except OSError as error:
            known = _unusable(None, f"{path}: cannot be read: {error.strerror}")
        self._remember(user, known)
        if earlier is None or (earlier.version, earlier.problems) != (
            known.version,
            known.problems,
        ):
            for problem in known.problems:
                self._report(problem)
        return known

    def _read(self, path: Path, now: int) -> _Known:
        file = read_key_file(path)
        parsed = parse_file(file.content, str(path), minimum_rsa_bits=self._minimum_rsa_bits)
        entries: dict[bytes, Entry] = {}
        for entry in parsed.entries:
            entries.setdefault(entry.key.blob, entry)
        version = version_of(file.status)
        settled = max(version.modified, version.changed) + _SETTLED_AFTER_NS <= now
        return _Known(version, settled, entries, parsed.problems)

    def _remember(self, user: str, known: _Known) -> None:
        self._known[user] = known
        if len(self._known) > MAXIMUM_CACHED_USERS:
            del self._known[next(iter(self._known))]


def _unusable(version: Version | None, problem: str) -> _Known:
    """Keep only the complaint: a file that could not be read is tried again every time."""
    return _Known(version, settled=False, entries={}, problems=(problem,), unusable=True)
