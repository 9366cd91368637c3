"""`conch-insults keys import`: keys that somebody publishes, looked at before they count.

Whoever publishes a list says which keys are theirs, and nothing about what they may do here. How
it is fetched is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from conch_insults.access import key_directory
from conch_insults.access.authorized_keys import key_in_line, parse_line
from conch_insults.access.key_files import authorized_keys_path, read_key_file
from conch_insults.access.listing import AccessListing
from conch_insults.access_rules import access_rules, key_rules
from conch_insults.cli.keys_add import show_added
from conch_insults.cli.line_options import with_line_options
from conch_insults.cli.parameters import USER_NAME
from conch_insults.cli.published_keys import fetch, published_keys
from conch_insults.cli.shown_keys import complain, describe, say
from conch_insults.core.printable import printable
from conch_insults.errors import PublicKeyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conch_insults.access.authorized_keys import Entry, KeyRules
    from conch_insults.access.public_key import PublicKey
    from conch_insults.cli.line_options import LineOptions
    from conch_insults.cli.published_keys import PublishedKeys
    from conch_insults.config import Settings

__all__ = ["import_keys"]

# More than anybody reads.
_SHOWN_REFUSALS = 20


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a list comes to.

    Attributes:
        new: the keys that can be added.
        there: the keys that the user has, with the number of their line.
        refused: why each other line cannot be used.
    """

    new: tuple[PublicKey, ...]
    there: tuple[tuple[PublicKey, int], ...]
    refused: tuple[str, ...]


@click.command(name="import")
@click.argument("user", type=USER_NAME)
@click.argument("source", metavar="gh:NAME|gl:NAME|https://...")
@with_line_options
@click.option("--yes", is_flag=True, help="Add them without asking.")
@click.pass_obj
def import_keys(
    settings: Settings, user: str, source: str, *, line_options: LineOptions, yes: bool
) -> None:
    """Let USER in with the keys that somebody publishes.

    gh:NAME is that person at github.com, gl:NAME at gitlab.com; an https URL is a page with a key
    on each line. You see what would be added, and are asked. Nothing is fetched again later: keys
    that are taken off the page stay until you remove them.
    """
    access, rules = settings.access, key_rules(settings.access)
    options = line_options.text(rules)
    try:
        published = published_keys(source)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="SOURCE") from error
    content = fetch(published.url)
    # What would be in a key's way can only be asked where there are files to ask.
    key_directory.make_key_directory(access.keys_dir)
    listing = AccessListing(access.keys_dir, access_rules(access), datetime.now(UTC), complain)
    there = _keys_there(access.keys_dir, user)
    plan = _plan(content, there, rules, partial(listing.obstacle, user))
    _show(plan, published)
    if not plan.new:
        if not plan.there:
            raise PublicKeyError(f"{published.url}: has no key that can be added")
        say(f"nothing to add: {user} has them already")
        return
    if options:
        say(f"with the options: {options}")
    if not yes and not click.confirm(f"add {len(plan.new)} for {user}?"):
        complain("nothing was added")
        raise SystemExit(1)
    mark = f"{published.name} {datetime.now(UTC):%Y-%m-%d}"
    lines = [replace(key, comment=f"{mark} {key.comment}".rstrip()).line for key in plan.new]
    added = key_directory.add_keys(
        access.keys_dir,
        user,
        "\n".join(lines).encode(),
        published.url,
        options=options,
        rules=rules,
    )
    show_added(access, user, added)


def _plan(
    content: bytes,
    there: dict[bytes, int],
    rules: KeyRules,
    obstacle: Callable[[Entry], str | None],
) -> _Plan:
    new: dict[bytes, PublicKey] = {}
    known: dict[bytes, tuple[PublicKey, int]] = {}
    refused: list[str] = []
    for number, raw in enumerate(content.split(b"\n"), 1):
        try:
            entry = parse_line(raw, number, rules=rules)
        except PublicKeyError as error:
            refused.append(f"line {number}: {error}")
            continue
        if entry is None:
            continue
        key = replace(entry.key, comment=printable(entry.key.comment, 100))
        if entry.options.text:
            refused.append(f"line {number}: has options, which are yours to give: use --option")
        elif key.blob in there:
            known[key.blob] = (key, there[key.blob])
        elif reason := obstacle(entry):
            refused.append(f"line {number}: {reason}")
        else:
            new.setdefault(key.blob, key)
    return _Plan(tuple(new.values()), tuple(known.values()), tuple(refused))


def _keys_there(keys_dir: Path, user: str) -> dict[bytes, int]:
    """Return the line of each key that the user has."""
    path = authorized_keys_path(keys_dir, user)
    try:
        content = read_key_file(path).content
    except FileNotFoundError:
        return {}
    found: dict[bytes, int] = {}
    for number, line in enumerate(content.split(b"\n"), 1):
        key = key_in_line(line)
        if key is not None:
            found.setdefault(key.blob, number)
    return found


def _show(plan: _Plan, published: PublishedKeys) -> None:
    say(f"from {published.url}:")
    for key in plan.new:
        say(f"new: {describe(key)}")
    for key, line in plan.there:
        say(f"there already, on line {line}: {describe(key)}")
    for reason in plan.refused[:_SHOWN_REFUSALS]:
        say(f"cannot be added: {reason}")
    more = len(plan.refused) - _SHOWN_REFUSALS
    if more > 0:
        say(f"cannot be added: {more} more lines")
