"""A pack as it is written: how rude a text counts, and how many problems are told."""

from __future__ import annotations

import pytest

from conch_insults.core.written_pack import MAX_PROBLEMS, PackInfo, Row, WrittenPack
from conch_insults.rating import Rating


@pytest.mark.parametrize(
    ("own", "packs", "counts_as"),
    [
        (None, None, Rating.R),
        (None, Rating.PG, Rating.PG),
        (Rating.G, None, Rating.G),
        (Rating.R, Rating.G, Rating.R),
    ],
)
def test_a_text_counts_as_its_own_rating_or_the_packs_or_the_rudest(
    own: Rating | None, packs: Rating | None, counts_as: Rating
) -> None:
    pack = WrittenPack(PackInfo("mine", "mine.toml", rating=packs), "toml")
    assert pack.rating_of(Row(1, "perl", "x", own)) is counts_as


def test_after_very_many_problems_the_rest_are_one() -> None:
    pack = WrittenPack(PackInfo("mine", "mine.txt"), "talk")
    for line in range(1, MAX_PROBLEMS + 10):
        pack.refuse(line, "no colon")
    assert len(pack.problems) == MAX_PROBLEMS + 1
    assert pack.problems[-1] == (
        MAX_PROBLEMS + 1,
        "and more problems from here on; mend these first",
    )
