"""`conch-insults keys`: who may come in with which key, and by what key the host is known.

Turns arguments into calls and results into lines. How a key or a file is read or written must not
be known here.
"""

from __future__ import annotations

import json
import sys
from typing import IO, TYPE_CHECKING, Any

import click
from typing_extensions import override

from conch_insults.access import key_directory
from conch_insults.access.authorized_keys import MAXIMUM_FILE_BYTES
from conch_insults.access.key_files import is_user_name
from conch_insults.access_rules import key_rules
from conch_insults.core.printable import printable
from conch_insults.errors import KeyFileError
from conch_insults.ssh.host_keys import host_public_keys

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.access.authorized_keys import Entry
    from conch_insults.access.public_key import PublicKey
    from conch_insults.config import Settings

__all__ = ["describe", "keys"]


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


USER_NAME = _UserName()


def describe(key: PublicKey) -> str:
    """Return a key as a person sees it: type, fingerprint, comment."""
    return printable(f"{key.key_type} {key.fingerprint} {key.comment}".rstrip())


@click.group()
def keys() -> None:
    """Let keys in and out, and show them."""


@keys.command()
@click.argument("user", type=USER_NAME)
@click.argument("file", type=click.File("rb"), default="-")
@click.pass_obj
def add(settings: Settings, user: str, file: IO[bytes]) -> None:
    """Let USER in with each key in FILE, or on standard input.

    FILE is a .pub file, or has several keys, one a line; all of them are added or none. It counts
    from the next login on.
    """
    access = settings.access
    name = "standard input" if file is sys.stdin.buffer else file.name
    content = file.read(MAXIMUM_FILE_BYTES + 1)
    for entry in key_directory.add_keys(
        access.keys_dir, user, content, name, rules=key_rules(access)
    ):
        click.echo(f"added for {user}: {describe(entry.key)}")


@keys.command(name="list")
@click.argument("user", type=USER_NAME, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
def list_keys(settings: Settings, user: str | None, *, as_json: bool) -> None:
    """Show who may come in with which key: all of them, or USER's.

    Lines that cannot be used are told on standard error.
    """
    keys_dir = settings.access.keys_dir
    rows = _rows_of(keys_dir, user) if user else _all_rows(keys_dir)
    if as_json:
        click.echo(json.dumps([_as_object(*row) for row in rows], indent=2))
        return
    for owner, entry in rows:
        click.echo(f"{owner} {describe(entry.key)}")
    if not rows:
        click.echo("no keys: let somebody in with `conch-insults keys add USER FILE`", err=True)


@keys.command()
@click.argument("user", type=USER_NAME)
@click.argument("fingerprint")
@click.pass_obj
def remove(settings: Settings, user: str, fingerprint: str) -> None:
    """Keep USER from coming in with the key of that FINGERPRINT, such as SHA256:....

    It counts from the next login on.
    """
    key = key_directory.remove_key(settings.access.keys_dir, user, fingerprint)
    click.echo(f"removed from {user}: {describe(key)}")


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
def host(settings: Settings, *, as_json: bool) -> None:
    """Show the host keys' fingerprints, to compare on a first connection."""
    found = host_public_keys(settings.access.keys_dir)
    if as_json:
        rows = [{"type": key.key_type, "fingerprint": key.fingerprint} for key in found]
        click.echo(json.dumps(rows, indent=2))
        return
    for key in found:
        click.echo(describe(key))


def _all_rows(keys_dir: Path) -> list[tuple[str, Entry]]:
    rows: list[tuple[str, Entry]] = []
    for user in key_directory.users(keys_dir):
        try:
            rows += _rows_of(keys_dir, user)
        except KeyFileError as error:
            click.echo(printable(str(error)), err=True)
    return rows


def _rows_of(keys_dir: Path, user: str) -> list[tuple[str, Entry]]:
    held = key_directory.read_user(keys_dir, user)
    for problem in held.problems:
        click.echo(printable(problem), err=True)
    return [(user, entry) for entry in held.entries]


def _as_object(user: str, entry: Entry) -> dict[str, Any]:
    return {
        "user": user,
        "type": entry.key.key_type,
        "fingerprint": entry.key.fingerprint,
        "comment": entry.key.comment,
        "line": entry.line,
        "options": entry.options.text,
    }
