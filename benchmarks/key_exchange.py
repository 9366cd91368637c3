"""The client's half of a key exchange: curve25519-sha256 or mlkem768x25519-sha256.

Computes; what is sent when is the client's. The host's signature is checked where the caller
asks for it: once a process is enough to know that the right server is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from benchmarks.wire import CIPHERS, Broken, Ctr, Fields, Gcm, mpint, string

__all__ = ["CURVE25519", "MLKEM", "VERSION", "Exchange", "Keys"]

VERSION = b"SSH-2.0-bench"
CURVE25519 = b"curve25519-sha256"
MLKEM = b"mlkem768x25519-sha256"

_KEXINIT = b"\x14"
_ALIASES = {CURVE25519: (CURVE25519, b"curve25519-sha256@libssh.org"), MLKEM: (MLKEM,)}
_CIPHERTEXT = 1088
_KEY = 16
_STRICT_SERVER = b"kex-strict-s-v00@openssh.com"


@dataclass(frozen=True, slots=True)
class Keys:
    """What a key exchange leads to."""

    session_id: bytes
    incoming: Gcm | Ctr
    outgoing: Gcm | Ctr


def kexinit(method: bytes) -> bytes:
    """Make our SSH_MSG_KEXINIT (RFC 4253, section 7.1)."""
    methods = (*_ALIASES[method], b"ext-info-c", b"kex-strict-c-v00@openssh.com")
    ciphers, macs = b",".join(CIPHERS), b"hmac-sha2-256,hmac-sha2-256-etm@openssh.com"
    lists = [b",".join(methods), b"ssh-ed25519", ciphers, ciphers, macs, macs]
    lists += [b"none", b"none", b"", b""]
    return _KEXINIT + bytes(16) + b"".join(map(string, lists)) + bytes(5)


class Exchange:
    """One key exchange.

    Args:
        method: `CURVE25519` or `MLKEM`.
    """

    def __init__(self, method: bytes) -> None:
        self._method = method
        self.kexinit = kexinit(method)
        self._curve = X25519PrivateKey.generate()
        self._share = self._curve.public_key().public_bytes_raw()
        if method == MLKEM:
            self._kem = MLKEM768PrivateKey.generate()
            self._share = self._kem.public_key().public_bytes_raw() + self._share
        self._cipher: type[Gcm | Ctr] = Gcm
        self._is_strict = False
        self._their_kexinit = b""

    def answer(self, kexinit: bytes) -> bytes:
        """Choose from the server's SSH_MSG_KEXINIT, and return SSH_MSG_KEX_ECDH_INIT."""
        fields = Fields(kexinit, 17)
        methods, _, ciphers = (fields.string().split(b",") for _ in range(3))
        if not set(methods).intersection(_ALIASES[self._method]):
            raise Broken(f"no {self._method.decode()}")
        self._cipher = next(CIPHERS[name] for name in CIPHERS if name in ciphers)
        self._is_strict = _STRICT_SERVER in methods
        self._their_kexinit = kexinit
        return b"\x1e" + string(self._share)

    def finish(self, reply: bytes, version: bytes, *, check: bool) -> Keys:
        """Derive the keys from SSH_MSG_KEX_ECDH_REPLY (RFC 8731).

        Args:
            reply: the message.
            version: the server's, without its line ending.
            check: whether to verify the host's signature.
        """
        fields = Fields(reply, 1)
        host_key, share, signature = fields.string(), fields.string(), fields.string()
        secret = self._secret(share)
        parts = (VERSION, version, self.kexinit, self._their_kexinit, host_key, self._share, share)
        digest = sha256(b"".join(map(string, parts)) + secret).digest()
        if check:
            inside = Fields(signature)
            inside.string()
            key = Ed25519PublicKey.from_public_bytes(host_key[-32:])
            key.verify(inside.string(), digest)
        names = b"ABCDEF"
        keys = [sha256(secret + digest + bytes((name,)) + digest).digest() for name in names]
        iv_size = self._cipher.iv_size
        outgoing, incoming = (
            self._cipher(keys[way][:iv_size], keys[2 + way][:_KEY], keys[4 + way]) for way in (0, 1)
        )
        if not self._is_strict:
            # What has been sent so far: KEXINIT, the share or its answer, and NEWKEYS.
            for direction in (outgoing, incoming):
                if isinstance(direction, Ctr):
                    direction.sequence = 3
        return Keys(digest, incoming, outgoing)

    def _secret(self, share: bytes) -> bytes:
        theirs = X25519PublicKey.from_public_bytes(share[-32:])
        secret = self._curve.exchange(theirs)
        if self._method == CURVE25519:
            return mpint(secret)
        both = self._kem.decapsulate(share[:_CIPHERTEXT]) + secret
        return string(sha256(both).digest())
