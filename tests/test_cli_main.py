"""The program `conch-insults`: its commands, its errors, its exit statuses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import pytest

from conch_insults.cli.main import cli, main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["conch-insults", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


def commands(command: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
    yield names
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, *names, name)


@pytest.mark.parametrize("names", list(commands(cli)), ids=" ".join)
def test_every_command_has_help(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *names, "--help") == 0
    help_text = capsys.readouterr().out
    assert help_text.startswith("Usage:")
    assert len(help_text.splitlines()) > 3


def test_an_error_is_one_line_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "conch_insults.toml").write_text("[nonsense]\n")
    assert run(monkeypatch, "keys", "list") == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err == (
        "conch-insults: conch_insults.toml: nonsense: there is no such section\n"
    )


def test_wrong_usage_is_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "insult-me") == 2
    assert "No such command" in capsys.readouterr().err


def test_a_bad_settings_file_is_no_hindrance_to_who_needs_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "conch_insults.toml").write_text("[nonsense]\n")
    assert run(monkeypatch, "client", "--help") == 0
