"""`conch-insults packs` as an operator uses it: commands in, lines and files out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from conch_insults.cli.packs import packs
from conch_insults.config import InsultSettings, Settings
from conch_insults.core.packs import builtin_written, read_pack
from conch_insults.errors import PackError
from conch_insults.rating import Rating

if TYPE_CHECKING:
    from pathlib import Path

MINE = """\
name = "mine"
version = "2.1"
language = "de-AT"
licence = "CC0-1.0"
author = "Somebody"
rating = "g"
unknown = [
    "What is #topic#?",
]

[topics.zork]
aliases = ["grue"]
texts = [
    "It is pitch dark, and so are you.",
    { text = "You are likely to be eaten. Bon appetit to it.", rating = "r" },
]
templates = [
    "The #beast# left.",
]

[grammar]
beast = [
    "grue",
    { text = "troll", weight = 3 },
]
"""


class Desk:
    """An operator's terminal, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configured: tuple[Path, ...] = ()
        self.offensive = False

    def run(self, *arguments: str | Path) -> Result:
        insults = InsultSettings(packs=self.configured, offensive=self.offensive)
        settings = Settings(insults=insults)
        return CliRunner().invoke(packs, [str(each) for each in arguments], obj=settings)

    def said(self, *arguments: str | Path) -> str:
        result = self.run(*arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def error(self, *arguments: str | Path) -> str:
        error = self.run(*arguments).exception
        assert isinstance(error, PackError)
        assert "\n" not in str(error)
        return str(error)

    def file(self, name: str, content: str = MINE) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        return path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


class TestList:
    def test_what_a_server_would_use(self, desk: Desk) -> None:
        desk.configured = (desk.file("mine.toml"), desk.file("talk.txt", "zork: x\nperl: y\n"))
        header, *lines = [line.split() for line in desk.said("list").splitlines()]
        assert " ".join(header) == "name version language licence topics g pg r file"
        assert len(lines) == len(builtin_written()) + 2
        assert ["office", "1.0", "en", "MIT"] in [line[:4] for line in lines]
        assert lines[-2] == ["mine", "2.1", "de-AT", "CC0-1.0", "1", "3", "0", "1", *lines[-2][-1:]]
        assert lines[-2][-1].endswith("/mine.toml")
        assert lines[-1][:-1] == ["talk", "-", "-", "-", "2", "0", "0", "2"]

    def test_as_json(self, desk: Desk) -> None:
        desk.configured = (desk.file("mine.toml"),)
        *builtin, mine = json.loads(desk.said("list", "--json"))
        assert mine == {
            "name": "mine",
            "version": "2.1",
            "language": "de-AT",
            "licence": "CC0-1.0",
            "author": "Somebody",
            "format": "toml",
            "builtin": False,
            "topics": 1,
            "texts": {"g": 3, "pg": 0, "r": 1},
            "templates": 2,
            "file": str(desk.folder / "mine.toml"),
        }
        assert all(pack["builtin"] and pack.keys() == mine.keys() for pack in builtin)

    def test_what_is_offensive_is_there_if_the_settings_ask_for_it(self, desk: Desk) -> None:
        desk.configured = (desk.file("packs/rude-o", "x\n%\n").parent,)
        desk.file("packs/off/worse", "y\n%\n")
        assert "rude-o" not in desk.run("list").stdout
        desk.offensive = True
        *_, rude, worse = json.loads(desk.said("list", "--json"))
        assert (rude["name"], worse["name"]) == ("rude-o", "worse")

    def test_what_is_passed_over_or_cannot_be_used_is_told(self, desk: Desk) -> None:
        folder = desk.file("packs/bad.txt", "zork\n").parent
        desk.file("packs/rude-o", "x\n%\n")
        desk.file("packs/latin", "x\n%\n").write_bytes(b"caf\xe9\n%\n")
        desk.configured = (folder,)
        result = desk.run("list")
        assert result.exit_code == 1
        assert "office" in result.stdout
        assert "bad" not in result.stdout
        skipped, encoding, colon = result.stderr.splitlines()
        assert skipped.startswith(f"{folder}/rude-o: passed over, offensive by its name")
        assert encoding == f"{folder}/latin:1: not UTF-8; save the file as UTF-8"
        assert colon == f'{folder}/bad.txt:1: no colon; write "topic: insult"'


class TestCheck:
    def test_a_good_pack(self, desk: Desk) -> None:
        result = desk.run("check", desk.file("mine.toml"))
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == "1 pack checked, nothing wrong\n"

    def test_everything_that_is_wrong_in_files_and_folders(self, desk: Desk) -> None:
        text = builtin_written()[0].rows[0].text
        good = desk.file("mine.toml")
        folder = desk.file(
            "packs/b.toml", MINE.replace("mine", "b").replace("#beast#", "#best#")
        ).parent
        desk.file("packs/worse-o.txt", f"zork: {text}\nzork\n")
        result = desk.run("check", good, folder, desk.folder / "gone.toml")
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")
        assert "gone.toml: No such file" in str(result.exception)
        result = desk.run("check", good, folder)
        assert (result.exit_code, result.stderr) == (1, "")
        lines = result.stdout.splitlines()
        b, worse = folder / "b.toml", folder / "worse-o.txt"
        assert lines[0] == f"{b}:8: says the same as {good}:8; keep one"
        assert f'{b}:12: alias "grue" is one already, see {good}:12; remove one' in lines
        assert f"{b}:18: #best# has no rule; define it under [grammar] or correct it" in lines
        assert f'{worse}:2: no colon; write "topic: insult"' in lines
        (twice,) = [line for line in lines if line.startswith(f"{worse}:1: says the same as ")]
        assert "/conch_insults/packs/" in twice

    def test_a_file_that_is_no_text_is_told_with_the_others(self, desk: Desk) -> None:
        bad = desk.file("a.txt")
        bad.write_bytes(b"\xff")
        result = desk.run("check", bad, desk.file("b.txt", "zork\n"))
        assert result.exit_code == 1
        first, *_, last = result.stdout.splitlines()
        assert first == f"{bad}:1: not UTF-8; save the file as UTF-8"
        assert last.endswith('b.txt:1: no colon; write "topic: insult"')

    def test_a_warning_is_no_failure(self, desk: Desk) -> None:
        result = desk.run("check", desk.file("a.txt", "zork: Pitch dark again.\n"))
        assert result.exit_code == 0
        assert all(":1: warning: " in line for line in result.stdout.splitlines())

    def test_the_built_in_packs_are_not_compared_with_themselves(self, desk: Desk) -> None:
        pack = next(pack for pack in builtin_written() if pack.info.name == "self")
        assert desk.run("check", pack.info.file).stdout == ""

    def test_without_a_file_it_is_wrong_usage(self, desk: Desk) -> None:
        assert desk.run("check").exit_code == 2


FORTUNES = "Pitch dark.\n%\nYou are\n  eaten.\n\t\t-- A grue\n%\nb\x08ad\n%\nPitch dark.\n%\n"


class TestImport:
    def test_a_fortune_file(self, desk: Desk) -> None:
        path = desk.file("Zork I", FORTUNES)
        options = ["--licence", "MIT", "--rating", "PG", "--author", "A. Grue", "--language", "en"]
        assert desk.said("import", path, *options) == (
            f"{path}: fortune format, UTF-8\n"
            f"left out {path}:7: control character U+0008 in the fortune; remove it\n"
            f"left out {path}:9: says the same as line 1\n"
            "wrote zork-i.toml: 2 texts in 1 topic, rated pg, 2 left out\n"
        )
        assert (desk.folder / "zork-i.toml").read_text() == (
            'name = "zork-i"\n'
            'version = "1.0"\n'
            'language = "en"\n'
            'licence = "MIT"\n'
            'author = "A. Grue"\n'
            'rating = "pg"\n'
            "\n"
            '[topics."Zork I"]\n'
            "texts = [\n"
            '    "Pitch dark.",\n'
            '    "You are eaten. -- A grue",\n'
            "]\n"
        )
        assert desk.run("check", "zork-i.toml").exit_code == 0
        pack = read_pack(desk.folder / "zork-i.toml")
        assert pack.texts("zork i", Rating.PG) == ("Pitch dark.", "You are eaten. -- A grue")

    def test_one_of_the_talk_under_one_topic_and_another_name(self, desk: Desk) -> None:
        path = desk.file("insults.txt", "zork: x\nperl: y\n")
        result = desk.run("import", path, "--as", "topic:Old  games", "--name", "old", "-o", "new")
        assert result.exit_code == 0
        assert result.stdout.endswith("wrote new: 2 texts in 1 topic, rated r, 0 left out\n")
        assert result.stderr == (
            "no licence: `packs check` will ask for one; say it with --licence\n"
        )
        (desk.folder / "new").rename(desk.folder / "new.toml")
        pack = read_pack(desk.folder / "new.toml")
        assert pack.texts("old games") == ("x", "y")
        assert pack.topics(Rating.PG) == ()
        assert [info.name for info in pack.infos] == ["old"]

    def test_a_dry_run_writes_nothing(self, desk: Desk) -> None:
        path = desk.file("zork", FORTUNES)
        before = sorted(desk.folder.iterdir())
        said = desk.said("import", path, "--dry-run", "--licence", "MIT")
        assert said.endswith("would write zork.toml: 2 texts in 1 topic, rated r, 2 left out\n")
        assert sorted(desk.folder.iterdir()) == before

    def test_it_is_written_to_the_first_folder_of_the_settings(self, desk: Desk) -> None:
        single, folder = desk.file("a.txt", "zork: x"), desk.file("packs/b.txt", "zork: y").parent
        desk.configured = (single, folder)
        desk.said("import", single, "--licence", "MIT")
        assert (folder / "a.toml").exists()

    def test_nothing_is_overwritten(self, desk: Desk) -> None:
        path = desk.file("zork", FORTUNES)
        desk.file("zork.toml", "precious")
        assert desk.error("import", path, "--licence", "MIT") == (
            "zork.toml: there already; move it away or say another --output"
        )
        assert (desk.folder / "zork.toml").read_text() == "precious"
        assert "cannot be written: No such file" in desk.error("import", path, "-o", "gone/x.toml")

    def test_what_is_offensive_by_its_name_is_asked_for(self, desk: Desk) -> None:
        path = desk.file("off/zork", FORTUNES)
        assert desk.error("import", path) == (
            f"{path}: offensive by its name; to have it anyway, say --offensive"
        )
        assert desk.run("import", path, "--offensive").exit_code == 0
        assert (desk.folder / "zork.toml").exists()

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("mine.toml", MINE, "a native pack already; use it as it is"),
            ("a.txt", "# nothing", "nothing in it that can be used"),
            ("%%", "zork: x", "cannot be a pack's name; say --name"),
        ],
    )
    def test_what_cannot_be_imported(
        self, desk: Desk, name: str, content: str, reason: str
    ) -> None:
        path = desk.file(name, content)
        assert desk.error("import", path) == f"{path}: {reason}"

    @pytest.mark.parametrize(
        "options",
        [
            ("--as", "zork"),
            ("--as", "topic:"),
            ("--as", "file:zork"),
            ("--as", "topic:" + "x" * 65),
            ("--name", "My pack"),
            ("--language", "English!"),
            ("--licence", "M\x1bIT"),
            ("--rating", "x"),
        ],
    )
    def test_wrong_usage(self, desk: Desk, options: tuple[str, ...]) -> None:
        result = desk.run("import", desk.file("a.txt", "zork: x"), *options)
        assert result.exit_code == 2
        assert f"Invalid value for '{options[0]}'" in result.stderr


class TestExport:
    def test_a_file_as_it_is(self, desk: Desk) -> None:
        assert desk.said("export", desk.file("any.toml")) == MINE

    def test_a_pack_of_the_settings_or_a_built_in_one_by_its_name(self, desk: Desk) -> None:
        desk.configured = (desk.file("any.toml"), desk.file("bad.txt", "zork\n"))
        assert desk.said("export", "mine", "--format", "toml") == MINE
        assert desk.said("export", "self").startswith('name = "self"\n')

    @pytest.mark.parametrize(
        ("form", "written"),
        [
            (
                "talk",
                """\
zork: It is pitch dark, and so are you.
zork: You are likely to be eaten. Bon appetit to it.
""",
            ),
            (
                "fortune",
                """\
It is pitch dark, and so are you.
%
You are likely to be eaten. Bon appetit to it.
%
""",
            ),
        ],
    )
    def test_what_another_format_has_no_place_for_is_left_out(
        self, desk: Desk, form: str, written: str
    ) -> None:
        result = desk.run("export", desk.file("any.toml"), "--format", form)
        assert (result.exit_code, result.stdout) == (0, written)
        assert result.stderr == f"2 templates left out: no place in the {form} format\n"

    @pytest.mark.parametrize("form", ["talk", "fortune", "toml"])
    def test_there_and_back_again(self, desk: Desk, form: str) -> None:
        original = desk.file("old.txt", "zork: It is dark.\nzork: So: are you # not?\n")
        exported = desk.file("zork.toml" if form == "toml" else "zork")
        exported.write_text(desk.said("export", original, "--format", form))
        assert read_pack(exported).texts("zork") == read_pack(original).texts("zork")

    def test_what_cannot_be_exported(self, desk: Desk) -> None:
        assert desk.error("export", "zork") == (
            "no pack and no file is named zork; see `conch-insults packs list`"
        )
        bad = desk.file("a.txt", "zork\n")
        assert desk.error("export", bad) == f'{bad}:1: no colon; write "topic: insult"'
        assert "No such file" in desk.error("export", "gone.txt")


@pytest.mark.parametrize("command", ["list", "check", "import", "export"])
def test_every_command_has_help(desk: Desk, command: str) -> None:
    assert f"Usage: packs {command}" in desk.said(command, "--help")


def test_the_help_names_every_field_of_the_json(desk: Desk) -> None:
    fields: dict[str, Any] = json.loads(desk.said("list", "--json"))[0]
    said = desk.said("list", "--help")
    assert [field for field in fields if f'"{field}"' not in said] == []
