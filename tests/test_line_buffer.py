"""The line being typed, and the lines typed before."""

from __future__ import annotations

import pytest

from conch_insults.core import line_buffer
from conch_insults.core.line_buffer import EMPTY, MAX_BYTES, Content, History, LineBuffer

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


def typed(text: str) -> Content:
    return line(text + "|").content


class TestHistory:
    def test_goes_back_and_forth_and_keeps_the_draft(self) -> None:
        history = History()
        history.add(typed("one"))
        history.add(typed("two"))
        assert history.older(typed("draft")) == typed("two")
        assert history.older(typed("two")) == typed("one")
        assert history.older(typed("one")) is None
        assert history.newer() == typed("two")
        assert history.newer() == typed("draft")
        assert history.newer() is None

    def test_keeps_no_blank_lines_and_no_line_twice_in_a_row(self) -> None:
        history = History()
        for text in ("one", "one", "", "  ", "two", "one"):
            history.add(typed(text))
        assert [history.older(EMPTY) for _ in range(4)] == [
            typed("one"),
            typed("two"),
            typed("one"),
            None,
        ]

    def test_forgets_the_oldest(self) -> None:
        history = History(limit=2)
        for text in ("one", "two", "three"):
            history.add(typed(text))
        assert [history.older(EMPTY) for _ in range(3)] == [typed("three"), typed("two"), None]

    def test_a_new_line_leads_back_to_the_newest_end(self) -> None:
        history = History()
        history.add(typed("one"))
        history.older(typed("draft"))
        history.leave()
        assert history.newer() is None
        assert history.older(EMPTY) == typed("one")
