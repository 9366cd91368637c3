"""How commands show keys, lines and problems, to people and as JSON.

Every text of a stranger is cleaned on its way to the terminal. Where keys come from is not known
here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from conch_insults.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from conch_insults.access.authorized_keys import Entry
    from conch_insults.access.certificate import Certificate
    from conch_insults.access.public_key import PublicKey

__all__ = [
    "as_object",
    "certificate_as_object",
    "complain",
    "describe",
    "describe_certificate",
    "echo_json",
    "say",
    "time_as_json",
    "time_in_words",
]


def say(text: str) -> None:
    """Print one line."""
    click.echo(printable(text))


def complain(text: str) -> None:
    """Print one line on standard error."""
    click.echo(printable(text), err=True)


def describe(key: PublicKey) -> str:
    """Return a key as a person sees it: type, fingerprint, comment."""
    return printable(f"{key.key_type} {key.fingerprint} {key.comment}".rstrip())


def describe_certificate(certificate: Certificate) -> str:
    """Return in words what a certificate says: its name, number, issuer, and whom it is for."""
    principals = ", ".join(ascii(name) for name in certificate.principals) or "nobody"
    return (
        f"{certificate.key_id!a} (serial {certificate.serial})"
        f" of {certificate.authority.fingerprint} for {principals}"
    )


def as_object(entry: Entry) -> dict[str, Any]:
    """Return what a line says, for JSON."""
    options = entry.options
    return {
        "type": entry.key.key_type,
        "fingerprint": entry.key.fingerprint,
        "comment": entry.key.comment,
        "line": entry.line,
        "options": options.text,
        "authority": options.is_authority,
        "principals": options.principals,
        "from": options.sources and str(options.sources),
        "expires": time_as_json(options.expires),
        "rating": options.rating and str(options.rating),
        "role": options.role.value,
    }


def certificate_as_object(certificate: Certificate) -> dict[str, Any]:
    """Return what a certificate says, for JSON."""
    return {
        "key_id": certificate.key_id,
        "serial": certificate.serial,
        "principals": certificate.principals,
        "expires": time_as_json(certificate.expires),
        "authority": certificate.authority.fingerprint,
    }


def echo_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a JSON list, a row at a time however many there are."""
    end = "["
    for row in rows:
        click.echo(f"{end}\n  {json.dumps(row)}", nl=False)
        end = ","
    click.echo("[]" if end == "[" else "\n]")


def time_as_json(moment: datetime | None) -> str | None:
    """Return a moment as ISO 8601 writes it."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def time_in_words(moment: datetime) -> str:
    """Return a moment as people read it."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
