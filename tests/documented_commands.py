"""Commands as pages show them, and whether there are such commands.

understood("conch-insults keys add alice alice.pub --expires 90d")     # or it fails
"""

from __future__ import annotations

import shlex

import click

from conch_insults.cli.main import cli

__all__ = ["understood"]


def understood(command: str) -> bool:
    """Say whether a command and its options exist; usage that is wrong is click's to raise."""
    program, *words = shlex.split(command)
    assert program.rpartition("/")[2] == "conch-insults"
    group: click.Command = cli
    while isinstance(group, click.Group) and words:
        group = group.commands[words.pop(0)]
    # What is left are the arguments, which the command must take.
    return bool(group.make_parser(click.Context(group)).parse_args(words))
