"""What the server offers in SSH_MSG_KEXINIT, and what it agrees on with a client's offer.

RFC 4253, section 7.1, with the markers of RFC 8308 (EXT_INFO) and of strict key exchange
(OpenSSH PROTOCOL, section 1.10). Knows names only: nothing is encrypted or exchanged here, and
no message is numbered, sent or waited for.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from conch_insults.ssh.ciphers import AEAD_CIPHERS
from conch_insults.wire import Fields, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["PROFILES", "Agreement", "NoAgreement", "Profile", "ServerOffer"]

_UINT32 = struct.Struct(">L")
_COOKIE_SIZE = 16

_EXT_INFO_CLIENT = b"ext-info-c"
_STRICT_CLIENT = b"kex-strict-c-v00@openssh.com"
_SERVER_MARKERS = (b"ext-info-s", b"kex-strict-s-v00@openssh.com")

_COMPRESSIONS = (b"none",)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a server is willing to use, the best first.

    Attributes:
        kex: key exchange methods.
        ciphers: for either direction.
        macs: for either direction, with those ciphers that need one.
    """

    kex: tuple[bytes, ...]
    ciphers: tuple[bytes, ...]
    macs: tuple[bytes, ...]


_GCM = (b"aes256-gcm@openssh.com", b"aes128-gcm@openssh.com")
# RFC 4253 wants a name in each list, even where no cipher needs a MAC.
_MACS = (b"hmac-sha2-256-etm@openssh.com", b"hmac-sha2-512-etm@openssh.com")

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "modern": Profile(
            kex=(
                b"mlkem768x25519-sha256",
                b"curve25519-sha256",
                b"curve25519-sha256@libssh.org",
            ),
            ciphers=(*_GCM, b"chacha20-poly1305@openssh.com", b"aes256-ctr", b"aes128-ctr"),
            macs=_MACS,
        ),
        "strict": Profile(kex=(b"mlkem768x25519-sha256",), ciphers=_GCM, macs=_MACS),
    }
)
"""The profiles that an operator can choose from, by name."""


class NoAgreement(ProtocolError):  # noqa: N818  an outcome, and nobody's mistake
    """The two offers have nothing in common; the text names the kind of algorithm."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both sides will use, and what the client said beside it.

    Attributes:
        kex: the key exchange method.
        host_key: the algorithm that the server signs with.
        cipher_in: from client to server.
        mac_in: the same; empty when the cipher needs none.
        cipher_out: from server to client.
        mac_out: the same; empty when the cipher needs none.
        strict: the client wants strict key exchange; told in its first offer only.
        ext_info: the client understands SSH_MSG_EXT_INFO; told in its first offer only.
        wrong_guess: the client's next key exchange message follows a guess and is to be ignored.
    """

    kex: bytes
    host_key: bytes
    cipher_in: bytes
    mac_in: bytes
    cipher_out: bytes
    mac_out: bytes
    strict: bool
    ext_info: bool
    wrong_guess: bool


class ServerOffer:
    """What one server offers to every client.

    Args:
        profile: what it is willing to use.
        host_keys: the signature algorithms of the keys that it has, the best first.
    """

    __slots__ = ("_choose", "_ciphers", "_first_tail", "_host_keys", "_kex", "_later_tail", "_macs")

    def __init__(self, profile: Profile, host_keys: tuple[bytes, ...]) -> None:
        self._kex = profile.kex
        self._host_keys = host_keys
        self._ciphers = profile.ciphers
        self._macs = profile.macs
        self._first_tail = self._tail((*profile.kex, *_SERVER_MARKERS))
        self._later_tail = self._tail(profile.kex)
        # One client's offer is like the next one's, all but the cookie.
        self._choose = lru_cache(maxsize=32)(self._choice)

    def kexinit(self, cookie: bytes, *, first: bool) -> bytes:
        """Make the payload of SSH_MSG_KEXINIT, without the message number.

        Args:
            cookie: 16 random bytes.
            first: whether this is the connection's first key exchange.
        """
        return cookie + (self._first_tail if first else self._later_tail)

    def agree(self, payload: bytes, *, first: bool) -> Agreement:
        """Choose from the client's offer, in the client's order.

        Args:
            payload: the client's SSH_MSG_KEXINIT, without the message number.
            first: whether this is the connection's first key exchange.

        Raises:
            NoAgreement: a kind of algorithm has none in common.
            ProtocolError: the payload is malformed.
        """
        return self._choose(payload[_COOKIE_SIZE:], first=first)

    def _choice(self, offer: bytes, *, first: bool) -> Agreement:
        fields = Fields(offer)
        kexes, host_keys, ciphers_in, ciphers_out, macs_in, macs_out, *compressions = [
            fields.string().split(b",") for _ in range(8)
        ]
        for _language in range(2):
            fields.string()
        has_guessed = fields.boolean()
        fields.uint32()  # reserved
        fields.end()
        kex = _common("key exchange", kexes, self._kex)
        host_key = _common("host key algorithm", host_keys, self._host_keys)
        cipher_in = _common("cipher", ciphers_in, self._ciphers)
        cipher_out = _common("cipher", ciphers_out, self._ciphers)
        mac_in = self._mac(cipher_in, macs_in)
        mac_out = self._mac(cipher_out, macs_out)
        for offered in compressions:
            _common("compression", offered, _COMPRESSIONS)
        return Agreement(
            kex=kex,
            host_key=host_key,
            cipher_in=cipher_in,
            mac_in=mac_in,
            cipher_out=cipher_out,
            mac_out=mac_out,
            strict=first and _STRICT_CLIENT in kexes,
            ext_info=first and _EXT_INFO_CLIENT in kexes,
            # Section 7: both sides must prefer the same.
            wrong_guess=has_guessed
            and (kexes[0], host_keys[0]) != (self._kex[0], self._host_keys[0]),
        )

    def _mac(self, cipher: bytes, offered: Sequence[bytes]) -> bytes:
        return b"" if cipher in AEAD_CIPHERS else _common("MAC", offered, self._macs)

    def _tail(self, kex: Collection[bytes]) -> bytes:
        """Pack all that comes after the cookie."""
        both_ways = (self._ciphers, self._macs, _COMPRESSIONS, ())  # no languages
        lists = [kex, self._host_keys, *(names for names in both_ways for _ in range(2))]
        no_guess, reserved = b"\0", _UINT32.pack(0)
        return b"".join(map(_name_list, lists)) + no_guess + reserved


def _name_list(names: Collection[bytes]) -> bytes:
    packed = b",".join(names)
    return _UINT32.pack(len(packed)) + packed


def _common(kind: str, offered: Sequence[bytes], supported: Collection[bytes]) -> bytes:
    for name in offered:
        if name in supported:
            return name
    raise NoAgreement(f"no common {kind}")
