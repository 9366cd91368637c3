"""Which message may come when (RFC 4253, section 7.1; RFC 4252, section 5; strict key exchange).

One object a connection is told what has happened and asked about each message that comes. Pure:
knows numbers and states, no contents.
"""

from __future__ import annotations

import enum

from conch_insults.wire import ProtocolError

__all__ = ["MessageOrder", "Verdict"]

# RFC 4250, section 4.1.2; 30 is the first message of every key exchange method offered here.
DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG = 1, 2, 3, 4
SERVICE_REQUEST, SERVICE_ACCEPT, EXT_INFO = 5, 6, 7
KEXINIT, NEWKEYS, KEX_FIRST = 20, 21, 30
USERAUTH_REQUEST = 50

_NOISE = frozenset((IGNORE, UNIMPLEMENTED, DEBUG))
_KEX_METHOD = range(30, 50)
_KEX = range(20, 50)
# What only a server sends in ssh-userauth, and what only its methods use.
_USERAUTH_ANSWERS = frozenset((51, 52, 53, *range(60, 80)))
_CONNECTION = frozenset((80, 81, 82, *range(90, 101)))


class Verdict(enum.Enum):
    """What is to be done with a message."""

    DISPATCH = enum.auto()
    DROP = enum.auto()
    NOISE = enum.auto()
    UNKNOWN = enum.auto()


class _Kex(enum.Enum):
    """Where the peer is in a key exchange."""

    IDLE = enum.auto()
    EXPECT_KEXINIT = enum.auto()
    EXPECT_METHOD = enum.auto()
    EXPECT_NEWKEYS = enum.auto()


_EXPECTED = {
    _Kex.EXPECT_KEXINIT: KEXINIT,
    _Kex.EXPECT_METHOD: KEX_FIRST,
    _Kex.EXPECT_NEWKEYS: NEWKEYS,
}


class _Service(enum.Enum):
    NONE = enum.auto()
    AUTHENTICATING = enum.auto()
    CONNECTED = enum.auto()


class MessageOrder:
    """The order that one client has to keep.

    Attributes:
        strict: whether both sides want strict key exchange (OpenSSH's PROTOCOL, section 1.10).
    """

    __slots__ = ("_ext_info_may_come", "_guess_is_wrong", "_has_keys", "_kex", "_service", "strict")

    def __init__(self) -> None:
        self.strict = False
        self._kex = _Kex.EXPECT_KEXINIT
        self._service = _Service.NONE
        self._has_keys = False
        self._guess_is_wrong = False
        self._ext_info_may_come = False

    # What happens

    def kexinit_agreed(self, *, wrong_guess: bool) -> None:
        """Go on with the method's own message, after one to be dropped if the guess was wrong."""
        self._kex = _Kex.EXPECT_METHOD
        self._guess_is_wrong = wrong_guess

    def keys_derived(self) -> None:
        """Go on with the peer's NEWKEYS."""
        self._kex = _Kex.EXPECT_NEWKEYS

    def keys_taken(self) -> None:
        """Go on as usual; right after the first keys EXT_INFO may come (RFC 8308, section 2.4)."""
        self._ext_info_may_come = not self._has_keys
        self._has_keys = True
        self._kex = _Kex.IDLE

    def authentication_started(self) -> None:
        """Go on with authentication requests."""
        self._service = _Service.AUTHENTICATING

    def authenticated(self) -> None:
        """Go on with the messages of the connection."""
        self._service = _Service.CONNECTED

    # What comes

    def judge(self, number: int) -> Verdict:
        """Say what is to be done with a message that comes now.

        Raises:
            ProtocolError: it must not come now.
        """
        if self._kex is not _Kex.IDLE:
            return self._judge_in_key_exchange(number)
        # Nearly every message; whoever is in has sent more than EXT_INFO could come after.
        if self._service is _Service.CONNECTED and number in _CONNECTION:
            return Verdict.DISPATCH
        return self._judge_in_peace(number)

    def _judge_in_key_exchange(self, number: int) -> Verdict:
        if number == DISCONNECT:
            return Verdict.DISPATCH
        if self._kex is _Kex.EXPECT_METHOD and self._guess_is_wrong and number in _KEX_METHOD:
            self._guess_is_wrong = False
            return Verdict.DROP
        if number == _EXPECTED[self._kex]:
            return Verdict.DISPATCH
        if number in _NOISE and (self._has_keys or not self.strict):
            return Verdict.NOISE
        raise _out_of_order(number)

    def _judge_in_peace(self, number: int) -> Verdict:
        ext_info_may_come, self._ext_info_may_come = self._ext_info_may_come, False
        if number == DISCONNECT:
            return Verdict.DISPATCH
        if number in _NOISE:
            return Verdict.NOISE
        if number == KEXINIT:
            self._kex = _Kex.EXPECT_KEXINIT
            return Verdict.DISPATCH
        if number == EXT_INFO:
            may_come = ext_info_may_come
        elif number == SERVICE_REQUEST:
            may_come = self._service is _Service.NONE
        elif number == USERAUTH_REQUEST:
            may_come = self._service is _Service.AUTHENTICATING
        elif number in _CONNECTION:
            may_come = self._service is _Service.CONNECTED
        elif number in _KEX or number == SERVICE_ACCEPT or number in _USERAUTH_ANSWERS:
            may_come = False
        else:
            return Verdict.UNKNOWN
        if not may_come:
            raise _out_of_order(number)
        return Verdict.DISPATCH


def _out_of_order(number: int) -> ProtocolError:
    return ProtocolError(f"message {number} must not come now")
