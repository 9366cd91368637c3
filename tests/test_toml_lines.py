"""Where things stand in a TOML file: right for every document that the real parser accepts."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core import toml_lines
from conch_insults.core.toml_lines import MAX_NESTING, find_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = '''\
# A comment with "quotes" and [brackets]
name = "mine"   # and one here
rating = 'pg'
unknown = ["one", # why
    # not this
    "t\\"wo",
    { text = "three, ]", rating = "g" }, """
four""",
    \'\'\'fi've\'\'\'
]
odd.dotted."key.\\u0041" = 1979-05-27 07:32:00
numbers = [ +1_000, -1.5e3, 0xff, inf, [true], ]

[topics.python]
aliases = ["py",
           "snake"]
[topics."c++"]
texts = [
    "x",

    { text = "y" },
]
[ topics . 'c#' ]
texts = []
[grammar]
empty = {}
multi = """"quoted" text""""
'''


def test_a_document_as_people_write_it() -> None:
    lines = find_lines(DOCUMENT)
    assert lines.understood == len(DOCUMENT)
    assert lines.problem is None
    expected = {
        ("name",): 2,
        ("rating",): 3,
        ("unknown",): 4,
        ("unknown", 0): 4,
        ("unknown", 1): 6,
        ("unknown", 2): 7,
        ("unknown", 2, "rating"): 7,
        ("unknown", 3): 7,
        ("unknown", 4): 9,
        ("odd", "dotted"): 11,
        ("odd", "dotted", "key.A"): 11,
        ("numbers", 4, 0): 12,
        ("topics",): 14,
        ("topics", "python"): 14,
        ("topics", "python", "aliases", 1): 16,
        ("topics", "c++"): 17,
        ("topics", "c++", "texts", 0): 19,
        ("topics", "c++", "texts", 1): 21,
        ("topics", "c#"): 23,
        ("topics", "c#", "texts"): 24,
        ("grammar", "multi"): 27,
    }
    assert {path: lines.by_path[path] for path in expected} == expected


def test_what_is_not_there_is_at_what_is_around_it() -> None:
    lines = find_lines(DOCUMENT)
    assert lines.of("topics", "c++", "texts", 9, "rating") == 18
    assert lines.of("topics", "ruby", "texts") == 14
    assert lines.of("nothing") == 1


def test_what_comes_after_a_key_that_is_none_has_no_line() -> None:
    text = 'a = 1\n"\\q" = 2\nb = 3\n'
    lines = find_lines(text)
    assert lines.by_path == {("a",): 1}
    assert lines.understood < len(text)


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    entries: Any = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for key, entry in entries:
        yield from paths_of(entry, (*path, key))


def test_everything_that_the_real_parser_finds_has_a_line() -> None:
    assert set(paths_of(tomllib.loads(DOCUMENT))) == {(), *find_lines(DOCUMENT).by_path}


QUOTED = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=6
).map(json.dumps)
KEYS = st.text("ab-_1", min_size=1, max_size=3) | QUOTED | st.sampled_from(["'c#'", '"]"'])
SPACE = st.sampled_from(["", " ", "\n", " # ]\n", "\r\n\t"])
SCALARS = st.sampled_from(
    ["1", "-1.5", "true", "1979-05-27", "1979-05-27 07:32:00Z", "nan", "'it\\'", "''",
     '""""""', '"""a"""""', "'''b''''", '"""\n"\\\n"""', '"a\\"b"', "'''\n''a'''"]
) | QUOTED  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(st.tuples(SPACE, inner, SPACE).map("".join), max_size=4).map(
            lambda entries: f"[{','.join(entries)}]"
        )
        | st.dictionaries(KEYS, inner, max_size=3).map(
            lambda table: f"{{{', '.join(f'{key} = {value}' for key, value in table.items())}}}"
        )
    ),
    max_leaves=6,
)
STATEMENTS = (
    st.tuples(st.lists(KEYS, min_size=1, max_size=3).map(" . ".join), VALUES).map(" = ".join)
    | st.lists(KEYS, min_size=1, max_size=3).map(lambda parts: f"[{'.'.join(parts)}] # x")
    | st.sampled_from(["", "# a = 1", "\t"])
)


@settings(deadline=None, max_examples=300)
@given(st.lists(STATEMENTS, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_whatever_the_real_parser_accepts_is_understood(statements: list[str], ending: str) -> None:
    text = ending.join(statements)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        find_lines(text)
        return
    lines = find_lines(text)
    assert lines.understood == len(text)
    assert set(paths_of(document)) == {(), *lines.by_path}
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.by_path.values())


@settings(deadline=None, max_examples=300)
@given(st.text() | st.text("a1[]{}=,.#\"'\\ \n", max_size=40))
def test_nothing_is_too_broken(text: str) -> None:
    lines = find_lines(text)
    assert lines.problem is not None or 0 <= lines.understood <= len(text)


@pytest.mark.parametrize(
    "text",
    ['a = "x\nb = 1\n', "a = 1\nb = [, ]\nc = 3\n", "a = 1\n= 2\n", "a b = 1\n[x]\n", "a b " * 500],
)
def test_where_it_stops_being_toml_nothing_more_is_read(text: str) -> None:
    lines = find_lines(text)
    assert lines.understood < len(text)
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text[: lines.understood])


class TestBounds:
    def test_a_key_of_many_parts(self) -> None:
        parts = ["a"] * MAX_NESTING
        assert find_lines(f"x = 1\n{'.'.join(parts)} = 1").problem is None
        lines = find_lines(f"x = 1\n{'.'.join([*parts, 'a'])} = 1")
        assert lines.problem == (2, "a key of more than 8 parts; a pack needs no such key")

    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a=", "}")])
    def test_deep_nesting(self, opening: str, closing: str) -> None:
        text = f"x = {opening * MAX_NESTING}1{closing * MAX_NESTING}"
        assert find_lines(text).problem is None
        lines = find_lines(f"\nx = {opening * 100_000}")
        assert lines.problem == (2, "nested more than 8 deep; a pack needs no such value")

    def test_very_many_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(toml_lines, "MAX_VALUES", 99)
        assert find_lines("x = [\n" + "1," * 98 + "]").problem is None
        lines = find_lines("x = [\n" + "1," * 99)
        assert lines.problem == (2, "more than 99 keys and values; split the pack")

    @pytest.mark.parametrize(
        "text",
        [
            "a." * 1_000_000,
            "[" * 1_000_000,
            'x = """' + '""' * 1_000_000,
            'x = "' + "\\" * 1_000_000,
            "#" * 1_000_000,
            '"' * 200_001,
            "\n" * 1_000_000,
        ],
    )
    def test_a_large_file_of_nothing_much_takes_no_time_to_speak_of(self, text: str) -> None:
        assert find_lines(text).by_path.keys() <= {("x",), *[("a",) * at for at in range(9)], ("",)}
