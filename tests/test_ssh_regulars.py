"""What is remembered of people between their visits."""

from __future__ import annotations

from conch_insults.ssh.regulars import MAXIMUM_REGULARS, MAXIMUM_TEXTS, Regulars


def test_whoever_comes_back_is_remembered() -> None:
    regulars = Regulars()
    alice = regulars.welcome("alice")
    assert regulars.welcome("bob") is not alice
    assert regulars.welcome("alice") is alice
    assert alice.history is not regulars.welcome("bob").history


def test_those_who_have_not_come_for_longest_are_forgotten() -> None:
    regulars = Regulars()
    first, second = regulars.welcome("u0"), regulars.welcome("u1")
    for number in range(2, MAXIMUM_REGULARS):
        regulars.welcome(f"u{number}")
    assert regulars.welcome("u0") is first
    regulars.welcome("one too many")
    assert regulars.welcome("u0") is first
    assert regulars.welcome("u1") is not second


def test_those_who_heard_more_than_all_may_have_heard_are_forgotten_first_come_first() -> None:
    regulars = Regulars()
    first, second = regulars.welcome("alice"), regulars.welcome("bob")
    for memory in (first, second):
        memory.heard._remembered = MAXIMUM_TEXTS // 2
    assert regulars.welcome("alice") is first
    second.heard._remembered += 1
    regulars.welcome("carol")
    assert regulars.welcome("alice") is first
    assert regulars.welcome("bob") is not second
