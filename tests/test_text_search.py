"""Finding texts by a word in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.text_search import TextSearch

SEARCH = TextSearch(
    ["Line noise with a licence.", "", "The cat walked, the NOISE stayed.", "STRAßE  5", "noise"]
)


@pytest.mark.parametrize(
    ("word", "numbers"),
    [
        ("noise", [0, 2, 4]),
        ("Noise", [0, 2, 4]),
        ("noise with", [0]),
        ("noise \t with", [0]),
        ("strasse 5", [3]),
        ("ois", [0, 2, 4]),
        ("dog", []),
        ("", []),
        (" ", []),
        ("licence.the", []),
    ],
)
def test_which_texts_hold_a_word(word: str, numbers: list[int]) -> None:
    assert list(SEARCH.find(word)) == numbers


def test_a_word_of_two_lines_is_in_neither() -> None:
    assert list(TextSearch(["a", "b"]).find("a\nb")) == []


def test_nothing_is_found_in_nothing() -> None:
    assert list(TextSearch([]).find("a")) == []


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text("ab ", max_size=6), max_size=8), st.text("ab", min_size=1, max_size=3))
def test_every_text_is_found_and_once(texts: list[str], word: str) -> None:
    expected = [at for at, text in enumerate(texts) if word in " ".join(text.split())]
    assert list(TextSearch(texts).find(word)) == expected
