"""What comes of typing is told by its kind."""

from __future__ import annotations

from conch_insults.core.outputs import Display, EndOfInput, HangUp, Interrupt, Line, Output


def test_outputs_are_values_of_different_kinds() -> None:
    outputs: list[Output] = [
        Display("a"),
        Display("a", 1),
        Line("a"),
        Interrupt(empty=True),
        Interrupt(empty=False),
        EndOfInput(),
        HangUp(),
    ]
    assert len(set(outputs)) == len(outputs)
    assert Display("a", 0) == Display("a")


def test_a_display_of_nothing_is_something() -> None:
    assert Display("")
