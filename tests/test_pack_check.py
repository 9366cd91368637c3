"""What a reader objects to in packs: all of it, each with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core.pack_check import check_packs
from conch_insults.core.packs import parse_written

if TYPE_CHECKING:
    from conch_insults.core.written_pack import WrittenPack

SLUR = "drater"[::-1]
HEADER = 'name = "{0}"\nlicence = "MIT"\nrating = "g"\n'


def native(name: str, text: str, header: str = HEADER) -> WrittenPack:
    """Make a pack whose text begins in line 4."""
    return parse_written((header.format(name) + text).encode(), f"{name}.toml")


def findings(*given: WrittenPack, others: tuple[WrittenPack, ...] = ()) -> list[str]:
    return [str(finding) for finding in check_packs(given, others)]


GOOD = """\
[topics.perl]
aliases = ["camel"]
texts = ["Line noise, with a licence."]
templates = ["#topic# is #noun#."]
[grammar]
noun = ["noise", "line noise"]
"""


def test_nothing_to_say_about_a_sound_pack() -> None:
    assert findings(native("a", GOOD)) == []


def test_everything_that_a_server_would_refuse_is_told_too() -> None:
    pack = native("a", '[topics.perl]\ntexts = ["", "x"]\ntemplates = ["#noun#"]\n')
    assert findings(pack) == [
        "a.toml:5: empty text; write something or remove it",
        "a.toml:6: #noun# has no rule; define it under [grammar] or correct it",
    ]


def test_a_gap_in_a_text_that_is_no_template_is_a_warning() -> None:
    text = '[topics.perl]\ntexts = [\n"#topic.s# and #noun#.",\n"We are #1, C# and #2#.",\n]\n'
    (found,) = check_packs([native("a", text)])
    assert found.is_warning
    assert str(found) == (
        "a.toml:6: warning: #topic.s# is not filled in a text; move it to templates"
    )


def test_a_pack_that_cannot_be_read_is_not_blamed_for_what_is_in_it() -> None:
    (finding,) = findings(native("a", "[topics.perl\n"))
    assert finding.startswith("a.toml:4: not TOML: ")


class TestDuplicates:
    def test_within_a_pack_signs_and_case_make_no_difference(self) -> None:
        text = '[topics.perl]\ntexts = [\n"A cat. Oh!",\n"a CAT - oh",\n"A cat"]\n[topics.c]\n'
        assert findings(native("a", text + 'texts = ["A  cat, oh"]')) == [
            "a.toml:7: says the same as a.toml:6; keep one",
            "a.toml:10: says the same as a.toml:6; keep one",
        ]

    def test_among_the_packs_given_and_with_others(self) -> None:
        first = native("a", '[topics.perl]\ntexts = ["One.", "Two."]')
        second = native("b", '[topics.c]\ntexts = [\n"two",\n"three"]')
        third = native("c", 'unknown = ["Three!"]')
        assert findings(first, second, others=(third,)) == [
            "b.toml:6: says the same as a.toml:5; keep one",
            "b.toml:7: says the same as c.toml:4; keep one",
        ]

    def test_others_are_not_looked_at_themselves(self) -> None:
        other = native("a", '[topics.perl]\ntexts = ["One.", "One."]', "name = '{0}'\n\n\n")
        assert findings(native("b", GOOD), others=(other,)) == []

    def test_texts_without_a_word_are_compared_as_they_are(self) -> None:
        assert findings(native("a", '[topics.perl]\ntexts = ["?!", "!?", "?!"]')) == [
            "a.toml:5: says the same as a.toml:5; keep one"
        ]

    def test_in_a_rule_and_only_within_it(self) -> None:
        text = '[topics.c]\ntexts = ["x"]\n[grammar]\na = ["b", "c",\n"B"]\nd = ["b"]\n'
        assert findings(native("a", text)) == [
            "a.toml:8: says the same for #a# as a.toml:7; keep one"
        ]


class TestAliases:
    def test_one_that_is_a_topic_here_or_elsewhere(self) -> None:
        first = native("a", '[topics.perl]\naliases = ["PERL", "c",\n"go"]\ntexts = ["One."]')
        second = native("b", '[topics.c]\ntexts = ["two"]')
        third = native("c", '[topics.go]\ntexts = ["three"]')
        assert findings(first, second, others=(third,)) == [
            'a.toml:5: alias "PERL" is the topic itself; remove it',
            'a.toml:5: alias "c" is a topic, see b.toml:5; remove one',
            'a.toml:6: alias "go" is a topic, see c.toml:5; remove one',
        ]

    def test_one_that_is_an_alias_already(self) -> None:
        first = native("a", '[topics.perl]\naliases = ["x", "X"]\ntexts = ["One."]')
        second = native("b", '[topics.c]\naliases = ["x"]\ntexts = ["two"]')
        assert findings(first, second) == [
            'a.toml:5: alias "X" is one already, see a.toml:5; remove one',
            'b.toml:5: alias "x" is one already, see a.toml:5; remove one',
        ]


class TestHeader:
    def test_a_licence_and_a_rating_are_asked_for(self) -> None:
        pack = native("a", '[topics.c]\ntexts = ["x"]', 'name = "{0}"\n\n\n')
        (no_licence, no_rating) = check_packs([pack])
        assert str(no_licence) == 'a.toml:1: no licence; add licence = "..."'
        assert str(no_rating) == (
            'a.toml:1: warning: texts without a rating count as r; add rating = "..."'
        )
        assert (no_licence.is_warning, no_rating.is_warning) == (False, True)

    def test_ratings_of_its_own_for_each_text_are_enough(self) -> None:
        text = '[topics.c]\ntexts = [{ text = "x", rating = "g" }]'
        assert findings(native("a", text, 'name = "{0}"\nlicence = "MIT"\n\n')) == []

    def test_a_format_that_has_no_place_for_them_is_only_warned(self) -> None:
        found = check_packs([parse_written(b"c: x\n", "a.txt")])
        assert [finding.is_warning for finding in found] == [True, True]
        assert str(found[0]) == (
            "a.txt:1: warning: no licence; say it with `packs import --licence`"
        )

    def test_a_name_that_another_pack_has(self) -> None:
        first, second = native("a", GOOD), native("a", '[topics.c]\ntexts = ["x"]')
        assert findings(second, others=(first,)) == [
            'a.toml:1: "a" is the name of a.toml, too; change one'
        ]

    def test_a_pack_with_nothing_in_it(self) -> None:
        assert findings(native("a", "")) == ["a.toml:1: nothing in it; add a topic"]


def test_words_that_no_pack_may_hold_are_found_everywhere() -> None:
    text = f"""\
unknown = ["#topic#, {SLUR}."]
[topics.{SLUR}]
aliases = [
"{SLUR}s"]
texts = ["x",
"{SLUR.upper()}, {SLUR}?"]
templates = [
"#noun# {SLUR}!"]
[grammar]
noun = ["y",
"a {SLUR}"]
"""
    found = check_packs([native("a", text)])
    # A topic is told where its first text is.
    assert [finding.line for finding in found] == [4, 7, 8, 9, 11, 14]
    reason = "is on the list of slurs and of words for who people are; leave it out"
    assert found[0].reason == f'"{SLUR}" {reason}'
    assert found[1].reason == f'"{SLUR}s" {reason}'
