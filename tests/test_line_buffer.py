"""The line being typed, and the lines typed before."""

from __future__ import annotations

import pytest

from conch_insults.core.line_buffer import MAX_BYTES, History, LineBuffer

ACUTE = "\N{COMBINING ACUTE ACCENT}"


def line(text: str) -> LineBuffer:
    """Return the buffer of a line whose cursor stands at the bar."""
    before, _, after = text.partition("|")
    buffer = LineBuffer()
    buffer.replace(before + after)
    buffer.home()
    while "".join(buffer.cells[: buffer.cursor]) != before:
        buffer.right()
    buffer.settle()
    return buffer


def shown(buffer: LineBuffer) -> str:
    cells = list(buffer.cells)
    cells.insert(buffer.cursor, "|")
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
    ],
)
def test_edits(before: str, edit: str, after: str) -> None:
    buffer = line(before)
    getattr(buffer, edit)()
    assert shown(buffer) == after
    assert buffer.cells[: buffer.changed_from] == line(before).cells[: buffer.changed_from]


class TestInserting:
    def test_happens_at_the_cursor(self) -> None:
        buffer = line("a|d")
        assert buffer.insert("bc")
        assert shown(buffer) == "abc|d"
        assert buffer.changed_from == 1

    def test_a_mark_joins_the_cell_before(self) -> None:
        buffer = line("e|x")
        assert buffer.insert(ACUTE)
        assert buffer.cells == [f"e{ACUTE}", "x"]
        assert buffer.changed_from == 0

    def test_a_letter_before_a_lone_mark_carries_it(self) -> None:
        buffer = line(f"|{ACUTE}x")
        assert buffer.insert("e")
        assert shown(buffer) == f"e{ACUTE}|x"

    def test_what_stood_apart_joins_when_what_was_between_is_gone(self) -> None:
        woman, joiner, rocket = "\N{WOMAN}", "\N{ZERO WIDTH JOINER}", "\N{ROCKET}"
        buffer = line(f"{woman}{joiner}a|{rocket}")
        buffer.backspace()
        assert buffer.cells == [f"{woman}{joiner}{rocket}"]
        assert buffer.cursor == 1

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
        assert buffer.cells == [f"a{ACUTE}"]
        assert buffer.cursor == 1


class TestHistory:
    def test_goes_back_and_forth_and_keeps_the_draft(self) -> None:
        history = History()
        history.add("one")
        history.add("two")
        assert history.older("draft") == "two"
        assert history.older("two") == "one"
        assert history.older("one") is None
        assert history.newer() == "two"
        assert history.newer() == "draft"
        assert history.newer() is None

    def test_keeps_no_blank_lines_and_no_line_twice_in_a_row(self) -> None:
        history = History()
        for text in ("one", "one", "", "  ", "two", "one"):
            history.add(text)
        assert [history.older("") for _ in range(4)] == ["one", "two", "one", None]

    def test_forgets_the_oldest(self) -> None:
        history = History(limit=2)
        for text in ("one", "two", "three"):
            history.add(text)
        assert [history.older("") for _ in range(3)] == ["three", "two", None]

    def test_a_new_line_leads_back_to_the_newest_end(self) -> None:
        history = History()
        history.add("one")
        history.older("draft")
        history.leave()
        assert history.newer() is None
        assert history.older("") == "one"
