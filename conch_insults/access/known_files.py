"""What files say, read again only when they have changed.

A file is known by its identity, and by its content while that could hide a change; one that cannot
be read is tried again every time, and complained about once. What a file means is known to whoever
parses it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Generic, TypeVar

from conch_insults.access.key_files import KeyFolderError, Version, version_of
from conch_insults.errors import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conch_insults.access.key_files import KeyFiles

__all__ = ["SETTLED_AFTER", "KnownFile", "KnownFiles", "Parsed"]

SETTLED_AFTER = 2.0
"""How long ago, in seconds, a file must have changed to be known for good.

Two writes within one tick of a file system's clock can look like one; no tick is this long.
"""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[_T]):
    """What a file says, and a `path:line: reason` for each line that says nothing."""

    value: _T
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownFile(Generic[_T]):
    """What is known of a file.

    Attributes:
        version: the file's identity, None when it could not even be looked at.
        settled: whether this is all that a file of this version can ever say.
        value: what it says, None when it cannot be used.
        problems: what is wrong with it; not empty when it cannot be used.
        digest: the SHA256 of its content, None when that could not be read.
    """

    version: Version | None
    settled: bool
    value: _T | None
    problems: tuple[str, ...]
    digest: bytes | None = None


class KnownFiles(Generic[_T]):
    """Files of one kind, the ones last asked for.

    Args:
        files: reads them.
        parse: makes sense of a content, given with the path; raises `KeyFileError` with a text
            that names the path when the file must not be used at all.
        limit: the most bytes that a file may have.
        report: is told each problem once per version of a file, and what is wrong with a directory
            once for all files in it.
        capacity: how many files to know at once.
    """

    def __init__(
        self,
        files: KeyFiles,
        parse: Callable[[bytes, str], Parsed[_T]],
        limit: int,
        report: Callable[[str], None],
        *,
        capacity: int = 1,
    ) -> None:
        self._files = files
        self._parse = parse
        self._limit = limit
        self._report = report
        self._capacity = capacity
        # The least recently used first.
        self._known: dict[Path, KnownFile[_T]] = {}
        self._folder_problem: str | None = None

    def look_up(self, path: Path, now: float) -> KnownFile[_T] | None:
        """Return what a file says, or None when there is no such file.

        Args:
            path: the file.
            now: the time, in seconds since 1970.
        """
        earlier = self._known.pop(path, None)
        version: Version | None = None
        try:
            version = self._files.version(path)
            if earlier and earlier.settled and earlier.version == version:
                known = earlier
            else:
                known = self._read(path, now, earlier)
        except FileNotFoundError:
            self._folder_problem = None
            return None
        except KeyFolderError as error:
            return self._none_can_be_used(str(error))
        except KeyFileError as error:
            known = KnownFile(version, settled=False, value=None, problems=(str(error),))
        self._folder_problem = None
        self._known[path] = known
        if len(self._known) > self._capacity:
            del self._known[next(iter(self._known))]
        if earlier is None or (earlier.version, earlier.problems) != (
            known.version,
            known.problems,
        ):
            for problem in known.problems:
                self._report(problem)
        return known

    def _none_can_be_used(self, problem: str) -> KnownFile[_T]:
        """Say once what is wrong with a directory: strangers can ask for any number of names."""
        if problem != self._folder_problem:
            self._folder_problem = problem
            self._report(problem)
        return KnownFile(None, settled=False, value=None, problems=(problem,))

    def _read(self, path: Path, now: float, earlier: KnownFile[_T] | None) -> KnownFile[_T]:
        file = self._files.read(path, self._limit)
        version = version_of(file.status)
        # Not the time of modification: an archive or a copy may have set it, into the future too.
        settled = version.changed / 1e9 + SETTLED_AFTER <= now
        digest = sha256(file.content).digest()
        # Strangers can ask often enough before a file is settled, and some are slow to parse.
        if earlier and earlier.digest == digest:
            return replace(earlier, version=version, settled=settled)
        try:
            parsed = self._parse(file.content, str(path))
        except KeyFileError as error:
            return KnownFile(version, settled, None, (str(error),), digest)
        return KnownFile(version, settled, parsed.value, parsed.problems, digest)
