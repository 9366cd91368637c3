"""What is wrong with a grammar, found with its line before anything is said."""

from __future__ import annotations

from conch_insults.core.grammar import Grammar, Nodes, parse_template
from conch_insults.core.grammar_check import grammar_problems
from conch_insults.core.written_pack import Row


def found(
    rules: dict[str, list[tuple[int, str]]], *templates: tuple[int, str]
) -> list[tuple[int, str]]:
    written: dict[str, list[tuple[Row, Nodes]]] = {
        symbol: [(Row(line, symbol, text), parse_template(text)) for line, text in rule]
        for symbol, rule in rules.items()
    }
    grammar = Grammar(
        {symbol: [(nodes, 1) for _, nodes in rule] for symbol, rule in written.items()}
    )
    rows = [(Row(line, "x", text), parse_template(text)) for line, text in templates]
    problems = grammar_problems(grammar, written, rows)
    return [(problem.line, problem.reason) for problem in problems]


def test_nothing_to_say_about_a_sound_one() -> None:
    assert found({"a": [(1, "x"), (2, "#a# #b#")], "b": [(3, "y")]}, (4, "#a# #topic#")) == []


def test_every_symbol_without_a_rule_is_told_where_it_stands() -> None:
    rule = "has no rule; define it under [grammar] or correct it"
    assert found({"a": [(1, "x"), (2, "#noon#")]}, (7, "#a# #b# #b# #c#")) == [
        (2, f"#noon# {rule}"),
        (7, f"#b# {rule}"),
        (7, f"#c# {rule}"),
    ]


def test_a_circle_is_told_where_each_of_its_rules_begins() -> None:
    rules = {"a": [(5, "#b#"), (4, "x #b#")], "b": [(6, "#a#")], "c": [(7, "#a#"), (8, "x")]}
    assert found(rules, (9, "#a# #c#")) == [
        (4, "#a# never ends: it always takes more than 10 rules in a row"),
        (6, "#b# never ends: it always takes more than 10 rules in a row"),
    ]


def test_a_circle_is_told_together_with_a_symbol_without_a_rule() -> None:
    rules = {"a": [(1, "#a#")], "b": [(2, "#noon#")], "c": [(3, "#b#")]}
    assert found(rules, (4, "#dusk#")) == [
        (2, "#noon# has no rule; define it under [grammar] or correct it"),
        (4, "#dusk# has no rule; define it under [grammar] or correct it"),
        (1, "#a# never ends: it always takes more than 10 rules in a row"),
    ]


def test_what_is_too_long_with_the_shortest_words() -> None:
    reason = "longer than 512 characters even with the shortest words and a topic of 64; shorten it"
    rules = {"a": [(1, "x" * 300), (2, "x" * 511)], "b": [(3, "#a##a#"), (4, "b")]}
    assert found(rules, (5, "#a##a#"), (6, "#b#")) == [(3, reason), (5, reason)]


def test_without_a_grammar_only_names_are_compared() -> None:
    rules = {"a": [(Row(1, "a", "#a#"), parse_template("#a#"))]}
    templates = [(Row(2, "x", "#b#"), parse_template("#b#"))]
    assert [line for line, _ in grammar_problems(None, rules, templates)] == [2]
    assert grammar_problems(None, rules, []) == []
