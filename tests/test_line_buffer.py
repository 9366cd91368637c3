"""The line being typed, and the lines typed before."""

from __future__ import annotations

import pytest

from conch_insults.core import line_buffer
from conch_insults.core.line_buffer import MAX_BYTES, LineBuffer

ACUTE = "\N{COMBINING ACUTE ACCENT}"
WOMAN, JOINER, ROCKET = "\N{WOMAN}", "\N{ZERO WIDTH JOINER}", "\N{ROCKET}"


def line(text: str) -> LineBuffer:
    """Return the buffer of a line whose cursor stands at the bar."""
    before, _, after = text.partition("|")
    buffer = LineBuffer()
    assert buffer.insert(before + after)
    buffer.home()
    while buffer.text[: buffer.cursor] != before:
        buffer.right()
    buffer.settle()
    return buffer


def shown(buffer: LineBuffer) -> str:
    cells = buffer.cells()
    cells.insert(buffer.cursor_cell, "|")
    return "".join(cells)


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("ab|c", "left", "a|bc"),
        ("|abc", "left", "|abc"),
        ("a|bc", "right", "ab|c"),
        ("abc|", "right", "abc|"),
        ("ab|c", "home", "|abc"),
        ("a|bc", "end", "abc|"),
        ("ab|c", "backspace", "a|c"),
        ("|abc", "backspace", "|abc"),
        ("a|bc", "delete", "a|c"),
        ("abc|", "delete", "abc|"),
        (f"e{ACUTE}x|", "left", f"e{ACUTE}|x"),
        (f"e{ACUTE}|x", "backspace", "|x"),
        (f"|e{ACUTE}x", "delete", "|x"),
        ("one two|", "word_left", "one |two"),
        ("one, |two", "word_left", "|one, two"),
        ("|one two", "word_right", "one| two"),
        ("one|, two", "word_right", "one, two|"),
        ("one two|!", "kill_word_left", "one |!"),
        ("one |two!", "kill_word_right", "one |!"),
        (f"a! e{ACUTE}!{ACUTE}|", "word_left", f"a! |e{ACUTE}!{ACUTE}"),
        (f"|!{ACUTE}e{ACUTE}!", "word_right", f"!{ACUTE}e{ACUTE}|!"),
        ("a c++  |x", "kill_blank_word_left", "a |x"),
        ("|x", "kill_blank_word_left", "|x"),
        ("on|e", "kill_to_start", "|e"),
        ("on|e", "kill_to_end", "on|"),
        ("ab|c", "transpose", "acb|"),
        ("abc|", "transpose", "acb|"),
        ("|abc", "transpose", "|abc"),
        ("a|", "transpose", "a|"),
        ("|", "transpose", "|"),
        (f"{ACUTE}a|", "transpose", f"a{ACUTE}|"),
        (f"{WOMAN}{JOINER}a|{ROCKET}", "transpose", f"{WOMAN}{JOINER}{ROCKET}a|"),
    ],
)
def test_edits(before: str, edit: str, after: str) -> None:
    buffer = line(before)
    getattr(buffer, edit)()
    assert shown(buffer) == after
    kept = buffer.unchanged_cells
    assert buffer.cells()[:kept] == line(before).cells()[:kept]
    assert buffer.cells()[kept:] == buffer.changed_cells()


class TestInserting:
    def test_happens_at_the_cursor(self) -> None:
        buffer = line("a|d")
        assert buffer.insert("bc")
        assert shown(buffer) == "abc|d"
        assert buffer.unchanged_cells == 1

    def test_a_mark_joins_the_cell_before(self) -> None:
        buffer = line("e|x")
        assert buffer.insert(ACUTE)
        assert buffer.cells() == [f"e{ACUTE}", "x"]
        assert buffer.unchanged_cells == 0

    def test_a_letter_before_a_lone_mark_carries_it(self) -> None:
        buffer = line(f"|{ACUTE}x")
        assert buffer.insert("e")
        assert shown(buffer) == f"e{ACUTE}|x"

    def test_what_stood_apart_joins_when_what_was_between_is_gone(self) -> None:
        buffer = line(f"{WOMAN}{JOINER}a|{ROCKET}")
        buffer.backspace()
        assert buffer.cells() == [f"{WOMAN}{JOINER}{ROCKET}"]
        assert buffer.cursor_cell == 1

    def test_a_pile_of_marks_is_several_cells(self) -> None:
        buffer = line("e" + ACUTE * 20 + "|x")
        buffer.left()
        assert shown(buffer) == "e" + ACUTE * 15 + "|" + ACUTE * 5 + "x"

    def test_a_line_has_at_most_so_many_bytes(self) -> None:
        buffer = LineBuffer()
        assert buffer.insert("é" * (MAX_BYTES // 2))
        assert not buffer.insert("x")
        buffer.backspace()
        assert not buffer.insert("abc")
        assert len(buffer.text.encode()) == MAX_BYTES
        assert buffer.text.endswith("éab")


class TestKilling:
    def test_yank_brings_back_what_was_cut_last(self) -> None:
        buffer = line("one two|")
        buffer.kill_word_left()
        buffer.kill_to_end()
        assert buffer.yank()
        assert buffer.yank()
        assert shown(buffer) == "one twotwo|"

    def test_yank_says_when_there_is_no_room(self) -> None:
        buffer = line("x" * 600 + "|")
        buffer.kill_to_start()
        assert buffer.yank()
        assert not buffer.yank()
        assert shown(buffer) == "x" * 600 + "|"

    def test_what_comes_back_joins_its_neighbours(self) -> None:
        buffer = line(f"{ACUTE}|a")
        buffer.kill_to_start()
        buffer.right()
        assert buffer.yank()
        assert buffer.cells() == [f"a{ACUTE}"]
        assert buffer.cursor_cell == 1


class TestUndoing:
    @pytest.mark.parametrize(
        "kill",
        [
            "kill_to_start",
            "kill_to_end",
            "kill_word_left",
            "kill_word_right",
            "kill_blank_word_left",
        ],
    )
    def test_brings_back_what_was_cut_last(self, kill: str) -> None:
        buffer = line("one two| three")
        getattr(buffer, kill)()
        buffer.home()
        assert buffer.undo_kill()
        assert shown(buffer) == "one two| three"
        assert buffer.unchanged_cells == 0
        assert not buffer.undo_kill()

    def test_is_for_the_last_cut_alone(self) -> None:
        buffer = line("one two|")
        buffer.kill_word_left()
        buffer.kill_word_left()
        assert buffer.undo_kill()
        assert shown(buffer) == "one |"
        assert not buffer.undo_kill()

    @pytest.mark.parametrize("edit", ["backspace", "yank", "transpose"])
    def test_is_over_with_the_next_change(self, edit: str) -> None:
        buffer = line("one two|")
        buffer.kill_word_left()
        getattr(buffer, edit)()
        assert not buffer.undo_kill()

    def test_outlasts_what_changes_nothing(self) -> None:
        buffer = line("one two|")
        buffer.kill_to_start()
        for edit in ("kill_to_end", "backspace", "delete", "transpose", "home"):
            getattr(buffer, edit)()
        assert buffer.undo_kill()
        assert shown(buffer) == "one two|"


class TestLines:
    @pytest.mark.parametrize(
        ("text", "lines"),
        [
            ("", [""]),
            ("  ", ["  "]),
            ("one", ["one"]),
            ("one\ntwo", ["one", "two"]),
            ("\none\n\n \ntwo \n", ["one", "two "]),
            ("\n \n", [""]),
        ],
    )
    def test_are_those_of_a_paste_without_blank_ones(self, text: str, lines: list[str]) -> None:
        found = line(text + "|").lines()
        assert [content.text for content in found] == lines
        assert all(len(content.text) == len(content.marks) for content in found)

    def test_keep_their_cells(self) -> None:
        second = line(f"a\n{ACUTE}e{ACUTE}|").lines()[1]
        buffer = LineBuffer()
        buffer.replace(second)
        assert buffer.cells() == [ACUTE, f"e{ACUTE}"]

    def test_a_break_is_a_cell_and_a_blank(self) -> None:
        buffer = line(f"one\n{ACUTE}two|")
        assert buffer.cells()[3:5] == ["\n", ACUTE]
        buffer.word_left()
        assert shown(buffer) == f"one\n{ACUTE}|two"

    def test_the_cursor_is_in_one_of_them(self) -> None:
        assert line("one\ntw|o").before_cursor == "tw"
        assert line("one|\ntwo").before_cursor == "one"


class TestCompleting:
    @pytest.mark.parametrize(
        ("before", "text", "after"),
        [
            ("pe|", "perl", "perl|"),
            ("PE| 6", "perl", "perl| 6"),
            ("one\npe|", "perl", "one\nperl|"),
            ("|", "perl", "perl|"),
            ("perl|", "p", "p|"),
        ],
    )
    def test_puts_a_text_in_the_place_of_another(self, before: str, text: str, after: str) -> None:
        buffer = line(before)
        assert buffer.complete(text)
        assert shown(buffer) == after

    def test_is_done_as_a_whole_or_not_at_all(self) -> None:
        buffer = line("x" * 1000 + "\npe|")
        assert not buffer.complete("p" * 24)
        assert shown(buffer) == "x" * 1000 + "\npe|"
        assert buffer.complete("q" * 23)


FULL_LINES = {
    "plain": "x" * MAX_BYTES,
    "wide": "日" * (MAX_BYTES // 3),
    "joined emoji": "a" + f"{WOMAN}{JOINER}" * (MAX_BYTES // 7 - 1),
    "marks": "e" + ACUTE * (MAX_BYTES // 2 - 1),
}


@pytest.mark.parametrize("text", FULL_LINES.values(), ids=FULL_LINES)
@pytest.mark.parametrize(
    ("edit", "most"),
    [
        ("left", 0),
        ("home", 0),
        ("word_left", 0),
        ("word_right", 0),
        ("backspace", 1),
        ("kill_to_start", 1),
        ("kill_word_left", 1),
        ("kill_blank_word_left", 1),
        ("yank", 2),
        ("transpose", 3),
    ],
)
def test_what_is_joined_anew_does_not_grow_with_the_line(
    text: str, edit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def joins(cell: str, after: str) -> bool:
        seen.append(cell + after)
        return False

    buffer = line(text + "|")
    monkeypatch.setattr(line_buffer, "joins", joins)
    getattr(buffer, edit)()
    assert len(seen) <= most
    assert all(len(cells) <= 2 * 16 for cells in seen)


def test_a_line_that_was_one_before_is_not_split_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = line(FULL_LINES["joined emoji"] + "|")
    buffer = line("draft|")
    monkeypatch.setattr(line_buffer, "joins", None)
    buffer.replace(before.content)
    assert buffer.cells() == before.cells()
    assert buffer.cursor == before.cursor
    assert buffer.unchanged_cells == 0
