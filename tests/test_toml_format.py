"""The native format: what a pack may say, and every slip of the pen with its line."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.printable import printable
from conch_insults.core.toml_format import MAX_ALTERNATIVES, is_language, read_toml
from conch_insults.core.written_pack import MAX_INSULTS, Alias, PackInfo, Row, WrittenPack
from conch_insults.rating import Rating

INFO = PackInfo("file", "packs/file.toml")
HEADER = 'name = "mine"\n'


def read(text: str) -> WrittenPack:
    return read_toml(text, INFO)


def problems(text: str) -> list[tuple[int, str]]:
    """Return what is wrong with a file, which has a good header before this text."""
    return [(line - 1, reason) for line, reason in read(HEADER + text).problems]


WHOLE = """\
name = "languages"
version = "1.0"
language = "en"
licence = "MIT"
author = "The authors"
rating = "pg"

# What is said about what nobody knows.
unknown = ["#topic.capitalize#? No.", { text = "#topic#!", rating = "g", weight = 2 }]

[topics.python]
aliases = ["py", "python3"]
texts = [
    " C# is #1. ",
    { text = "A ruder text.", rating = "R" },
]
templates = [
    "Your #noun.a#.",
    { text = "##1", rating = "g", weight = 3 },
]

[topics." Code   Review "]
texts = ["LGTM"]

[grammar]
noun = ["accident", { text = "#adjective# apology", weight = 3 }]
adjective = ["brittle"]
"""


class TestWholePack:
    def test_everything_is_read_with_its_line(self) -> None:
        pack = read(WHOLE)
        assert pack.problems == []
        assert pack.format == "toml"
        assert pack.info == PackInfo(
            "languages", "packs/file.toml", "1.0", "en", "MIT", "The authors", Rating.PG
        )
        assert [row._replace(template=None) for row in pack.rows] == [
            Row(14, "python", "C# is #1."),
            Row(15, "python", "A ruder text.", Rating.R),
            Row(18, "python", "Your #noun.a#."),
            Row(19, "python", "##1", Rating.G, 3),
            Row(23, "Code Review", "LGTM"),
        ]
        assert [row._replace(template=None) for row in pack.unknown] == [
            Row(9, "", "#topic.capitalize#? No."),
            Row(9, "", "#topic#!", Rating.G, 2),
        ]
        assert pack.aliases == [Alias(12, "py", "python"), Alias(12, "python3", "python")]
        assert pack.rules == {
            "noun": [
                Row(26, "noun", "accident"),
                Row(26, "noun", "#adjective# apology", None, 3),
            ],
            "adjective": [Row(27, "adjective", "brittle")],
        }

    def test_only_templates_are_expanded(self) -> None:
        pack = read(WHOLE)
        said = {row.text: row.template.expand("py", Random(4)) for row in pack.rows if row.template}
        assert said["##1"] == "#1"
        assert said["Your #noun.a#."] in {"Your an accident.", "Your a brittle apology."}
        assert pack.unknown[0].template
        assert pack.unknown[0].template.expand("py", Random(0)) == "Py? No."

    def test_a_pack_of_a_name_alone(self) -> None:
        pack = read('name = "mine"')
        assert (pack.problems, pack.rows) == ([], [])
        assert pack.info == PackInfo("mine", "packs/file.toml")

    def test_line_endings_of_another_system_change_nothing(self) -> None:
        pack = read(WHOLE.replace("\n", "\r\n"))
        assert pack.problems == []
        assert pack.rows == read(WHOLE).rows


class TestProblems:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("a b", 1),
            ("\n\nx = [1,\n", 3),
            ('x = "\x1b"', 1),
            ('\nx = "a', 2),
            ("topics = 1\n[topics.x]", 2),
            ('[topics.x]\ntexts=["a"]\n\n[topics.x]\n[topics.y]', 4),
            ("x = 1\ny = 1979-99-99\nz = 2", 2),
            ("x = 1\ny = " + "9" * 5000, 2),
            ("x = 1\ny = 1 2 =", 2),
        ],
    )
    def test_what_is_not_toml(self, text: str, line: int) -> None:
        ((found, said),) = problems(text)
        # The rest is the standard library's, and differs by version.
        assert (found, said[:10]) == (line, "not TOML: ")
        assert "(at" not in said

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("\nx = " + "[" * 9, "nested more than 8 deep; a pack needs no such value"),
            ("\nx.x.x.x.x.x.x.x.x = 1", "a key of more than 8 parts; a pack needs no such key"),
        ],
    )
    def test_what_no_pack_needs(self, text: str, reason: str) -> None:
        assert problems(text) == [(2, reason)]

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ('colour = "red"', 1, 'unknown key "colour"; use author, grammar, language'),
            ("[topic.perl]", 1, 'unknown key "topic"; use'),
            ('version = "\\u0007"', 1, "control character U+0007 in the version; remove it"),
            ("version = 1.0", 1, "version is no string; write it in quotes"),
            ('licence = ""', 1, "empty licence; write something or remove it"),
            ('language = "English!"', 1, 'language is no tag such as "en" or "de-AT"'),
            ('rating = "x"', 1, "'x' is not a rating: use g, pg or r"),
            ("rating = 1", 1, "'1' is not a rating: use g, pg or r"),
            ('topics = ["perl"]', 1, "topics is no table; write [topics]"),
            ("unknown = 1", 1, "unknown is no list; write [...]"),
            ("[topics]\nperl = 1", 2, "a topic is a table with texts; write [topics.name]"),
            ("\n[topics.perl]\n", 2, "a topic without texts; add some or remove it"),
            ('[topics.""]\ntexts = ["x"]', 1, "empty topic; write something or remove it"),
            (
                '[topics.x]\ntext = ["x"]\ntexts=["y"]',
                2,
                'unknown key "text"; use aliases, templates',
            ),
            ('[topics.x]\ntexts = "x"', 2, "texts is no list; write [...]"),
            ('[topics.x]\ntexts = [\n"x",\n7]', 4, "text is no string; write it in quotes"),
            ('[topics.x]\ntexts = [\n{rating="g"}]', 3, "text is no string; write it in quotes"),
            ('[topics.x]\ntexts = ["x",\n""]', 3, "empty text; write something or remove it"),
            ('[topics.x]\ntexts = [\n"""a\nb"""]', 3, "control character U+000A in the text"),
            (f'[topics.x]\ntexts = [\n"{"x" * 513}"]', 3, "text of 513 characters; at most 512"),
            (
                '[topics.x]\ntexts = [\n{text="x", weight=2}]',
                3,
                'unknown key "weight"; use rating, text',
            ),
            ('[topics.x]\ntexts = [\n"y",\n{text="x", rating="s"}]', 4, "'s' is not a rating"),
            ('[topics.x]\ntexts=["x"]\naliases = "y"', 3, "aliases is no list of at most 50 names"),
            ('[topics.x]\ntexts=["x"]\naliases = ["y",\n1]', 4, "alias is no string; write it"),
            ('[topics.x]\ntemplates = ["y",\n"C# is"]', 3, '"#" without a second one; write ##'),
            ('[topics.x]\ntemplates = ["y",\n"#a.b#"]', 3, 'unknown modifier ".b"; use a, cap'),
            ('[topics.x]\ntemplates = ["y",\n"#a#"]', 3, "#a# has no rule; define it under [gr"),
            (
                '[topics.x]\ntemplates = [\n{text="y", weight=0}]',
                3,
                "weight is no number from 1 to",
            ),
            (
                '[topics.x]\ntemplates = [\n{text="y", weight=true}]',
                3,
                "weight is no number from 1",
            ),
            (f'unknown = ["y",\n"{"#topic#" * 8}"]', 2, "longer than 512 characters even with"),
            ('[grammar]\n"Noun" = ["x"]', 2, "a symbol has up to 32 of a-z 0-9 _, starts with"),
            ('[grammar]\ntopic = ["x"]', 2, "a symbol has up to 32 of a-z 0-9 _, starts with"),
            ("[grammar]\nnoun = []", 2, "#noun# has no alternatives; add some or remove it"),
            ('[grammar]\nnoun = "x"', 2, "noun is no list; write [...]"),
            ('[grammar]\nnoun = [\n"x",\n"#verb#"]', 4, "#verb# has no rule; define it under"),
            ('[grammar]\nnoun = ["x"]\nverb = ["#verb#"]', 3, "#verb# never ends: it always"),
            (
                '[grammar]\nnoun = [{text="x",rating="g"}]',
                2,
                'unknown key "rating"; use text, weight',
            ),
        ],
    )
    def test_a_slip_of_the_pen_is_told_where_it_is(self, text: str, line: int, reason: str) -> None:
        ((found, said),) = problems(text)
        assert (found, said[: len(reason)]) == (line, reason)

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ('version = "1"\n', 1, 'no name; begin with name = "..."'),
            ('\nname = "My Pack"\n', 2, "a pack's name has up to 32 of a-z 0-9 -"),
            ('name = ""', 1, "empty name; write something or remove it"),
            ("name = 7", 1, "name is no string; write it in quotes"),
        ],
    )
    def test_a_pack_has_a_name(self, text: str, line: int, reason: str) -> None:
        assert read(text).problems == [(line, reason)]

    def test_all_of_them_are_told_in_the_order_of_their_lines(self) -> None:
        text = """\
[topics.x]
texts = ["good", "", { text = "y", rating = "s" }]
templates = ["#noun#", "#nuon#"]
[grammar]
noun = ["x", "#y"]
[colours]
"""
        assert [line for line, _ in problems(text)] == [2, 2, 3, 5, 6]

    def test_an_alternative_that_cannot_be_read_does_not_make_others_wrong(self) -> None:
        text = '[grammar]\nnoun = ["#", "#verb#"]\nverb = ["#noun#"]\n'
        assert [line for line, _ in problems(text)] == [2]

    def test_too_many_texts(self) -> None:
        text = "[topics.a]\ntexts = ['x']\n[topics.b]\ntexts = [" + "'x'," * MAX_INSULTS + "]"
        assert problems(text) == [(3, "more than 100000 texts; split the pack")]

    def test_too_many_alternatives(self) -> None:
        text = "\n[grammar]\na = [" + "'x'," * MAX_ALTERNATIVES + "]\nb = ['x']"
        assert problems(text) == [(2, "more than 5000 alternatives; split the pack")]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", True),
        ("de-AT", True),
        ("zh-Hant-TW", True),
        ("", False),
        ("e", False),
        ("a_b", False),
    ],
)
def test_a_language_is_a_tag(tag: str, *, expected: bool) -> None:
    assert is_language(tag) is expected


FRAGMENTS = st.sampled_from(
    [
        "[topics.x]", '[topics."c#"]', "[grammar]", "texts = [", "]", '"a",', '"#noun# #topic#",',
        "templates = [", "aliases = [", 'noun = ["x", "#verb.s# #noun#"]', 'verb = ["y"]',
        '{ text = "b", rating = "g" },', '{ text = "c", weight = 2 },', 'unknown = ["#topic#"]',
        "rating = 'r'", "weight = -1", "x = 1", "1,", "[[topics]]", '"""', "'", "#", "\\", "{",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(FRAGMENTS, max_size=12).map("\n".join) | st.text())
def test_any_text_is_a_clean_pack_or_problems_with_lines(text: str) -> None:
    pack = read(HEADER + text)
    for line, reason in pack.problems:
        assert 1 <= line <= text.count("\n") + 2
        assert printable(reason) == reason
    for row in (*pack.rows, *pack.unknown):
        assert printable(row.text) == row.text != ""
        assert 2 <= row.line <= text.count("\n") + 2
        if row.template and not pack.problems:
            assert row.template.expand("perl", Random(0))
