"""`conch-insults keys add`: somebody's keys, on the operator's terms.

What a stranger wrote into a `.pub` file must not give more than the operator means to. How a line
is written and read is not known here.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import click

from conch_insults.access import key_directory
from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES, KeyRules, parse_file
from conch_insults.access.key_files import authorized_keys_path
from conch_insults.access.key_options import KeyOptions
from conch_insults.access.listing import AccessListing
from conch_insults.access_rules import access_rules, key_rules
from conch_insults.cli.attestation_files import with_attestation_files
from conch_insults.cli.line_options import with_line_options
from conch_insults.cli.parameters import USER_NAME
from conch_insults.cli.shown_keys import complain, describe, say
from conch_insults.errors import PublicKeyError, at_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conch_insults.access.authorized_keys import Entry
    from conch_insults.cli.attestation_files import AttestationFiles
    from conch_insults.cli.line_options import LineOptions
    from conch_insults.config import AccessSettings, Settings

__all__ = ["add", "show_added"]


@click.command()
@click.argument("user", type=USER_NAME)
@click.argument("file", type=click.File("rb"), default="-")
@with_line_options
@with_attestation_files
@click.pass_obj
def add(
    settings: Settings,
    user: str,
    file: IO[bytes],
    *,
    line_options: LineOptions,
    attestation_files: AttestationFiles | None,
) -> None:
    """Let USER in with each key in FILE, or on standard input.

    FILE is a .pub file, or has several keys, one a line; all of them are added or none. Options
    are given here: those that a line in FILE has are refused, but for restrict and flags like it.
    The lines are read back before they are shown, and count from the next login on.
    """
    access, rules = settings.access, key_rules(settings.access)
    name = "standard input" if file is sys.stdin.buffer else file.name
    content = file.read(MAXIMUM_FILE_BYTES + 1)
    _refuse_options(content, name, rules)
    options = line_options.text(rules)
    if attestation_files is not None:
        attested = attestation_files.verify(content, name, access.attestation_roots, rules)
        say(f"attested: lives in a {attested.aaguid}, says {attested.subject}")
        options = line_options.text(rules, f'aaguid@conch-insults="{attested.aaguid}"')
    added = key_directory.add_keys(
        access.keys_dir, user, content, name, options=options, rules=rules
    )
    show_added(access, user, added)


def show_added(access: AccessSettings, user: str, entries: Sequence[Entry]) -> None:
    """Show what was added, each key with the line that counts now, and what is in its way."""
    path = authorized_keys_path(access.keys_dir, user)
    listing = AccessListing(access.keys_dir, access_rules(access), datetime.now(UTC), complain)
    obstacles = {way.entry.line: way.obstacle for way in listing.of(user)}
    for entry in entries:
        say(f"added for {user}: {describe(entry.key)}")
        say(f"{path}:{entry.line}: {entry.text}")
        if obstacle := obstacles.get(entry.line):
            complain(f"{path}:{entry.line}: lets nobody in: {obstacle}")


def _refuse_options(content: bytes, name: str, rules: KeyRules) -> None:
    """Refuse what only the operator can say of a key."""
    for entry in parse_file(content, name, rules=rules).entries:
        # A terminal may be taken; given, it is no more than a bare key has.
        if replace(entry.options, text="", pty=True) != KeyOptions():
            reason = (
                "has options, which are yours to give: take them out, and use --option, --from,"
                " --expires or --attestation"
            )
            raise PublicKeyError(at_line(name, entry.line, reason))
