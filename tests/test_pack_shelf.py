"""Packs that change while people are insulted from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from twisted.internet.task import Clock

from conch_insults.core.packs import read_packs
from conch_insults.events import PackSkipped, PacksLoaded, PacksRefused
from conch_insults.pack_shelf import PackShelf
from conch_insults.protocol import InsultFactory

if TYPE_CHECKING:
    from pathlib import Path

    from conch_insults.events import Event


class Shelf:
    """A folder with a pack, the shelf above it, and what was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[Event] = []
        self.clock = Clock()
        self.put("zork.txt", "zork: one\n")
        self.factory = InsultFactory(read_packs([folder]), self.told.append, self.clock)
        self.shelf = PackShelf(
            [folder], self.factory, self.told.append, self.clock, offensive=False
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
