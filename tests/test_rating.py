"""The scale of ratings."""

from __future__ import annotations

import pytest

from conch_insults.rating import Rating


@pytest.mark.parametrize(
    ("text", "rating"),
    [("g", Rating.G), ("pg", Rating.PG), ("r", Rating.R), ("PG", Rating.PG)],
)
def test_a_rating_is_read_in_any_case(text: str, rating: Rating) -> None:
    assert Rating.parse(text) is rating


@pytest.mark.parametrize("text", ["", "x", "pg-13", "g ", "\x1b[2J" * 100])
def test_anything_else_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"use g, pg or r$") as refusal:
        Rating.parse(text)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 130


def test_a_ruder_rating_is_greater() -> None:
    assert Rating.G < Rating.PG < Rating.R


def test_a_rating_is_written_as_it_is_read() -> None:
    assert [str(rating) for rating in Rating] == ["g", "pg", "r"]
