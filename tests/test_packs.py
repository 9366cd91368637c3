"""Reading packs: what a file may look like, and the one line an operator gets when it does not."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.packs import (
    MAX_INSULTS,
    MAX_PACK_BYTES,
    builtin_pack,
    builtin_written,
    parse_pack,
    read_pack,
    read_packs,
    read_written,
    usable,
)
from conch_insults.core.printable import printable
from conch_insults.errors import PackError
from conch_insults.rating import Rating


def refusal(content: bytes, name: str = "my.txt") -> str:
    with pytest.raises(PackError) as caught:
        parse_pack(content, name)
    return str(caught.value)


class TestParsePack:
    def test_a_pack_as_people_write_them(self) -> None:
        pack = parse_pack(
            b"# mine\n"
            b"\n"
            b"perl: Line noise with a license.\r\n"
            b"  \t \n"
            b"  # indented\n"
            b"C#: Java: the apology.\n"
            b"  Code   Review :\tLGTM, you fraud.  \n"
            b"PERL: Read it aloud.\n"
            b"perl: Line noise with a license.\n"
            b".net: No end of line",
            "my.txt",
        )
        assert pack.topics() == (".net", "C#", "Code Review", "perl")
        assert pack.texts("Perl") == ("Line noise with a license.", "Read it aloud.")
        assert pack.texts("c#") == ("Java: the apology.",)
        assert pack.texts(" code review") == ("LGTM, you fraud.",)
        assert pack.texts(".net") == ("No end of line",)
        assert pack.insult_count() == 5

    def test_an_unknown_topic_has_no_texts(self) -> None:
        assert parse_pack(b"c: x", "my.txt").texts("c++") == ()

    @pytest.mark.parametrize("content", [b"", b"\n\n", b"# only a comment", b"\xef\xbb\xbf"])
    def test_nothing_in_a_file_is_an_empty_pack(self, content: bytes) -> None:
        pack = parse_pack(content, "my.txt")
        assert pack.topics() == ()
        assert pack.insult_count() == 0

    def test_a_byte_order_mark_is_no_part_of_the_first_topic(self) -> None:
        assert parse_pack(b"\xef\xbb\xbfperl: x", "my.txt").topics() == ("perl",)

    def test_an_insult_may_be_in_any_script(self) -> None:
        pack = parse_pack("日本語: 「はい」 👩‍💻".encode(), "my.txt")
        assert pack.texts("日本語") == ("「はい」 👩‍💻",)

    def test_a_topic_may_be_named_like_a_command(self) -> None:
        assert parse_pack(b"help: No.", "my.txt").texts("help") == ("No.",)

    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            (b"perl is bad", 'no colon; write "topic: insult"'),
            (b" : x", 'empty topic; write "topic: insult"'),
            (b"perl: \t", 'empty insult; write "topic: insult"'),
            ("perl: \u3000".encode(), 'empty insult; write "topic: insult"'),
            (b"perl: \x1b[31mred", "control character U+001B in the insult; remove it"),
            (b"pe\trl: x", "control character U+0009 in the topic; remove it"),
            (b"perl: x\ry", "control character U+000D in the insult; remove it"),
            (b"perl: x\x7f", "control character U+007F in the insult; remove it"),
            ("perl: x\u202e".encode(), "control character U+202E in the insult; remove it"),
            ("\u009bperl: x".encode(), "control character U+009B in the topic; remove it"),
            ("\ufeffperl: x".encode(), "control character U+FEFF in the topic; remove it"),
            (b"p" * 65 + b": x", "topic of 65 characters; at most 64 are allowed"),
            (b"perl: " + b"x" * 513, "insult of 513 characters; at most 512 are allowed"),
            (b"perl: \xff", "not UTF-8; save the file as UTF-8"),
        ],
    )
    def test_the_first_bad_line_refuses_the_pack_and_is_named(
        self, bad: bytes, reason: str
    ) -> None:
        content = b"perl: good\n# comment\n" + bad + b"\nalso bad"
        assert refusal(content) == f"my.txt:3: {reason}"

    def test_lengths_count_characters_and_the_longest_are_accepted(self) -> None:
        pack = parse_pack(f"{'é' * 64}: {'ß' * 512}".encode(), "my.txt")
        assert pack.texts("É" * 64) == ("ß" * 512,)

    def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_not(self) -> None:
        content = b"perl: x\n#" + b"y" * (MAX_PACK_BYTES - 9)
        assert parse_pack(content, "my.txt").topics() == ("perl",)
        assert refusal(content + b"y") == "my.txt: larger than 4 MiB; split the pack"

    def test_too_many_insults_are_refused_where_they_become_too_many(self) -> None:
        content = b"c: x\n" * MAX_INSULTS
        assert parse_pack(content, "my.txt").insult_count() == 1
        assert refusal(content + b"\nc: x\nc: x\n") == (
            "my.txt:100002: more than 100000 insults; split the pack"
        )

    @settings(deadline=None, max_examples=200)
    @given(
        st.binary()
        | st.text("ab:# \t\r\n\x1b\ufeffé\u3000", max_size=40).map(str.encode)
        | st.lists(
            st.sampled_from([b"a: b", b"\xff", b"a:", b"\r", b"C :\x85", b"", b"%", b"[a]"])
        ).map(b"\n".join),
        st.sampled_from(["my.txt", "my.toml", "my"]),
    )
    def test_any_bytes_are_a_clean_pack_or_one_clear_line(self, content: bytes, name: str) -> None:
        try:
            pack = parse_pack(content, name)
        except PackError:
            reason = refusal(content, name)
            assert reason.startswith(f"{name}:")
            assert printable(reason) == reason
            return
        for topic in pack.topics():
            assert printable(topic) == topic == " ".join(topic.split()) != ""
            assert pack.texts(topic)
            assert all(printable(text) == text.strip() != "" for text in pack.texts(topic))

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["c", "c++", "c#", ".net", "code review"]),
                st.text("xyz :#", min_size=1, max_size=5).map(str.strip).filter(bool),
            )
        )
    )
    def test_what_is_written_is_read(self, said: list[tuple[str, str]]) -> None:
        pack = parse_pack("\n".join(f"{topic}: {text}" for topic, text in said).encode(), "x")
        assert {(topic, text) for topic in pack.topics() for text in pack.texts(topic)} == set(said)


class TestFormats:
    def test_toml_is_known_by_its_suffix(self) -> None:
        content = b'name = "mine"\nrating = "g"\n[topics.perl]\ntexts = ["x"]\n'
        pack = parse_pack(content, "my.toml")
        assert pack.texts("perl", Rating.G) == ("x",)
        assert [info.name for info in pack.infos] == ["mine"]
        assert refusal(content, "my.txt") == 'my.txt:1: no colon; write "topic: insult"'

    def test_fortunes_are_known_by_a_percent_sign(self) -> None:
        pack = parse_pack(b"One\ntwo\n%\nthree\n", "fortunes/Computers.u8")
        assert pack.texts("computers") == ("One two", "three")
        assert pack.topics(Rating.PG) == ()

    def test_what_is_left_is_the_talks(self) -> None:
        pack = parse_pack(b"perl: 100 %\n", "Mine.pack")
        assert pack.texts("perl") == ("100 %",)
        assert pack.topics(Rating.PG) == ()
        assert [info.name for info in pack.infos] == ["Mine"]

    @pytest.mark.parametrize(
        ("content", "name", "reason"),
        [
            (b'name = "x"\n[topics.a]\ntexts = [\n7]', "my.toml", "my.toml:4: text is no string"),
            (b"x\n%\n\x1b\n%\n", "mine", "mine:3: control character U+001B in the fortune"),
            (b"\xef\xbb\xbfname = 'x'\n\xff", "my.toml", "my.toml:2: not UTF-8; save"),
        ],
    )
    def test_each_refuses_with_file_and_line(self, content: bytes, name: str, reason: str) -> None:
        assert refusal(content, name)[: len(reason)] == reason


class TestReadPack:
    def test_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.pack"
        path.write_bytes(b"perl: x\n")
        assert read_pack(path).texts("perl") == ("x",)

    def test_a_bad_line_is_named_with_its_file(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.txt"
        path.write_bytes(b"perl: x\nperl\n")
        with pytest.raises(PackError) as caught:
            read_pack(path)
        assert str(caught.value) == f'{path}:2: no colon; write "topic: insult"'

    def test_a_file_of_any_size_is_not_read_beyond_the_limit(self) -> None:
        with pytest.raises(PackError) as caught:
            read_pack(Path("/dev/zero"))
        assert str(caught.value) == "/dev/zero: larger than 4 MiB; split the pack"

    def test_a_path_with_a_line_in_its_name_still_makes_one_line(self, tmp_path: Path) -> None:
        path = tmp_path / "two\nlines\x1b.txt"
        path.write_bytes(b"perl")
        with pytest.raises(PackError, match=r"twolines\.txt:1: no colon"):
            read_pack(path)


class TestReadPacks:
    def test_without_paths_there_is_the_built_in_pack(self) -> None:
        assert read_packs([]) == builtin_pack()

    def test_files_and_folders_add_to_the_built_in_pack(self, tmp_path: Path) -> None:
        folder = tmp_path / "packs"
        folder.mkdir()
        (folder / "b.toml").write_text(
            'name = "b"\nrating = "g"\n[topics.Zork]\naliases = ["grue"]\ntexts = ["second"]'
        )
        (folder / "a.txt").write_bytes(b"zork: first\n")
        (folder / "zork").write_bytes(b"fortune\n%\n")
        single = tmp_path / "single.pack"
        single.write_bytes(b"python: mine\nZORK: third\n")
        pack = read_packs([folder, single])
        assert pack.texts("zork") == pack.texts("grue") == ("second", "first", "fortune", "third")
        assert pack.texts("zork", Rating.PG) == ("second",)
        assert "zork" in pack.topics()
        assert pack.texts("python") == (*builtin_pack().texts("python"), "mine")
        assert pack.insult_count() == builtin_pack().insult_count() + 5

    def test_what_is_offensive_by_name_is_passed_over_and_told(self, tmp_path: Path) -> None:
        path = tmp_path / "zork-o"
        path.write_bytes(b"x\n%\n")
        pack = read_packs([path])
        assert pack.texts("zork-o") == ()
        assert pack.skipped == (
            f"{path}: passed over, offensive by its name; ask for offensive packs to have it",
        )
        asked = read_packs([path], offensive=True)
        assert asked.texts("zork-o") == ("x",)
        assert asked.skipped == ()

    def test_one_bad_file_refuses_all(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"zork: x\n")
        (tmp_path / "b.toml").write_bytes(b'name = "b"\nrating = "x"\n')
        with pytest.raises(PackError, match=r"b\.toml:2: 'x' is not a rating"):
            read_packs([tmp_path])


class TestWritten:
    def test_the_built_in_packs_are_usable_as_they_are(self) -> None:
        assert {pack.info.name for pack in builtin_written()} >= {"languages", "office"}
        assert all(usable(pack) is pack for pack in builtin_written())

    def test_every_problem_is_there_and_the_first_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.txt"
        path.write_bytes(b"perl: x\nperl\n: x\n")
        written = read_written(path)
        assert [line for line, _ in written.problems] == [2, 3]
        with pytest.raises(PackError, match=r"mine\.txt:2: no colon"):
            usable(written)


def test_the_built_in_pack_survives_losing_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = builtin_pack()

    def gone(package: str) -> object:
        raise FileNotFoundError(package)

    monkeypatch.setattr(resources, "files", gone)
    assert read_packs([]) == pack


def test_an_index_of_strfiles_is_no_pack() -> None:
    reason = refusal(b"\0\0\0\2\0\0\0\1", "fortunes.dat")
    assert reason == "fortunes.dat: an index of strfile's; name the fortune file beside it"
