"""Assembly of the SSH door: from settings to its factory, with those who watch over it.

Nothing is read here, and nothing decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.cred.portal import Portal
from twisted.logger import Logger

from conch_insults.access.policy import Policy
from conch_insults.access.standing import KeysWatch
from conch_insults.access_rules import access_rules
from conch_insults.events import EverybodyRefused, KeyLineSkipped
from conch_insults.ssh.checker import GuestChecker, PublicKeyChecker
from conch_insults.ssh.factory import InsultSSHFactory
from conch_insults.ssh.operations import ConnectionOperations
from conch_insults.ssh.realm import InsultRealm
from conch_insults.ssh.rejudging import Rejudging
from conch_insults.telemetry import QuietLogger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conch_insults.config import Settings
    from conch_insults.conversations import InsultFactory
    from conch_insults.events import EventSink
    from conch_insults.limits import Gate
    from conch_insults.ssh.host_keys import HostKey
    from conch_insults.ssh.transport import InsultSSHTransport

__all__ = ["make_ssh_door"]


def make_ssh_door(  # noqa: PLR0913 - what a door is made of
    settings: Settings,
    host_keys: Mapping[bytes, HostKey],
    conversations: InsultFactory,
    gate: Gate,
    *,
    reload: Callable[[], None],
    emit: EventSink,
    reactor: Any,  # noqa: ANN401 - a reactor has many interfaces
) -> tuple[InsultSSHFactory, Rejudging]:
    """Build the factory, and the service that judges again who came in by it.

    Args:
        settings: all of them.
        host_keys: the server's own keys, as `load_host_keys` returns them.
        conversations: those of every door.
        gate: says who may connect.
        reload: what operators can ask for.
        emit: is told of what happens.
        reactor: runs it all.
    """
    access = settings.access
    policy = Policy(
        access.keys_dir,
        lambda reason: emit(KeyLineSkipped(reason)),
        access_rules(access),
        alarm=lambda reason: emit(EverybodyRefused(reason)),
    )
    connections: set[InsultSSHTransport] = set()
    operations = ConnectionOperations(connections, reload, reactor)
    checkers: list[PublicKeyChecker | GuestChecker] = [PublicKeyChecker(policy)]
    if access.guests == "anyone":
        checkers.append(GuestChecker(policy))
    log_class = Logger if settings.log.level == "debug" else QuietLogger
    log = log_class(namespace="conch_insults.ssh")
    factory = InsultSSHFactory(
        Portal(InsultRealm(conversations, emit, reactor, operations), checkers),
        host_keys,
        gate,
        connections,
        ssh_settings=settings.ssh,
        limits=settings.limits,
        emit=emit,
        log=log,
        clock=reactor,
    )
    rejudging = Rejudging(
        policy, KeysWatch(access.keys_dir), connections, emit=emit, log=log, clock=reactor
    )
    return factory, rejudging
