"""`conch-insults keys revoke`: what somebody means by one word, out for good.

Finds out which keys are meant and has them listed. What being listed means is not known here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES
from conch_insults.access.key_files import is_user_name, revoked_keys_path, user_ca_path
from conch_insults.access.named_keys import (
    has_authorities,
    key_with_fingerprint,
    keys_in_file,
    keys_of_user,
)
from conch_insults.access.regular_files import read_regular_file
from conch_insults.access.revocation import parse_fingerprint
from conch_insults.access.revoked_file import revoke as revoke_keys
from conch_insults.cli.shown_keys import complain, describe, say
from conch_insults.errors import PublicKeyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conch_insults.access.public_key import PublicKey
    from conch_insults.config import Settings

__all__ = ["revoke"]

_FINGERPRINT_MARK = "SHA256:"


@click.command()
@click.argument("what", metavar="USER|FINGERPRINT|FILE")
@click.pass_obj
def revoke(settings: Settings, what: str) -> None:
    """Let nobody in any more with USER's keys, the key of FINGERPRINT, or those in FILE.

    They count no more for anybody, and neither do certificates for them or by them. FILE has
    public keys or certificates, one a line. The name of a user means that user: write ./NAME for a
    file. Sessions that are open end within seconds. To let a key in again, take its line out of
    revoked_keys.
    """
    keys_dir = settings.access.keys_dir
    if what.startswith(_FINGERPRINT_MARK):
        _revoke_fingerprint(keys_dir, what)
    elif not (is_user_name(what) and _revoke_user(keys_dir, what)):
        _revoke_file(keys_dir, what)


def _revoke_fingerprint(keys_dir: Path, wanted: str) -> None:
    try:
        parse_fingerprint(wanted)
    except PublicKeyError as error:
        raise click.UsageError(str(error)) from error
    key = key_with_fingerprint(keys_dir, wanted)
    if key is not None:
        _revoke(keys_dir, [key])
        return
    done = revoke_keys(keys_dir, [wanted], _today())
    _tell(keys_dir, done.listed, {wanted: wanted})
    if done.added:
        complain(
            "nobody here has that key, so its fingerprint is listed, which sshd cannot read: give"
            " the .pub file instead if the list is for sshd, too"
        )


def _revoke_user(keys_dir: Path, user: str) -> bool:
    """Revoke a user's own keys; return False when there is no such user."""
    keys = keys_of_user(keys_dir, user)
    if keys is None:
        return False
    if Path(user).exists():
        complain(f"{user} is taken for the user: write ./{user} for the file")
    for authority in keys.authorities:
        complain(
            f"{user} still comes in by certificates of {describe(authority)}, which may be"
            f" others' authority, too: `conch-insults keys revoke {authority.fingerprint}` ends it"
        )
    if has_authorities(keys_dir):
        complain(
            f"{user} still comes in by certificates of other keys, if an authority of"
            f" {user_ca_path(keys_dir)} names {user} in one"
        )
    if keys.own:
        _revoke(keys_dir, keys.own, user)
    else:
        say(f"nothing to do: {user} has no keys of their own")
    return True


def _revoke_file(keys_dir: Path, name: str) -> None:
    path = Path(name)
    try:
        content, _ = read_regular_file(path, MAXIMUM_FILE_BYTES + 1, follow_link=True)
    except FileNotFoundError as error:
        raise click.UsageError(f"{name!a} is no user, no SHA256 fingerprint and no file") from error
    _revoke(keys_dir, keys_in_file(content, name), path.name)


def _revoke(keys_dir: Path, keys: Sequence[PublicKey], of: str = "") -> None:
    """Revoke keys, and write to each line when that was, whose, and what the key was called."""
    entries = [
        replace(key, comment=", ".join(filter(None, (_today(), of, key.comment)))) for key in keys
    ]
    done = revoke_keys(keys_dir, entries)
    _tell(keys_dir, done.listed, {key.fingerprint: describe(key) for key in keys})


def _tell(keys_dir: Path, listed: Sequence[tuple[str, int]], described: dict[str, str]) -> None:
    path, before = revoked_keys_path(keys_dir), dict(listed)
    for shown_as, text in described.items():
        if shown_as in before:
            say(f"revoked already: {text} ({path}:{before[shown_as]})")
        else:
            say(f"revoked: {text}")
    if len(before) < len(described):
        say(f"listed in {path}: no login from now on, and open sessions end within seconds")


def _today() -> str:
    return f"revoked {datetime.now(UTC):%Y-%m-%d}"
