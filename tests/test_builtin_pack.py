"""The built-in pack: enough of everything, and nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from importlib import resources

import pytest

from conch_insults.core.packs import builtin_pack, parse_pack

PACK = builtin_pack()
TEXTS = [text for topic in PACK.topics() for text in PACK.texts(topic)]
# What every terminal font has beyond ASCII: an ellipsis, and the letters of loan words.
TYPOGRAPHY = set("…éïöü")
COMMANDS = {"help", "topics", "quit", "exit", "bye"}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def test_there_is_enough_to_go_on() -> None:
    assert len(PACK.topics()) >= 70
    assert PACK.insult_count() >= 280


@pytest.mark.parametrize("topic", PACK.topics())
def test_a_topic_has_at_least_four_insults_and_can_be_asked_for(topic: str) -> None:
    assert len(PACK.texts(topic)) >= 4
    assert topic not in COMMANDS
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
    files = list(resources.files("conch_insults").joinpath("packs").iterdir())
    written = 0
    for file in files:
        assert file.name.endswith(".txt")
        lines = file.read_text("utf-8").splitlines()
        written += sum(1 for line in lines if line.strip() and not line.startswith("#"))
        assert parse_pack(file.read_bytes(), file.name).insult_count() > 0
    assert written == PACK.insult_count() == len({tuple(words(text)) for text in TEXTS})


@pytest.mark.parametrize("topic", PACK.topics())
def test_an_insult_is_one_short_plain_sentence_or_two(topic: str) -> None:
    for text in PACK.texts(topic):
        assert 20 <= len(text) <= 160, text
        assert text[-1] in ".?!", text
        assert all(letter.isascii() or letter in TYPOGRAPHY for letter in text), text
        assert "  " not in text, text


@pytest.mark.parametrize(("length", "most"), [(2, 12), (3, 5), (4, 3)])
def test_insults_do_not_all_begin_alike(length: int, most: int) -> None:
    openings = Counter(tuple(words(text)[:length]) for text in TEXTS)
    assert [each for each in openings.items() if each[1] > most] == []


def test_no_two_insults_share_a_long_phrase() -> None:
    phrases: Counter[tuple[str, ...]] = Counter()
    for text in TEXTS:
        said = words(text)
        phrases.update({tuple(said[start : start + 6]) for start in range(len(said) - 5)})
    assert [phrase for phrase, count in phrases.items() if count > 1] == []


def test_the_turn_from_what_it_is_not_to_what_it_is_stays_rare() -> None:
    turn = re.compile(r"(n't|\b(not|no)\b)[^,.:;]*[,.:;] (it|that|you|they)('s|'re| is| are)\b")
    assert len([text for text in TEXTS if turn.search(text.lower())]) <= 6
