"""The format of fortune: texts between percent signs, read, written, and used by the real one."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.fortune_format import is_fortune, read_fortune, write_fortune
from conch_insults.core.grammar import Grammar, Template
from conch_insults.core.written_pack import MAX_INSULTS, PackInfo, Row, WrittenPack
from conch_insults.errors import PackError

if TYPE_CHECKING:
    from pathlib import Path

INFO = PackInfo("computers", "fortunes/computers")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n%\nb\n", True),
        ("a\r\n%\r\nb", True),
        ("%", True),
        ("a\n%", True),
        ("%\na: b", True),
        ("", False),
        ("a: 100 %\n", False),
        ("a: b\n%%\n %\n% \n", False),
    ],
)
def test_a_line_that_is_a_single_percent_sign_tells(text: str, *, expected: bool) -> None:
    assert is_fortune(text) is expected


def test_a_text_is_one_line_and_has_the_line_where_it_begins() -> None:
    pack = read_fortune(
        "One.\n%\n\nTwo  goes\n  on.\r\n\t\t-- Somebody\n%\n%\n100 %\n%\nLast", INFO
    )
    assert pack.rows == [
        Row(1, "computers", "One."),
        Row(4, "computers", "Two goes on. -- Somebody"),
        Row(9, "computers", "100 %"),
        Row(11, "computers", "Last"),
    ]
    assert (pack.info, pack.format, pack.problems) == (INFO, "fortune", [])


def test_a_percent_sign_at_the_end_is_no_text() -> None:
    assert len(read_fortune("a\n%\nb\n%\n", INFO).rows) == 2
    assert read_fortune("%\n\n%\n", INFO).rows == []


def test_every_bad_text_is_told_and_the_good_ones_are_kept() -> None:
    long = "\n".join(["word " * 20] * 6)
    pack = read_fortune(f"{long}\n%\ngood\n%\n\nb\x08o\x08ld\n%\n", INFO)
    assert pack.problems == [
        (1, "fortune of 599 characters; at most 512 are allowed"),
        (11, "control character U+0008 in the fortune; remove it"),
    ]
    assert pack.rows == [Row(8, "computers", "good")]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x" * 65, "topic of 65 characters; at most 64 are allowed"),
        ("", "empty topic; rename the file"),
    ],
)
def test_a_file_whose_name_is_no_topic(name: str, reason: str) -> None:
    pack = read_fortune("a\n%\n", PackInfo(name, name))
    assert pack.problems == [(1, f"the file's name is the topic: {reason}")]


def test_too_many_texts_are_refused_where_they_become_too_many() -> None:
    pack = read_fortune("x\n%\n" * (MAX_INSULTS + 5), INFO)
    assert pack.problems == [(2 * MAX_INSULTS + 1, "more than 100000 fortunes; split the pack")]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(st.text("xyé%", min_size=1, max_size=90), min_size=1).map(" ".join)))
def test_what_is_written_is_read(said: list[str]) -> None:
    texts = [text for text in said if text != "%" and len(text) <= 512]
    written = write_fortune(WrittenPack(INFO, "toml", [Row(1, "x", text) for text in texts]))
    read = read_fortune(written, INFO)
    assert read.problems == []
    assert [row.text for row in read.rows] == texts


def test_it_is_written_as_wide_as_a_terminal_and_without_templates() -> None:
    template = Row(1, "c", "#topic#", template=Template("#topic#", (), Grammar({})))
    rows = [template, Row(2, "c", "word " * 30 + "end"), Row(3, "c", "x")]
    written = write_fortune(WrittenPack(INFO, "toml", rows))
    assert max(map(len, written.splitlines())) <= 78
    assert written.endswith("word end\n%\nx\n%\n")


def test_a_text_that_would_separate_others_is_refused() -> None:
    with pytest.raises(PackError) as caught:
        write_fortune(WrittenPack(INFO, "toml", [Row(1, "c", "%")]))
    assert str(caught.value) == 'the text "%" cannot be a fortune; use toml'


def test_a_lonely_percent_sign_is_not_wrapped_onto_a_line_of_its_own() -> None:
    text = "x" * 77 + " % " + "y" * 77
    assert write_fortune(WrittenPack(INFO, "toml", [Row(1, "c", text)])) == f"{text}\n%\n"


@pytest.mark.skipif(not shutil.which("strfile"), reason="strfile of fortune-mod is not installed")
def test_the_real_fortune_counts_the_same(tmp_path: Path) -> None:
    rows = [Row(at, "c", f"Fortune {at}. " * 9) for at in range(1, 6)]
    file = tmp_path / "mine"
    file.write_text(write_fortune(WrittenPack(INFO, "toml", rows)))
    strfile = str(shutil.which("strfile"))
    told = subprocess.run([strfile, file], capture_output=True, text=True, check=True).stdout
    assert "There were 5 strings" in told
