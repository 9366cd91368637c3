"""The insulter: everything is said before anything comes again, whatever happens to the pack."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.insulter import Heard, Insulter, ShuffleBag
from conch_insults.core.packs import Pack, parse_pack

SEEDS = st.integers(0, 2**32)


def pack_of(**topics: str) -> Pack:
    """Make a pack: one letter, one insult."""
    lines = (f"{topic}: {text}" for topic, texts in topics.items() for text in texts)
    return parse_pack("\n".join(lines).encode(), "test")


def told(insulter: Insulter, heard: Heard, times: int, topic: str = "perl") -> str:
    return "".join(insulter.insult(topic, heard) or "?" for _ in range(times))


class TestShuffleBag:
    @settings(deadline=None, max_examples=200)
    @given(SEEDS, st.integers(2, 9), st.integers(1, 5))
    def test_each_round_says_everything_and_never_twice_in_a_row(
        self, seed: int, size: int, rounds: int
    ) -> None:
        texts = tuple("abcdefghi"[:size])
        bag, random = ShuffleBag(texts), Random(seed)
        drawn = [bag.draw(random) for _ in range(size * rounds)]
        for start in range(0, len(drawn), size):
            assert sorted(drawn[start : start + size]) == list(texts)
        assert all(one != next_one for one, next_one in pairwise(drawn))

    def test_one_text_has_no_choice(self) -> None:
        bag = ShuffleBag(("a",))
        assert [bag.draw(Random(0)) for _ in range(3)] == ["a", "a", "a"]

    def test_every_order_comes_up(self) -> None:
        random = Random(1)
        orders = set()
        for _ in range(200):
            bag = ShuffleBag(("a", "b", "c"))
            orders.add("".join(bag.draw(random) for _ in range(3)))
        assert len(orders) == 6

    def test_every_allowed_order_comes_up_after_a_reshuffle(self) -> None:
        random = Random(1)
        orders = set()
        for _ in range(300):
            bag = ShuffleBag(("a", "b", "c"))
            orders.add("".join(bag.draw(random) for _ in range(6))[2:])
        # Three to end the first round on, then two to go on with, then two orders of the rest.
        assert len(orders) == 12

    @settings(deadline=None, max_examples=200)
    @given(
        SEEDS,
        st.integers(0, 12),
        st.permutations("abcdefgh"),
        st.integers(1, 8),
    )
    def test_other_texts_are_said_before_those_already_drawn(
        self, seed: int, before: int, order: list[str], size: int
    ) -> None:
        random = Random(seed)
        old, new = tuple("abcde"), tuple(order[:size])
        bag = ShuffleBag(old)
        drawn = [bag.draw(random) for _ in range(before)]
        this_round = set(drawn[before - (before % 5 or 5) :]) if before else set()
        bag.exchange(new)
        fresh = set(new) - this_round
        assert {bag.draw(random) for _ in range(len(fresh))} == fresh
        assert sorted(bag.draw(random) for _ in range(size)) == sorted(new)

    @settings(deadline=None, max_examples=100)
    @given(SEEDS, st.integers(1, 12))
    def test_the_last_text_is_not_repeated_across_an_exchange(self, seed: int, before: int) -> None:
        random = Random(seed)
        bag = ShuffleBag(("a", "b", "c"))
        last = [bag.draw(random) for _ in range(before)][-1]
        bag.exchange(("c", "b", "a"))
        assert bag.draw(random) != last


class TestInsulter:
    def test_an_unknown_topic_gets_nothing(self) -> None:
        insulter = Insulter(pack_of(perl="a"), Random(0))
        assert insulter.insult("cobol", Heard()) is None

    @pytest.mark.parametrize("typed", ["perl", " PERL ", "\uff30erl"])
    def test_a_topic_is_known_however_it_is_typed(self, typed: str) -> None:
        assert Insulter(pack_of(Perl="a"), Random(0)).insult(typed, Heard()) == "a"

    def test_spellings_share_a_bag_and_topics_do_not(self) -> None:
        insulter, heard = Insulter(pack_of(perl="ab", go="cd"), Random(0)), Heard()
        said = [insulter.insult(topic, heard) for topic in ("perl", "go", "PERL", "Go ")]
        assert {said[0], said[2]} == {"a", "b"}
        assert {said[1], said[3]} == {"c", "d"}

    def test_each_person_hears_everything(self) -> None:
        insulter = Insulter(pack_of(perl="abc"), Random(0))
        one, other = Heard(), Heard()
        turns = [told(insulter, heard, 1) for heard in (one, other) * 3]
        assert sorted(turns[::2]) == sorted(turns[1::2]) == ["a", "b", "c"]

    def test_the_order_comes_from_the_randomness_given(self) -> None:
        def tell(seed: int) -> str:
            return told(Insulter(pack_of(perl="abcdefgh"), Random(seed)), Heard(), 8)

        assert tell(7) == tell(7)
        assert len({tell(seed) for seed in range(10)}) > 1


class TestReplacedPack:
    def test_what_was_heard_is_not_heard_again_before_the_rest(self) -> None:
        insulter, heard = Insulter(pack_of(perl="abc"), Random(0)), Heard()
        first = told(insulter, heard, 2)
        insulter.pack = pack_of(perl="dcbae")
        assert sorted(told(insulter, heard, 3)) == sorted(set("abcde") - set(first))

    def test_the_same_texts_again_change_nothing(self) -> None:
        plain, reloaded = (Insulter(pack_of(perl="abcdef"), Random(3)) for _ in range(2))
        one, other = Heard(), Heard()
        told(plain, one, 2)
        told(reloaded, other, 2)
        reloaded.pack = pack_of(perl="abcdef", go="x")
        assert told(reloaded, other, 10) == told(plain, one, 10)

    def test_a_topic_that_is_gone_is_unknown_and_one_that_is_new_is_known(self) -> None:
        insulter, heard = Insulter(pack_of(perl="ab"), Random(0)), Heard()
        told(insulter, heard, 1)
        insulter.pack = pack_of(go="x")
        assert insulter.insult("perl", heard) is None
        assert insulter.insult("go", heard) == "x"

    def test_a_person_remembers_no_more_than_the_pack_has(self) -> None:
        insulter, heard = Insulter(pack_of(), Random(0)), Heard()
        for number in range(50):
            insulter.pack = pack_of(**{f"topic{number}": "ab"})
            told(insulter, heard, 1, f"topic{number}")
        assert list(heard._bags) == ["topic49"]

    def test_unknown_topics_are_not_remembered(self) -> None:
        insulter, heard = Insulter(pack_of(perl="ab"), Random(0)), Heard()
        told(insulter, heard, 5, "cobol")
        assert not heard._bags
