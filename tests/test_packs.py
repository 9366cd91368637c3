"""Reading packs: what a file may look like, and the one line an operator gets when it does not."""

from __future__ import annotations

import unicodedata
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conch_insults.core.packs import (
    MAX_INSULTS,
    MAX_PACK_BYTES,
    builtin_pack,
    fold_topic,
    merge_packs,
    parse_pack,
    read_pack,
    read_packs,
)
from conch_insults.core.printable import printable
from conch_insults.errors import PackError


def refusal(content: bytes) -> str:
    with pytest.raises(PackError) as caught:
        parse_pack(content, "my.txt")
    return str(caught.value)


class TestFoldTopic:
    @pytest.mark.parametrize(
        ("typed", "key"),
        [
            ("python", "python"),
            ("  PyThon\t", "python"),
            ("code   \t review", "code review"),
            ("C ++", "c ++"),
            ("ÉTÉ", "été"),
            ("e\u0301te\u0301", "été"),
            ("\uff30\uff25\uff32\uff2c", "perl"),
            ("STRAßE", "strasse"),
            ("code\u3000 review\u00a0", "code review"),
            ("", ""),
            (" \u2003 ", ""),
        ],
    )
    def test_the_same_topic_however_it_is_typed(self, typed: str, key: str) -> None:
        assert fold_topic(typed) == key

    def test_names_that_differ_by_a_sign_stay_distinct(self) -> None:
        assert len({fold_topic(name) for name in ("c", "c++", "c#", "c ++", ".net", "net")}) == 6

    @settings(deadline=None, max_examples=200)
    @given(st.text(st.characters(exclude_categories=["Cs"])))
    @example("\xdf\u0323")
    @example("\u0399\u0308\u0301")
    def test_the_key_of_a_key_is_itself(self, text: str) -> None:
        key = fold_topic(text)
        assert fold_topic(key) == key
        assert fold_topic(f" {unicodedata.normalize('NFC', text)} ") == key


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
        | st.lists(st.sampled_from([b"a: b", b"\xff", b"a:", b"\r", b"C :\x85", b""])).map(
            b"\n".join
        )
    )
    def test_any_bytes_are_a_clean_pack_or_one_clear_line(self, content: bytes) -> None:
        try:
            pack = parse_pack(content, "my.txt")
        except PackError:
            reason = refusal(content)
            assert reason.startswith("my.txt:")
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


class TestMergePacks:
    def test_a_shared_topic_has_the_insults_of_both_each_once(self) -> None:
        first = parse_pack(b"Perl: a\nPerl: b\nc: c", "first")
        second = parse_pack(b"PERL: b\nperl: d\ngo: e", "second")
        merged = merge_packs([first, second])
        assert merged.topics() == ("c", "go", "Perl")
        assert merged.texts("perl") == ("a", "b", "d")
        assert merged.insult_count() == 5
        assert first.texts("perl") == ("a", "b")

    def test_no_packs_are_an_empty_pack(self) -> None:
        assert merge_packs([]).topics() == ()


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

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("missing.txt", "No such file or directory"),
            (".", "Is a directory"),
            ("nul\0byte", "embedded null byte"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_one_line(
        self, tmp_path: Path, name: str, reason: str
    ) -> None:
        path = tmp_path / name
        with pytest.raises(PackError) as caught:
            read_pack(path)
        assert str(caught.value) == (
            f"{printable(str(path))}: {reason}; check the path and its permissions"
        )

    def test_a_file_that_may_not_be_read_is_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path, mode: str) -> object:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "open", refuse)
        path = tmp_path / "mine.txt"
        with pytest.raises(PackError) as caught:
            read_pack(path)
        assert str(caught.value) == (
            f"{path}: Permission denied; check the path and its permissions"
        )

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
        (folder / "c.txt").mkdir(parents=True)
        (folder / "b.txt").write_bytes(b"Zork: second")
        (folder / "a.txt").write_bytes(b"zork: first\n")
        (folder / ".hidden.txt").write_bytes(b"refused")
        (folder / "notes.md").write_bytes(b"refused")
        single = tmp_path / "single.pack"
        single.write_bytes(b"python: mine\nZORK: third\n")
        pack = read_packs([folder, single])
        assert pack.texts("zork") == ("first", "second", "third")
        assert "zork" in pack.topics()
        assert pack.texts("python") == (*builtin_pack().texts("python"), "mine")
        assert pack.insult_count() == builtin_pack().insult_count() + 4

    def test_one_bad_file_refuses_all(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"zork: x\n")
        (tmp_path / "b.txt").write_bytes(b"zork\n")
        with pytest.raises(PackError, match=r"b\.txt:1: no colon"):
            read_packs([tmp_path])

    def test_a_folder_without_a_pack_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(PackError) as caught:
            read_packs([tmp_path])
        assert str(caught.value) == (
            f"{tmp_path}: no *.txt file in this folder; add one or name a file"
        )

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("missing", "No such file or directory"), ("nul\0byte", "embedded null byte")],
    )
    def test_a_missing_path_is_an_error(self, tmp_path: Path, name: str, reason: str) -> None:
        with pytest.raises(PackError) as caught:
            read_packs([tmp_path / name])
        assert str(caught.value) == (
            f"{printable(str(tmp_path / name))}: {reason}; check the path and its permissions"
        )


def test_the_built_in_pack_survives_losing_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = builtin_pack()

    def gone(package: str) -> object:
        raise FileNotFoundError(package)

    monkeypatch.setattr(resources, "files", gone)
    assert read_packs([]) == pack
