"""Settings: defaults, one file, the environment over it, and errors that name what is wrong."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from conch_insults.config import (
    CONFIG_VARIABLE,
    FILE_NAME,
    Settings,
    load_settings,
    read_settings,
)
from conch_insults.errors import SettingsError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("CONCH_INSULTS_"):
            monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, name: str = FILE_NAME) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    """Return what is wrong with a settings file, a problem a line, without its folder."""
    with pytest.raises(SettingsError) as refused:
        read_settings(path)
    return [line.replace(f"{path.parent}/", "") for line in str(refused.value).splitlines()]


class TestDefaults:
    def test_without_a_file_or_a_variable(self, folder: Path) -> None:
        found = load_settings(Path("/srv/insults"))
        assert found.server.workers == 1
        assert found.ssh.endpoint == "tcp:2222"
        assert found.tcp.endpoint == "tcp:8080:interface=127.0.0.1"
        assert len(found.tcp.greeting) == 2
        assert found.access.keys_dir == Path("/srv/insults/keys")
        assert found.access.attestation_roots == ""
        assert found.insults.packs == ()
        assert found.insults.unknown_topic == "improvise"
        assert found.log.level == "info"

    def test_an_empty_file_says_the_same_but_where_it_is(self, folder: Path) -> None:
        path = write(folder, "", "etc/mine.toml")
        expected = load_settings(folder / "etc")
        assert read_settings(path) == expected

    def test_paths_are_absolute_even_from_a_relative_folder(self, folder: Path) -> None:
        assert load_settings(Path("here")).access.keys_dir == folder / "here/keys"

    def test_settings_do_not_change(self, folder: Path) -> None:
        found = load_settings(folder)
        with pytest.raises(ValidationError, match="frozen"):
            setattr(found.ssh, "endpoint", "tcp:1")  # noqa: B010 - mypy forbids it, too

    def test_every_setting_is_described(self) -> None:
        for section in Settings.model_fields.values():
            assert isinstance(section.annotation, type)
            for field in section.annotation.model_fields.values():
                assert field.description


class TestFile:
    def test_every_setting(self, folder: Path) -> None:
        path = write(
            folder,
            """
            [server]
            workers = 4
            [ssh]
            endpoint = "tcp6:22"
            [tcp]
            endpoint = ""
            greeting = ["Oh no.", "Not you."]
            [access]
            keys_dir = "secrets"
            attestation_roots = "makers.pem"
            [insults]
            packs = ["mine.txt", "/usr/share/insults"]
            unknown_topic = "classic"
            [log]
            level = "debug"
            """,
        )
        found = read_settings(path)
        assert found.server.workers == 4
        assert found.ssh.endpoint == "tcp6:22"
        assert found.tcp.endpoint == ""
        assert found.tcp.greeting == ("Oh no.", "Not you.")
        assert found.access.keys_dir == folder / "secrets"
        assert found.access.attestation_roots == str(folder / "makers.pem")
        assert found.insults.packs == (folder / "mine.txt", Path("/usr/share/insults"))
        assert found.insults.unknown_topic == "classic"
        assert found.log.level == "debug"

    def test_in_the_working_directory_it_is_found(self, folder: Path) -> None:
        write(folder, '[ssh]\nendpoint = "tcp:1"\n')
        found = load_settings(Path("/srv/insults"))
        assert found.ssh.endpoint == "tcp:1"
        assert found.access.keys_dir == folder / "keys"

    def test_the_one_that_the_variable_names_comes_first(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(folder, '[ssh]\nendpoint = "tcp:1"\n')
        write(folder, '[ssh]\nendpoint = "tcp:2"\n', "etc/other.toml")
        monkeypatch.setenv(CONFIG_VARIABLE, "etc/other.toml")
        found = load_settings(Path("/srv/insults"))
        assert found.ssh.endpoint == "tcp:2"
        assert found.access.keys_dir == folder / "etc/keys"

    def test_an_empty_variable_names_none(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(folder, '[ssh]\nendpoint = "tcp:1"\n')
        monkeypatch.setenv(CONFIG_VARIABLE, "")
        assert load_settings(folder).ssh.endpoint == "tcp:1"

    def test_the_one_that_the_variable_names_must_be_there(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(CONFIG_VARIABLE, "gone.toml")
        with pytest.raises(SettingsError, match=r"^gone\.toml: cannot be read: No such file"):
            load_settings(folder)


class TestEnvironment:
    def test_it_wins_over_the_file_and_leaves_the_rest(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(folder, '[tcp]\nendpoint = "tcp:1"\ngreeting = ["Hm."]\n')
        monkeypatch.setenv("CONCH_INSULTS_TCP__ENDPOINT", "tcp:2")
        found = read_settings(path)
        assert found.tcp.endpoint == "tcp:2"
        assert found.tcp.greeting == ("Hm.",)

    def test_without_a_file(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONCH_INSULTS_LOG__LEVEL", "debug")
        assert load_settings(folder).log.level == "debug"

    def test_its_paths_are_relative_to_the_file_too(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(folder, "", "etc/mine.toml")
        monkeypatch.setenv("CONCH_INSULTS_ACCESS__KEYS_DIR", "k")
        monkeypatch.setenv("CONCH_INSULTS_INSULTS__PACKS", '["a.txt", "/b"]')
        found = read_settings(path)
        assert found.access.keys_dir == folder / "etc/k"
        assert found.insults.packs == (folder / "etc/a.txt", Path("/b"))

    @pytest.mark.parametrize(
        ("name", "value", "problem"),
        [
            ("CONCH_INSULTS_SHH__ENDPOINT", "x", "CONCH_INSULTS_SHH__ENDPOINT: there is no such"),
            ("CONCH_INSULTS_ENDPOINT", "x", "CONCH_INSULTS_ENDPOINT: there is no such section"),
            ("CONCH_INSULTS_SSH__PORT", "1", "CONCH_INSULTS_SSH__PORT: there is no such setting"),
            ("CONCH_INSULTS_LOG__LEVEL", "loud", "CONCH_INSULTS_LOG__LEVEL: Input should be 'info"),
            ("CONCH_INSULTS_SSH", "{", "CONCH_INSULTS_SSH: lists are written as JSON"),
        ],
    )
    def test_what_is_wrong_is_named(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        value: str,
        problem: str,
    ) -> None:
        monkeypatch.setenv(name, value)
        (line,) = problems(write(folder, ""))
        assert line.startswith(problem)

    def test_a_list_that_is_not_json(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONCH_INSULTS_INSULTS__PACKS", "a.txt")
        (line,) = problems(write(folder, ""))
        assert line == "CONCH_INSULTS_INSULTS__PACKS: lists are written as JSON"


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("[ssh]\nport = 1\n", [f"{FILE_NAME}: ssh.port: there is no such setting"]),
            ("[shh]\nport = 1\n", [f"{FILE_NAME}: shh: there is no such section"]),
            ("endpoint = 1\n", [f"{FILE_NAME}: endpoint: there is no such section"]),
            (
                "[server]\nworkers = 0\n",
                [f"{FILE_NAME}: server.workers: Input should be greater than or equal to 1"],
            ),
            (
                "[server]\nworkers = 65\n",
                [f"{FILE_NAME}: server.workers: Input should be less than or equal to 64"],
            ),
            ("[server]\nworkers = 'two'\n", [f"{FILE_NAME}: server.workers: Input should be a"]),
            ("[ssh]\nendpoint = 1\n", [f"{FILE_NAME}: ssh.endpoint: Input should be a valid str"]),
            ("ssh = 1\n", [f"{FILE_NAME}: ssh: Input should be"]),
            ("[log]\nlevel = 'x'\n", [f"{FILE_NAME}: log.level: Input should be 'info' or 'deb"]),
            ("[insults]\npacks = 'a'\n", [f"{FILE_NAME}: insults.packs: Input should be a valid"]),
            (
                "[insults]\npacks = ['a', 1]\n",
                [f"{FILE_NAME}: insults.packs.1: Input is not a valid path"],
            ),
            (
                "[tcp]\nport = 1\n[log]\nlevel = 2\n[moo]\n",
                [
                    f"{FILE_NAME}: moo: there is no such section",
                    f"{FILE_NAME}: tcp.port: there is no such setting",
                    f"{FILE_NAME}: log.level: Input should be",
                ],
            ),
            ("[ssh\n", [f"{FILE_NAME}: is not TOML: "]),
            # Names that the library for settings takes orders from.
            ("_env_prefix = 'X_'\n", [f"{FILE_NAME}: _env_prefix: there is no such section"]),
            ("_cli_parse_args = true\n", [f"{FILE_NAME}: _cli_parse_args: there is no such"]),
            ("self = 1\n", [f"{FILE_NAME}: self: there is no such section"]),
        ],
    )
    def test_each_problem_is_a_line_with_file_key_and_reason(
        self, folder: Path, text: str, expected: list[str]
    ) -> None:
        lines = problems(write(folder, text))
        assert len(lines) == len(expected)
        for line, beginning in zip(lines, expected, strict=True):
            assert line.startswith(beginning)

    def test_not_utf8(self, folder: Path) -> None:
        path = folder / FILE_NAME
        path.write_bytes(b"[ssh]\nendpoint = '\xff'\n")
        assert problems(path) == [f"{FILE_NAME}: is not UTF-8 text"]

    def test_missing(self, folder: Path) -> None:
        assert problems(folder / "x.toml") == ["x.toml: cannot be read: No such file or directory"]

    def test_a_folder(self, folder: Path) -> None:
        (folder / "etc").mkdir()
        assert problems(folder / "etc") == ["etc: cannot be read: Is a directory"]

    @settings(
        deadline=None,
        max_examples=100,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.binary(max_size=80))
    def test_any_bytes_are_settings_or_refused(self, folder: Path, content: bytes) -> None:
        path = folder / "fuzz.toml"
        path.write_bytes(content)
        with suppress(SettingsError):
            assert read_settings(path).access.keys_dir == folder / "keys"
