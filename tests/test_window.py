"""Windows of any size that a client claims."""

from __future__ import annotations

import pytest

from conch_insults.core.window import Window


@pytest.mark.parametrize(
    ("width", "columns"), [(80, 80), (1, 1), (0, 80), (-1, 80), (1000, 1000), (2**32 - 1, 1000)]
)
def test_a_width_is_made_usable(width: int, columns: int) -> None:
    assert Window.claimed(width).columns == columns


@pytest.mark.parametrize(
    ("height", "rows", "has_an_end", "answer_rows"),
    [
        (24, 24, True, 23),
        (2, 2, True, 1),
        (1, 1, True, 1),
        (1000, 1000, True, 999),
        (1001, 1_000_000, False, 999_999),
        (0, 1_000_000, False, 999_999),
        (-1, 1_000_000, False, 999_999),
        (2**32 - 1, 1_000_000, False, 999_999),
    ],
)
def test_a_height_is_one_or_none(
    height: int, rows: int, has_an_end: bool, answer_rows: int
) -> None:
    window = Window.claimed(80, height)
    assert (window.rows, window.has_an_end, window.answer_rows) == (rows, has_an_end, answer_rows)
