"""What a person has heard: everything once before anything twice, whatever happens in between."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core import heard as heard_module
from conch_insults.core.heard import MAX_TEXTS_HEARD, MAX_TOPICS_HEARD, Heard, ShuffleBag
from conch_insults.core.pack_model import Topic, build_pack
from conch_insults.core.written_pack import PackInfo, Row, WrittenPack
from conch_insults.rating import Rating

if TYPE_CHECKING:
    import pytest

SEEDS = st.integers(0, 2**32)
CEILINGS = st.sampled_from(list(Rating))


def topic_of(
    g: str = "", pg: str = "", r: str = "", weights: dict[str, int] | None = None
) -> Topic:
    """Make a topic: one letter, one text."""
    rows = [
        Row(1, "x", text, rating, (weights or {}).get(text, 1))
        for rating, texts in ((Rating.G, g), (Rating.PG, pg), (Rating.R, r))
        for text in texts
    ]
    return build_pack([WrittenPack(PackInfo("x", "x"), "toml", rows)]).by_key["x"]


def drawn(
    bag: ShuffleBag, topic: Topic, random: Random, times: int, ceiling: Rating = Rating.R
) -> str:
    return "".join(str(topic.lots[bag.draw(topic, ceiling, random)]) for _ in range(times))


class TestRounds:
    @settings(deadline=None, max_examples=200)
    @given(SEEDS, st.integers(2, 9), st.integers(1, 5), st.integers(0, 9))
    def test_each_says_everything_and_never_twice_in_a_row(
        self, seed: int, size: int, rounds: int, rude: int
    ) -> None:
        texts = "abcdefghi"[:size]
        topic, bag, random = topic_of(texts[rude:], r=texts[:rude]), ShuffleBag(), Random(seed)
        said = drawn(bag, topic, random, size * rounds)
        for start in range(0, len(said), size):
            assert sorted(said[start : start + size]) == list(texts)
        assert all(one != next_one for one, next_one in pairwise(said))

    def test_one_text_has_no_choice(self) -> None:
        assert drawn(ShuffleBag(), topic_of("a"), Random(0), 3) == "aaa"

    def test_every_order_comes_up(self) -> None:
        random = Random(1)
        assert len({drawn(ShuffleBag(), topic_of("ab", r="c"), random, 3) for _ in range(200)}) == 6

    def test_every_allowed_order_comes_up_after_a_reshuffle(self) -> None:
        random = Random(1)
        orders = {drawn(ShuffleBag(), topic_of("abc"), random, 6)[2:] for _ in range(300)}
        # Three to end the first round on, then two to go on with, then two orders of the rest.
        assert len(orders) == 12

    @settings(deadline=None, max_examples=100)
    @given(SEEDS, st.integers(1, 9))
    def test_a_weight_is_how_often_a_text_comes_and_not_twice_in_a_row(
        self, seed: int, weight: int
    ) -> None:
        others = "bcdefghijkl"
        topic = topic_of("a" + others, weights={"a": weight})
        said = drawn(ShuffleBag(), topic, Random(seed), 11 + weight)
        assert said.count("a") == weight
        assert set(others) <= set(said)
        # The others may be used up, and only then is there no choice.
        assert "aa" not in said.rstrip("a")

    def test_a_draw_is_remembered_and_a_round_is_forgotten(self) -> None:
        topic, bag, random = topic_of("ab", r="cd"), ShuffleBag(), Random(0)
        drawn(bag, topic, random, 3)
        assert bag.remembered == 3
        drawn(bag, topic, random, 2)
        assert bag.remembered == 1


class TestCeilings:
    @settings(deadline=None, max_examples=200)
    @given(SEEDS, st.lists(CEILINGS, max_size=30))
    def test_nothing_is_ruder_and_nothing_comes_again_before_its_time(
        self, seed: int, ceilings: list[Rating]
    ) -> None:
        topic, bag, random = topic_of("abc", "def", "ghi"), ShuffleBag(), Random(seed)
        fresh = set("abcdefghi")
        for ceiling in ceilings:
            allowed = set("abcdefghi"[: 3 * ceiling])
            text = drawn(bag, topic, random, 1, ceiling)
            if not fresh & allowed:
                fresh |= allowed
            assert text in fresh & allowed
            fresh.discard(text)


class TestOtherTexts:
    @settings(deadline=None, max_examples=200)
    @given(SEEDS, st.integers(0, 12), st.permutations("abcdefgh"), st.integers(1, 8))
    def test_they_are_said_before_those_already_drawn(
        self, seed: int, before: int, order: list[str], size: int
    ) -> None:
        random, bag = Random(seed), ShuffleBag()
        new = "".join(order[:size])
        said = drawn(bag, topic_of("abcde"), random, before)
        this_round = set(said[before - (before % 5 or 5) :]) if before else set()
        # What was polite may be rude now.
        topic = topic_of(new[::2], r=new[1::2])
        fresh = set(new) - this_round
        assert set(drawn(bag, topic, random, len(fresh))) == fresh
        assert sorted(drawn(bag, topic, random, size)) == sorted(new)

    @settings(deadline=None, max_examples=100)
    @given(SEEDS, st.integers(1, 12))
    def test_the_last_text_is_not_repeated_across_the_change(self, seed: int, before: int) -> None:
        random, bag = Random(seed), ShuffleBag()
        last = drawn(bag, topic_of("abc"), random, before)[-1]
        assert drawn(bag, topic_of("cba"), random, 1) != last

    def test_the_same_texts_change_nothing(self) -> None:
        plain, reloaded = ShuffleBag(), ShuffleBag()
        one, other = Random(3), Random(3)
        said = drawn(plain, topic_of("abcdef"), one, 12)
        assert said == drawn(reloaded, topic_of("abcdef"), other, 2) + drawn(
            reloaded, topic_of("abcdef"), other, 10
        )


class TestHeard:
    def test_where_nothing_may_be_said_nothing_is_drawn_or_remembered(self) -> None:
        heard = Heard()
        assert heard.draw("x", topic_of(r="a"), Rating.PG, Random(0)) is None
        assert not heard._bags

    def test_topics_have_bags_of_their_own(self) -> None:
        heard, random, topic = Heard(), Random(0), topic_of("ab")
        said = [heard.draw(key, topic, Rating.R, random) for key in ("x", "y", "x", "y")]
        assert {said[0], said[2]} == {said[1], said[3]} == {0, 1}

    def test_a_topic_that_went_away_and_came_back_is_remembered(self) -> None:
        heard, random = Heard(), Random(0)
        first = heard.draw("x", topic_of("ab"), Rating.R, random)
        heard.draw("y", topic_of("cd"), Rating.R, random)
        assert heard.draw("x", topic_of("ab"), Rating.R, random) != first

    def test_so_many_topics_are_remembered_and_the_oldest_go(self) -> None:
        heard, random, topic = Heard(), Random(0), topic_of("ab")
        for number in range(MAX_TOPICS_HEARD + 10):
            heard.draw("first", topic, Rating.R, random)
            heard.draw(str(number), topic, Rating.R, random)
        assert len(heard._bags) == MAX_TOPICS_HEARD
        assert "first" in heard._bags
        assert "9" not in heard._bags

    def test_so_many_texts_are_remembered_and_the_oldest_topics_go(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(heard_module, "MAX_TEXTS_HEARD", 20)
        heard, random = Heard(), Random(0)
        texts = "".join(map(chr, range(0x4E00, 0x4E00 + 30)))
        for _ in range(15):
            heard.draw("x", topic_of(texts), Rating.R, random)
        for _ in range(5):
            heard.draw("y", topic_of(texts), Rating.R, random)
        assert list(heard._bags) == ["x", "y"]
        heard.draw("y", topic_of(texts), Rating.R, random)
        assert list(heard._bags) == ["y"]
        for _ in range(100):
            heard.draw("y", topic_of(texts), Rating.R, random)
            assert heard._remembered == sum(bag.remembered for bag in heard._bags.values()) <= 20

    def test_a_topic_of_thousands_is_said_through_whatever_else_was_asked(self) -> None:
        heard, random = Heard(), Random(0)
        texts = "".join(map(chr, range(0x4E00, 0x4E00 + 3_000)))
        large, small = topic_of(texts), topic_of(texts[:1_500])
        for key in ("x", "y"):
            for _ in range(1_500):
                heard.draw(key, small, Rating.R, random)
        said = {heard.draw("z", large, Rating.R, random) for _ in range(3_000)}
        assert len(said) == 3_000
        assert heard.remembered <= MAX_TEXTS_HEARD

    def test_who_asked_for_everything_takes_no_more_than_150_kib(self) -> None:
        pack, random = topic_of("abc", "de"), Random(0)
        keys = [f"topic {number}" for number in range(349)]
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            heard = Heard()
            for key in keys:
                heard.draw(key, pack, Rating.R, random)
            taken = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert taken <= 150 * 1024

    def test_what_was_not_drawn_from_notes_nothing(self) -> None:
        bag = ShuffleBag()
        drawn(bag, topic_of("a", r="bc"), Random(0), 1, Rating.G)
        # There is nothing rated pg.
        polite, rude = bag._layers
        assert polite.drawn is not None
        assert rude.moved is heard_module._NONE_MOVED
        assert rude.drawn is None
