"""Who comes to a server: keys and certificates made by ssh-keygen, and some that it cannot make.

wallet = Wallet(folder)
wallet.fill("restrict {key}")                 # the same with a public key in it
key("rsa_3072", "rsa-sha2-256")(wallet)       # an Identity
certified("-n", "alice")(wallet)              # one with a certificate
drafted(key_id=b"\\xff")(wallet)               # one that ssh-keygen would not make

What can be offered is a recipe, so that a table of them costs nothing before it is used.
"""

from __future__ import annotations

import re
import shutil
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncssh

from conch_insults.access.certified_key import certificate_name
from tests.certificate_authority import KEY_OPTIONS, Draft
from tests.real_keygen import Keygen, blob_of
from tests.software_authenticator import USER_PRESENT, SecurityKey, string

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SECURITY_CA", "Identity", "Recipe", "Wallet", "certified", "drafted", "key", "krl"]

_PAIRS = {
    "key": KEY_OPTIONS["ssh-ed25519"],
    "other": KEY_OPTIONS["ssh-ed25519"],
    "ecdsa_256": KEY_OPTIONS["ecdsa-sha2-nistp256"],
    "ecdsa_384": KEY_OPTIONS["ecdsa-sha2-nistp384"],
    "ecdsa_521": KEY_OPTIONS["ecdsa-sha2-nistp521"],
    "rsa_1024": ("-t", "rsa", "-b", "1024"),
    "rsa_2048": KEY_OPTIONS["ssh-rsa"],
    "rsa_3072": ("-t", "rsa", "-b", "3072"),
    "ca": KEY_OPTIONS["ssh-ed25519"],
    "ca_ecdsa": KEY_OPTIONS["ecdsa-sha2-nistp384"],
}
_SECURITY_KEYS = {"sk_ed25519": SecurityKey.ed25519(1), "sk_ecdsa": SecurityKey.ecdsa(2)}
SECURITY_CA = SecurityKey.ed25519(3)
# A DSA key as anybody may write one; nobody has to sign with it to be refused.
_DSA = string(b"ssh-dss") + b"".join(string(bytes((0, *[255] * size))) for size in (128, 20, 9, 9))

_NAME_IN_BRACES = re.compile(r"\{([a-z0-9_]+)(\.[a-z0-9]+)?\}")


@dataclass(frozen=True)
class Identity:
    """What somebody offers.

    Attributes:
        algorithm: the public key algorithm that they name.
        blob: the public key or certificate.
        sign: returns the wire form of a signature.
    """

    algorithm: str
    blob: bytes
    sign: Callable[[bytes], bytes]


class Wallet:
    """Has keys by name: `key`, `rsa_2048`, `ca`, `sk_ecdsa` and so on, each made when asked for."""

    def __init__(self, folder: Path) -> None:
        self.keygen = Keygen(folder)
        self._certificates = 0
        for name, security_key in (_SECURITY_KEYS | {"ca_sk": SECURITY_CA}).items():
            self._write(name, security_key.blob)
        self._write("draft_ca", Draft().authority)
        self._write("dsa", _DSA)

    def public(self, name: str) -> Path:
        """Return the file with a public key."""
        path = self.keygen.folder / f"{name}.pub"
        if name == "certificate" and not path.exists():
            blob = self.certificate("key", "ca", "-I", "listed", "-n", "somebody")
            self._write(name, blob)
        if name in _PAIRS and not path.exists():
            self.keygen.key(name, *_PAIRS[name])
        return path

    def blob(self, name: str) -> bytes:
        return blob_of(self.public(name))

    def line(self, name: str) -> str:
        """Return a public key as `authorized_keys` holds it."""
        return self.public(name).read_text(encoding="utf-8").strip()

    def fill(self, text: str) -> str:
        """Put keys into a text: `{key}`, and parts of it as `{key.type}` and `{key.base64}`."""

        def part(found: re.Match[str]) -> str:
            line = self.line(found[1])
            words = line.split()
            return {".type": words[0], ".base64": words[1]}.get(found[2], line)

        return _NAME_IN_BRACES.sub(part, text)

    def signer(
        self, name: str, algorithm: str, flags: int = USER_PRESENT
    ) -> Callable[[bytes], bytes]:
        """Return what signs with a key; `flags` are a security key's."""
        security_key = _SECURITY_KEYS.get(name)
        if security_key is not None:
            return lambda data: security_key.sign(data, flags)
        self.public(name)
        private = asyncssh.read_private_key(self.keygen.folder / name)
        return lambda data: private.sign(data, algorithm.encode())

    def certificate(self, name: str, authority: str, *options: str) -> bytes:
        """Have an authority certify a key, and return the certificate's wire form."""
        self._certificates += 1
        # ssh-keygen names a certificate after its key, of which there can be many.
        copy = self.keygen.folder / f"certified_{self._certificates}.pub"
        shutil.copy(self.public(name), copy)
        self.public(authority)
        self.keygen.run("-q", "-s", authority, *options, copy.name)
        return blob_of(copy.with_name(f"{copy.stem}-cert.pub"))

    def _write(self, name: str, blob: bytes) -> None:
        key_type = blob[4:].partition(b"\0")[0].decode()
        line = f"{key_type} {b64encode(blob).decode()}\n"
        (self.keygen.folder / f"{name}.pub").write_text(line, encoding="utf-8")


Recipe: TypeAlias = Callable[[Wallet], Identity]


def key(
    name: str = "key",
    algorithm: str | None = None,
    *,
    flags: int = USER_PRESENT,
    signed_by: str | None = None,
) -> Recipe:
    """Offer a plain key, as one of its own algorithm if nothing else is said."""

    def recipe(wallet: Wallet) -> Identity:
        named = algorithm or _algorithm(wallet, name)
        signer = signed_by or name
        if name == "dsa":
            return Identity(named, wallet.blob(name), lambda data: string(b"ssh-dss"))
        sign = wallet.signer(signer, named if signer == name else _algorithm(wallet, signer), flags)
        return Identity(named, wallet.blob(name), sign)

    return recipe


def certified(
    *options: str,
    name: str = "key",
    by: str = "ca",
    algorithm: str | None = None,
    flags: int = USER_PRESENT,
) -> Recipe:
    """Offer a key with a certificate for which ssh-keygen is given these options.

    Args:
        options: without `-I` the key ID is `test`.
        name: the key.
        by: the authority.
        algorithm: the plain algorithm that is signed with and offered.
        flags: what a security key says of its holder.
    """

    def recipe(wallet: Wallet) -> Identity:
        plain = algorithm or _algorithm(wallet, name)
        blob = wallet.certificate(name, by, "-I", "test", *options)
        return Identity(certificate_name(plain), blob, wallet.signer(name, plain, flags))

    return recipe


def drafted(sign: Callable[[bytes], bytes] | None = None, **fields: Any) -> Recipe:
    """Offer `key` with a certificate by `draft_ca` in which these fields are otherwise."""

    def recipe(wallet: Wallet) -> Identity:
        draft = Draft(**{"key": wallet.blob("key"), **fields})
        return Identity(
            certificate_name("ssh-ed25519"), draft.signed(sign), wallet.signer("key", "ssh-ed25519")
        )

    return recipe


def krl(directives: str, *options: str) -> Callable[[Wallet], bytes]:
    """Revoke by a KRL that ssh-keygen makes; an option such as `ca` names a key."""

    def recipe(wallet: Wallet) -> bytes:
        words = [str(wallet.public(word)) if word in _PAIRS else word for word in options]
        return wallet.keygen.krl("krl", wallet.fill(directives), *words).read_bytes()

    return recipe


def _algorithm(wallet: Wallet, name: str) -> str:
    key_type = wallet.line(name).split()[0]
    return "rsa-sha2-512" if key_type == "ssh-rsa" else key_type
