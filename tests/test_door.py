"""One way in: it opens before privileges go, says where it is, and closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory
from zope.interface import implementer

from conch_insults.door import CannotStart, Door
from conch_insults.events import Event, Listening

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.interfaces import IAddress, IProtocolFactory


class Port:
    """A port that listens."""

    def __init__(self, host: IAddress) -> None:
        self.host = host
        self.closed: Deferred[None] = Deferred()
        self.is_asked_to_close = False

    def getHost(self) -> IAddress:
        return self.host

    def stopListening(self) -> Deferred[None]:  # noqa: N802 - Twisted's
        self.is_asked_to_close = True
        return self.closed


@implementer(IStreamServerEndpoint)
class Endpoint:
    """An endpoint that gives what it is told to."""

    def __init__(self, result: Port | Exception) -> None:
        self.result = result
        self.listened: list[IProtocolFactory] = []

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:  # noqa: N803 - Twisted's
        self.listened.append(protocolFactory)
        return fail(self.result) if isinstance(self.result, Exception) else succeed(self.result)


TCP = IPv4Address("TCP", "127.0.0.1", 2222)


def door(result: Port | Exception) -> tuple[Door, Endpoint, list[Event]]:
    events: list[Event] = []
    endpoint = Endpoint(result)
    return Door("ssh", "tcp:2222", endpoint, Factory(), events.append), endpoint, events


def test_it_listens_once_while_any_port_may_be_opened() -> None:
    opened, endpoint, events = door(Port(TCP))
    opened.privilegedStartService()
    opened.startService()
    assert len(endpoint.listened) == 1
    assert events == [Listening("ssh", "127.0.0.1:2222")]


def test_it_listens_at_the_start_where_there_are_no_privileges() -> None:
    opened, endpoint, _ = door(Port(TCP))
    opened.startService()
    assert len(endpoint.listened) == 1


@pytest.mark.parametrize("name", [b"/run/insults", b"/run/\xff"])
def test_a_unix_socket_is_named_by_its_path(name: bytes) -> None:
    opened, _, events = door(Port(UNIXAddress(name)))
    opened.startService()
    (event,) = events
    assert isinstance(event, Listening)
    assert event.endpoint.startswith("/run/")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            CannotListenError("", 2222, OSError(98, "Address already in use")),
            "Address already in use",
        ),
        (CannotListenError("", 2222, OSError("odd")), "odd"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (ValueError("no such thing"), "no such thing"),
    ],
)
def test_what_cannot_be_opened_stops_the_start_with_a_line(error: Exception, reason: str) -> None:
    closed, _, events = door(error)
    with pytest.raises(CannotStart) as exit_:
        closed.privilegedStartService()
    assert str(exit_.value) == f"conch_insults: {reason}: ssh.endpoint = tcp:2222"
    assert isinstance(exit_.value, SystemExit)
    assert events == []


def test_the_end_waits_until_it_is_closed() -> None:
    port = Port(TCP)
    opened, _, _ = door(port)
    opened.startService()
    over: list[object] = []
    ending = opened.stopService()
    assert ending is not None
    ending.addCallback(over.append)
    assert port.is_asked_to_close
    assert not over
    port.closed.callback(None)
    assert over


def test_what_never_opened_need_not_be_closed() -> None:
    assert door(Port(TCP))[0].stopService() is None
    closed, _, _ = door(OSError(1, "no"))
    with pytest.raises(CannotStart):
        closed.startService()
    over: list[object] = []
    ending = closed.stopService()
    assert ending is not None
    ending.addCallback(over.append)
    assert over
