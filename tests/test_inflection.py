"""What modifiers do to words: rules of thumb for English, and a bound on what they add."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.inflection import MODIFIERS


def modified(modifier: str, text: str) -> str:
    return MODIFIERS[modifier].apply(text)


@pytest.mark.parametrize(
    "written",
    [
        "a bug",
        "an apology",
        "an ugly bug",
        "a unicorn",
        "a user",
        "a European standard",
        "a one-off",
        "an onerous task",
        "a once great idea",
        "an hour",
        "an honest mistake",
        "a house",
        "an unimportant detail",
        "an uninstaller",
        "an update",
        "an usher",
        "an SQL query",
        "an HTML page",
        "an SSH server",
        "a DNS record",
        "an API",
        "a URL",
        "a UI",
        "a USB stick",
        "a NASA probe",
        "an x",
        "a U",
        "an 8-bit machine",
        "an 80 column card",
        "an 11",
        "a 10x engineer",
        "a c++ compiler",
        "a 漢字",
    ],
)
def test_the_article_goes_by_the_sound(written: str) -> None:
    assert modified("a", written.partition(" ")[2]) == written


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("bug", "bugs"),
        ("box", "boxes"),
        ("class", "classes"),
        ("branch", "branches"),
        ("dish", "dishes"),
        ("query", "queries"),
        ("day", "days"),
        ("y", "ys"),
        ("quiz", "quizes"),
        ("c++", "c++s"),
    ],
)
def test_a_plural(one: str, many: str) -> None:
    assert modified("s", one) == many


def test_capitals() -> None:
    assert modified("capitalize", "élan VITAL") == "Élan VITAL"
    assert modified("upper", "straße für c++") == "STRAßE FÜR C++"


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(MODIFIERS)), st.text(max_size=20))
def test_nothing_grows_more_than_it_says(modifier: str, text: str) -> None:
    assert len(modified(modifier, text)) <= len(text) + MODIFIERS[modifier].growth
