"""What a real `ssh` shows in windows of several sizes, rendered by pyte and compared as text."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from conch_insults.core.commands import COMMANDS
from tests.real_server import Doors, needs_openssh
from tests.real_terminal import Person

if TYPE_CHECKING:
    from tests.real_server import RealServer, Word

pytestmark = needs_openssh

TESTING = "You test in production, on behalf of everyone."
GREETING = (
    "Oh. It's you, alice.",
    "Name a topic and be insulted about it; help says what else, quit gets you out.",
)
ACCENTS = "Your accents are the only acute thing about you."
JAPANESE = "漢字で侮辱する価値もない。"
QUESTION = "space, Enter, q --"
UP, LEFT, HOME, END = "\x1b[A", "\x1b[D", "\x1b[H", "\x1b[F"
CTRL_D, CTRL_R, TAB, BACKSPACE = "\x04", "\x12", "\t", "\x7f"
COLOUR = b"\x1b[1;32m"
WIDTHS = (20, 80, 200)
COMMAND_NAMES = [command.name for command in COMMANDS if not command.for_operators]


class As(Doors):
    """The doors of a server, for another user, who comes in by alice's key."""

    def __init__(self, user: str, server: RealServer, options: str = "") -> None:
        super().__init__(server.site, server.ssh_port, server.tcp_port)
        self._user = user
        key = (server.site.folder / "id_alice.pub").read_text(encoding="utf-8")
        file = server.site.keys_dir / "authorized_keys.d" / user
        file.write_text(f"{options} {key}".lstrip(), encoding="utf-8")
        file.chmod(0o644)

    @override
    def ssh_command(self, *args: Word, user: str = "", key: str = "id_alice") -> list[Word]:
        return super().ssh_command(*args, user=user or self._user, key=key)


def rows_of(text: str, columns: int) -> list[str]:
    """Return the rows of a line that is edited, which breaks anywhere."""
    return [text[at : at + columns].rstrip() for at in range(0, len(text), columns)]


def in_columns(words: list[str], columns: int) -> list[str]:
    """Return the rows of a list that is read downwards, with two blanks between its columns."""
    width = max(map(len, words)) + 2
    height = -(-len(words) // ((columns + 2) // width))
    return [
        "".join(f"{word:{width}}" for word in words[row::height]).rstrip() for row in range(height)
    ]


def wide_rows(text: str, columns: int) -> list[str]:
    """Return rows of a text in which everything takes two columns."""
    return [text[at : at + columns // 2] for at in range(0, len(text), columns // 2)]


@pytest.mark.parametrize("columns", WIDTHS)
class TestEveryWindow:
    def test_begins_with_who_you_are_what_to_type_and_how_to_leave(
        self, server: RealServer, columns: int
    ) -> None:
        first = [row for line in GREETING for row in wrap(line, columns)]
        with Person(server, columns=columns) as alice:
            alice.sees(*first, ">")
            assert alice.rows == [*first, ">"]

    def test_completes_as_far_as_it_can_and_then_lists_what_may_come(
        self, server: RealServer, columns: int
    ) -> None:
        with Person(server, columns=columns) as alice:
            alice.sees(">")
            alice.types("help qu" + TAB)
            alice.sees("> help qui")
            alice.types(TAB)
            alice.sees("> help qui", "quiet  quit", "> help qui")
            alice.types(BACKSPACE * 3 + TAB)
            alice.sees(*in_columns(COMMAND_NAMES, columns), "> help")

    def test_wraps_answers_between_words(self, server: RealServer, columns: int) -> None:
        with Person(server, columns=columns) as alice:
            alice.sees(">")
            alice.types("testing\rcafé\r日本語\r")
            alice.sees(
                *("> testing", *wrap(TESTING, columns)),
                *("> café", *wrap(ACCENTS, columns)),
                *("> 日本語", *wide_rows(JAPANESE, columns)),
                ">",
            )

    def test_wraps_the_line_in_progress(self, server: RealServer, columns: int) -> None:
        line = "is testing " * 25
        with Person(server, columns=columns) as alice:
            alice.sees(">")
            alice.types(line)
            alice.sees(*rows_of(f"> {line}", columns))
            alice.types(HOME + "why " + END + "so hard?")
            alice.sees(*rows_of(f"> why {line}so hard?", columns))

    @pytest.mark.parametrize("other", WIDTHS)
    def test_may_become_another_in_the_middle_of_a_line(
        self, server: RealServer, columns: int, other: int
    ) -> None:
        line = "why is testing so hard that nobody wants to do it?"
        with Person(server, columns=columns) as alice:
            alice.sees(">")
            alice.types(line + LEFT * 7)
            alice.sees(*rows_of(f"> {line}", columns))
            alice.resizes(other, 24)
            # A line that is right as it is causes no output that could be waited for.
            alice.types("!")
            alice.sees(*rows_of(f"> {line[:-7]}!{line[-7:]}", other))
            alice.types("\x15\x0btesting\r")
            alice.sees("> testing", *wrap(TESTING, other), ">")

    def test_shows_a_long_list_page_by_page(self, server: RealServer, columns: int) -> None:
        with Person(server, columns=columns, rows=6) as alice:
            alice.sees(">")
            alice.types("topics\r")
            alice.sees_at_the_end("--" if columns == 20 else QUESTION)
            first = alice.rows
            assert len(first) == 6
            alice.types(" ")
            alice.sees_other_than(first)
            alice.sees_at_the_end("--" if columns == 20 else QUESTION)
            page = alice.rows
            assert len(page) == 6
            assert not set(first[:5]) & set(page[:5])
            alice.types("\r")
            alice.sees_other_than(page)
            alice.sees_at_the_end("--" if columns == 20 else QUESTION)
            assert alice.rows[:4] == page[1:5]
            alice.types("qtesting\r")
            alice.sees("> testing", *wrap(TESTING, columns), ">")


class TestASmallWindow:
    def test_shows_the_rows_around_the_cursor(self, server: RealServer) -> None:
        line = "abcdefghijklmnopqr" + "0123456789" * 9 + "end"
        rows = rows_of(f"> {line}", 20)
        with Person(server, columns=20, rows=3) as alice:
            alice.sees(">")
            alice.types(line)
            alice.sees(*rows[-3:])
            alice.types(HOME)
            alice.sees(*rows[:3])
            assert alice.cursor == (0, 2)
            alice.types(END)
            alice.sees(*rows[-3:])

    def test_of_one_column_can_be_used(self, server: RealServer) -> None:
        with Person(server, columns=1, rows=10) as alice:
            alice.sees(">")
            alice.types("testing")
            alice.sees(*"testing")
            alice.types(LEFT * 6 + "x")
            alice.sees(*"txesting")
            alice.resizes(20, 10)
            alice.sees("> txesting")


class TestComforts:
    def test_a_topic_is_completed(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("日" + TAB)
            alice.sees("> 日本語")
            alice.types("\r")
            alice.sees("> 日本語", JAPANESE, ">")

    def test_history_is_searched(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("testing\rcafé\r")
            alice.sees("> café", ACCENTS, ">")
            alice.types(CTRL_R + "tes")
            alice.sees("search 'tes': testing")
            alice.types("\r")
            alice.sees("> testing", TESTING, ">")

    def test_history_outlasts_the_session(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("testing\r")
            alice.sees("> testing", TESTING, ">")
            alice.types("\x04")
            assert alice.leaves() == 0
        with Person(server) as alice:
            alice.sees(">")
            alice.types(UP)
            alice.sees("> testing")

    def test_commands_change_what_things_look_like_at_once(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("color off\r")
            alice.sees("Colours: off.", ">")
            assert alice.received.endswith(b"\r\n> ")
            alice.types("color on\r")
            alice.sees("Colours: on.", ">")
            assert alice.received.endswith(b"\r\n" + COLOUR + b"> \x1b[m")

    def test_history_is_kept_for_the_next_session(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("testing\r" + CTRL_D)
            assert alice.leaves() == 0
        with Person(server) as alice:
            alice.sees(">")
            alice.types(UP)
            alice.sees(*GREETING, "> testing")
            alice.types("\r")
            alice.sees("> testing", TESTING, ">")

    def test_history_is_nobody_elses(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("testing\r")
            alice.sees(TESTING, ">")
            with Person(As("bob", server)) as bob:
                bob.sees(">")
                bob.types(UP + "café")
                bob.sees("Oh. It's you, bob.", GREETING[1], "> café")

    def test_what_is_wide_or_combined_is_edited_as_it_is_seen(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("cafe\u0301 👍 日本" + LEFT * 3)
            alice.sees("> café 👍 日本")
            alice.types(BACKSPACE * 3)
            alice.sees("> caf 日本")
            assert alice.cursor == (2, 5)
            alice.types("é\x0b\r")
            alice.sees("> café", ACCENTS, ">")

    def test_a_paste_runs_with_enter(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("\x1b[200~testing\ncafé\n\x1b[201~")
            alice.sees("> testing↵café")
            alice.types("\r")
            alice.sees("> testing", TESTING, "> café", ACCENTS, ">")


class TestWhatTheClientSays:
    def test_the_prompt_is_coloured(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            assert COLOUR + b"> \x1b[m" in alice.received

    def test_colour_is_what_the_person_says(self, server: RealServer) -> None:
        with Person(server, "-o", "SetEnv=NO_COLOR=1") as alice:
            alice.sees(">")
            alice.types("color on\r")
            alice.sees("> color on", "Colours: on.", ">")
            assert alice.received.count(COLOUR) == 1
            alice.types("colour off\r")
            alice.sees("> colour off", "Colours: off.", ">")
            assert alice.received.endswith(b"\r\n> ")

    def test_plain_is_without_colour_and_columns(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("plain\r")
            alice.sees("> plain", "Plain it is.", ">")
            before = len(alice.received)
            alice.types("help " + TAB)
            alice.sees("> help", *COMMAND_NAMES, "> help")
            assert COLOUR not in alice.received[before:]
            alice.types("\x15plain off\r")
            alice.sees("As fancy as before.", ">")
            assert alice.received.endswith(COLOUR + b"> \x1b[m")

    @pytest.mark.parametrize("variable", ["NO_COLOR=1", "CLICOLOR=0"])
    def test_it_is_not_where_colour_is_not_wanted(self, server: RealServer, variable: str) -> None:
        with Person(server, "-o", f"SetEnv={variable}") as alice:
            alice.sees(">")
            assert COLOUR not in alice.received

    def test_a_dumb_terminal_gets_no_escape_sequence(self, server: RealServer) -> None:
        with Person(server, "-o", "SetEnv=TERM=dumb", rows=6) as alice:
            alice.sees(">")
            alice.types("testimg\x7f\x7fng\r")
            alice.sees("> testing", TESTING, ">")
            alice.types("topics\r")
            alice.sees_at_the_end(QUESTION)
            alice.types("q")
            alice.sees(">")
            alice.types("\x04")
            assert alice.leaves() == 0
            assert b"\x1b" not in alice.received

    @pytest.mark.parametrize("variable", ["LANG=C", "LC_CTYPE=POSIX", "LC_ALL=de_DE.ISO-8859-1"])
    def test_a_locale_without_utf8_gets_ascii(self, server: RealServer, variable: str) -> None:
        with Person(server, "-o", f"SetEnv={variable}") as alice:
            alice.sees(">")
            alice.types("café\r日本語\r")
            alice.sees("> cafe", ACCENTS, "> ???", "?" * 12 + "?", ">")
            assert alice.received.isascii()


class TestOperators:
    def test_are_told_of_commands_that_nobody_else_has(self, server: RealServer) -> None:
        question = "help reload"
        with Person(server) as alice:
            alice.sees(">")
            alice.types(f"{question}\r")
            alice.sees(f"> {question}", "There is no such command: help lists them.", ">")
        with Person(As("oscar", server, 'role@conch-insults="operator"')) as oscar:
            oscar.sees(">")
            oscar.types(f"{question}\r")
            answer = "reload: read packs, keys and lists again."
            oscar.sees(f"> {question}", answer, "Options: --json.", ">")
            oscar.types("help " + TAB)
            names = [command.name for command in COMMANDS]
            oscar.sees(*in_columns(names, 80), "> help")
