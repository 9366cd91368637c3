"""When a key expires, as the `expiry-time=` of an authorized_keys line writes it.

A moment in UTC or in this system's local time; whether it is past is not known here.
"""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta

from conch_insults.errors import PublicKeyError

__all__ = ["parse_expiry_time"]

_TIME = re.compile(
    r"""
    ([0-9]{4}) (0[1-9]|1[0-2]) (0[1-9]|[12][0-9]|3[01])
    (?: ([01][0-9]|2[0-3]) ([0-5][0-9]) ([0-5][0-9]|6[01])? )?
    (Z|UTC)?
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_expiry_time(text: str) -> datetime:
    """Read YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with Z or UTC after it (sshd(8)).

    Without Z or UTC it is local time as clocks show it, where sshd forgets that daylight may be
    saved. As for sshd, 31 February is 3 March, and 60 seconds are a minute more.

    Returns:
        The moment, in UTC.

    Raises:
        PublicKeyError: it is no such time, or not after 1970 began.
    """
    written = _TIME.fullmatch(text)
    if written:
        *numbers, zone = written.groups(default="0")
        year, month, day, hour, minute, second = map(int, numbers)
        # The year 0, or one that is beyond 9999 in UTC.
        with contextlib.suppress(ValueError, OverflowError, OSError):
            expires = datetime(year, month, 1, tzinfo=None if zone == "0" else UTC) + timedelta(
                days=day - 1, hours=hour, minutes=minute, seconds=second
            )
            if expires.astimezone(UTC) > _EPOCH:
                return expires.astimezone(UTC)
    raise PublicKeyError(
        f"{text[:40]!a} is no time: use YYYYMMDD[HHMM[SS]], with Z after it for UTC"
    )
