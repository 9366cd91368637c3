"""The list of words that no pack may hold: found in any form, without standing here."""

from __future__ import annotations

from conch_insults.core import deny_list
from conch_insults.core.deny_list import denied_words, fingerprint

# Two of the milder ones, spelt backwards.
SLUR = "drater"[::-1]
FAITH = "milsum"[::-1]


def test_a_word_is_found_whole_and_in_any_form() -> None:
    assert denied_words(f"You {SLUR.upper()}, you {SLUR}!") == [SLUR]
    assert denied_words(f"({FAITH}s) {SLUR}ed_{FAITH}") == [f"{FAITH}s", f"{SLUR}ed", FAITH]


def test_a_part_of_a_word_is_none() -> None:
    assert denied_words(f"un{FAITH}like x{SLUR} fire{SLUR}ant") == []


def test_what_has_a_harmless_meaning_is_left_to_a_reader() -> None:
    text = (
        "A native method in a black box, a master and its slaves, a dummy, blind, killed orphans,"
        " a lame duck, disabled, crippled and insane: man, that daemon is dumb."
    )
    assert denied_words(text) == []


def test_a_word_is_known_by_a_part_of_its_hash() -> None:
    # The digits are those of `printf conch | sha256sum`.
    assert fingerprint("conch") == fingerprint(" CONCH") == "5fdde7b0e721c43a"
    assert all(len(part) == 16 for part in deny_list._DENIED)
    assert len(deny_list._DENIED) >= 50
