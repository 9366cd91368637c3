"""`conch-insults keys`: who may come in with which key, and by what key the host is known.

Turns arguments into calls and results into lines. How a key or a file is read or written must not
be known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from conch_insults.access import key_directory
from conch_insults.access_rules import key_rules
from conch_insults.cli.keys_add import add
from conch_insults.cli.keys_import import import_keys
from conch_insults.cli.keys_revoke import revoke
from conch_insults.cli.parameters import USER_NAME
from conch_insults.cli.shown_keys import (
    as_object,
    certificate_as_object,
    complain,
    describe,
    describe_certificate,
    echo_json,
    say,
    time_in_words,
)
from conch_insults.errors import HostKeyError, KeyFileError
from conch_insults.ssh.host_keys import CertifiedKey, host_public_keys, load_host_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conch_insults.access.authorized_keys import Entry, KeyRules
    from conch_insults.access.certificate import Certificate
    from conch_insults.config import Settings

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """Let keys in and out, and show them."""


keys.add_command(add)
keys.add_command(import_keys)
keys.add_command(revoke)


@keys.command(name="list")
@click.argument("user", type=USER_NAME, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
def list_keys(settings: Settings, user: str | None, *, as_json: bool) -> None:
    """Show who has which key on which terms: all of them, or USER's.

    Lines that cannot be used are told on standard error. Whether a key is revoked or has expired
    is for `conch-insults access list` to say.
    """
    keys_dir, rules = settings.access.keys_dir, key_rules(settings.access)
    rows = _rows_of(keys_dir, user, rules) if user else _all_rows(keys_dir, rules)
    if as_json:
        echo_json({"user": owner, **as_object(entry)} for owner, entry in rows)
        return
    nobody = True
    for owner, entry in rows:
        nobody = False
        say(" ".join(filter(None, (owner, entry.options.text, describe(entry.key)))))
    if nobody:
        complain("no keys: let somebody in with `conch-insults keys add USER FILE`")


@keys.command()
@click.argument("user", type=USER_NAME)
@click.argument("fingerprint")
@click.pass_obj
def remove(settings: Settings, user: str, fingerprint: str) -> None:
    """Keep USER from coming in with the key of that FINGERPRINT, such as SHA256:....

    It counts from the next login on, and ends open sessions within seconds.
    """
    key = key_directory.remove_key(settings.access.keys_dir, user, fingerprint)
    say(f"removed from {user}: {describe(key)}")


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
def host(settings: Settings, *, as_json: bool) -> None:
    """Show the host keys' fingerprints, to compare on a first connection.

    A host certificate is shown with its key. One that keeps the server from starting is told on
    standard error.
    """
    keys_dir = settings.access.keys_dir
    found = host_public_keys(keys_dir)
    certificates = _host_certificates(keys_dir)
    if as_json:
        echo_json(
            {
                "type": key.key_type,
                "fingerprint": key.fingerprint,
                "certificate": certificate_as_object(certificates[key.blob])
                if key.blob in certificates
                else None,
            }
            for key in found
        )
        return
    for key in found:
        say(describe(key))
        if key.blob in certificates:
            certificate = certificates[key.blob]
            end = certificate.expires
            until = f", until {time_in_words(end)}" if end else ""
            say(f"  with certificate {describe_certificate(certificate)}{until}")


def _all_rows(keys_dir: Path, rules: KeyRules) -> Iterator[tuple[str, Entry]]:
    for user in key_directory.users(keys_dir):
        try:
            yield from _rows_of(keys_dir, user, rules)
        except KeyFileError as error:
            complain(str(error))


def _rows_of(keys_dir: Path, user: str, rules: KeyRules) -> list[tuple[str, Entry]]:
    held = key_directory.read_user(keys_dir, user, rules=rules)
    for problem in held.problems:
        complain(problem)
    return [(user, entry) for entry in held.entries]


def _host_certificates(keys_dir: Path) -> dict[bytes, Certificate]:
    """Return the certificates that the server would show, by the blob of their key."""
    try:
        loaded: list[Any] = list(load_host_keys(keys_dir).values())
    except HostKeyError as error:
        complain(str(error))
        return {}
    shown = [key.certificate for key in loaded if isinstance(key, CertifiedKey)]
    return {certificate.key.blob: certificate for certificate in shown}
