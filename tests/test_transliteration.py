"""ASCII that looks or reads like what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.packs import builtin_pack
from conch_insults.core.printable import printable
from conch_insults.core.transliteration import to_ascii


@pytest.mark.parametrize(
    ("text", "likeness"),
    [
        ("plain text", "plain text"),
        ("“Don\u2019t,” he said \u2013 and left…", '"Don\'t," he said - and left...'),
        ("a—b → c ← d", "a--b -> c <- d"),
        ("naïve café Ångström", "naive cafe Angstrom"),
        ("e\N{COMBINING ACUTE ACCENT}", "e"),
        ("Straße Æsop smørrebrød łódź", "Strasse AEsop smorrebrod lodz"),
        ("ﬁne №5 ½ ™", "fine No5 1/2 TM"),
        ("no\N{NO-BREAK SPACE}break", "no break"),
        ("• 5 \N{MULTIPLICATION SIGN} 3 ≥ 2 €", "* 5 x 3 >= 2 EUR"),
        ("日本語", "???"),
        ("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}!", "?!"),
        ("Ж", "?"),
        ("a↵b", "a^Jb"),
    ],
)
def test_is_what_people_would_type(text: str, likeness: str) -> None:
    assert to_ascii(text) == likeness


def test_what_we_say_ourselves_has_a_likeness() -> None:
    pack = builtin_pack()
    said = "".join(text for topic in pack.topics() for text in pack.texts(topic))
    assert to_ascii(said).count("?") - said.count("?") == 0


@given(st.text().map(printable))
@settings(deadline=None)
def test_anything_becomes_printable_ascii(text: str) -> None:
    likeness = to_ascii(text)
    assert likeness.isascii()
    assert likeness == printable(likeness)
