"""The lines typed before, and the places of those who leaf through them."""

from __future__ import annotations

from conch_insults.core.history import History, Recall
from conch_insults.core.line_buffer import EMPTY, Content


def typed(text: str) -> Content:
    return Content(text, b"W" * len(text))


def history_of(*texts: str, most_lines: int = 100, most_bytes: int = 16 * 1024) -> History:
    history = History(most_lines, most_bytes)
    for text in texts:
        history.add(typed(text))
    return history


def kept(history: History) -> list[str]:
    return [history.line(number).text for number in range(history.start, history.end)]


class TestHistory:
    def test_keeps_lines_in_order(self) -> None:
        assert kept(history_of("one", "two", "one")) == ["one", "two", "one"]

    def test_keeps_no_blank_lines_and_no_line_twice_in_a_row(self) -> None:
        assert kept(history_of("one", "one", "", "  ", "\n", "one", "two")) == ["one", "two"]

    def test_forgets_the_oldest_of_too_many(self) -> None:
        history = history_of("one", "two", "three", most_lines=2)
        assert kept(history) == ["two", "three"]
        assert (history.start, history.end) == (1, 3)

    def test_forgets_as_many_as_it_takes_to_have_room(self) -> None:
        history = history_of("é" * 5, "two", "three", "four", most_bytes=10)
        assert kept(history) == ["three", "four"]
        history.add(typed("x" * 10))
        assert kept(history) == ["x" * 10]

    def test_keeps_nothing_that_has_no_room_at_all(self) -> None:
        history = history_of("one", "x" * 11, most_bytes=10)
        assert kept(history) == []
        history.add(typed("two"))
        assert kept(history) == ["two"]

    def test_a_person_keeps_a_bounded_number_of_bytes(self) -> None:
        history = history_of(*(f"{number:04}" + "é" * 500 for number in range(200)))
        size = sum(len(text.encode()) for text in kept(history))
        assert 15 * 1024 < size <= 16 * 1024


class TestRecall:
    def test_goes_back_and_forth_and_keeps_the_draft(self) -> None:
        recall = Recall(history_of("one", "two"))
        assert recall.older(typed("draft")) == typed("two")
        assert recall.older(typed("two")) == typed("one")
        assert recall.older(typed("one")) is None
        assert recall.newer() == typed("two")
        assert recall.newer() == typed("draft")
        assert recall.newer() is None

    def test_finds_nothing_in_an_empty_history(self) -> None:
        recall = Recall(History())
        assert recall.older(typed("draft")) is None
        assert recall.newer() is None

    def test_leaving_leads_back_to_the_newest_end(self) -> None:
        recall = Recall(history_of("one"))
        recall.older(typed("draft"))
        recall.leave()
        assert recall.newer() is None
        assert recall.older(EMPTY) == typed("one")
        assert recall.newer() == EMPTY

    def test_may_begin_anywhere(self) -> None:
        recall = Recall(history_of("one", "two", "three"))
        recall.go_to(0, typed("draft"))
        assert recall.newer() == typed("two")
        recall.go_to(0, typed("no draft"))
        assert [recall.newer() for _ in range(4)] == [
            typed("two"),
            typed("three"),
            typed("draft"),
            None,
        ]

    def test_lines_that_others_add_come_at_the_newest_end(self) -> None:
        history = history_of("one")
        recall = Recall(history)
        history.add(typed("two"))
        assert recall.older(EMPTY) == typed("two")
        history.add(typed("three"))
        assert recall.older(EMPTY) == typed("one")
        assert [recall.newer() for _ in range(3)] == [typed("two"), typed("three"), EMPTY]

    def test_a_place_that_was_forgotten_is_the_oldest(self) -> None:
        history = history_of("one", "two", most_lines=2)
        recall = Recall(history)
        recall.older(typed("draft"))
        recall.older(EMPTY)
        for text in ("three", "four", "five"):
            history.add(typed(text))
        assert recall.older(EMPTY) is None
        assert recall.newer() == typed("four")
        assert recall.newer() == typed("five")
        assert recall.newer() == typed("draft")
