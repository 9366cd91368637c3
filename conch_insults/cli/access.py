"""`conch-insults access`: who may come in, and whether the files that say so are in order.

Turns arguments into calls and results into lines. What the files mean must not be known here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from conch_insults.access.checking import AccessCheck, Finding
from conch_insults.access.key_options import Role
from conch_insults.access.listing import AccessListing
from conch_insults.access_rules import access_rules
from conch_insults.cli.access_trial import access_test
from conch_insults.cli.shown_keys import (
    as_object,
    complain,
    describe,
    echo_json,
    say,
    time_in_words,
)
from conch_insults.errors import HostKeyError
from conch_insults.ssh.host_keys import load_host_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conch_insults.access.listing import WayIn
    from conch_insults.access.policy import AccessRules
    from conch_insults.config import Settings

__all__ = ["access"]


@click.group()
def access() -> None:
    """Show, check and try who may come in."""


access.add_command(access_test)


@access.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
def list_access(settings: Settings, *, as_json: bool) -> None:
    """Show who may come in, with what, from where and until when.

    Everybody whom an authority of user_ca.pub names comes first, then users with keys and
    authorities of their own, and what is said of guests. What lets nobody in at present is marked
    with the reason; lines that cannot be used are told on standard error.
    """
    rules = access_rules(settings.access)
    listing = AccessListing(settings.access.keys_dir, rules, datetime.now(UTC), complain)
    if as_json:
        echo_json(_rows(listing, rules))
        return
    for way in listing.all():
        say(_in_words(way))
    restrictions = "; ".join(rules.guest_terms.restrictions)
    say(f"guests: {rules.guests}" + ("" if rules.guests == "off" else f" ({restrictions})"))


@access.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
def check(settings: Settings, *, as_json: bool) -> None:
    """Read everything under the keys directory and say what is wrong with it.

    Problems are what the server cannot use or refuses: the exit status is 1 if there are any.
    Warnings are lines that do what they say and may be left over: expired and revoked keys, and
    keys that several users have.
    """
    done = AccessCheck(settings.access.keys_dir, access_rules(settings.access), datetime.now(UTC))
    problems = 0

    def counted() -> Iterator[Finding]:
        nonlocal problems
        for finding in _findings(done, settings.access.keys_dir):
            problems += not finding.is_warning
            yield finding

    if as_json:
        echo_json(
            {"severity": "warning" if found.is_warning else "problem", "text": found.text}
            for found in counted()
        )
    else:
        for found in counted():
            say(f"warning: {found.text}" if found.is_warning else found.text)
        if not problems:
            say(f"good: {done.ways_in} keys and authorities, {done.users} users")
    if problems:
        raise SystemExit(1)


def _findings(done: AccessCheck, keys_dir: Path) -> Iterator[Finding]:
    yield from done.findings()
    try:
        load_host_keys(keys_dir)
    except HostKeyError as error:
        yield Finding(str(error))


def _rows(listing: AccessListing, rules: AccessRules) -> Iterator[dict[str, Any]]:
    for way in listing.all():
        yield {
            "kind": "authority" if way.is_authority else "key",
            "user": way.user or None,
            "file": str(way.path),
            **as_object(way.entry),
            "authority": way.is_authority,
            "restrictions": way.restrictions,
            "refused": way.obstacle,
        }
    yield {
        "kind": "guests",
        "mode": rules.guests,
        "rating": rules.guest_terms.rating and str(rules.guest_terms.rating),
        "restrictions": rules.guest_terms.restrictions,
    }


def _in_words(way: WayIn) -> str:
    options = way.entry.options
    what = describe(way.entry.key)
    if way.is_authority:
        what = f"certificates of {what}"
    conditions = list(way.restrictions)
    if options.principals is not None:
        names = " or ".join(ascii(name) for name in options.principals) or "nobody"
        conditions.insert(0, f"naming {names}")
    if options.sources is not None:
        conditions.append(f"from {options.sources}")
    if options.expires is not None:
        conditions.append(f"until {time_in_words(options.expires)}")
    if options.role is Role.OPERATOR:
        conditions.append("as operator")
    said = f"{way.user or 'everybody named in'} {what}"
    if conditions:
        said += f" ({'; '.join(conditions)})"
    return said if way.obstacle is None else f"{said}: lets nobody in: {way.obstacle}"
