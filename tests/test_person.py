"""The person that a dialogue talks to."""

from __future__ import annotations

import pytest

from conch_insults.core.person import Person, Stranger
from conch_insults.rating import Rating


@pytest.mark.parametrize(
    ("ceiling", "wanted", "heard"),
    [
        (Rating.R, Rating.G, Rating.G),
        (Rating.G, Rating.R, Rating.G),
        (Rating.PG, Rating.PG, Rating.PG),
    ],
)
def test_nobody_hears_more_than_they_want_or_may(
    ceiling: Rating, wanted: Rating, heard: Rating
) -> None:
    person = Person(ceiling)
    person.wanted = wanted
    assert person.rating is heard


def test_a_ceiling_that_falls_counts_at_once() -> None:
    person = Person(Rating.R)
    heard = [person.rating]
    person.ceiling = Rating.G
    heard.append(person.rating)
    assert heard == [Rating.R, Rating.G]


def test_who_wants_nothing_in_particular_hears_what_they_may() -> None:
    assert [Person(rating).rating for rating in Rating] == list(Rating)


def test_a_person_of_whom_nothing_is_said_is_a_stranger_without_power() -> None:
    person = Person(Rating.PG)
    assert isinstance(person.about, Stranger)
    assert person.operations is None
    assert person.about.whoami() == Stranger().whoami()
    assert any("TCP" in line for line in person.about.explain())


def test_each_person_has_heard_what_they_have_heard() -> None:
    assert Person(Rating.PG).heard is not Person(Rating.PG).heard
