"""The README is true: its settings are the defaults, its commands exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import conch_insults
from conch_insults.config import Settings
from tests.documented_commands import understood

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
    if command.startswith("twist "):
        return
    assert command.startswith(".venv/bin/conch-insults ")
    assert understood(command)


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
