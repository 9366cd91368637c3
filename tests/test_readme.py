"""The README is true: its settings are the defaults, its commands exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

import conch_insults
from conch_insults.cli.main import cli
from conch_insults.config import Settings

TREE = Path(conch_insults.__file__).parent.parent
TEXT = (TREE / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ").partition("  #")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]


def test_its_settings_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert Settings(**tomllib.loads(block)) == Settings()


@pytest.mark.parametrize("command", [line for line in COMMANDS if "conch-insults " in line])
def test_its_commands_exist(command: str) -> None:
    program, *words = shlex.split(command)
    if program == "twist":
        return
    group: click.Command = cli
    assert program == ".venv/bin/conch-insults"
    while isinstance(group, click.Group) and words:
        group = group.commands[words.pop(0)]
    # What is left are the arguments, which the command must take.
    assert group.make_parser(click.Context(group)).parse_args(words)


@pytest.mark.parametrize(
    "target", [line.removeprefix("make ") for line in COMMANDS if line.startswith("make ")]
)
def test_its_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (TREE / "Makefile").read_text(), re.MULTILINE)


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert links
    for link in links:
        assert (TREE / link).exists(), link
