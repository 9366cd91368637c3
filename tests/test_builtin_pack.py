"""The built-in packs: enough of everything, for every listener, and nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from conch_insults.core.grammar import parse_template, symbols_in
from conch_insults.core.insulter import Heard, Insulter
from conch_insults.core.pack_check import check_packs
from conch_insults.core.pack_model import build_pack
from conch_insults.core.packs import builtin_written
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from conch_insults.core.written_pack import WrittenPack

NATIVE = [pack for pack in builtin_written() if pack.format == "toml"]
PACK = build_pack(NATIVE)
TEXTS = [row.text for pack in NATIVE for row in pack.rows if not row.template]
# What every terminal font has beyond ASCII: an ellipsis, and the letters of loan words.
TYPOGRAPHY = set("…éïöü")
# A topic of this name could only be asked for with `insult` before it.
# What a school class need not hear; not all of it, but what is at hand when one writes for adults.
NOT_FOR_CHILDREN = re.compile(
    r"\b(damn\w*|hell|bloody|bastards?|arse|sod|crap\w*|drunk\w*|sober\w*|hung.?over|hangover"
    r"|ale|beers?|brandy|gin|rum|tequila|wine|pubs?)\b"
)
RESERVED = {"topics", "exit", "bye", "random", "again", "why", "rating", "search", "quiet"}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def test_there_is_enough_to_go_on() -> None:
    assert len(NATIVE) >= 4
    assert len(PACK.topics()) >= 150
    assert len(TEXTS) >= 1000


def test_nothing_is_wrong_with_them() -> None:
    assert [str(finding) for finding in check_packs(NATIVE)] == []


def test_they_say_whose_they_are() -> None:
    assert {(pack.info.language, pack.info.licence) for pack in NATIVE} == {("en", "MIT")}
    assert all(pack.info.author and pack.info.version for pack in NATIVE)


def test_there_is_something_for_every_listener() -> None:
    for pack in NATIVE:
        ratings = Counter(pack.rating_of(row) for row in pack.rows)
        for rating in Rating:
            assert ratings[rating] >= sum(ratings.values()) / 10, (pack.info.name, rating)
    assert len(PACK.topics(Rating.G)) >= 140
    assert len(PACK.topics(Rating.PG)) >= len(PACK.topics()) - 3


@pytest.mark.parametrize("pack", NATIVE, ids=lambda pack: pack.info.name)
def test_what_is_rated_g_neither_drinks_nor_swears(pack: WrittenPack) -> None:
    rows = [row for row in (*pack.rows, *pack.unknown) if pack.rating_of(row) == Rating.G]
    texts = [row.text for row in rows]
    # What a template may become is as much for children as the template.
    symbols = [symbol for row in rows if row.template for symbol in symbols_in(row.template.nodes)]
    for symbol in symbols:
        alternatives = [row.text for row in pack.rules.get(symbol, ())]
        texts += alternatives
        found = [each for text in alternatives for each in symbols_in(parse_template(text))]
        symbols += (each for each in dict.fromkeys(found) if each not in symbols)
    assert texts
    assert [text for text in texts if NOT_FOR_CHILDREN.search(text.lower())] == []


def test_a_topic_has_at_least_four_insults_and_can_be_asked_for() -> None:
    assert len(PACK.topics()) > 300
    for topic in PACK.topics():
        assert len(PACK.texts(topic)) >= 4, topic
        assert topic not in RESERVED
        assert topic == topic.lower()


@pytest.mark.parametrize(
    "topic",
    [
        "python perl cobol c c++ c# .net java javascript php rust go haskell lisp ruby bash sql",
        "emacs vim git regex yaml json xml docker kubernetes systemd cloud microservices agile",
        "meetings email twisted asyncio ssh dns tabs spaces monday deadline documentation tests",
        "windows linux excel",
    ],
)
def test_what_everybody_tries_first_is_there(topic: str) -> None:
    assert set(topic.split()) <= set(PACK.topics())
    assert "code review" in PACK.topics()


def test_no_insult_is_used_for_two_topics_or_written_twice() -> None:
    assert len({tuple(words(text)) for text in TEXTS}) == len(TEXTS)


def test_an_insult_is_one_short_plain_sentence_or_two() -> None:
    for text in TEXTS:
        assert 20 <= len(text) <= 160, text
        assert text[-1] in '.?!"', text
        assert all(letter.isascii() or letter in TYPOGRAPHY for letter in text), text
        assert "  " not in text, text


@pytest.mark.parametrize(("length", "most"), [(2, 12), (3, 5), (4, 3)])
def test_insults_do_not_all_begin_alike(length: int, most: int) -> None:
    openings = Counter(tuple(words(text)[:length]) for text in TEXTS)
    assert [each for each in openings.items() if each[1] > most] == []


@pytest.mark.parametrize(("length", "most"), [(2, 8), (3, 3)])
def test_insults_do_not_all_end_alike(length: int, most: int) -> None:
    endings = Counter(tuple(words(text)[-length:]) for text in TEXTS)
    assert [each for each in endings.items() if each[1] > most] == []


def test_no_two_insults_share_a_long_phrase() -> None:
    phrases: Counter[tuple[str, ...]] = Counter()
    for text in TEXTS:
        said = words(text)
        phrases.update({tuple(said[start : start + 6]) for start in range(len(said) - 5)})
    assert [phrase for phrase, count in phrases.items() if count > 1] == []


def test_the_turn_from_what_it_is_not_to_what_it_is_stays_rare() -> None:
    turn = re.compile(r"(n't|\b(not|no)\b)[^,.:;]*[,.:;] (it|that|you|they)('s|'re| is| are)\b")
    assert len([text for text in TEXTS if turn.search(text.lower())]) <= 12


class TestImprovised:
    def test_there_is_enough_of_it_for_every_listener(self) -> None:
        assert len(set(PACK.unknown.lots)) >= 60
        assert PACK.unknown.size(Rating.G) >= 25

    @pytest.mark.parametrize(
        "topic", ["x", "kubernetes 3", "my mother-in-law's car", "#noun#", "漢字", "y" * 200]
    )
    def test_it_is_about_what_was_typed_and_reads_like_a_sentence(self, topic: str) -> None:
        insulter, heard = Insulter(PACK, Random(1)), Heard()
        shown = topic if len(topic) <= 64 else "y" * 63 + "…"
        for _ in range(300):
            said = insulter.improvise(topic, heard, Rating.R)
            assert said
            assert shown.lower() in said.text.lower(), said.insult.text
            assert "  " not in said.text
            assert said.text[-1] in '.?!"', said.text

    def test_it_is_thousands_of_lines(self) -> None:
        insulter, heard = Insulter(PACK, Random(1)), Heard()
        said = [insulter.improvise("zork", heard, Rating.R) for _ in range(3000)]
        assert len({each.text for each in said if each}) >= 1000
