"""What a person is told about their own login: who, by what, on which terms, how protected.

Facts from the grant and the transport, put into sentences; nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from conch_insults.access.key_options import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conch_insults.access.grants import Grant
    from conch_insults.ssh.realm import InsultAvatar

__all__ = ["AboutLogin", "Protection"]


@dataclass(frozen=True, slots=True)
class Protection:
    """How a connection is protected at this moment, in the names that SSH uses.

    Attributes:
        kex: the key exchange method.
        host_key: the host key's algorithm.
        host_fingerprint: its SHA256 fingerprint; of the plain key where it is a certificate.
        cipher_in: from client to server.
        mac_in: likewise, "" where the cipher does it.
        cipher_out: from server to client.
        mac_out: likewise.
    """

    kex: str
    host_key: str
    host_fingerprint: str
    cipher_in: str
    mac_in: str
    cipher_out: str
    mac_out: str


class AboutLogin:
    """Answers for somebody who came in over SSH."""

    def __init__(self, avatar: InsultAvatar) -> None:
        self._avatar = avatar

    def whoami(self) -> Sequence[str]:
        """Say who they are here, by what, until when, and with which restrictions."""
        grant = self._avatar.grant
        return (
            _identity(grant),
            _until(grant),
            f"Restrictions: {'; '.join(grant.terms.restrictions) or 'none'}.",
        )

    def explain(self) -> Sequence[str]:
        """Say what let them in and how the connection is protected."""
        grant, protection = self._avatar.grant, self._avatar.protection
        return (
            *self.whoami(),
            f"Let in by: {_source(grant)}.",
            f"Key exchange: {protection.kex}.",
            f"Cipher: {_ciphers(protection)}.",
            f"Host key: {protection.host_key} {protection.host_fingerprint}.",
        )


def _identity(grant: Grant) -> str:
    terms = grant.terms
    key = f"{grant.key_type} {grant.fingerprint}"
    if grant.is_guest:
        by = f", with the key {key}, which means nothing here" if grant.fingerprint else ""
        return f"You are a guest{by}."
    name = f"{grant.user}, operator" if terms.role is Role.OPERATOR else grant.user
    if grant.certificate is None:
        return f"You are {name}, by the key {key}."
    certificate = grant.certificate
    return (
        f"You are {name}, by certificate {certificate.key_id!a} (serial {certificate.serial}) of"
        f" {certificate.authority.fingerprint} for the key {key}."
    )


def _until(grant: Grant) -> str:
    expires = grant.terms.expires
    return "No end is set." if expires is None else f"Until {expires:%Y-%m-%d %H:%M:%S} UTC."


def _source(grant: Grant) -> str:
    """Return the deciding line without the folders that are the operator's business."""
    return grant.source if grant.is_guest else "/".join(PurePath(grant.source).parts[-2:])


def _ciphers(protection: Protection) -> str:
    ways = [
        f"{cipher} with {mac}" if mac else cipher
        for cipher, mac in (
            (protection.cipher_in, protection.mac_in),
            (protection.cipher_out, protection.mac_out),
        )
    ]
    return ways[0] if ways[0] == ways[1] else f"{ways[0]} to here, {ways[1]} to you"
