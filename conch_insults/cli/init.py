"""`conch-insults init`: from nothing to a server that its operator can log in to.

Makes what is missing, changes nothing that can be used, and prints the `ssh` command that gets in.
How keys and files are made must not be known here.
"""

from __future__ import annotations

import getpass
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conch_insults.access import key_directory
from conch_insults.access.key_files import FOLDER, is_user_name
from conch_insults.access.key_pair import create_key_pair, public_half, read_private_key
from conch_insults.access.public_key import parse_public_key
from conch_insults.access.regular_files import read_regular_file
from conch_insults.access_rules import key_rules
from conch_insults.cli.shown_keys import describe, say
from conch_insults.cli.ssh_command import address_of, found_by_ssh, ssh_command
from conch_insults.errors import KeyFileError, PublicKeyError
from conch_insults.ssh.host_keys import create_host_key, host_key_path, host_public_keys

if TYPE_CHECKING:
    from conch_insults.access.authorized_keys import KeyRules
    from conch_insults.access.public_key import PublicKey
    from conch_insults.config import Settings

__all__ = ["init"]

FALLBACK_USER = "operator"
MAXIMUM_PUB_BYTES = 64 * 1024

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class _Identity:
    """A key that the operator has on this machine."""

    key: PublicKey
    private: Path


@click.command()
@click.pass_obj
def init(settings: Settings) -> None:
    """Make a host key, let yourself in, and print the ssh command.

    You come in with the keys in ~/.ssh, or with a fresh one when there is none that can be used.
    What is there already stays as it is, except that folders which others may write to are closed
    to them: the server would let nobody in.
    """
    keys_dir, rules = settings.access.keys_dir, key_rules(settings.access)
    changed = key_directory.make_key_directory(keys_dir)
    if changed:
        click.echo(f"made the keys directory {keys_dir}")
    if settings.access.strict_modes:
        for folder in (keys_dir, keys_dir / FOLDER):
            if _close_to_others(folder):
                changed = True
                click.echo(f"took from others the right to write to {folder}")
    if create_host_key(keys_dir):
        changed = True
        click.echo(f"created the host key {host_key_path(keys_dir)}")
    host_keys = host_public_keys(keys_dir)
    user = _operator()
    identity = _identity_let_in(keys_dir, user, rules)
    if identity is None:
        changed = True
        identity = _let_in(keys_dir, user, rules)
    if not changed:
        click.echo(f"nothing to do: {keys_dir} is set up, and {user} may come in already")
    for key in host_keys:
        click.echo(f"host key: {key.key_type} {key.fingerprint}")
    _print_command(settings.ssh.endpoint, user, identity)


def _operator() -> str:
    """Return the login name, or one that can be used in its place."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # An account that the password database does not know.
        name = ""
    if is_user_name(name):
        return name
    click.echo(f"your login name {name!a} cannot be used here: you are {FALLBACK_USER!r} instead")
    return FALLBACK_USER


def _close_to_others(folder: Path) -> bool:
    """Take away what a lenient umask gave; return False when there is nothing to take."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & _WRITABLE_BY_OTHERS:
            return False
        folder.chmod(mode & ~_WRITABLE_BY_OTHERS)
    except OSError as error:
        raise KeyFileError(
            f"{folder}: others may write to it, and its mode cannot be changed:"
            f" {error.strerror}: run `chmod go-w {folder}` as its owner"
        ) from error
    return True


def _identity_let_in(keys_dir: Path, user: str, rules: KeyRules) -> _Identity | None:
    """Find a key of this machine that lets the operator in already."""
    if user not in key_directory.users(keys_dir):
        return None
    entries = key_directory.read_user(keys_dir, user, rules=rules).entries
    blobs = {entry.key.blob for entry in entries if not entry.options.is_authority}
    own, _ = _own_identities(rules)
    return _best([identity for identity in own if identity.key.blob in blobs]) or next(
        (identity for identity in _client_identity(keys_dir) if identity.key.blob in blobs), None
    )


def _let_in(keys_dir: Path, user: str, rules: KeyRules) -> _Identity:
    """Let the operator in with every key in ~/.ssh, or else with a pair made for it."""
    identities, problems = _own_identities(rules)
    for problem in problems:
        say(f"skipped {problem}")
    if not identities:
        private = _client_path(keys_dir)
        try:
            if create_key_pair(private, _client_comment(user)):
                click.echo(f"created a key pair for you: {private}")
        except OSError as error:
            raise KeyFileError(f"{private}: cannot be created: {error.strerror}") from error
        identities = [
            replace(identity, key=replace(identity.key, comment=_client_comment(user)))
            for identity in _client_identity(keys_dir)
        ]
    lines = {identity.key.blob: identity.key.line for identity in identities}
    content = "\n".join(lines.values()).encode()
    for entry in key_directory.add_keys(keys_dir, user, content, "your keys", rules=rules):
        click.echo(f"let in {user}: {describe(entry.key)}")
    return _best(identities) or identities[0]


def _own_identities(rules: KeyRules) -> tuple[list[_Identity], list[str]]:
    """Return the operator's keys in ~/.ssh, and why each other `.pub` file there is none."""
    identities: list[_Identity] = []
    problems: list[str] = []
    home = os.environ.get("HOME")
    for path in sorted(Path(home, ".ssh").glob("id_*.pub")) if home else []:
        try:
            file = read_regular_file(path, MAXIMUM_PUB_BYTES, follow_link=True)
            key = parse_public_key(file.content.decode(), minimum_rsa_bits=rules.minimum_rsa_bits)
        except PublicKeyError as error:
            problems.append(f"{path}: {error}")
        except FileNotFoundError:
            problems.append(f"{path}: leads nowhere")
        except KeyFileError as error:
            problems.append(str(error))
        except UnicodeDecodeError:
            problems.append(f"{path}: is not UTF-8 text")
        else:
            identities.append(_Identity(key, path.with_suffix("")))
    return identities, problems


def _client_comment(user: str) -> str:
    return f"{user}@conch-insults"


def _client_path(keys_dir: Path) -> Path:
    return keys_dir / "client" / "id_ed25519"


def _client_identity(keys_dir: Path) -> list[_Identity]:
    """Return the pair that an earlier run has made, if one has."""
    private = _client_path(keys_dir)
    try:
        return [_Identity(public_half(read_private_key(private)), private)]
    except FileNotFoundError:
        return []


def _best(identities: list[_Identity]) -> _Identity | None:
    """Prefer a key that ssh tries by itself, then one whose private half is a file."""
    return min(
        identities,
        key=lambda identity: (not found_by_ssh(identity.private), not identity.private.exists()),
        default=None,
    )


def _print_command(endpoint: str, user: str, identity: _Identity) -> None:
    address = address_of(endpoint)
    if not endpoint:
        click.echo("the SSH door is closed: set ssh.endpoint to open it")
    elif address is None:
        click.echo(f"the SSH door is {endpoint}: connect to it as {user}")
    else:
        # A key without a file lives in an agent or on a token, where ssh finds it.
        named = identity.private.exists() and not found_by_ssh(identity.private)
        click.echo("get in with:")
        click.echo(ssh_command(address, user, identity.private if named else None))
