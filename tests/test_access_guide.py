"""The guide to access control has every option and setting, and its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import conch_insults
from conch_insults.access import key_options
from conch_insults.config import AccessSettings
from tests.documented_commands import understood

TEXT = (Path(conch_insults.__file__).parent.parent / "docs" / "access-control.md").read_text(
    encoding="utf-8"
)
OPTIONS = re.findall(r"^\| (`[^|]*) \|", TEXT.partition("\n## Options of a key\n")[2], re.MULTILINE)
COMMANDS = [
    (in_block or in_line).partition("  #")[0].strip()
    for in_block, in_line in re.findall(
        r"^ {4}(conch-insults .*)|`(conch-insults [^`]*)`", TEXT, re.MULTILINE
    )
]


@pytest.mark.parametrize("name", sorted(key_options._FLAGS.keys() | key_options._WITH_VALUE))
def test_it_has_every_option(name: str) -> None:
    documented = "\n".join(OPTIONS).lower()
    if f"`{name}" not in documented:
        (row,) = (row.lower() for row in OPTIONS if row.endswith("`tunnel=`"))
        assert f"`{name.removeprefix('no-')}`" in row.partition(" and their `no-` forms")[0]


@pytest.mark.parametrize("name", AccessSettings.model_fields)
def test_it_has_every_setting(name: str) -> None:
    assert f"access.{name}" in TEXT


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_exist(command: str) -> None:
    assert understood(command)


def test_it_shows_commands_in_blocks_and_in_lines() -> None:
    assert "conch-insults keys import bob gh:bob" in COMMANDS
    assert "conch-insults keys revoke alice.pub" in COMMANDS
