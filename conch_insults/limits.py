"""Who may connect, before a byte is read: how many, how often, and who has to wait.

Knows addresses as text and how a connection ended; must not know protocols, transports or what
is said on a connection. Nothing here ticks: what is over is forgotten as others come and go.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from heapq import heappop, heappush, heapreplace
from ipaddress import IPv4Network, IPv6Network
from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from twisted.internet.interfaces import IReactorTime

__all__ = [
    "MAX_REMEMBERED",
    "Admission",
    "ConnectionLimits",
    "Gate",
    "Limit",
    "MaxStartups",
    "Network",
    "Outcome",
]

Network: TypeAlias = IPv4Network | IPv6Network

# Sources remembered after their connections have ended; with them go some 20 MiB at most.
MAX_REMEMBERED = 65_536

# Sources forgotten on a call: more than a call can add, and few enough to take microseconds
# when someone connects, milliseconds when the counts are fetched.
_FORGET_IN_PASSING = 16
_FORGET_AT_LEISURE = 4096

_WHOLE = 100  # percent
_MINUTE = 60.0  # seconds
_MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, RFC 4291 section 2.5.5.2
_MAPPED_BITS = 8 * len(_MAPPED)
_IPV6_SOURCE = 8  # bytes; a /64 is what one customer gets, and picks any address in


class Outcome(Enum):
    """How a connection ended, as far as its source is to answer for it."""

    FINE = auto()
    """Someone logged in, or the end was none of the peer's doing."""
    NO_LOGIN = auto()
    """Logins were tried, and all were refused."""
    TIMED_OUT = auto()
    """The time to log in ran out."""
    NEVER_FINISHED = auto()
    """The peer went away, or broke the protocol, before it tried to log in."""


class Limit(StrEnum):
    """What a connection was refused for."""

    TOTAL = "total"
    STARTUPS = "startups"
    PENALTY = "penalty"
    SOURCE = "source"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class MaxStartups:
    """How many connections may be busy logging in: MaxStartups of sshd_config(5).

    Args:
        start: from this many on, at least 1, newcomers are refused at random.
        rate: how many percent of them at `start`, 1 to 100, growing evenly to all at `full`.
        full: from this many on, nobody is let in.

    Raises:
        ValueError: the numbers do not fit together.
    """

    start: int
    rate: int
    full: int

    def __post_init__(self) -> None:
        if self.start < 1:
            raise ValueError("start must be at least 1")
        if not 1 <= self.rate <= _WHOLE:
            raise ValueError("rate is a percentage from 1 to 100")
        if self.full < self.start:
            raise ValueError("full must not be less than start")

    @classmethod
    def parse(cls, text: str) -> MaxStartups:
        """Read `start:rate:full`, or one number from which on nobody is let in.

        Raises:
            ValueError: the text is neither; with the reason.
        """
        if not re.fullmatch(r"[0-9]{1,9}(:[0-9]{1,9}:[0-9]{1,9})?", text):
            raise ValueError("must be start:rate:full, for example 10:30:100")
        start, *rest = map(int, text.split(":"))
        rate, full = rest or (_WHOLE, start)
        return cls(start, rate, full)

    def refuses(self, startups: int, random: Random) -> bool:
        """Say whether to refuse a newcomer while this many are busy logging in."""
        if startups < self.start:
            return False
        if startups >= self.full:
            return True
        way = (startups - self.start) / (self.full - self.start)
        return random.random() * _WHOLE < self.rate + way * (_WHOLE - self.rate)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The numbers; a source is an IPv4 address or an IPv6 /64.

    They let three honest crowds through: a class of thirty behind one address that logs in
    within a minute, a script that runs a command a second, and ssh-audit, whose test of limits
    keeps opening ten connections at a time for 1.5 s and must not get more than 20 a second.

    Args:
        max_startups: connections that are not logged in yet.
        max_connections: connections in all, at least 1.
        connections_per_source: open connections of one source, at least 1.
        startups_per_source: of these, those not logged in yet, at least 1; this is
            PerSourceMaxStartups of sshd_config(5).
        rate_per_source: new connections of one source a minute, at least 1, in the long run.
        burst_per_source: and how many at once after a rest, at least 1.
        penalty_no_login: seconds that a source has to wait for an `Outcome.NO_LOGIN`.
        penalty_timed_out: the same for an `Outcome.TIMED_OUT`.
        penalty_never_finished: the same for an `Outcome.NEVER_FINISHED`.
        penalty_minimum: penalties add up, and are enforced above this many seconds.
        penalty_cap: seconds that they never exceed.
        exempt_sources: networks without limit per source, rate and penalties.
    """

    max_startups: MaxStartups = MaxStartups(10, 30, 100)
    max_connections: int = 1000
    # Two terminals for each of thirty, and some to spare.
    connections_per_source: int = 64
    # Logging in takes a moment, or as long as a passphrase takes to type; the others of a class
    # have theirs loaded. Twenty of one source alone make life hard for nobody else.
    startups_per_source: int = 20
    # Twice the script; a class is through in five seconds; ssh-audit sees 23 in its 1.5 s.
    rate_per_source: int = 120
    burst_per_source: int = 20
    # As authfail of PerSourcePenalties: the fourth failure in a row is one too many, while a
    # class with ten wrong keys, spread over a minute, never gets there.
    penalty_no_login: float = 5.0
    # OpenSSH says 10 (grace-exceeded), but two slow typists must not lock their class out.
    penalty_timed_out: float = 5.0
    # OpenSSH says 1 (noauth). A burst and what follows it in 15 s, as ssh-audit makes, stays
    # below the minimum: 0.6 * (20 + 2 * 15) - 15. Who goes on at that rate gets above it.
    penalty_never_finished: float = 0.6
    # Both as in PerSourcePenalties: min and max.
    penalty_minimum: float = 15.0
    penalty_cap: float = 600.0
    exempt_sources: tuple[Network, ...] = ()


@dataclass(slots=True, eq=False)
class _Source:
    """What is known of one source."""

    key: bytes
    connections: int = 0
    startups: int = 0
    # When the token bucket is full again: each connection moves this by one interval.
    busy_until: float = 0.0
    penalty_until: float = 0.0
    # Whether the penalty has been above the minimum, and so holds until it is over.
    enforced: bool = False
    queued: bool = False

    @property
    def due(self) -> float:
        """When there is nothing left to remember, if no connection is open."""
        return max(self.busy_until, self.penalty_until)


class Admission:
    """One connection that was let in; whoever holds it must say when it has ended."""

    __slots__ = ("_gate", "_open", "_source", "_starting")

    def __init__(self, gate: Gate, source: _Source | None) -> None:
        self._gate = gate
        self._source = source
        self._starting = True
        self._open = True

    def authenticated(self) -> None:
        """Stop counting the connection as one that is busy logging in."""
        if self._starting:
            self._starting = False
            self._gate._started(self._source)  # noqa: SLF001 - the other half of the gate

    def ended(self, outcome: Outcome) -> None:
        """Give the place back, once; whoever had logged in answers for nothing."""
        if self._open:
            self._open = False
            answered_for = outcome if self._starting else Outcome.FINE
            self.authenticated()
            self._gate._ended(self._source, answered_for)  # noqa: SLF001 - as above


class Gate:
    """Lets connections in within the limits.

    Args:
        limits: the numbers.
        clock: tells the time, which may be set back; no timer is started.
        random: decides who is refused while too many, but not all too many, log in.

    Attributes:
        connections: how many are open.
        startups: how many of these are busy logging in.
    """

    def __init__(self, limits: ConnectionLimits, clock: IReactorTime, random: Random) -> None:
        self.connections = 0
        self.startups = 0
        self._limits = limits
        self._clock = clock
        self._random = random
        self._now = clock.seconds()
        self._lag = 0.0
        self._interval = _MINUTE / limits.rate_per_source
        # A thousandth more: the time of day is known to a quarter of a microsecond only.
        self._tolerance = (limits.burst_per_source - 1 + 0.001) * self._interval
        self._penalties = {
            Outcome.FINE: 0.0,
            Outcome.NO_LOGIN: limits.penalty_no_login,
            Outcome.TIMED_OUT: limits.penalty_timed_out,
            Outcome.NEVER_FINISHED: limits.penalty_never_finished,
        }
        self._exempt = tuple(map(_matchable, limits.exempt_sources))
        self._refusals: Counter[Limit] = Counter()
        self._sources: dict[bytes, _Source] = {}
        # Sources to forget, the first due first; each at most once, and maybe due later by now.
        self._queue: list[tuple[float, bytes]] = []

    @property
    def sources(self) -> int:
        """How many sources are known: the bound is `MAX_REMEMBERED` and those connected."""
        return len(self._sources)

    def admit(self, address: str) -> Admission | None:
        """Let a connection in, or count why not; in microseconds.

        Args:
            address: the peer's; what is no IP address, as of a Unix socket, is no source.
        """
        source = None
        limit = self._full()
        if limit is None:
            self._forget(_FORGET_IN_PASSING)
            source = self._source(address)
            limit = None if source is None else self._exceeded(source)
        if limit is not None:
            self._refusals[limit] += 1
            return None
        if source is not None:
            source.connections += 1
            source.startups += 1
            source.busy_until = max(source.busy_until, self._now) + self._interval
        self.connections += 1
        self.startups += 1
        return Admission(self, source)

    def take_refusals(self) -> Mapping[Limit, int]:
        """Return how many were refused since the last call, by reason; empty if nobody was."""
        self._forget(_FORGET_AT_LEISURE)
        taken, self._refusals = self._refusals, Counter()
        return taken

    def _full(self) -> Limit | None:
        if self.connections >= self._limits.max_connections:
            return Limit.TOTAL
        if self._limits.max_startups.refuses(self.startups, self._random):
            return Limit.STARTUPS
        return None

    def _exceeded(self, source: _Source) -> Limit | None:
        limits, now = self._limits, self._now
        if source.enforced and now < source.penalty_until:
            return Limit.PENALTY
        if (
            source.connections >= limits.connections_per_source
            or source.startups >= limits.startups_per_source
        ):
            return Limit.SOURCE
        if source.busy_until - now > self._tolerance:
            return Limit.RATE
        return None

    def _started(self, source: _Source | None) -> None:
        self.startups -= 1
        if source is not None:
            source.startups -= 1

    def _ended(self, source: _Source | None, outcome: Outcome) -> None:
        self.connections -= 1
        if source is not None:
            source.connections -= 1
            self._read_clock()
            if seconds := self._penalties[outcome]:
                self._penalise(source, seconds)
            if not source.queued:
                source.queued = True
                heappush(self._queue, (source.due, source.key))
            self._forget(_FORGET_IN_PASSING)

    def _penalise(self, source: _Source, seconds: float) -> None:
        left = source.penalty_until - self._now
        if left <= 0.0:
            left = 0.0
            source.enforced = False
        left = min(left + seconds, self._limits.penalty_cap)
        source.penalty_until = self._now + left
        if left > self._limits.penalty_minimum:
            source.enforced = True

    def _read_clock(self) -> None:
        """Move on; a clock that was set back would make those wait who have to wait no more."""
        now = self._clock.seconds() + self._lag
        if now < self._now:
            self._lag += self._now - now
        else:
            self._now = now

    def _forget(self, at_most: int) -> None:
        """Drop sources that are due, and, above the bound, the first that will be."""
        self._read_clock()
        queue = self._queue
        while queue and (len(queue) > MAX_REMEMBERED or (at_most and queue[0][0] <= self._now)):
            at_most = max(at_most - 1, 0)
            due, key = queue[0]
            source = self._sources[key]
            if not source.connections and source.due > due:
                heapreplace(queue, (source.due, key))
                continue
            heappop(queue)
            source.queued = False
            if not source.connections:
                del self._sources[key]

    def _source(self, address: str) -> _Source | None:
        """Return the source, known or new; none where no limit per source applies."""
        try:
            if ":" in address:
                packed = inet_pton(AF_INET6, address.partition("%")[0])
                packed = packed.removeprefix(_MAPPED)
            else:
                packed = inet_pton(AF_INET, address)
        except (OSError, ValueError):
            return None
        if self._exempt:
            size, number = len(packed), int.from_bytes(packed)
            for length, mask, network in self._exempt:
                if length == size and number & mask == network:
                    return None
        key = packed[:_IPV6_SOURCE]
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = _Source(key)
        return source


def _matchable(network: Network) -> tuple[int, int, int]:
    """Return the length of the network's addresses in bytes, its mask and its first address."""
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            network = IPv4Network((int(mapped), network.prefixlen - _MAPPED_BITS))
    return network.max_prefixlen // 8, int(network.netmask), int(network.network_address)
