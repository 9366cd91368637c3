"""The facts an operator cares about, each a small value.

Whoever causes one hands it to an `EventSink` and knows nothing of logs. Text in an event may
come from a stranger: a sink must clean it before it reaches a terminal or a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

__all__ = [
    "ALL",
    "AccessEnded",
    "ConnectionsRefused",
    "Event",
    "EventSink",
    "EverybodyRefused",
    "KeyLineSkipped",
    "Listening",
    "LoginAccepted",
    "LoginRefused",
    "PackSkipped",
    "PacksLoaded",
    "PacksRefused",
    "SessionEnded",
    "ShuttingDown",
    "WorkerDied",
    "WorkerServing",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `template` says it with the fields' names in braces.

    Its `level` is "warn" where the operator has to do something about it, "critical" where nobody
    may come in before that, else "info".
    """

    template: ClassVar[str]
    level: ClassVar[Literal["info", "warn", "critical"]] = "info"


@dataclass(frozen=True, slots=True)
class Listening(Event):
    """A door is open."""

    door: str
    endpoint: str
    template: ClassVar[str] = "listening: {door} on {endpoint}"


@dataclass(frozen=True, slots=True)
class LoginAccepted(Event):
    """Someone proved to hold a key that may come in."""

    connection: str
    user: str
    address: str
    key_type: str
    fingerprint: str
    source: str
    certificate: str
    template: ClassVar[str] = (
        "login: user={user} from={address} key={key_type} {fingerprint} by={source}"
        " certificate={certificate} connection={connection}"
    )


@dataclass(frozen=True, slots=True)
class LoginRefused(Event):
    """A connection ended without a login although someone asked for one."""

    connection: str
    user: str
    address: str
    reason: str
    attempts: int
    template: ClassVar[str] = (
        "refused: user={user} from={address} reason={reason} attempts={attempts}"
        " connection={connection}"
    )


@dataclass(frozen=True, slots=True)
class ConnectionsRefused(Event):
    """Some were not let in to the door; `limits` counts them by the limit that they met."""

    seconds: float
    limits: str
    template: ClassVar[str] = "connections refused in {seconds:.0f} s: {limits}"


@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    """Somebody who was in has gone; `duration` is in seconds."""

    connection: str
    door: str
    user: str
    address: str
    duration: float
    lines: int
    template: ClassVar[str] = (
        "disconnect: {door} user={user} from={address} after {duration:.1f} s, {lines} lines served"
        " connection={connection}"
    )


@dataclass(frozen=True, slots=True)
class AccessEnded(Event):
    """Somebody who was in is sent away: what let them in does so no more."""

    connection: str
    user: str
    address: str
    reason: str
    source: str
    template: ClassVar[str] = (
        "access ended: user={user} from={address} reason={reason} by={source}"
        " connection={connection}"
    )


@dataclass(frozen=True, slots=True)
class KeyLineSkipped(Event):
    """A line of an authorized_keys file lets nobody in."""

    reason: str
    level = "warn"
    template: ClassVar[str] = "key skipped: {reason}"


@dataclass(frozen=True, slots=True)
class EverybodyRefused(Event):
    """What was revoked is not known any more, and so nobody may come in."""

    reason: str
    level = "critical"
    template: ClassVar[str] = "nobody may come in: {reason}"


@dataclass(frozen=True, slots=True)
class PacksLoaded(Event):
    """The insults have been read."""

    topics: int
    insults: int
    template: ClassVar[str] = "packs: {topics} topics, {insults} insults"


@dataclass(frozen=True, slots=True)
class PackSkipped(Event):
    """A pack was passed over, because of what it is called."""

    reason: str
    template: ClassVar[str] = "pack skipped: {reason}"


@dataclass(frozen=True, slots=True)
class PacksRefused(Event):
    """A pack could not be used; the insults read before stay."""

    reason: str
    template: ClassVar[str] = "packs refused, keeping the old ones: {reason}"
    level = "warn"


@dataclass(frozen=True, slots=True)
class ShuttingDown(Event):
    """The server has been told to stop."""

    connections: int
    template: ClassVar[str] = "shutting down: {connections} connections open"


@dataclass(frozen=True, slots=True)
class WorkerServing(Event):
    """A worker has begun to serve, as one of the first or in the place of one that died."""

    worker: int
    pid: int
    template: ClassVar[str] = "worker serving: worker={worker} pid={pid}"


@dataclass(frozen=True, slots=True)
class WorkerDied(Event):
    """A worker has ended although nobody asked it to, or not as it was asked to.

    Its sessions went with it. `said` is the last that it wrote to its standard error, `then` what
    happens next.
    """

    worker: int
    pid: int
    how: str
    said: str
    then: str
    level = "warn"
    template: ClassVar[str] = "worker died: worker={worker} pid={pid} how={how} said={said}; {then}"


EventSink: TypeAlias = Callable[[Event], None]

ALL: tuple[type[Event], ...] = (
    Listening,
    LoginAccepted,
    LoginRefused,
    ConnectionsRefused,
    SessionEnded,
    AccessEnded,
    KeyLineSkipped,
    EverybodyRefused,
    PacksLoaded,
    PackSkipped,
    PacksRefused,
    ShuttingDown,
    WorkerServing,
    WorkerDied,
)
