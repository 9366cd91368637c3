"""The words of an access decision: what is offered, what is granted on which terms, or refused.

Values only. How a decision is made must not be known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conch_insults.access.key_options import Role
from conch_insults.access.public_key import fingerprint

if TYPE_CHECKING:
    from datetime import datetime

    from conch_insults.access.certificate import Certificate
    from conch_insults.access.signature import Proof
    from conch_insults.rating import Rating

__all__ = ["ANYBODY", "GUEST", "Grant", "Offer", "Refusal", "Terms"]

GUEST = "(guest)"
"""What a guest is called; no user can have this name."""

ANYBODY = ""
"""The key type of an offer without a key."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody wants to come in with.

    Attributes:
        user: the name asked for, as the stranger sent it.
        key_type: the public key algorithm that was named (RFC 8332, section 3), `ANYBODY` where
            there is no key.
        blob: the public key's or certificate's wire form, empty where there is none.
        address: the peer's IP address as text, "" when there is none.
        proof: what the verified signature says; None as long as the client only asks.
    """

    user: str
    key_type: str
    blob: bytes
    address: str
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms somebody is in: what the key's line, certificate and the settings leave.

    Attributes:
        pty: whether they may have a terminal.
        command: the only line of input that their sessions run, if there is one.
        environment: variables that their sessions get.
        rating: the most that they may hear, if less than the server's.
        role: whose commands they have.
        expires: when their time is up. Whether that second still counts depends on what set it:
            in an `expiry-time` it does, in a certificate it does not.
        sources: where they may come from, as `from=` and `source-address` say it.
        touch_required: whether a security key must have been touched.
        verify_required: whether a security key must have verified its holder.
        aaguid: which model of authenticator their security key was attested to live on.
        lines_per_minute: how many lines they may ask for in the long run; None is any number.
        session_limit: how many seconds they may stay; None is what the server allows.
    """

    pty: bool = True
    command: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    rating: Rating | None = None
    role: Role = Role.PLAYER
    expires: datetime | None = None
    sources: tuple[str, ...] = ()
    touch_required: bool = True
    verify_required: bool = False
    aaguid: str | None = None
    lines_per_minute: int | None = None
    session_limit: float | None = None

    @property
    def restrictions(self) -> tuple[str, ...]:
        """The terms in words, one each; nothing is said of what is not restricted."""
        said = [f"only from {source}" for source in self.sources]
        if not self.pty:
            said.append("no terminal")
        if self.command is not None:
            said.append(f"only the input {self.command!a}")
        if self.rating is not None:
            said.append(f"nothing ruder than {self.rating}")
        if self.verify_required:
            said.append("only with a PIN or a finger")
        if self.lines_per_minute is not None:
            said.append(f"{self.lines_per_minute} lines a minute")
        if self.session_limit is not None:
            said.append(f"{self.session_limit:.0f} seconds at a time")
        return tuple(said)


@dataclass(frozen=True, slots=True)
class Grant:
    """The holder of what was offered may come in.

    Attributes:
        offer: what was offered, so that it can be judged again.
        source: the deciding line as `path:line`, or the deciding setting.
        terms: what comes with it.
        certificate: the certificate, where it was one.
        is_guest: whether they come in as nobody in particular.
    """

    offer: Offer
    source: str
    terms: Terms = Terms()
    certificate: Certificate | None = None
    is_guest: bool = False

    @property
    def user(self) -> str:
        """Who they are here."""
        return GUEST if self.is_guest else self.offer.user

    @property
    def key_type(self) -> str:
        """The type of the key that they proved to hold, "" where they did not have to."""
        if self.certificate is not None:
            return self.certificate.key.key_type
        return "ssh-rsa" if self.offer.key_type.startswith("rsa-") else self.offer.key_type

    @property
    def fingerprint(self) -> str:
        """The SHA256 fingerprint of that key, "" where there is none."""
        if self.certificate is not None:
            return self.certificate.key.fingerprint
        return fingerprint(self.offer.blob) if self.offer.blob else ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was offered lets nobody in; `source` is the deciding file or line, "" if none was."""

    reason: str
    source: str
