"""The `ssh` command that gets somebody in, ready to be copied.

Knows how endpoints are written and what OpenSSH's client does by itself; must not know who may
come in.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

__all__ = ["Address", "address_of", "found_by_ssh", "ssh_command"]

# ssh_config(5), IdentityFile: the names that ssh tries when nobody tells it any.
_DEFAULT_IDENTITIES = frozenset(
    {"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"}
)


class Address(NamedTuple):
    """Where a server can be reached from this machine."""

    host: str
    port: int


def address_of(endpoint: str) -> Address | None:
    """Return where a server on this Twisted endpoint can be reached.

    None is for an endpoint that is not TCP, or whose port is chosen when the server starts.
    """
    kind, *parts = (
        re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\):", endpoint.strip())
    )
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    port = named.get("port") or next((part for part in parts if "=" not in part), "")
    if kind not in {"tcp", "tcp6"} or not port.isdecimal() or int(port) == 0:
        return None
    return Address(_host(named.get("interface", "")), int(port))


def _host(interface: str) -> str:
    try:
        address = ip_address(interface)
    except ValueError:
        return interface or "localhost"
    return "localhost" if address.is_loopback or address.is_unspecified else interface


def found_by_ssh(private: Path) -> bool:
    """Say whether ssh tries this key without being told to.

    It looks in the account's home directory, whatever HOME says.
    """
    try:
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return False
    return private.name in _DEFAULT_IDENTITIES and private.parent == home / ".ssh"


def ssh_command(address: Address, user: str, identity: Path | None) -> str:
    """Return the command line.

    Args:
        address: where the server is.
        user: the name to log in by.
        identity: the private key to be named, if ssh would not find it.
    """
    words = ["ssh", "-p", str(address.port)]
    if identity is not None:
        # An agent with many keys would use up the attempts before this one's turn.
        words += ["-i", str(_shortened(identity)), "-o", "IdentitiesOnly=yes"]
    return shlex.join([*words, f"{user}@{address.host}"])


def _shortened(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
