"""The events: a closed catalogue of values, each with a template that says all of it."""

from __future__ import annotations

import ast
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from string import Formatter

import pytest

import conch_insults
from conch_insults import events
from conch_insults.events import (
    ALL,
    Event,
    EverybodyRefused,
    KeyLineSkipped,
    Listening,
    LoginAccepted,
    LoginRefused,
    PacksLoaded,
    PacksRefused,
    SessionEnded,
    ShuttingDown,
    WorkerDied,
    WorkerServing,
)

PACKAGE = Path(conch_insults.__file__).parent


def is_event(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Event) and value is not Event


def said(event: Event) -> str:
    return event.template.format(**{f.name: getattr(event, f.name) for f in fields(event)})


def names_called_in(folder: Path) -> set[str]:
    """Return the name of everything that a module other than `events` calls."""
    return {
        node.func.id
        for path in folder.rglob("*.py")
        if path.name != "events.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def test_catalogue_holds_every_event_once() -> None:
    described = {name for name, value in vars(events).items() if is_event(value)}
    assert sorted(event.__name__ for event in ALL) == sorted(described)
    assert described <= set(events.__all__)


@pytest.mark.parametrize("event", ALL)
def test_template_says_every_field_and_nothing_else(event: type[Event]) -> None:
    said_fields = [name for _, name, _, _ in Formatter().parse(event.template) if name]
    assert sorted(said_fields) == sorted(field.name for field in fields(event))


def test_every_event_is_caused_somewhere() -> None:
    assert {event.__name__ for event in ALL} <= names_called_in(PACKAGE)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Listening("ssh", "0.0.0.0:2222"), "listening: ssh on 0.0.0.0:2222"),
        (
            LoginAccepted(
                "ssh-1", "alice", "192.0.2.1", "ssh-ed25519", "SHA256:abc", "alice:1", "-"
            ),
            (
                "login: user=alice from=192.0.2.1 key=ssh-ed25519 SHA256:abc by=alice:1"
                " certificate=- connection=ssh-1"
            ),
        ),
        (
            LoginRefused("ssh-2", "bob", "192.0.2.2", "no key of theirs", 3),
            "refused: user=bob from=192.0.2.2 reason=no key of theirs attempts=3 connection=ssh-2",
        ),
        (
            SessionEnded("tcp-3", "tcp", "-", "192.0.2.3", 61.26, 7),
            "disconnect: tcp user=- from=192.0.2.3 after 61.3 s, 7 lines served connection=tcp-3",
        ),
        (KeyLineSkipped("alice:3: is private"), "key skipped: alice:3: is private"),
        (EverybodyRefused("krl: is cut short"), "nobody may come in: krl: is cut short"),
        (PacksLoaded(60, 200), "packs: 60 topics, 200 insults"),
        (
            PacksRefused("mine.txt:1: has no colon"),
            "packs refused, keeping the old ones: mine.txt:1: has no colon",
        ),
        (ShuttingDown(2), "shutting down: 2 connections open"),
        (WorkerServing(2, 4711), "worker serving: worker=2 pid=4711"),
        (
            WorkerDied(2, 4711, "SIGKILL", "-", "another one starts in 1.00 s"),
            "worker died: worker=2 pid=4711 how=SIGKILL said=-; another one starts in 1.00 s",
        ),
    ],
)
def test_what_the_log_says(event: Event, line: str) -> None:
    assert said(event) == line


def test_an_event_does_not_change() -> None:
    event = PacksLoaded(1, 2)
    with pytest.raises(FrozenInstanceError):
        setattr(event, "topics", 3)  # noqa: B010 - mypy forbids it, too
    assert event == PacksLoaded(1, 2)
