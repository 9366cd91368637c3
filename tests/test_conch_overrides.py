"""Whether the Twisted methods that ours replace are still those that were read.

When a new Twisted changes one, read the change, mend ours if need be, and record what was read:

    python -m tests.test_conch_overrides > tests/conch_sources.json
"""

from __future__ import annotations

import inspect
import json
import pkgutil
import sys
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest

import twisted
from conch_insults import ssh

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECORD = Path(__file__).with_name("conch_sources.json")


def our_classes() -> Iterator[type]:
    for module_info in pkgutil.iter_modules(ssh.__path__, f"{ssh.__name__}."):
        module = import_module(module_info.name)
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                yield value


def function_of(attribute: object) -> FunctionType | None:
    """Return the function behind a method of any kind or a property, or None."""
    if isinstance(attribute, property):
        attribute = attribute.fget
    if isinstance(attribute, classmethod | staticmethod):
        attribute = attribute.__func__
    return attribute if isinstance(attribute, FunctionType) else None


def overridden(cls: type) -> Iterator[tuple[str, FunctionType]]:
    """Yield the functions of Twisted's that a class replaces, by the name of what does it."""
    for name in vars(cls):
        for base in cls.__mro__[1:]:
            function = function_of(vars(base).get(name))
            if function is not None and base.__module__.startswith("twisted."):
                yield f"{cls.__module__}.{cls.__name__}.{name}", function
                break


def sources(classes: Iterator[type]) -> dict[str, str]:
    return {
        name: sha256(inspect.getsource(function).encode()).hexdigest()
        for cls in classes
        for name, function in overridden(cls)
    }


def complaints(recorded: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    return [
        *(f"{name}: never read" for name in sorted(found.keys() - recorded.keys())),
        *(f"{name}: overrides nothing" for name in sorted(recorded.keys() - found.keys())),
        *(
            f"{name}: what it overrides has changed"
            for name in sorted(recorded.keys() & found.keys())
            if recorded[name] != found[name]
        ),
    ]


def test_what_we_override_is_what_was_read() -> None:
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    found = complaints(record["sources"], sources(our_classes()))
    assert not found, f"since Twisted {record['twisted']}: {found}"


@pytest.mark.parametrize(
    "name",
    [
        "packet_transport.PacketTransport.sendPacket",
        "transport.InsultSSHTransport._keySetup",
        "userauth.InsultUserAuthServer.ssh_USERAUTH_REQUEST",
        "connection.InsultConnection.ssh_CHANNEL_OPEN",
        "channel.InsultChannel.closeReceived",
        "channel.SessionTransport.__init__",
        "factory.InsultSSHFactory.buildProtocol",
    ],
)
def test_every_kind_of_class_is_looked_at(name: str) -> None:
    assert f"conch_insults.ssh.{name}" in sources(our_classes())


def test_each_difference_is_named() -> None:
    assert complaints({"a": "1", "b": "1", "c": "1"}, {"b": "2", "c": "1", "d": "1"}) == [
        "d: never read",
        "a: overrides nothing",
        "b: what it overrides has changed",
    ]


def test_methods_of_every_kind_and_properties_count() -> None:
    class Theirs:
        @property
        def a(self) -> int:
            return 1

        @classmethod
        def b(cls) -> None: ...

        @staticmethod
        def c() -> None: ...

        def d(self) -> None: ...

        e = 1

    Theirs.__module__ = "twisted.made_up"

    class Ours(Theirs):
        a = b = c = d = e = None  # type: ignore[assignment]

        def f(self) -> None: ...

    names = [name.rpartition(".")[2] for name, _ in overridden(Ours)]
    assert names == ["a", "b", "c", "d"]


if __name__ == "__main__":
    new_record = {"twisted": twisted.__version__, "sources": sources(our_classes())}
    sys.stdout.write(json.dumps(new_record, indent=2, sort_keys=True) + "\n")
