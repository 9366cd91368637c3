"""Packs written in the native format: what is written is read again."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.pack_text import fold_topic
from conch_insults.core.packs import builtin_written
from conch_insults.core.toml_format import read_toml
from conch_insults.core.toml_writing import write_toml
from conch_insults.core.written_pack import Alias, PackInfo, Row, WrittenPack
from conch_insults.rating import Rating


def test_a_pack_looks_as_people_write_it() -> None:
    pack = WrittenPack(
        PackInfo("mine", "mine.toml", version="2", licence="CC0-1.0", rating=Rating.PG),
        "toml",
        [
            Row(1, "c++", 'So "modern" \\o/ é.'),
            Row(2, "perl", "x", Rating.R),
            Row(3, "C++", "y"),
        ],
        [Row(4, "", "No #topic#.", Rating.G, 2)],
        [Alias(5, "cpp", "C++")],
        {"noun": [Row(6, "noun", "x"), Row(7, "noun", "y", None, 3)]},
    )
    assert write_toml(pack) == (
        'name = "mine"\n'
        'version = "2"\n'
        'licence = "CC0-1.0"\n'
        'rating = "pg"\n'
        "unknown = [\n"
        '    { text = "No #topic#.", rating = "g", weight = 2 },\n'
        "]\n"
        "\n"
        '[topics."c++"]\n'
        'aliases = ["cpp"]\n'
        "texts = [\n"
        '    "So \\"modern\\" \\\\o/ é.",\n'
        '    "y",\n'
        "]\n"
        "\n"
        "[topics.perl]\n"
        "texts = [\n"
        '    { text = "x", rating = "r" },\n'
        "]\n"
        "\n"
        "[grammar]\n"
        "noun = [\n"
        '    "x",\n'
        '    { text = "y", weight = 3 },\n'
        "]\n"
    )


def without_lines(pack: WrittenPack) -> WrittenPack:
    return replace(
        pack,
        rows=sorted(
            (row._replace(line=0, topic=fold_topic(row.topic)) for row in pack.rows),
            key=lambda row: (row.topic, row.template is not None),
        ),
        unknown=[row._replace(line=0) for row in pack.unknown],
        aliases=[alias._replace(line=0) for alias in pack.aliases],
        rules={
            symbol: [row._replace(line=0) for row in rows] for symbol, rows in pack.rules.items()
        },
    )


def test_the_built_in_packs_are_read_as_they_were_written() -> None:
    for pack in builtin_written():
        if pack.format == "toml":
            again = read_toml(write_toml(pack), PackInfo("", pack.info.file))
            assert without_lines(again) == without_lines(pack)


TOPICS = st.text("ab.+#\"\\' é", min_size=1, max_size=5).map(
    lambda text: " ".join(text.split()) or "x"
)
TEXTS = st.text("xyé #\"\\'\U0001f469", min_size=1, max_size=9).map(
    lambda text: text.strip() or "x"
)
RATINGS = st.sampled_from([None, *Rating])


@settings(deadline=None, max_examples=100)
@given(st.lists(st.builds(Row, st.just(0), TOPICS, TEXTS, RATINGS)), RATINGS)
def test_what_is_written_is_read(rows: list[Row], rating: Rating | None) -> None:
    pack = WrittenPack(PackInfo("mine", "mine.toml", rating=rating), "toml", rows)
    again = read_toml(write_toml(pack), PackInfo("", "mine.toml"))
    assert again.problems == []
    assert without_lines(again) == without_lines(pack)
