"""The state of a conversation."""

from __future__ import annotations

from random import Random

from conch_insults.core.insulter import Insulter
from conch_insults.core.person import Person
from conch_insults.core.talk import Talk
from conch_insults.rating import Rating
from tests.talks import small_pack


def test_two_talks_share_nothing_but_who_they_are_with() -> None:
    insulter, person = Insulter(small_pack(), Random(0)), Person(Rating.G)
    one, other = Talk(insulter, person), Talk(insulter, person)
    one.appearance.plain = one.is_quiet = True
    one.topic = "perl"
    assert (other.appearance.plain, other.is_quiet, other.topic) == (False, False, None)
    assert one.person is other.person
