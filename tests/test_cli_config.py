"""`conch-insults config`: what is set, and whether it would do."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from conch_insults.cli.config import config
from conch_insults.config import load_settings, read_settings
from conch_insults.errors import ConchInsultsError
from conch_insults.ssh.host_keys import create_host_key

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_show_prints_a_settings_file_that_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "conch_insults.toml").write_text('[tcp]\ngreeting = ["Hé \\"you\\""]\n')
    shown = CliRunner().invoke(config, ["show"])
    assert shown.exit_code == 0
    again = tmp_path / "again.toml"
    again.write_text(shown.stdout)
    assert read_settings(again) == load_settings(tmp_path)
    assert tomllib.loads(shown.stdout)["tcp"]["greeting"] == ['Hé "you"']


def test_show_prints_json(tmp_path: Path) -> None:
    shown = CliRunner().invoke(config, ["show", "--json"])
    assert json.loads(shown.stdout)["access"]["keys_dir"] == str(tmp_path / "keys")


def test_check_finds_nothing_wrong(tmp_path: Path) -> None:
    create_host_key(tmp_path / "keys")
    assert CliRunner().invoke(config, ["check"]).stdout == "settings: good\n"
    (tmp_path / "other.toml").write_text('[server]\nworkers = 2\n[tcp]\nendpoint = ""\n')
    assert CliRunner().invoke(config, ["check", "other.toml"]).stdout == "other.toml: good\n"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[ssh]\nport = 1\n", "other.toml: ssh.port: there is no such setting"),
        ('[ssh]\nendpoint = "nonsense"\n', "ssh.endpoint: 'nonsense' is not"),
        ('[ssh]\nendpoint = "tcp:x"\n', "ssh.endpoint: 'tcp:x' is not"),
        ('[ssh]\nendpoint = ""\n[tcp]\nendpoint = ""\n', "nobody could come in"),
        ('[insults]\npacks = ["gone.txt"]\n', "gone.txt"),
        ("[server]\nworkers = 65\n", "server.workers"),
        ('[server]\nworkers = 2\n[tcp]\nendpoint = "unix:x"\n', "'unix:x' cannot be shared"),
        ('[access]\nkeys_dir = "elsewhere"\n', "elsewhere"),
    ],
)
def test_check_says_what_is_wrong(tmp_path: Path, content: str, complaint: str) -> None:
    create_host_key(tmp_path / "keys")
    (tmp_path / "other.toml").write_text(content)
    result = CliRunner().invoke(config, ["check", "other.toml"])
    assert isinstance(result.exception, ConchInsultsError)
    assert complaint in str(result.exception)
    assert "\n" not in str(result.exception)
