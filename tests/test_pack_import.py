"""Packs of other formats made native: what is taken over and what is left out."""

from __future__ import annotations

from conch_insults.core.pack_import import import_pack
from conch_insults.core.packs import parse_written
from conch_insults.core.written_pack import PackInfo, Row
from conch_insults.rating import Rating

INFO = PackInfo("mine", "mine.txt", licence="MIT", rating=Rating.PG)
TALK = parse_written(b"perl: a\nPERL: a\nc: a\nbad\nc: b\x07\nperl: A\n", "mine.txt")


def test_what_cannot_be_used_or_is_there_already_is_left_out() -> None:
    pack, left_out = import_pack(TALK, INFO)
    assert pack.rows == [Row(1, "perl", "a"), Row(3, "c", "a"), Row(6, "perl", "A")]
    assert list(left_out) == [
        (2, "says the same as line 1"),
        (4, 'no colon; write "topic: insult"'),
        (5, "control character U+0007 in the insult; remove it"),
    ]


def test_it_is_a_native_pack_without_a_problem() -> None:
    pack, _ = import_pack(TALK, INFO)
    assert (pack.info, pack.format, pack.problems) == (INFO, "toml", [])
    assert pack.rating_of(pack.rows[0]) is Rating.PG


def test_all_of_it_may_be_about_one_topic() -> None:
    pack, left_out = import_pack(TALK, INFO, "Languages")
    assert pack.rows == [Row(1, "Languages", "a"), Row(6, "Languages", "A")]
    assert (3, "says the same as line 1") in left_out
