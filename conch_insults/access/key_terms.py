"""On which terms a line, and a certificate where there is one, let somebody in.

Both must agree, and what either takes away is taken away (sshd(8), auth-options). Which line it
is, and whether its key was revoked or proved, is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.access.certificate_options import parse_certificate_options
from conch_insults.access.grants import Terms
from conch_insults.access.key_options import KeyOptions
from conch_insults.errors import PublicKeyError

if TYPE_CHECKING:
    from datetime import datetime

    from conch_insults.access.certificate import Certificate
    from conch_insults.access.grants import Offer

__all__ = ["NoTerms", "terms_of_certificate", "terms_of_key"]

_NO_OPTIONS = KeyOptions()


class NoTerms(Exception):  # noqa: N818 - an outcome, and nobody's mistake
    """The line lets nobody in this time; the text says why."""


def terms_of_key(options: KeyOptions, offer: Offer, now: datetime) -> Terms:
    """Return what a line with the very key that is offered allows.

    Raises:
        NoTerms: one of its options refuses the offer.
    """
    # The second that is named still counts, to its end.
    if options.expires is not None and now.replace(microsecond=0) > options.expires:
        raise NoTerms(f"expired at {options.expires:%Y-%m-%dT%H:%M:%SZ} (expiry-time)")
    if options.sources is not None and not options.sources.match(offer.address):
        raise NoTerms(f"not from {_where(offer)} (from)")
    return Terms(
        pty=options.pty,
        command=options.command,
        environment=options.environment,
        rating=options.rating,
        role=options.role,
        expires=options.expires,
        sources=() if options.sources is None else (str(options.sources),),
        touch_required=options.touch_required,
        verify_required=options.verify_required,
        aaguid=options.aaguid,
    )


def terms_of_certificate(
    certificate: Certificate, options: KeyOptions | None, offer: Offer, now: datetime
) -> Terms:
    """Return what a certificate allows, by the options of the line with its authority.

    Args:
        certificate: the certificate.
        options: those of the line; None for an authority of everybody's, whose lines have none.
        offer: who wants to come in, from where.
        now: the time.

    Raises:
        NoTerms: the line or the certificate refuses the offer.
    """
    line = terms_of_key(options or _NO_OPTIONS, offer, now)
    principals = options.principals if options else None
    names = {offer.user} if principals is None else set(principals)
    problem = certificate.problem_for_user(names, now)
    if problem is not None:
        raise NoTerms(problem)
    try:
        own = parse_certificate_options(certificate)
    except PublicKeyError as error:
        raise NoTerms(str(error)) from error
    if own.sources is not None and not own.sources.match(offer.address):
        raise NoTerms(f"not from {_where(offer)} (certificate's source-address)")
    if None not in {own.command, line.command} and own.command != line.command:
        raise NoTerms("the line and the certificate force different commands")
    sources = () if own.sources is None else (str(own.sources),)
    return Terms(
        pty=line.pty and own.pty,
        command=line.command if own.command is None else own.command,
        environment=line.environment,
        rating=line.rating,
        role=line.role,
        expires=min(filter(None, (line.expires, certificate.expires)), default=None),
        sources=line.sources + sources,
        # Without a line there is only the certificate to say so.
        touch_required=own.touch_required or (options is not None and line.touch_required),
        verify_required=line.verify_required or own.verify_required,
    )


def _where(offer: Offer) -> str:
    return offer.address or "an unknown address"
