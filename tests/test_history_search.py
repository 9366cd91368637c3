"""Searching back through what was typed before."""

from __future__ import annotations

from conch_insults.core.history import History
from conch_insults.core.history_search import HistorySearch
from conch_insults.core.line_buffer import Content


def search_in(*texts: str, most_lines: int = 100) -> tuple[HistorySearch, History]:
    history = History(most_lines)
    for text in texts:
        history.add(Content(text, b"W" * len(text)))
    return HistorySearch(history), history


def shown(search: HistorySearch) -> str:
    return search.prompt + (search.found.text if search.found else "-")


class TestSearching:
    def test_begins_with_nothing(self) -> None:
        assert shown(search_in("perl")[0]) == "search '': -"

    def test_finds_the_newest_first(self) -> None:
        search, _ = search_in("perl", "python", "cobol")
        assert search.extend("p")
        assert shown(search) == "search 'p': python"

    def test_what_is_found_stays_while_it_has_the_text(self) -> None:
        search, _ = search_in("perl", "python")
        search.extend("p")
        search.extend("y")
        assert shown(search) == "search 'py': python"
        search.extend("x")
        assert shown(search) == "nothing like 'pyx': python"
        search.shorten()
        assert shown(search) == "search 'py': python"

    def test_goes_back_only(self) -> None:
        search, _ = search_in("perl", "python")
        search.extend("pe")
        search.shorten()
        assert shown(search) == "search 'p': perl"

    def test_older_lines_are_asked_for(self) -> None:
        search, _ = search_in("perl", "cobol", "python")
        search.extend("p")
        search.older()
        assert shown(search) == "search 'p': perl"
        search.older()
        assert shown(search) == "nothing like 'p': perl"
        search.older()
        assert search.compared == 3
        search.extend("e")
        assert shown(search) == "search 'pe': perl"

    def test_without_a_text_there_is_nothing_older(self) -> None:
        search, _ = search_in("perl")
        search.older()
        assert shown(search) == "search '': -"
        search.extend("x")
        search.shorten()
        search.shorten()
        assert shown(search) == "search '': -"

    def test_one_that_found_nothing_begins_again_with_less(self) -> None:
        search, _ = search_in("perl")
        search.extend("x")
        assert shown(search) == "nothing like 'x': -"
        search.extend("y")
        search.shorten()
        assert shown(search) == "nothing like 'x': -"

    def test_has_a_longest_text(self) -> None:
        search, _ = search_in("x" * 100)
        assert search.extend("x" * 63)
        assert not search.extend("xx")
        assert search.text == "x" * 64
        assert search.found is not None


class TestWhileOthersType:
    def test_what_they_type_is_not_in_the_way(self) -> None:
        search, history = search_in("perl")
        search.extend("p")
        history.add(Content("python", b"W" * 6))
        search.extend("e")
        assert shown(search) == "search 'pe': perl"

    def test_a_line_that_was_forgotten_is_not_found_any_more(self) -> None:
        search, history = search_in("perl", "cobol", most_lines=2)
        search.extend("pe")
        history.add(Content("python", b"W" * 6))
        assert shown(search) == "search 'pe': -"
        search.extend("r")
        assert shown(search) == "nothing like 'per': -"
