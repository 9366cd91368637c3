"""The sanitiser: what a terminal or a log could act on is gone, the rest is as it was."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.printable import printable


@pytest.mark.parametrize(
    "text",
    [
        "perl",
        "",
        "naïve café",
        "日本語",
        "👩‍💻",
        "e\u0301",
        "می‌خواهم",
        "non\u00a0breaking",
        "\ue000",
    ],
)
def test_what_people_write_passes_unchanged(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    "control",
    [
        "\x00",
        "\x07",
        "\t",
        "\n",
        "\r",
        "\x1b",
        "\x7f",
        "\x85",
        "\x9b",
        "\u200b",
        "\u200e",
        "\u2028",
        "\u2029",
        "\u202e",
        "\u2066",
        "\ufeff",
        "\U000e0041",
        "\udc80",
    ],
)
def test_what_a_terminal_acts_on_is_dropped(control: str) -> None:
    assert printable(f"pe{control}rl") == "perl"


def test_an_escape_sequence_leaves_only_its_letters() -> None:
    assert printable("\x1b]0;owned\x07\x1b[31mred") == "]0;owned[31mred"


class TestLimit:
    def test_a_text_of_the_limit_is_whole(self) -> None:
        assert printable("x" * 64, 64) == "x" * 64

    def test_a_longer_text_ends_in_an_ellipsis_within_the_limit(self) -> None:
        assert printable("x" * 65, 64) == "x" * 63 + "…"

    def test_only_what_is_left_counts(self) -> None:
        assert printable("\x1b" * 100 + "perl", 4) == "perl"


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters()), st.none() | st.integers(1, 20))
def test_nothing_harmful_gets_out_and_cleaning_twice_is_cleaning_once(
    text: str, limit: int | None
) -> None:
    clean = printable(text, limit)
    assert printable(clean, limit) == clean
    assert limit is None or len(clean) <= limit
    kept = set(clean) - {"\u200c", "\u200d"}
    assert not {unicodedata.category(each) for each in kept} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    clean.encode()
