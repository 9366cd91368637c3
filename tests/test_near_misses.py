"""What somebody may have meant: the distance between names, and which are near enough."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.near_misses import MAX_COMPARED, MAX_NAME, NearMisses, slips_from

LETTERS = st.text("abc", max_size=9)


def slips_between(one: str, other: str) -> int:
    """The textbook's table, in full."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for at in range(len(one) + 1):
        for to in range(len(other) + 1):
            if not at or not to:
                table[at][to] = at + to
                continue
            same = one[at - 1] == other[to - 1]
            best = min(
                table[at - 1][to] + 1,
                table[at][to - 1] + 1,
                table[at - 1][to - 1] + (not same),
            )
            if at > 1 and to > 1 and one[at - 1] == other[to - 2] and one[at - 2] == other[to - 1]:
                best = min(best, table[at - 2][to - 2] + 1)
            table[at][to] = best
    return table[-1][-1]


@settings(deadline=None, max_examples=300)
@given(LETTERS.filter(bool), st.lists(LETTERS))
def test_the_distance_is_that_of_the_textbook(typed: str, names: list[str]) -> None:
    slips = slips_from(typed)
    assert [slips(name) for name in names] == [slips_between(typed, name) for name in names]


def names(*known: str) -> NearMisses:
    return NearMisses((name, name) for name in known)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pyton", "python"),
        ("pythonn", "python"),
        ("pyhton", "python"),
        ("pithon", "python"),
        ("javscirpt", "javascript"),
        ("code-review", "code review"),
        ("ruts", "rust"),
    ],
)
def test_a_slip_is_forgiven(typed: str, meant: str) -> None:
    known = names("python", "perl", "javascript", "code review", "rust", "go", "c")
    assert known.of(typed) == [meant]


@pytest.mark.parametrize("typed", ["", "x", "gp", "ruse-d", "psthens", "python 3 rocks"])
def test_what_is_far_from_everything(typed: str) -> None:
    assert names("python", "rust", "go", "c", "c++").of(typed) == []


def test_the_nearest_comes_first_and_then_the_alphabet() -> None:
    assert names("boards", "cardinal", "beards", "bards").of("boardss") == [
        "boards",
        "bards",
        "beards",
    ]


def test_each_meaning_is_named_once_at_its_nearest() -> None:
    known = NearMisses([("javascript", "js"), ("ecmascript", "js"), ("jabascripd", "jabascripd")])
    assert known.of("jabascript") == ["jabascripd", "javascript"]


def test_a_name_that_stands_for_itself_goes_before_another_as_near() -> None:
    known = NearMisses([("barx", "bart"), ("bart", "bart"), ("bara", "bart")])
    assert known.of("bar") == ["bart"]


def test_only_so_many_answers_are_remembered() -> None:
    known = names("python")
    for number in range(1_025):
        known.of(f"{number:06}")
    assert len(known._remembered) == 1
    assert known.of("pyhton") == known.of("pyhton") == ["python"]


def test_long_names_are_left_alone() -> None:
    assert names("x" * MAX_NAME).of("x" * MAX_NAME) == ["x" * MAX_NAME]
    assert names("x" * (MAX_NAME + 1)).of("x" * MAX_NAME) == []
    assert names("x" * MAX_NAME).of("x" * (MAX_NAME + 1)) == []


def test_no_more_names_are_looked_at_than_that() -> None:
    crowd = [f"a{number:06}" for number in range(MAX_COMPARED)]
    assert names(*crowd[1:], "zebras").of("zebra") == ["zebras"]
    assert names(*crowd, "zebrass").of("zebraas") == []


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=8), max_size=20, unique=True), st.text(max_size=8))
def test_nothing_near_is_missed(known: list[str], typed: str) -> None:
    limit = 2 if len(typed) >= 6 else 1 if len(typed) >= 3 else 0
    near = [name for name in known if limit and slips_between(typed, name) <= limit]
    assert sorted(names(*known).of(typed)) == sorted(near)
