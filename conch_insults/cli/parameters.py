"""The kinds of values that commands about keys take: names, moments, addresses.

What cannot be meant is bad usage, and said so before anything is done. What a command does with a
value is not known here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click
from typing_extensions import override

from conch_insults.access.address_patterns import parse_patterns
from conch_insults.access.expiry_time import parse_expiry_time
from conch_insults.access.key_files import is_user_name
from conch_insults.errors import PublicKeyError

if TYPE_CHECKING:
    from conch_insults.access.address_patterns import AddressPatterns

__all__ = ["ADDRESS", "EXPIRY", "MOMENT", "SOURCES", "USER_NAME"]

_AGE = re.compile(r"([1-9][0-9]{0,5})([hdw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class _UserName(click.ParamType[str]):
    name = "user"

    @override
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_user_name(value):
            self.fail(
                f"{value!a} is not a user name: use up to 32 of a-z 0-9 _ . - and start with a"
                " letter or _",
                param,
                ctx,
            )
        return value


class _Moment(click.ParamType[datetime]):
    name = "time"

    @override
    def convert(
        self,
        value: str | datetime,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        moment = value if isinstance(value, datetime) else _moment(value)
        if moment is None:
            self.fail(
                f"{value!a} is no time: use YYYYMMDD[HHMM[SS]], with Z after it for UTC, or"
                " ISO 8601 such as 2027-12-31T18:00Z",
                param,
                ctx,
            )
        return moment


class _Expiry(click.ParamType[datetime]):
    name = "expiry"

    @override
    def convert(
        self,
        value: str | datetime,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        now = datetime.now(UTC)
        moment = value if isinstance(value, datetime) else _after(value, now) or _moment(value)
        if moment is None:
            self.fail(
                f"{value!a} is no end: use a time from now such as 12h, 90d or 52w, or a moment as"
                " YYYYMMDD[HHMM[SS]], with Z after it for UTC",
                param,
                ctx,
            )
        if moment <= now:
            self.fail(f"{value!a} is past", param, ctx)
        return moment


class _Address(click.ParamType[str]):
    name = "ip"

    @override
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            ip_address(value)
        except ValueError:
            self.fail(f"{value!a} is no IP address", param, ctx)
        return value


class _Sources(click.ParamType["AddressPatterns"]):
    name = "cidr"

    @override
    def convert(
        self,
        value: str | AddressPatterns,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> AddressPatterns:
        try:
            return parse_patterns(str(value))
        except PublicKeyError as error:
            self.fail(str(error), param, ctx)


def _moment(text: str) -> datetime | None:
    """Read a moment; without a time zone it is local time, as for sshd."""
    try:
        return parse_expiry_time(text)
    except PublicKeyError:
        pass
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    # The first and the last day that there is, seen from another time zone.
    except (ValueError, OverflowError, OSError):
        return None


def _after(text: str, now: datetime) -> datetime | None:
    written = _AGE.fullmatch(text)
    try:
        return now + int(written[1]) * _UNITS[written[2]] if written else None
    except OverflowError:
        return None


USER_NAME = _UserName()
"""A user's name."""

MOMENT = _Moment()
"""A moment, as OpenSSH or ISO 8601 writes it."""

EXPIRY = _Expiry()
"""A moment that is still to come, or how long it is until then."""

ADDRESS = _Address()
"""An IP address."""

SOURCES = _Sources()
"""Where somebody may come from, as in `from=`."""
