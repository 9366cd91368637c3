"""Everything that can be wrong with what an operator gave us.

Each error prints as one line that says what is wrong, where, and what to do about it;
whoever catches one shows that line and needs no traceback. Knows nothing of its raisers.

    ConchInsultsError
     ├── SettingsError      a settings file, an environment variable or an endpoint
     ├── PackError          a pack of insults
     ├── KeyFileError       an authorized_keys file or the keys directory
     ├── PublicKeyError     a public key that cannot or must not be used
     ├── HostKeyError       the server's own key
     └── ClientError        a server that the client cannot talk to
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "ClientError",
    "ConchInsultsError",
    "HostKeyError",
    "KeyFileError",
    "PackError",
    "PublicKeyError",
    "SettingsError",
    "at_line",
]


class ConchInsultsError(Exception):
    """What went wrong, as one line fit for an operator."""


class SettingsError(ConchInsultsError):
    """A setting that is unknown or has a value that cannot be used."""


class PackError(ConchInsultsError):
    """A pack of insults that is refused whole."""


class KeyFileError(ConchInsultsError):
    """An authorized_keys file or keys directory that cannot be read or written."""


class PublicKeyError(ConchInsultsError):
    """A public key that is malformed, weak, private, or of an unknown type."""


class HostKeyError(ConchInsultsError):
    """A host key that is missing, unreadable, or readable by others."""


class ClientError(ConchInsultsError):
    """A connection that could not be made or was lost."""


def at_line(path: Path | str, line: int, reason: str) -> str:
    """Say where a reason was found, as compilers do: `path:line: reason`.

    Args:
        path: the file, as the operator named it.
        line: the line's number, from 1.
        reason: what is wrong there.
    """
    return f"{path}:{line}: {reason}"
