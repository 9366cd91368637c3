"""The one access decision: may this key come in as this user, and which line says so.

Every way in asks here: keys, certificates, guests, and again those who are in already. Whatever
cannot be read or understood lets nobody in. Time and address are arguments; this module must not
know of connections, nor of what somebody does once inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from conch_insults.access.authorities import parse_authorities
from conch_insults.access.authorized_keys import (
    MAXIMUM_FILE_BYTES,
    MAXIMUM_PROBLEMS,
    KeyRules,
    parse_file,
)
from conch_insults.access.certificate import parse_certificate
from conch_insults.access.certified_key import CERTIFICATE_SUFFIX, certificate_name
from conch_insults.access.grants import ANYBODY, Grant, Refusal, Terms
from conch_insults.access.key_files import (
    KeyFiles,
    authorized_keys_path,
    is_user_name,
    revoked_keys_path,
    user_ca_path,
)
from conch_insults.access.key_terms import NoTerms, terms_of_certificate, terms_of_key
from conch_insults.access.known_files import KnownFiles, Parsed
from conch_insults.access.public_key import parse_blob
from conch_insults.access.revocation import MAXIMUM_BYTES as MAXIMUM_REVOKED_BYTES
from conch_insults.access.revocation import parse_revoked
from conch_insults.access.security_keys import refuse_unattested, refuse_unproved
from conch_insults.access.signature import key_type_of
from conch_insults.errors import KeyFileError, PublicKeyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from conch_insults.access.authorized_keys import Entry
    from conch_insults.access.certificate import Certificate
    from conch_insults.access.grants import Offer
    from conch_insults.access.revocation import RevokedKeys

__all__ = ["AccessRules", "GuestMode", "Policy"]

MAXIMUM_CACHED_USERS = 1024

_UNUSABLE_KEYS = "the user's key file cannot be used"
_OTHER_TYPE = "key is not of the type it was offered as"

GuestMode: TypeAlias = Literal["off", "key", "anyone"]

# Where a line is, and what asks it for its terms.
_Line: TypeAlias = "tuple[str, Callable[[Offer, datetime], Terms]]"


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What an operator has decided about all files at once.

    Attributes:
        keys: which keys and options may be used.
        strict_modes: whether files that others may write to are refused.
        guests: who may come in under a name that nobody here has: nobody, holders of any key that
            may be used, or everybody.
        guest_terms: on which terms guests are in.
        attested_aaguids: when not None, security keys count only with an attestation recorded
            for them, of one of these authenticator models; an empty set means any.
    """

    keys: KeyRules = field(default_factory=KeyRules)
    strict_modes: bool = True
    guests: GuestMode = "off"
    guest_terms: Terms = field(default_factory=Terms)
    attested_aaguids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _UserKeys:
    """The usable lines of a user's file, by the blob of their key, in their order."""

    keys: dict[bytes, list[Entry]] = field(default_factory=dict)
    authorities: dict[bytes, list[Entry]] = field(default_factory=dict)


class Policy:
    """Decides by the files of a keys directory, read again when they have changed.

    Args:
        keys_dir: the keys directory.
        report: is told `path:line: reason` for each line that cannot be used, and `path: reason`
            for a file that cannot; once per version of the file.
        rules: what holds for all files.
        alarm: is told, likewise, why nobody may come in at all; without it, `report` is.
    """

    def __init__(
        self,
        keys_dir: Path,
        report: Callable[[str], None],
        rules: AccessRules | None = None,
        *,
        alarm: Callable[[str], None] | None = None,
    ) -> None:
        self._keys_dir = keys_dir
        self._revoked_path = revoked_keys_path(keys_dir)
        self._rules = rules or AccessRules()
        files = KeyFiles(keys_dir, strict_modes=self._rules.strict_modes)
        self._users = KnownFiles(
            files, self._parse_user, MAXIMUM_FILE_BYTES, report, capacity=MAXIMUM_CACHED_USERS
        )
        self._authorities = KnownFiles(
            files, partial(parse_authorities, rules=self._rules.keys), MAXIMUM_FILE_BYTES, report
        )
        self._revoked = KnownFiles(
            files,
            _parse_revoked,
            MAXIMUM_REVOKED_BYTES,
            alarm or (lambda problem: report(f"{problem}: nobody may come in")),
        )

    def decide(self, offer: Offer, now: datetime) -> Grant | Refusal:
        """Say whether what is offered lets somebody in.

        Args:
            offer: what is offered; any text and bytes will do.
            now: the time, with its time zone, by which certificates and keys are valid.
        """
        try:
            certificate = self._certificate(offer)
        except PublicKeyError as error:
            return Refusal(str(error), "")
        refusal = self._refuse_revoked(offer, certificate, now)
        if refusal is not None:
            return refusal
        decision = self._decide_user(offer, certificate, now)
        if isinstance(decision, Refusal) and certificate is None:
            # Whoever shows by a certificate who they are is not let in as nobody.
            decision = self._decide_guest(offer, now, decision)
        if isinstance(decision, Grant):
            # As for sshd, the line that lets a key in decides what it must show, and no later one.
            return refuse_unproved(decision) or decision
        return decision

    def read_shared_files(self, now: datetime) -> None:
        """Read what counts for everybody, so that what is wrong with it is told before they come.

        Args:
            now: the time.
        """
        self._revoked.look_up(revoked_keys_path(self._keys_dir), now.timestamp())
        self._authorities.look_up(user_ca_path(self._keys_dir), now.timestamp())

    # What is offered

    def _certificate(self, offer: Offer) -> Certificate | None:
        """Return the certificate that is offered, or None for a plain key."""
        if not offer.key_type.endswith(CERTIFICATE_SUFFIX):
            return None
        certificate = parse_certificate(
            offer.blob, minimum_rsa_bits=self._rules.keys.minimum_rsa_bits
        )
        if certificate_name(certificate.key.key_type) != key_type_of(offer.key_type):
            raise PublicKeyError("certificate is not of the type it was offered as")
        return certificate

    def _refuse_revoked(
        self, offer: Offer, certificate: Certificate | None, now: datetime
    ) -> Refusal | None:
        revoked = self._revoked.look_up(self._revoked_path, now.timestamp())
        if revoked is None:
            return None
        source = str(self._revoked_path)
        if revoked.value is None:
            return Refusal("nobody may come in: revoked_keys cannot be used", source)
        reason = revoked.value.reason(offer.blob, certificate)
        return None if reason is None else Refusal(reason, source)

    # Users

    def _decide_user(
        self, offer: Offer, certificate: Certificate | None, now: datetime
    ) -> Grant | Refusal:
        if offer.key_type == ANYBODY:
            return Refusal("no key was offered", "")
        if not is_user_name(offer.user):
            return Refusal("not a valid user name", "")
        if certificate is None:
            return self._decide_by_key(offer, now)
        return self._decide_by_certificate(offer, certificate, now)

    def _decide_by_key(self, offer: Offer, now: datetime) -> Grant | Refusal:
        path = authorized_keys_path(self._keys_dir, offer.user)
        file = self._users.look_up(path, now.timestamp())
        if file is None:
            return Refusal("unknown user", str(path))
        if file.value is None:
            return Refusal(_UNUSABLE_KEYS, str(path))
        lines = file.value.keys.get(offer.blob)
        if lines is None:
            reason = f"key not authorized for this user{_among(file.problems, 'the file')}"
            return Refusal(reason, str(path))
        if lines[0].key.key_type != key_type_of(offer.key_type):
            return Refusal(_OTHER_TYPE, str(path))
        return self._first_that_lets_in(
            [(f"{path}:{line.line}", partial(terms_of_key, line.options)) for line in lines],
            offer,
            now,
        )

    def _decide_by_certificate(
        self, offer: Offer, certificate: Certificate, now: datetime
    ) -> Grant | Refusal:
        authority = certificate.authority.blob
        terms = partial(terms_of_certificate, certificate)
        lines: list[_Line] = []
        path = authorized_keys_path(self._keys_dir, offer.user)
        file = self._users.look_up(path, now.timestamp())
        if file is not None and file.value is None:
            lines.append((str(path), partial(_refuse, _UNUSABLE_KEYS)))
        elif file is not None and file.value is not None:
            lines += [
                (f"{path}:{line.line}", partial(terms, line.options))
                for line in file.value.authorities.get(authority, ())
            ]
        path = user_ca_path(self._keys_dir)
        trusted = self._authorities.look_up(path, now.timestamp())
        if trusted is not None and trusted.value is None:
            lines.append((str(path), partial(_refuse, "user_ca.pub cannot be used")))
        elif trusted is not None and trusted.value is not None and authority in trusted.value:
            lines.append((f"{path}:{trusted.value[authority].line}", partial(terms, None)))
        if not lines:
            spoilt = [*(file.problems if file else ()), *(trusted.problems if trusted else ())]
            reason = f"certificate's authority is not trusted{_among(spoilt, 'the files')}"
            return Refusal(reason, str(path))
        return self._first_that_lets_in(lines, offer, now, certificate)

    def _first_that_lets_in(
        self,
        lines: Sequence[_Line],
        offer: Offer,
        now: datetime,
        certificate: Certificate | None = None,
    ) -> Grant | Refusal:
        """Ask line after line, as sshd does; if none lets anybody in, the first says why."""
        refusals: list[Refusal] = []
        for source, terms in lines:
            try:
                grant = Grant(offer, source, terms(offer, now), certificate)
            except NoTerms as error:
                refusals.append(Refusal(str(error), source))
                continue
            refusal = refuse_unattested(grant, self._rules.attested_aaguids)
            if refusal is None:
                return grant
            refusals.append(refusal)
        return refusals[0]

    # Guests

    def _decide_guest(self, offer: Offer, now: datetime, refusal: Refusal) -> Grant | Refusal:
        """Let somebody in as nobody in particular, unless the name belongs to somebody."""
        guests = self._rules.guests
        if guests == "off" or (guests == "key" and offer.key_type == ANYBODY):
            return refusal
        if is_user_name(offer.user):
            path = authorized_keys_path(self._keys_dir, offer.user)
            if self._users.look_up(path, now.timestamp()) is not None:
                return refusal
        if offer.key_type != ANYBODY or offer.blob:
            try:
                key_type = parse_blob(
                    offer.blob, minimum_rsa_bits=self._rules.keys.minimum_rsa_bits
                )
            except PublicKeyError as error:
                return Refusal(str(error), "")
            if key_type != key_type_of(offer.key_type):
                return Refusal(_OTHER_TYPE, "")
        grant = Grant(offer, f"access.guests = {guests}", self._rules.guest_terms, is_guest=True)
        return refuse_unattested(grant, self._rules.attested_aaguids) or grant

    # Files

    def _parse_user(self, content: bytes, name: str) -> Parsed[_UserKeys]:
        parsed = parse_file(content, name, rules=self._rules.keys)
        found = _UserKeys()
        for entry in parsed.entries:
            kind = found.authorities if entry.options.is_authority else found.keys
            kind.setdefault(entry.key.blob, []).append(entry)
        return Parsed(found, parsed.problems)


def _among(problems: Sequence[str], where: str) -> str:
    """Say how many lines might be the one looked for: somebody may just have spoilt it."""
    if not problems:
        return ""
    if len(problems) == 1:
        return f", and 1 line of {where} cannot be used"
    # One problem more stands for all that are not listed.
    more = len(problems) > MAXIMUM_PROBLEMS
    number = f"more than {MAXIMUM_PROBLEMS}" if more else f"{len(problems)}"
    return f", and {number} lines of {where} cannot be used"


def _refuse(reason: str, _offer: Offer, _now: datetime) -> Terms:
    raise NoTerms(reason)


def _parse_revoked(content: bytes, name: str) -> Parsed[RevokedKeys]:
    try:
        return Parsed(parse_revoked(content))
    except KeyFileError as error:
        raise KeyFileError(f"{name}: {error}") from error
