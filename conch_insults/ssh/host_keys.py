"""The server's own keys: made once, never replaced, refused when others can read them.

A certificate beside a key is shown with it (OpenSSH, PROTOCOL.certkeys), so that clients need to
know one authority for many servers. Everything is read before the server starts to listen. Must not
know who connects, nor which algorithms are offered.

Written against Twisted 26.10.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from twisted.conch.ssh.keys import Key
from typing_extensions import override

from conch_insults.access.certificate import Certificate, parse_certificate_line
from conch_insults.access.certified_key import CERTIFICATE_SUFFIX, certificate_name
from conch_insults.access.key_pair import create_key_pair, public_half, read_private_key
from conch_insults.access.regular_files import read_regular_file
from conch_insults.errors import HostKeyError, KeyFileError, PublicKeyError

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.access.public_key import PublicKey

__all__ = [
    "CertifiedKey",
    "HostKey",
    "create_host_key",
    "host_certificate_path",
    "host_key_path",
    "host_public_keys",
    "load_host_keys",
]

FOLDER = "host"
# The file's name by the type of the key in it; the first is the one that must be there.
_NAMES = {"ssh-ed25519": "ssh_host_ed25519_key", "ssh-rsa": "ssh_host_rsa_key"}

# The longest certificate in base64, with a comment.
_MAXIMUM_CERTIFICATE_FILE_BYTES = 64 * 1024
_OR_GO_WITHOUT = "replace the certificate, or move it away to go without one"


class LoadedKey(Key):
    """A key that knows of what kind it is and how it is written.

    Conch's works out both several times for each key exchange.
    """

    def __init__(self, key_object: Any) -> None:  # noqa: ANN401 - one of cryptography's many
        super().__init__(key_object)
        self._type = super().type()
        # Which asks for the type.
        self._blob: bytes = super().blob()

    @override
    def type(self) -> Literal["RSA", "DSA", "EC", "Ed25519"]:
        return self._type

    @override
    def blob(self) -> bytes:
        return self._blob

    @override
    def public(self) -> LoadedKey:
        return LoadedKey(super().public()._keyObject)  # noqa: SLF001 - the same class's


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """A key that is shown with its certificate: as much of a `Key` as a key exchange needs."""

    key: Key
    certificate: Certificate

    def public(self) -> CertifiedKey:
        """Return the same without the private half."""
        return CertifiedKey(self.key.public(), self.certificate)

    def blob(self) -> bytes:
        """Return what is shown to clients as the server's host key."""
        return self.certificate.blob

    def sign(self, data: bytes, signatureType: bytes) -> bytes:  # noqa: N803 - Conch's name for it
        """Sign as the plain key does: certificates have no signatures of their own.

        Args:
            data: what to sign.
            signatureType: the certificate's algorithm that was agreed on.
        """
        return self.key.sign(data, signatureType.removesuffix(CERTIFICATE_SUFFIX.encode()))

    def type(self) -> str:
        """Return the kind of the key, in Conch's words."""
        return self.key.type()

    def size(self) -> int:
        """Return the length of the key, in bits."""
        size: int = self.key.size()
        return size


HostKey: TypeAlias = Key | CertifiedKey
"""What Conch signs a key exchange with."""


def host_key_path(keys_dir: Path, key_type: str = "ssh-ed25519") -> Path:
    """Return where the host key of a type is kept."""
    return keys_dir / FOLDER / _NAMES[key_type]


def create_host_key(keys_dir: Path) -> bool:
    """Create the Ed25519 host key; return False and leave it as it is when it is there.

    Raises:
        HostKeyError: it cannot be written.
    """
    path = host_key_path(keys_dir)
    try:
        return create_key_pair(path, "conch-insults")
    except OSError as error:
        raise HostKeyError(f"{path}: cannot be created: {error.strerror}") from error


def host_certificate_path(keys_dir: Path, key_type: str = "ssh-ed25519") -> Path:
    """Return where the certificate of a host key is kept, by ssh-keygen's habit."""
    path = host_key_path(keys_dir, key_type)
    return path.with_name(f"{path.name}-cert.pub")


def load_host_keys(keys_dir: Path) -> dict[bytes, HostKey]:
    """Read the Ed25519 host key, the RSA one when it is there, and the certificates beside them.

    A certificate that does not hold stops the start, an expired one too: clients that know
    its authority only would refuse the server, and nobody would see why in its log.

    Returns:
        The keys by what they are shown as: the type of the certificate, or of the key alone.
        Those with certificates come first.

    Raises:
        HostKeyError: a key is missing, unreadable, malformed, encrypted, or readable by others;
            or a certificate is malformed, of another key, for users, or does not hold now.
    """
    now = datetime.now(UTC)
    certified: dict[bytes, HostKey] = {}
    plain: dict[bytes, HostKey] = {}
    for key_type, (key, public) in _load(keys_dir).items():
        plain[key_type.encode()] = key
        certificate = _load_certificate(host_certificate_path(keys_dir, key_type), public, now)
        if certificate:
            certified[certificate_name(key_type).encode()] = CertifiedKey(key, certificate)
    return certified | plain


def host_public_keys(keys_dir: Path) -> list[PublicKey]:
    """Return the public host keys, whose fingerprints people compare on their first connection.

    Raises:
        HostKeyError: a key is missing or cannot be used, as in `load_host_keys`.
    """
    return [public for _, public in _load(keys_dir).values()]


def _load_certificate(path: Path, public: PublicKey, now: datetime) -> Certificate | None:
    try:
        content, _ = read_regular_file(path, _MAXIMUM_CERTIFICATE_FILE_BYTES, follow_link=True)
        certificate = parse_certificate_line(content.decode("ascii", "replace"))
    except FileNotFoundError:
        return None
    except KeyFileError as error:
        raise HostKeyError(str(error)) from error
    except PublicKeyError as error:
        raise HostKeyError(f"{path}: {error}; {_OR_GO_WITHOUT}") from error
    problem = certificate.problem_for_host(now)
    if certificate.key.blob != public.blob:
        problem = f"certificate is for another key, {certificate.key.fingerprint}"
    if problem:
        raise HostKeyError(f"{path}: {problem}; {_OR_GO_WITHOUT}")
    return certificate


def _load(keys_dir: Path) -> dict[str, tuple[Key, PublicKey]]:
    found: dict[str, tuple[Key, PublicKey]] = {}
    for key_type in _NAMES:
        path = host_key_path(keys_dir, key_type)
        try:
            private = read_private_key(path)
            public = public_half(private)
        except FileNotFoundError as error:
            if found:
                continue
            raise HostKeyError(_missing(keys_dir, path)) from error
        except KeyFileError as error:
            raise HostKeyError(str(error)) from error
        except PublicKeyError as error:
            raise HostKeyError(f"{path}: {error}") from error
        if public.key_type != key_type:
            raise HostKeyError(f"{path}: holds a key of type {public.key_type}, not {key_type}")
        found[key_type] = (LoadedKey(private), public)
    return found


def _missing(keys_dir: Path, path: Path) -> str:
    if not keys_dir.is_dir():
        return (
            f"{keys_dir}: there is no such keys directory: run `conch-insults init`,"
            " or set access.keys_dir"
        )
    return f"{path}: there is no host key: run `conch-insults init`"
