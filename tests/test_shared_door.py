"""A door that several processes accept at: real sockets, one address."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.testing import MemoryReactor

from conch_insults.door import CannotStart, parse_endpoint
from conch_insults.errors import SettingsError
from conch_insults.events import Event, Listening
from conch_insults.shared_door import SharedDoor

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_PORT = "tcp:0:interface=127.0.0.1"


class Doors:
    """Makes doors, hears what they tell, and closes them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.made: list[SharedDoor] = []

    def make(self, description: str, count: int = 3) -> SharedDoor:
        endpoint = parse_endpoint(MemoryReactor(), "ssh", description)
        door = SharedDoor("ssh", description, endpoint, count, self.events.append)
        self.made.append(door)
        return door

    def opened(self, description: str = ANY_PORT) -> SharedDoor:
        door = self.make(description)
        door.open()
        return door


@pytest.fixture
def doors() -> Iterator[Doors]:
    doors = Doors()
    yield doors
    for door in doors.made:
        door.close()


def address_of(door: SharedDoor) -> Any:
    (address,) = {each.getsockname() for each in door.sockets}
    return address


def test_there_is_a_socket_for_each_at_one_address(doors: Doors) -> None:
    door = doors.opened()
    assert len(door.sockets) == 3
    host, port = address_of(door)
    assert doors.events == [Listening("ssh", f"{host}:{port}")]
    assert all(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for each in door.sockets)
    # Nobody's child gets them but by being handed them.
    assert not any(each.get_inheritable() for each in door.sockets)


def test_those_who_come_are_kept_until_somebody_accepts(doors: Doors) -> None:
    door = doors.opened()
    callers = [socket.create_connection(address_of(door), 10) for _ in range(20)]
    accepted = 0
    for listening in door.sockets:
        try:
            while True:
                listening.accept()[0].close()
                accepted += 1
        except BlockingIOError:
            continue
    assert accepted == len(callers)
    for caller in callers:
        caller.close()


@pytest.mark.parametrize("shares", [False, True], ids=["alone", "shared"])
def test_another_server_at_the_address_is_heard_of(doors: Doors, *, shares: bool) -> None:
    with socket.socket() as other:
        if shares:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        door = doors.make(f"tcp:{other.getsockname()[1]}:interface=127.0.0.1")
        with pytest.raises(CannotStart) as exit_:
            door.open()
    assert str(exit_.value).startswith("conch_insults: Address already in use: ssh.endpoint = tcp:")
    assert not door.sockets
    assert not doors.events


def test_it_opens_again_at_once_after_it_was_closed(doors: Doors) -> None:
    door = doors.opened()
    port = address_of(door)[1]
    caller = socket.create_connection(address_of(door), 10)
    door.close()
    assert not door.sockets
    assert address_of(doors.opened(f"tcp:{port}:interface=127.0.0.1"))[1] == port
    caller.close()


@pytest.mark.parametrize("description", ["tcp6:0:interface=\\:\\:1", "tcp:0:interface=\\:\\:1"])
def test_ipv6(doors: Doors, description: str) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError as error:
        pytest.skip(f"needs ::1: {error}")
    assert address_of(doors.opened(description))[0] == "::1"


def test_an_address_that_is_nobodys(doors: Doors) -> None:
    door = doors.make("tcp:0:interface=192.0.2.1")
    with pytest.raises(
        CannotStart, match=r"Cannot assign requested address: ssh\.endpoint = tcp:0"
    ):
        door.open()


def test_the_backlog_is_the_endpoints(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Socket(socket.socket):
        def listen(self, backlog: int = 0, /) -> None:
            asked.append(backlog)
            super().listen(backlog)

    monkeypatch.setattr(socket, "socket", Socket)
    doors.opened(f"{ANY_PORT}:backlog=7")
    assert asked == [7, 7, 7]


def test_what_is_no_tcp_port_cannot_be_shared(doors: Doors) -> None:
    with pytest.raises(SettingsError, match=r"^ssh.endpoint: 'unix:x' cannot be shared; use tcp: "):
        doors.make("unix:x")


def test_a_system_that_cannot_share_says_so(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with pytest.raises(SettingsError, match=r"^server.workers: this system cannot share .* use 1$"):
        doors.make(ANY_PORT)
