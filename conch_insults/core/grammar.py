"""Sentences that differ each time: templates, and the rules that fill their gaps.

The subset of Tracery's syntax that insults need: `#symbol#`, `#symbol.modifier#`, and `##` for the
character itself. A template is taken apart once, when it is loaded. What comes out of a rule, and
what a person typed as the topic, is text: it is never looked at for symbols again. Every sentence
ends, fits and has all its words, because the cost of each choice is known before it is taken.
Knows nothing of packs.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from conch_insults.core.inflection import MODIFIERS
from conch_insults.core.pack_text import MAX_INSULT, MAX_TOPIC, cleaned_topic
from conch_insults.errors import PackError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

__all__ = [
    "MAX_DEPTH",
    "MAX_WEIGHT",
    "SYMBOL",
    "TOPIC",
    "Grammar",
    "Nodes",
    "Reference",
    "Template",
    "parse_template",
    "symbols_in",
]

MAX_DEPTH = 10
"""The most rules that may be inside one another."""
MAX_WEIGHT = 100
"""The most lots that one text may have among the others."""
TOPIC = "topic"
"""The symbol that stands for what the person typed."""
SYMBOL = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""What a symbol is called."""

_MAX_MODIFIERS = 4
# More than any sentence may cost; sums of it stay small.
_NEVER = 1_000_000


class Reference(NamedTuple):
    """A gap in a template.

    Attributes:
        symbol: which rule fills it.
        modifiers: what happens to the filling, in this order.
        growth: how many characters that adds at most.
    """

    symbol: str
    modifiers: tuple[str, ...] = ()
    growth: int = 0


Nodes = tuple[str | Reference, ...]


def parse_template(text: str) -> Nodes:
    """Take a template apart into plain text and gaps.

    Raises:
        PackError: a `#` is left alone, or what is between two of them is no symbol.
    """
    nodes: list[str | Reference] = []
    plain: list[str] = []
    position = 0
    while (start := text.find("#", position)) >= 0:
        plain.append(text[position:start])
        end = text.find("#", start + 1)
        if end < 0:
            raise PackError('"#" without a second one; write ## for the character itself')
        if end == start + 1:
            plain.append("#")
        else:
            _add_text(nodes, plain)
            nodes.append(_parse_reference(text[start + 1 : end]))
        position = end + 1
    plain.append(text[position:])
    _add_text(nodes, plain)
    return tuple(nodes)


def symbols_in(nodes: Nodes) -> list[str]:
    """Return the symbols that have gaps in a text, each once."""
    return list(dict.fromkeys(node.symbol for node in nodes if isinstance(node, Reference)))


def _add_text(nodes: list[str | Reference], plain: list[str]) -> None:
    if text := "".join(plain):
        nodes.append(text)
    plain.clear()


def _parse_reference(inside: str) -> Reference:
    symbol, *modifiers = inside.split(".")
    if not SYMBOL.fullmatch(symbol):
        raise PackError(
            f'"#{inside[:40]}#" is no symbol: use up to 32 of a-z 0-9 _ and start with a letter,'
            " or write ## for the character itself"
        )
    for modifier in modifiers:
        if modifier not in MODIFIERS:
            raise PackError(f'unknown modifier ".{modifier[:40]}"; use {", ".join(MODIFIERS)}')
    if len(modifiers) > _MAX_MODIFIERS:
        raise PackError(
            f"{len(modifiers)} modifiers in a row; at most {_MAX_MODIFIERS} are allowed"
        )
    growth = sum(MODIFIERS[modifier].growth for modifier in modifiers)
    return Reference(symbol, tuple(modifiers), growth)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What can be put in place of a symbol.

    Attributes:
        alternatives: each way to fill the gap.
        weights: how many lots each of them has.
        totals: the sums of these, up to each.
        costs: for each number of levels that are left below, what each alternative costs at least.
        least: for each of these numbers, what the cheapest costs.
    """

    alternatives: tuple[Nodes, ...]
    weights: tuple[int, ...]
    totals: tuple[int, ...]
    costs: list[tuple[int, ...]] = field(default_factory=list)
    least: list[int] = field(default_factory=list)


class Grammar:
    """The rules of one pack, by symbol.

    The cost of a piece of text is its length plus one for each gap in it, with every topic at its
    longest: a bound on both the length and the work. A sentence may cost `MAX_INSULT`.

    Args:
        rules: the alternatives of each symbol, at least one, with their weights.
    """

    def __init__(self, rules: Mapping[str, Sequence[tuple[Nodes, int]]]) -> None:
        self._rules = {symbol: _rule(alternatives) for symbol, alternatives in rules.items()}
        least: dict[str, int] = {}
        for _ in range(MAX_DEPTH):
            for rule in self._rules.values():
                rule.costs.append(tuple(_cost(nodes, least) for nodes in rule.alternatives))
                rule.least.append(min(rule.costs[-1]))
            least = {symbol: rule.least[-1] for symbol, rule in self._rules.items()}
        self._least = least

    def endless(self) -> list[str]:
        """Return the symbols that nothing ends within `MAX_DEPTH` levels."""
        return [symbol for symbol, least in self._least.items() if least >= _NEVER]

    def fits(self, nodes: Nodes) -> bool:
        """Whether the shortest sentence that a text can become is short enough."""
        return _cost(nodes, self._least) <= MAX_INSULT

    def expand(self, nodes: Nodes, topic: str, random: Random) -> str:
        """Fill all gaps, the same symbol with something else each time while there is something.

        Args:
            nodes: a text that `fits`, and whose symbols all have rules.
            topic: what the person typed.
            random: decides.
        """
        spare = MAX_INSULT - _cost(nodes, self._least)
        return _Expansion(self._rules, cleaned_topic(topic), random, spare).write(nodes, MAX_DEPTH)


def _rule(alternatives: Sequence[tuple[Nodes, int]]) -> _Rule:
    weights: dict[Nodes, int] = {}
    for nodes, weight in alternatives:
        # What is written twice is one alternative with the lots of both.
        weights[nodes] = weights.get(nodes, 0) + weight
    return _Rule(tuple(weights), tuple(weights.values()), tuple(accumulate(weights.values())))


def _cost(nodes: Nodes, least: Mapping[str, int]) -> int:
    """Return what a text costs at least, when this is what symbols cost."""
    cost = 0
    for node in nodes:
        if isinstance(node, str):
            cost += len(node)
        else:
            filling = MAX_TOPIC if node.symbol == TOPIC else least.get(node.symbol, _NEVER)
            cost += 1 + node.growth + filling
    return min(cost, _NEVER)


class _Expansion:
    """One sentence being written.

    `spare` is what it may still cost above the least that it must: a choice that costs more than
    that is not taken, and the cheapest one always can be.
    """

    __slots__ = ("_random", "_rules", "_spare", "_topic", "_used")

    def __init__(self, rules: Mapping[str, _Rule], topic: str, random: Random, spare: int) -> None:
        self._rules = rules
        self._topic = topic
        self._random = random
        self._spare = spare
        self._used: dict[str, set[int]] = {}

    def write(self, nodes: Nodes, levels: int) -> str:
        """Return the text with its gaps filled, by rules at most so many levels deep."""
        return "".join(
            node if isinstance(node, str) else self._filled(node, levels - 1) for node in nodes
        )

    def _filled(self, gap: Reference, levels: int) -> str:
        if gap.symbol == TOPIC:
            text = self._topic
        else:
            text = self.write(self._choose(gap.symbol, levels), levels)
        for modifier in gap.modifiers:
            text = MODIFIERS[modifier].apply(text)
        return text

    def _choose(self, symbol: str, levels: int) -> Nodes:
        rule, random = self._rules[symbol], self._random
        used = self._used.setdefault(symbol, set())
        costs, least = rule.costs[levels], rule.least[levels]
        chosen = bisect_right(rule.totals, random.randrange(rule.totals[-1]))
        if chosen in used or costs[chosen] > least + self._spare:
            fitting = [at for at, cost in enumerate(costs) if cost <= least + self._spare]
            fresh = [at for at in fitting if at not in used]
            if not fresh:
                used.clear()
                fresh = fitting
            (chosen,) = random.choices(fresh, [rule.weights[at] for at in fresh])
        used.add(chosen)
        self._spare -= costs[chosen] - least
        return rule.alternatives[chosen]


@dataclass(frozen=True, slots=True)
class Template:
    """A text with gaps, ready to be filled; it is known by its source alone.

    Attributes:
        source: the text as it is written in the pack.
        nodes: its parts.
        grammar: the rules that fill its gaps.
    """

    source: str
    nodes: Nodes = field(compare=False, repr=False)
    grammar: Grammar = field(compare=False, repr=False)

    def expand(self, topic: str, random: Random) -> str:
        """Return a sentence of at most `MAX_INSULT` characters about a topic."""
        return self.grammar.expand(self.nodes, topic, random)
