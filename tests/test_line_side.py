"""What an application can do to its terminal: each call goes to the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from twisted.internet.interfaces import IPushProducer, ITransport
from zope.interface.verify import verifyClass

from conch_insults.core.appearance import Appearance
from conch_insults.terminal import CookedTransport
from conch_insults.terminal.line_side import LineSide

if TYPE_CHECKING:
    from conch_insults.terminal import Terminal


class Notes:
    """A terminal, or a transport, that notes what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def loseConnection(self) -> None:
        self.calls.append("close")

    def getPeer(self) -> str:
        return "peer"

    def say(self, data: bytes) -> None:
        self.calls.append(("say", data))

    def leave(self) -> None:
        self.calls.append("leave")

    def pause_with_output(self, producer: object) -> None:
        self.calls.append(("pause", producer))

    def want_lines(self, *, wanted: bool) -> None:
        self.calls.append(("want", wanted))


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def side(notes: Notes) -> LineSide:
    return LineSide(cast("Any", Notes()), cast("Terminal", notes))


def test_it_is_what_twisted_expects() -> None:
    verifyClass(ITransport, LineSide)
    verifyClass(IPushProducer, LineSide)


def test_what_is_written_is_said(side: LineSide, notes: Notes) -> None:
    side.writeSequence([b"one", b" line\n"])
    assert notes.calls == [("say", b"one line\n")]


def test_the_terminal_is_left_once(side: LineSide, notes: Notes) -> None:
    side.loseConnection()
    side.stopProducing()
    assert notes.calls == ["leave"]
    assert side.disconnecting


def test_producing_is_the_terminals(side: LineSide, notes: Notes) -> None:
    producer = cast("Any", object())
    side.registerProducer(producer, streaming=True)
    side.pauseProducing()
    side.resumeProducing()
    side.unregisterProducer()
    assert notes.calls == [
        ("pause", producer),
        ("want", False),
        ("want", True),
        ("pause", None),
    ]


def test_addresses_are_the_transports(side: LineSide) -> None:
    assert cast("Any", side.getPeer()) == "peer"


def test_a_terminal_without_a_console_gets_its_line_endings(notes: Notes) -> None:
    CookedTransport(notes, Appearance()).write(b"one\ntwo\n")
    assert notes.calls == [b"one\r\ntwo\r\n"]
