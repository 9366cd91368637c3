"""The files that prove where a security key lives: `--attestation`, `--challenge`, `--roots`.

Reads them and has them verified. What they must say is not known here.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from conch_insults.access.attestation import (
    MAXIMUM_ATTESTATION_BYTES,
    MAXIMUM_CHALLENGE_BYTES,
    verify_attestation,
)
from conch_insults.access.attestation_certificate import MAXIMUM_ROOTS_BYTES, read_roots
from conch_insults.access.authorized_keys import KeyRules, parse_file
from conch_insults.access.regular_files import read_regular_file
from conch_insults.errors import KeyFileError, PublicKeyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.x509 import Certificate

    from conch_insults.access.attestation import Attested

__all__ = ["AttestationFiles", "with_attestation_files"]

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class AttestationFiles:
    """What an authenticator said when it made a key, and whose word counts.

    Attributes:
        attestation: what `ssh-keygen -O write-attestation=FILE` wrote.
        challenge: the file that `-O challenge=FILE` named.
        roots: the makers' certificates, None for those of the settings.
    """

    attestation: IO[bytes]
    challenge: IO[bytes]
    roots: IO[bytes] | None

    def verify(self, content: bytes, name: str, default_roots: str, rules: KeyRules) -> Attested:
        """Make sure that the one key in a file was made as the files say.

        Args:
            content: the file with the key.
            name: what to call it in an error.
            default_roots: the path of the makers' certificates where no others are given, or "".
            rules: what the settings ask of a key.

        Raises:
            PublicKeyError: it is not proved, or there are several keys.
            KeyFileError: the settings' roots cannot be read.
            UsageError: there are no roots.
        """
        parsed = parse_file(content, name, rules=rules)
        if parsed.problems:
            raise PublicKeyError(parsed.problems[0])
        if len(parsed.entries) != 1:
            raise PublicKeyError(
                f"{name}: holds {len(parsed.entries)} keys: an attestation is of 1"
            )
        return verify_attestation(
            self.attestation.read(MAXIMUM_ATTESTATION_BYTES + 1),
            self.challenge.read(MAXIMUM_CHALLENGE_BYTES + 1),
            parsed.entries[0].key,
            self._roots(default_roots),
            datetime.now(UTC),
        )

    def _roots(self, default: str) -> tuple[Certificate, ...]:
        if self.roots is not None:
            return read_roots(self.roots.read(MAXIMUM_ROOTS_BYTES + 1), self.roots.name)
        if not default:
            raise click.UsageError(
                "--attestation needs its maker's certificates: give --roots FILE, or set"
                " access.attestation_roots"
            )
        try:
            file = read_regular_file(Path(default), MAXIMUM_ROOTS_BYTES + 1, follow_link=True)
        except FileNotFoundError as error:
            raise KeyFileError(
                f"{default}: there is no such file: set access.attestation_roots to one"
            ) from error
        return read_roots(file.content, default)


def with_attestation_files(command: Callable[..., _R]) -> Callable[..., _R]:
    """Give a command the three options, and the files, if any, as `attestation_files`."""

    @click.option(
        "--attestation",
        type=click.File("rb"),
        help="Verify what `ssh-keygen -O write-attestation=FILE` wrote, and record the model of"
        " the security key.",
    )
    @click.option(
        "--challenge",
        type=click.File("rb"),
        help="The file that you had given to `ssh-keygen -O challenge=FILE`.",
    )
    @click.option(
        "--roots",
        type=click.File("rb"),
        help="The makers' certificates in PEM, in place of access.attestation_roots.",
    )
    @functools.wraps(command)
    def taking(
        *args: Any,  # noqa: ANN401 - click's own
        attestation: IO[bytes] | None,
        challenge: IO[bytes] | None,
        roots: IO[bytes] | None,
        **kwargs: Any,  # noqa: ANN401 - click's own
    ) -> _R:
        files: AttestationFiles | None = None
        if attestation is not None and challenge is not None:
            files = AttestationFiles(attestation, challenge, roots)
        elif attestation or challenge or roots:
            raise click.UsageError("an attestation is --attestation FILE with --challenge FILE")
        return command(*args, attestation_files=files, **kwargs)

    return taking
