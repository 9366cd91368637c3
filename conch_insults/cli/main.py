"""The command `conch-insults`: its parts, and how each of them says what went wrong.

An error is one line on stderr and exit status 1; wrong usage is exit status 2. Knows nothing of
what the commands do.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from conch_insults.cli.access import access
from conch_insults.cli.client import client
from conch_insults.cli.config import config
from conch_insults.cli.init import init
from conch_insults.cli.keys import keys
from conch_insults.cli.packs import packs
from conch_insults.cli.shown_keys import complain
from conch_insults.config import load_settings
from conch_insults.errors import ConchInsultsError

__all__ = ["cli", "main"]

_USING_SETTINGS = {"access", "init", "keys", "packs"}


@click.group()
@click.version_option(package_name="conch-insults")
@click.pass_context
def cli(context: click.Context) -> None:
    """Run and use an insult shell behind SSH."""
    if context.invoked_subcommand in _USING_SETTINGS:
        context.obj = load_settings(Path.cwd())


cli.add_command(access)
cli.add_command(client)
cli.add_command(config)
cli.add_command(init)
cli.add_command(keys)
cli.add_command(packs)


def main() -> None:
    """Run the command line; this is the program's entry point."""
    try:
        cli()
    except ConchInsultsError as error:
        # Settings are the one thing that can be wrong in several lines.
        for line in f"conch-insults: {error}".split("\n"):
            complain(line)
        sys.exit(1)
