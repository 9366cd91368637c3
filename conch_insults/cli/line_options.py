"""On which terms a key is added: what `--option`, `--expires` and `--from` make of its line.

Writes options of an authorized_keys line and refuses what would not be understood there. Must not
know the key, nor the file.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import click

from conch_insults.access.key_options import parse_options
from conch_insults.cli.parameters import EXPIRY, SOURCES
from conch_insults.errors import PublicKeyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from conch_insults.access.address_patterns import AddressPatterns
    from conch_insults.access.authorized_keys import KeyRules

__all__ = ["LineOptions", "with_line_options"]

_R = TypeVar("_R")


class LineOptions:
    """What somebody asks for at the command line.

    Args:
        option: options as they stand in a line.
        expires: until when the key counts.
        sources: where it may be used.
    """

    def __init__(
        self, option: tuple[str, ...], expires: datetime | None, sources: AddressPatterns | None
    ) -> None:
        self._options = list(option)
        if sources is not None:
            quoted = str(sources).replace('"', '\\"')
            self._options.append(f'from="{quoted}"')
        if expires is not None:
            self._options.append(f'expiry-time="{expires:%Y%m%d%H%M%SZ}"')

    def text(self, rules: KeyRules, *more: str) -> str:
        """Return the options as a line has them.

        Args:
            rules: what the settings ask of a line.
            more: options that nobody asked for.

        Raises:
            UsageError: they would not be understood.
        """
        text = ",".join(filter(None, (*self._options, *more)))
        try:
            parse_options(text, rules.permitted_environment)
        except PublicKeyError as error:
            raise click.UsageError(str(error)) from error
        return text


def with_line_options(command: Callable[..., _R]) -> Callable[..., _R]:
    """Give a command the three options, and what they say as `line_options`."""

    @click.option(
        "--option",
        multiple=True,
        metavar="TEXT",
        help="An option of the line, such as restrict or 'role@conch-insults=\"operator\"'; may be"
        " given several times.",
    )
    @click.option(
        "--expires",
        type=EXPIRY,
        metavar="WHEN",
        help="Until when it counts: 90d, 12h, 52w, or YYYYMMDD[HHMM[SS]][Z].",
    )
    @click.option(
        "--from",
        "sources",
        type=SOURCES,
        metavar="CIDR[,...]",
        help="Where it may be used: addresses, networks, patterns.",
    )
    @functools.wraps(command)
    def taking(
        *args: Any,  # noqa: ANN401 - click's own
        option: tuple[str, ...],
        expires: datetime | None,
        sources: AddressPatterns | None,
        **kwargs: Any,  # noqa: ANN401 - click's own
    ) -> _R:
        return command(*args, line_options=LineOptions(option, expires, sources), **kwargs)

    return taking
