"""Templates and rules: what they become, what they never become, and that they always end."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.grammar import (
    MAX_DEPTH,
    TOPIC,
    Grammar,
    Reference,
    Template,
    parse_template,
    symbols_in,
)
from conch_insults.core.pack_text import MAX_INSULT, cleaned_topic
from conch_insults.core.printable import printable
from conch_insults.errors import PackError

SEEDS = st.integers(0, 2**32)


def grammar_of(**rules: list[str]) -> Grammar:
    return Grammar(
        {symbol: [(parse_template(text), 1) for text in texts] for symbol, texts in rules.items()}
    )


def said(grammar: Grammar, text: str, topic: str = "perl", seed: int = 0) -> str:
    return Template(text, parse_template(text), grammar).expand(topic, Random(seed))


class TestParseTemplate:
    def test_text_and_gaps(self) -> None:
        assert parse_template("Your #adjective# #noun.s.capitalize#!") == (
            "Your ",
            Reference("adjective"),
            " ",
            Reference("noun", ("s", "capitalize"), 2),
            "!",
        )

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("plain", ("plain",)),
            ("##1 in C##", ("#1 in C#",)),
            ("#a##b#", (Reference("a"), Reference("b"))),
            ("#a###", (Reference("a"), "#")),
            ("###a#", ("#", Reference("a"))),
            ("####", ("##",)),
            ("", ()),
        ],
    )
    def test_two_signs_are_the_character_itself(self, text: str, parts: tuple[object]) -> None:
        assert parse_template(text) == parts

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("C# is", '"#" without a second one; write ## for the character itself'),
            ("#a# b#", '"#" without a second one; write ## for the character itself'),
            ("#a b#", '"#a b#" is no symbol: use'),
            ("#Noun#", '"#Noun#" is no symbol: use'),
            ("#.s#", '"#.s#" is no symbol: use'),
            ("#[x:y]a#", '"#[x:y]a#" is no symbol: use'),
            ("#a.ed#", 'unknown modifier ".ed"; use a, capitalize, s, upper'),
            ("#a.#", 'unknown modifier "."; use a, capitalize, s, upper'),
            ("#a.s.s.s.s.s#", "5 modifiers in a row; at most 4 are allowed"),
        ],
    )
    def test_what_is_no_template(self, text: str, reason: str) -> None:
        with pytest.raises(PackError) as caught:
            parse_template(text)
        assert str(caught.value).startswith(reason)

    @settings(deadline=None, max_examples=200)
    @given(st.text("ab#.s_1 \n", max_size=30) | st.text())
    def test_any_text_is_a_template_or_one_clear_error(self, text: str) -> None:
        try:
            nodes = parse_template(text)
        except PackError:
            return
        plain = "".join(node for node in nodes if isinstance(node, str))
        assert symbols_in(nodes) or plain == text.replace("##", "#")


class TestExpansion:
    def test_a_symbol_is_replaced_and_modified(self) -> None:
        grammar = grammar_of(noun=["query"], owner=["old #noun.s#"])
        assert said(grammar, "#owner.a.capitalize#: #noun.upper#, #noun.a#.") == (
            "An old queries: QUERY, a query."
        )

    def test_the_topic_is_what_was_typed(self) -> None:
        grammar = grammar_of(noun=["#topic# fan"])
        text = "#topic.capitalize#? You #noun.a#."
        assert said(grammar, text, "oberon") == "Oberon? You an oberon fan."

    @pytest.mark.parametrize("topic", ["#noun#", "##", "#topic#", "#noun.s#", "#", "#[a:b]#"])
    def test_a_typed_symbol_stays_what_it_is(self, topic: str) -> None:
        grammar = grammar_of(noun=["secret"], echo=["#topic#"])
        assert said(grammar, "<#topic#> <#echo#>", topic) == f"<{topic}> <{topic}>"

    def test_what_a_rule_says_is_not_looked_at_again(self) -> None:
        grammar = grammar_of(half=["##"], noun=["secret"])
        assert said(grammar, "#half#noun#half#") == "#noun#"

    def test_a_topic_is_cleaned_and_cut(self) -> None:
        grammar = grammar_of()
        assert said(grammar, "#topic#!", " a\n\x1b[31mb ") == "a [31mb!"
        assert said(grammar, "#topic#!", "x" * 100) == "x" * 63 + "…!"

    def test_the_same_seed_says_the_same(self) -> None:
        grammar = grammar_of(word=list("abcdefgh"))
        lines = [said(grammar, "#word##word##word#", seed=seed) for seed in range(30)]
        assert lines == [said(grammar, "#word##word##word#", seed=seed) for seed in range(30)]
        assert len(set(lines)) > 10

    def test_a_heavier_alternative_comes_up_more_often(self) -> None:
        grammar = Grammar({"word": [(("light",), 1), (("heavy",), 9)]})
        count = Counter(said(grammar, "#word#", seed=seed) for seed in range(300))
        assert count["heavy"] > 200
        assert count["light"] > 5

    def test_an_alternative_written_twice_is_one_of_double_weight(self) -> None:
        grammar = grammar_of(word=["a", "b", "a"])
        assert {said(grammar, "#word##word#", seed=seed) for seed in range(20)} == {"ab", "ba"}

    @settings(deadline=None, max_examples=100)
    @given(SEEDS, st.integers(1, 8), st.integers(0, 4))
    def test_a_rule_does_not_repeat_itself_while_it_has_other_words(
        self, seed: int, words: int, more: int
    ) -> None:
        grammar = grammar_of(word=list("abcdefgh"[:words]), pair=["#word##word#"])
        text = "#word#" * max(0, words - 2) + "#pair#" * (words > 1) + "#word#" * (words == 1)
        line = said(grammar, text + "#word#" * more, seed=seed)
        assert sorted(line[:words]) == list("abcdefgh"[:words])


class TestBounds:
    def test_a_rule_that_may_go_on_for_ever_ends_in_time(self) -> None:
        grammar = grammar_of(list=["x", *(f"{letter}#list#" for letter in "abcdefghijklmn")])
        lengths = {len(said(grammar, "#list#", seed=seed)) for seed in range(200)}
        assert lengths == set(range(1, MAX_DEPTH + 1))

    def test_a_rule_that_explodes_stays_within_the_length_and_says_whole_words(self) -> None:
        grammar = grammar_of(many=["word", "#many# #many# #many# #many#"])
        lines = [said(grammar, "#many#.", seed=seed) for seed in range(50)]
        assert max(map(len, lines)) > 200
        for line in lines:
            assert len(line) <= MAX_INSULT
            assert set(line[:-1].split(" ")) == {"word"}
            assert line[-1] == "."

    def test_a_long_word_is_chosen_only_where_it_fits(self) -> None:
        grammar = grammar_of(word=["w", "x" * 200])
        for seed in range(50):
            assert said(grammar, " ".join(["#word#"] * 20), seed=seed).count("x" * 200) <= 2

    def test_what_never_ends_is_known_before(self) -> None:
        grammar = grammar_of(a=["#b#"], b=["#a# x"], c=["#a#", "c"], d=["#undefined#"])
        assert grammar.endless() == ["a", "b", "d"]

    @pytest.mark.parametrize(("depth", "ends"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
    def test_so_many_rules_in_one_another_and_no_more(self, depth: int, ends: bool) -> None:
        rules = {f"s{at}": [f"#s{at + 1}#"] for at in range(1, depth)} | {f"s{depth}": ["end"]}
        grammar = grammar_of(**rules)
        assert (grammar.endless() == []) is ends
        if ends:
            assert said(grammar, "the #s1#") == "the end"

    def test_what_is_too_long_in_any_case_is_known_before(self) -> None:
        grammar = grammar_of(word=["x" * 100, "y" * 500], pair=["#word##word#"])
        assert grammar.fits(parse_template("#pair##pair#"))
        assert not grammar.fits(parse_template("#pair##pair##pair#"))
        assert not grammar.fits(parse_template("#topic#" * 8))

    def test_empty_fillings_without_end_do_not_take_for_ever(self) -> None:
        rules = {f"s{at}": ["", f"#s{at + 1}#" * 60] for at in range(8)} | {"s8": [""]}
        grammar = Grammar(
            {symbol: [(parse_template(text), 1) for text in two] for symbol, two in rules.items()}
        )
        assert said(grammar, "x#s0#", seed=3) == "x"


SYMBOLS = ["a", "b", "c", "d"]
PIECES = st.sampled_from(
    ["x", "Y z", "##", "é", *(f"#{symbol}#" for symbol in SYMBOLS), "#topic#"]
) | st.tuples(
    st.sampled_from([*SYMBOLS, TOPIC]), st.lists(st.sampled_from(["a", "s", "capitalize", "upper"]))
).map(lambda pair: f"#{'.'.join([pair[0], *pair[1][:4]])}#")
TEXTS = st.lists(PIECES, min_size=1, max_size=12).map("".join)


@settings(deadline=None, max_examples=150)
@given(
    st.dictionaries(st.sampled_from(SYMBOLS), st.lists(TEXTS, min_size=1, max_size=4)),
    TEXTS,
    st.text(max_size=80),
    SEEDS,
)
def test_whatever_fits_is_a_sentence(
    rules: dict[str, list[str]], text: str, topic: str, seed: int
) -> None:
    grammar = grammar_of(**rules)
    nodes = parse_template(text)
    if not grammar.fits(nodes):
        return
    line = said(grammar, text, topic, seed)
    assert len(line) <= MAX_INSULT
    assert printable(line) == line
    assert cleaned_topic(topic) in line or Reference(TOPIC) not in nodes
