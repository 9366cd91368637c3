"""What a client's environment says about how it wants things shown."""

from __future__ import annotations

import pytest

from conch_insults.core.appearance import Appearance, Colour


def appearance(term: str = "xterm", **environment: str) -> Appearance:
    return Appearance.from_environment(term, environment)


class TestColour:
    @pytest.mark.parametrize(
        ("term", "environment", "coloured"),
        [
            ("xterm", {}, True),
            ("vt100", {}, True),
            ("dumb", {}, False),
            ("", {}, False),
            ("unknown", {}, False),
            ("", {"COLORTERM": "truecolor"}, True),
            ("dumb", {"COLORTERM": "truecolor"}, False),
            ("xterm", {"NO_COLOR": "1"}, False),
            ("xterm", {"NO_COLOR": ""}, True),
            ("xterm", {"CLICOLOR": "0"}, False),
            ("xterm", {"CLICOLOR": "1"}, True),
            ("xterm", {"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True),
            ("xterm", {"CLICOLOR": "0", "CLICOLOR_FORCE": "0"}, False),
            ("xterm", {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, False),
            ("dumb", {"CLICOLOR_FORCE": "1"}, False),
        ],
    )
    def test_is_on_unless_somebody_objects(
        self, term: str, environment: dict[str, str], coloured: bool
    ) -> None:
        assert appearance(term, **environment).is_coloured is coloured

    @pytest.mark.parametrize(
        ("colour", "by_default", "coloured"),
        [("on", False, True), ("off", True, False), ("auto", True, True), ("auto", False, False)],
    )
    def test_a_person_has_the_last_word(
        self, colour: Colour, by_default: bool, coloured: bool
    ) -> None:
        shown = Appearance(colour, coloured_by_default=by_default)
        assert shown.is_coloured is coloured

    def test_may_change_at_any_time(self) -> None:
        shown = appearance()
        shown.colour = "off"
        assert not shown.is_coloured
        shown.colour = "auto"
        assert shown.is_coloured
        shown.plain = True
        assert not shown.is_coloured

    def test_a_terminal_without_escape_sequences_never_gets_any(self) -> None:
        shown = appearance("dumb")
        shown.colour, shown.plain = "on", False
        assert not shown.is_coloured
        assert shown.is_final


class TestPlain:
    @pytest.mark.parametrize(("term", "plain"), [("xterm", False), ("dumb", True), ("", True)])
    def test_is_what_a_dumb_terminal_gets(self, term: str, plain: bool) -> None:
        assert appearance(term).plain is plain
        assert appearance(term).dumb is plain
        assert appearance(term).is_final is plain


class TestCharacterSet:
    @pytest.mark.parametrize(
        ("environment", "ascii_only"),
        [
            ({}, False),
            ({"LANG": ""}, False),
            ({"LANG": "en_GB.UTF-8"}, False),
            ({"LANG": "en_GB.utf8"}, False),
            ({"LC_CTYPE": "UTF-8"}, False),
            ({"LANG": "C.UTF-8"}, False),
            ({"LANG": "de_DE"}, False),
            ({"LANG": "de_DE.UTF-8@euro"}, False),
            ({"LANG": "C"}, True),
            ({"LANG": "POSIX"}, True),
            ({"LANG": "de_DE.ISO-8859-1"}, True),
            ({"LANG": "de_DE.ISO8859-15@euro"}, True),
            ({"LANG": "ja_JP.eucJP"}, True),
            ({"LANG": "en_GB.UTF-8", "LC_CTYPE": "C"}, True),
            ({"LANG": "C", "LC_CTYPE": "en_GB.UTF-8"}, False),
            ({"LANG": "C", "LC_CTYPE": "C", "LC_ALL": "C.UTF-8"}, False),
            ({"LANG": "C.UTF-8", "LC_ALL": "C"}, True),
            ({"LANG": "C.UTF-8", "LC_ALL": ""}, False),
        ],
    )
    def test_is_utf8_unless_the_locale_says_otherwise(
        self, environment: dict[str, str], ascii_only: bool
    ) -> None:
        assert appearance(**environment).ascii is ascii_only


@pytest.mark.parametrize(
    ("term", "reflows"),
    [("tmux-256color", True), ("xterm-kitty", True), ("xterm-256color", False), ("screen", False)],
)
def test_only_terminals_that_give_their_name_are_known_to_wrap_anew(
    term: str, reflows: bool
) -> None:
    assert appearance(term).reflows is reflows
