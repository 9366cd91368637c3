"""`conch-insults access test`: would the server let somebody in, and why.

Asks the policy that decides at the door, without a connection. What the rules are must not be known
here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import click

from conch_insults.access.certificate import Certificate, parse_certificate_line
from conch_insults.access.certified_key import CERTIFICATE_SUFFIX, certificate_name
from conch_insults.access.grants import Grant, Offer, Refusal
from conch_insults.access.policy import Policy
from conch_insults.access.public_key import parse_public_key
from conch_insults.access.signature import Proof
from conch_insults.access_rules import access_rules
from conch_insults.cli.parameters import ADDRESS, MOMENT
from conch_insults.cli.shown_keys import (
    certificate_as_object,
    complain,
    describe,
    describe_certificate,
    say,
    time_as_json,
    time_in_words,
)
from conch_insults.errors import PublicKeyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conch_insults.access.public_key import PublicKey
    from conch_insults.config import Settings

__all__ = ["access_test"]

# The longest certificate in base64, with a comment.
_MAXIMUM_FILE_BYTES = 64 * 1024
# A security key has been touched and knows whose finger it was.
_PROOF = Proof(touched=True, verified=True)


@dataclass(frozen=True, slots=True)
class _Trial:
    """What is asked, and the answer.

    Attributes:
        user: the name.
        address: where from, None where nothing was said.
        at: the time.
        shown: the key or certificate, None where there is none that may be used.
        decision: the answer.
    """

    user: str
    address: str | None
    at: datetime
    shown: PublicKey | Certificate | None
    decision: Grant | Refusal

    @property
    def key(self) -> PublicKey | None:
        """The key, also that of a certificate."""
        return self.shown.key if isinstance(self.shown, Certificate) else self.shown

    @property
    def certificate(self) -> Certificate | None:
        return self.shown if isinstance(self.shown, Certificate) else None


@click.command(name="test")
@click.option("--user", required=True, help="The name to log in by.")
@click.option(
    "--key",
    "file",
    required=True,
    type=click.File("rb"),
    metavar="FILE",
    help="The public key, or the certificate (-cert.pub).",
)
@click.option("--from", "address", type=ADDRESS, metavar="IP", help="Where from.")
@click.option(
    "--at",
    type=MOMENT,
    metavar="TIME",
    help="When, if not now: YYYYMMDD[HHMM[SS]][Z], or ISO 8601.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.pass_obj
def access_test(  # noqa: PLR0913 - click hands over each option by its name
    settings: Settings,
    *,
    user: str,
    file: IO[bytes],
    address: str | None,
    at: datetime | None,
    as_json: bool,
) -> None:
    """Say whether somebody would be let in, and why: yes with status 0, no with status 1.

    The key's holder is taken to have signed, and a security key to have been touched and to know
    its holder. Without --from, whatever asks where somebody comes from refuses: a yes then holds
    from everywhere. What is wrong in the files is told on standard error.
    """
    access, at = settings.access, at or datetime.now(UTC)
    try:
        shown = _read(file.read(_MAXIMUM_FILE_BYTES), access.minimum_rsa_bits)
    except PublicKeyError as error:
        # What is no key, or one that may not be used, lets nobody in.
        trial = _Trial(user, address, at, None, Refusal(str(error), file.name))
    else:
        policy = Policy(access.keys_dir, complain, access_rules(access))
        offer = Offer(user, _algorithm(shown), shown.blob, address or "", _PROOF)
        trial = _Trial(user, address, at, shown, policy.decide(offer, at))
    if as_json:
        click.echo(json.dumps(_as_object(trial), indent=2))
    else:
        for line in _in_words(trial):
            say(line)
    if isinstance(trial.decision, Refusal):
        raise SystemExit(1)


def _read(content: bytes, minimum_rsa_bits: int) -> PublicKey | Certificate:
    text = content.decode("utf-8", "replace")
    if text.lstrip().partition(" ")[0].endswith(CERTIFICATE_SUFFIX):
        return parse_certificate_line(text, minimum_rsa_bits=minimum_rsa_bits)
    return parse_public_key(text, minimum_rsa_bits=minimum_rsa_bits)


def _algorithm(shown: PublicKey | Certificate) -> str:
    """Return the name that a client of today would offer it under."""
    if isinstance(shown, Certificate):
        return certificate_name(_algorithm(shown.key))
    return "rsa-sha2-512" if shown.key_type == "ssh-rsa" else shown.key_type


def _in_words(trial: _Trial) -> Iterator[str]:
    decision = trial.decision
    if isinstance(decision, Refusal):
        yield f"no: {decision.reason}"
    elif decision.is_guest:
        yield f"yes: {trial.user!a} may come in as a guest"
    else:
        yield f"yes: {trial.user} may come in"
    if decision.source:
        yield f"decided by: {decision.source}"
    if trial.key is not None:
        yield f"key: {describe(trial.key)}"
    if trial.certificate is not None:
        yield f"certificate: {describe_certificate(trial.certificate)}"
    yield f"from: {trial.address or 'not said, so whatever asks for an address refuses'}"
    yield f"at: {time_in_words(trial.at)}"
    if isinstance(decision, Grant):
        terms = decision.terms
        yield f"until: {time_in_words(terms.expires) if terms.expires else 'no end is set'}"
        yield f"role: {terms.role.value}"
        yield f"restrictions: {'; '.join(terms.restrictions) or 'none'}"


def _as_object(trial: _Trial) -> dict[str, Any]:
    decision = trial.decision
    asked = {
        "allowed": isinstance(decision, Grant),
        "reason": decision.reason if isinstance(decision, Refusal) else None,
        "source": decision.source or None,
        "user": trial.user,
        "key": trial.key and {"type": trial.key.key_type, "fingerprint": trial.key.fingerprint},
        "certificate": trial.certificate and certificate_as_object(trial.certificate),
        "from": trial.address,
        "at": time_as_json(trial.at),
    }
    if isinstance(decision, Refusal):
        return asked
    terms = decision.terms
    return {
        **asked,
        "guest": decision.is_guest,
        "expires": time_as_json(terms.expires),
        "role": terms.role.value,
        "rating": terms.rating and str(terms.rating),
        "pty": terms.pty,
        "command": terms.command,
        "environment": dict(terms.environment),
        "restrictions": terms.restrictions,
    }
