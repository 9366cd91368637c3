"""Packs that change while people are insulted from them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from queue import Queue
from threading import get_ident
from typing import TYPE_CHECKING, Any, cast

import pytest
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from conch_insults.conversations import InsultFactory
from conch_insults.core.pack_files import pack_versions
from conch_insults.core.packs import read_packs
from conch_insults.events import PackSkipped, PacksLoaded, PacksRefused
from conch_insults.pack_shelf import PackShelf

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.core.packs import Pack
    from conch_insults.events import Event


class Shelf:
    """A folder with a pack, the shelf above it, and what was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[Event] = []
        self.clock = Clock()
        self.put("zork.txt", "zork: one\n")
        self.factory = InsultFactory(read_packs([folder]), self.told.append, self.clock)
        # How reading is done; here at once.
        self.run: Callable[..., Deferred[Pack]] = maybeDeferred
        self.shelf = PackShelf(
            [folder],
            self.factory,
            self.told.append,
            self.clock,
            versions=pack_versions([folder]),
            offensive=False,
            # Looked up at each call: a test may put another in its place.
            run=lambda *args, **options: self.run(*args, **options),  # noqa: PLW0108 - as above
        )
        self.shelf.startService()
        self.told.clear()

    def put(self, name: str, content: str) -> None:
        # Another file each time, as whoever saves a file makes one.
        temporary = self.folder / ".new"
        temporary.write_text(content)
        temporary.replace(self.folder / name)

    def says(self, topic: str) -> tuple[str, ...]:
        return self.factory.pack.texts(topic)

    def pass_time(self, looks: int = 2) -> None:
        for _ in range(looks):
            self.clock.advance(1)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_a_change_counts_soon(shelf: Shelf) -> None:
    shelf.put("zork.txt", "zork: two\n")
    shelf.pass_time()
    assert shelf.says("zork") == ("two",)
    assert [type(event) for event in shelf.told] == [PacksLoaded]


def test_a_file_more_or_less_counts(shelf: Shelf) -> None:
    shelf.put("more.txt", "grue: dark\n")
    shelf.pass_time()
    assert shelf.says("grue") == ("dark",)
    (shelf.folder / "more.txt").unlink()
    shelf.pass_time()
    assert shelf.says("grue") == ()


def test_nothing_is_read_while_nothing_changes(shelf: Shelf) -> None:
    pack = shelf.factory.pack
    shelf.pass_time(5)
    assert shelf.factory.pack is pack
    assert shelf.told == []


def test_a_file_that_is_still_being_written_is_waited_for(shelf: Shelf) -> None:
    shelf.put("zork.txt", "zork: tw\n")
    shelf.pass_time(1)
    shelf.put("zork.txt", "zork: two\n")
    shelf.pass_time(1)
    assert shelf.says("zork") == ("one",)
    shelf.pass_time(1)
    assert shelf.says("zork") == ("two",)


def test_a_broken_file_is_told_of_once_and_the_old_set_stays(shelf: Shelf) -> None:
    shelf.put("zork.txt", "zork: two\nno colon\n")
    shelf.pass_time(6)
    (refused,) = shelf.told
    assert isinstance(refused, PacksRefused)
    assert refused.reason.startswith(f"{shelf.folder}/zork.txt:2: ")
    assert shelf.says("zork") == ("one",)
    shelf.put("zork.txt", "zork: three\n")
    shelf.pass_time()
    assert shelf.says("zork") == ("three",)


def test_what_is_offensive_by_its_name_is_passed_over_and_told_of(shelf: Shelf) -> None:
    shelf.put("rude-o.txt", "rude: no\n")
    shelf.pass_time()
    assert shelf.says("rude") == ()
    assert [type(event) for event in shelf.told] == [PacksLoaded, PackSkipped]


def test_after_its_end_it_looks_no_more(shelf: Shelf) -> None:
    shelf.shelf.stopService()
    assert shelf.clock.getDelayedCalls() == []


class Slowly:
    """Reads when it is told to; until then the shelf waits."""

    def __init__(self, shelf: Shelf) -> None:
        self.waiting: list[Callable[[], object]] = []
        shelf.run = self

    def __call__(
        self, read: Callable[..., Pack], *args: object, **options: object
    ) -> Deferred[Pack]:
        done: Deferred[Pack] = Deferred()
        self.waiting.append(lambda: maybeDeferred(read, *args, **options).chainDeferred(done))
        return done

    def finish(self) -> None:
        self.waiting.pop()()


def test_the_old_set_counts_while_the_new_one_is_read(shelf: Shelf) -> None:
    reading = Slowly(shelf)
    shelf.put("zork.txt", "zork: two\n")
    shelf.pass_time()
    assert shelf.says("zork") == ("one",)
    reading.finish()
    assert shelf.says("zork") == ("two",)


def test_one_is_read_at_a_time_and_what_changed_meanwhile_is_read_once_more(shelf: Shelf) -> None:
    reading = Slowly(shelf)
    for _ in range(3):
        shelf.shelf.reload()
    assert len(reading.waiting) == 1
    reading.finish()
    shelf.put("zork.txt", "zork: two\n")
    assert len(reading.waiting) == 1
    reading.finish()
    assert not reading.waiting
    assert shelf.says("zork") == ("two",)


@pytest.mark.parametrize("content", ["zork: two\n", "no colon\n"])
def test_what_has_been_read_after_its_end_is_dropped(shelf: Shelf, content: str) -> None:
    reading = Slowly(shelf)
    shelf.put("zork.txt", content)
    shelf.shelf.reload()
    shelf.shelf.reload()
    shelf.shelf.stopService()
    reading.finish()
    assert not reading.waiting
    assert shelf.says("zork") == ("one",)
    assert shelf.told == []


def test_a_real_thread_reads_and_the_reactor_puts_it_in_place(shelf: Shelf) -> None:
    class Turns(Queue[Callable[[], None]]):
        """Of a reactor, what a thread may call."""

        def callFromThread(self, call: Callable[..., None], *args: object) -> None:  # noqa: N802
            self.put(lambda: call(*args))

    pool, turns, readers = ThreadPool(1, 1), Turns(), list[int]()

    def read_there(read: Callable[..., Pack], *args: object, **options: object) -> Pack:
        readers.append(get_ident())
        return read(*args, **options)

    shelf.run = partial(cast("Any", deferToThreadPool), turns, pool, read_there)
    shelf.put("zork.txt", "zork: two\n")
    pool.start()
    try:
        shelf.shelf.reload()
        take_turn = turns.get(timeout=30)
        assert shelf.says("zork") == ("one",)
        take_turn()
    finally:
        pool.stop()
    assert readers
    assert readers != [get_ident()]
    assert shelf.says("zork") == ("two",)
