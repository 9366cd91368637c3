"""Cells: what the cursor steps over."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.cells import (
    cell_width,
    clipped,
    joins,
    split_cells,
    text_width,
    visible_cell,
)
from conch_insults.core.printable import printable

ACUTE = "\N{COMBINING ACUTE ACCENT}"
JOINER = "\N{ZERO WIDTH JOINER}"
WOMAN, ROCKET = "\N{WOMAN}", "\N{ROCKET}"


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", []),
        ("perl", ["p", "e", "r", "l"]),
        (f"e{ACUTE}a", [f"e{ACUTE}", "a"]),
        (f"e{ACUTE}{ACUTE}", [f"e{ACUTE}{ACUTE}"]),
        (f"{ACUTE}a", [ACUTE, "a"]),
        (f"{ACUTE}é", [ACUTE, "é"]),
        ("日本", ["日", "本"]),
        ("🇯🇵🇫🇷🇩!", ["🇯🇵", "🇫🇷", "🇩", "!"]),
        (f"{WOMAN}{JOINER}{ROCKET}!", [f"{WOMAN}{JOINER}{ROCKET}", "!"]),
        (f"{WOMAN}{ROCKET}", [WOMAN, ROCKET]),
        ("e" + ACUTE * 40, ["e" + ACUTE * 15, ACUTE * 16, ACUTE * 9]),
    ],
)
def test_text_is_split_where_the_cursor_may_stand(text: str, cells: list[str]) -> None:
    assert split_cells(text) == cells


@pytest.mark.parametrize(
    ("cell", "width"),
    [
        ("a", 1),
        ("é", 1),
        (f"e{ACUTE}", 1),
        ("日", 2),
        (f"{WOMAN}{JOINER}{ROCKET}", 2),
        ("🇯🇵", 2),
        ("\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}", 2),
        (ACUTE, 1),
    ],
)
def test_a_cell_takes_the_columns_that_a_terminal_gives_it(cell: str, width: int) -> None:
    assert cell_width(cell) == width


def test_plain_letters_never_join() -> None:
    assert not joins(f"{WOMAN}{JOINER}", "a")


def test_what_carries_a_mark_joins_as_it_would_without() -> None:
    assert not joins(f"{WOMAN}{JOINER}", f"e{ACUTE}")
    assert joins(f"{WOMAN}{JOINER}", f"{ROCKET}{ACUTE}")


def test_nothing_joins_a_line_break() -> None:
    assert not joins("\n", ACUTE)


def test_a_cell_has_so_many_characters_at_most() -> None:
    assert joins("e" + ACUTE * 7, ACUTE * 8)
    assert not joins("e" + ACUTE * 7, ACUTE * 9)


def test_a_lone_mark_is_shown_on_a_circle_and_anything_else_as_it_is() -> None:
    assert visible_cell(ACUTE) == f"◌{ACUTE}"
    assert visible_cell(f"e{ACUTE}") == f"e{ACUTE}"


def test_a_line_break_is_shown_as_an_arrow() -> None:
    assert visible_cell("\n") == "↵"
    assert cell_width("↵") == cell_width("\n") == 1


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("perl", 4), ("日本", 4), (f"e{ACUTE}", 1), (ACUTE, 1)]
)
def test_a_text_takes_the_columns_of_its_cells(text: str, width: int) -> None:
    assert text_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("perl", 4, "perl"),
        ("perl", 3, "pe…"),
        ("perl", 1, "…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        (f"e{ACUTE}e{ACUTE}e{ACUTE}", 2, f"e{ACUTE}…"),
    ],
)
def test_a_text_without_room_is_clipped(text: str, width: int, shown: str) -> None:
    assert clipped(text, width) == shown


def test_what_stands_for_the_rest_must_have_room_too() -> None:
    assert clipped("python", 5, "...") == "py..."
    assert clipped("python", 2, "...") == "py"


@given(st.text().map(printable), st.integers(1, 20))
@settings(deadline=None)
def test_a_clipped_text_has_room(text: str, width: int) -> None:
    assert text_width(clipped(text, width)) <= width


@given(st.text().map(printable))
@settings(deadline=None)
def test_no_character_is_lost_and_every_cell_takes_room(text: str) -> None:
    cells = split_cells(text)
    assert "".join(cells) == text
    assert all(cell_width(cell) >= 1 for cell in cells)
    assert all(len(cell) <= 16 for cell in cells)
