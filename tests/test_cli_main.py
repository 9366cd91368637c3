"""The program `conch-insults`: its commands, its errors, its exit statuses."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import conch_insults
from conch_insults.cli.main import cli, main

if TYPE_CHECKING:
    from collections.abc import Iterator


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


KEYS_PAGE = Path(conch_insults.__file__).parent.parent / "keys" / "README.md"
COMMANDS = re.findall(r"^ {4}conch-insults (.*)$", KEYS_PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_on_the_page_about_keys_exist(command: str) -> None:
    words = shlex.split(command)
    group: click.Command = cli
    while isinstance(group, click.Group):
        group = group.commands[words.pop(0)]
    # What is left are the arguments, which the command must take.
    values, _, _ = group.make_parser(click.Context(group)).parse_args(words)
    assert None not in [values[word] for word in values if word in {"user", "what", "source"}]


def test_the_page_about_keys_has_commands() -> None:
    assert len(COMMANDS) > 10


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


def test_an_error_is_clean_whatever_it_is_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "\x1b[2J").write_text("rubbish")
    assert run(monkeypatch, "keys", "revoke", "\x1b[2J") == 1
    assert capsys.readouterr().err.startswith("conch-insults: [2J:1: ")


def test_every_problem_with_the_settings_has_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "conch_insults.toml").write_text("[nonsense]\n[rubbish]\n")
    assert run(monkeypatch, "access", "check") == 1
    assert capsys.readouterr().err.splitlines() == [
        "conch-insults: conch_insults.toml: nonsense: there is no such section",
        "conch_insults.toml: rubbish: there is no such section",
    ]


def test_no_is_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "alice.pub").write_text("rubbish")
    assert run(monkeypatch, "access", "test", "--user", "alice", "--key", "alice.pub") == 1
    assert capsys.readouterr().out.startswith("no: ")


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
