"""What is wrong with the grammar of a pack, found when it is loaded and not when it is spoken.

Knows the lines of rules and templates, but not the format they were written in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conch_insults.core.grammar import MAX_DEPTH, TOPIC, Grammar, symbols_in
from conch_insults.core.pack_text import MAX_INSULT, MAX_TOPIC
from conch_insults.core.written_pack import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from conch_insults.core.grammar import Nodes
    from conch_insults.core.written_pack import Row

__all__ = ["grammar_problems"]


def grammar_problems(
    grammar: Grammar | None,
    rules: Mapping[str, Collection[tuple[Row, Nodes]]],
    templates: Collection[tuple[Row, Nodes]],
) -> list[Problem]:
    """Return what could never be said, or never in full.

    Args:
        grammar: the rules, made ready, unless some of them could not be read.
        rules: the alternatives of each symbol as they are written, also those that have none.
        templates: what is expanded by these rules.
    """
    alternatives = [alternative for rule in rules.values() for alternative in rule]
    problems = [
        Problem(row.line, f"#{symbol}# has no rule; define it under [grammar] or correct it")
        for row, nodes in (*alternatives, *templates)
        for symbol in symbols_in(nodes)
        if symbol != TOPIC and symbol not in rules
    ]
    if grammar is None:
        return problems
    if problems:
        # A symbol without a rule never ends either, and is told once: here it has one.
        used = {symbol for _, nodes in alternatives for symbol in symbols_in(nodes)}
        complete: dict[str, list[tuple[Nodes, int]]] = {
            symbol: [((), 1)] for symbol in used - {TOPIC}
        }
        complete |= {symbol: [(nodes, 1) for _, nodes in rule] for symbol, rule in rules.items()}
        grammar = Grammar(complete)
    for symbol in grammar.endless():
        line = min(row.line for row, _ in rules[symbol])
        reason = f"#{symbol}# never ends: it always takes more than {MAX_DEPTH} rules in a row"
        problems.append(Problem(line, reason))
    if problems:
        return problems
    return [
        Problem(
            row.line,
            f"longer than {MAX_INSULT} characters even with the shortest words and a topic of"
            f" {MAX_TOPIC}; shorten it",
        )
        for row, nodes in (*alternatives, *templates)
        if not grammar.fits(nodes)
    ]
