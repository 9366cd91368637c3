"""The talk's format: a topic and an insult a line, read and written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.grammar import Grammar, Template
from conch_insults.core.talk_format import read_talk, write_talk
from conch_insults.core.written_pack import MAX_INSULTS, PackInfo, Row, WrittenPack
from conch_insults.errors import PackError

INFO = PackInfo("mine", "mine.txt")


def test_each_text_has_its_line() -> None:
    pack = read_talk(
        "# mine\n\nperl: Line noise.\r\n  # more\n Code   Review :\tLGTM: you fraud. \nc: x", INFO
    )
    assert pack.rows == [
        Row(3, "perl", "Line noise."),
        Row(5, "Code Review", "LGTM: you fraud."),
        Row(6, "c", "x"),
    ]
    assert (pack.info, pack.format, pack.problems) == (INFO, "talk", [])


def test_every_bad_line_is_told_and_the_good_ones_are_kept() -> None:
    pack = read_talk("perl\nc: x\n: y\nc: \x1b\n", INFO)
    assert pack.problems == [
        (1, 'no colon; write "topic: insult"'),
        (3, 'empty topic; write "topic: insult"'),
        (4, "control character U+001B in the insult; remove it"),
    ]
    assert pack.rows == [Row(2, "c", "x")]


def test_too_many_texts_are_refused_where_they_become_too_many() -> None:
    pack = read_talk("c: x\n" * (MAX_INSULTS + 5), INFO)
    assert pack.problems == [(MAX_INSULTS + 1, "more than 100000 insults; split the pack")]


TOPICS = st.text("ab #.+", min_size=1, max_size=6).map(lambda text: " ".join(text.split()))
TEXTS = st.text("xyé :#", min_size=1, max_size=9).map(str.strip)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(TOPICS, TEXTS)))
def test_what_is_written_is_read(said: list[tuple[str, str]]) -> None:
    rows = [(topic, text) for topic, text in said if topic and text and not topic.startswith("#")]
    written = write_talk(WrittenPack(INFO, "talk", [Row(9, *row) for row in rows]))
    read = read_talk(written, INFO)
    assert read.problems == []
    assert [(row.topic, row.text) for row in read.rows] == rows


def test_templates_have_no_place_in_it() -> None:
    template = Template("#topic#", (), Grammar({}))
    rows = [Row(1, "c", "#topic#", template=template), Row(2, "c", "#1")]
    assert write_talk(WrittenPack(INFO, "toml", rows)) == "c: #1\n"


@pytest.mark.parametrize("topic", ["std::vector", "#hashtag"])
def test_a_topic_that_would_be_read_as_something_else_is_refused(topic: str) -> None:
    with pytest.raises(PackError) as caught:
        write_talk(WrittenPack(INFO, "toml", [Row(1, topic, "x")]))
    assert str(caught.value) == (
        f'the topic "{topic}" cannot be written in "topic: insult"; use toml'
    )
