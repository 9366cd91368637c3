"""A person at a terminal: an OpenSSH client on a pty, its screen as pyte renders it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.real_server import needs_openssh
from tests.real_terminal import Person

if TYPE_CHECKING:
    from tests.real_server import RealServer

pytestmark = needs_openssh

GREETING = (
    "Oh. It's you, alice.",
    "Name a topic and be insulted about it; help says what else, quit gets you out.",
)
TESTING = "You test in production, on behalf of everyone."
LEFT, RIGHT, UP = "\x1b[D", "\x1b[C", "\x1b[A"
HOME, DELETE, BACKSPACE = "\x1b[H", "\x1b[3~", "\x7f"
KILL_TO_START, KILL_TO_END = "\x15", "\x0b"
CTRL_C, CTRL_D = "\x03", "\x04"


class TestAPersonAtATerminal:
    def test_is_greeted_answered_and_told_goodbye(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(*GREETING, ">")
            assert alice.cursor == (2, 2)
            alice.types("testing\r")
            alice.sees(*GREETING, "> testing", TESTING, ">")
            alice.types("quit\r")
            assert alice.leaves() == 0
            assert alice.rows[4:6] == ["> quit", "Goodbye, loser."]
        assert "user=alice" in server.logged("disconnect: ssh")

    def test_keeps_what_was_on_the_screen(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("testing\rerl" + LEFT * 3 + "p" + UP + CTRL_C + CTRL_C + CTRL_D)
            assert alice.leaves() == 0
            assert b"\x1bc" not in alice.received
            for mode in (b"\x1b[?1049", b"\x1b[?1047", b"\x1b[?47"):
                assert mode not in alice.received
            assert b"\x1b[2J" not in alice.received
            # Bracketed paste was switched on, and is off again.
            assert alice.received.count(b"\x1b[?2004h") == 1
            assert alice.received.rindex(b"\x1b[?2004l") > alice.received.rindex(b"\x1b[?2004h")

    def test_gets_a_carriage_return_with_every_line_feed(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("help\rtesting\rquit\r")
            assert alice.leaves() == 0
            # What ssh itself says at the end is not ours.
            ours = alice.received.partition(b"Goodbye, loser.\r\n")[0]
            assert ours.count(b"\n") > 10
            assert ours.count(b"\n") == ours.count(b"\r\n")

    def test_types_what_is_not_ascii(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("café")
            alice.sees("> café")
            alice.types("\r")
            alice.sees("> café", "Your accents are the only acute thing about you.", ">")

    def test_edits_wide_characters(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("日語")
            alice.sees("> 日語")
            assert alice.cursor == (2, 6)
            alice.types(LEFT + "本")
            alice.sees("> 日本語")
            assert alice.cursor == (2, 6)
            alice.types("\r")
            alice.sees("> 日本語", "漢字で侮辱する価値もない。", ">")

    def test_moves_with_the_arrows(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("estinx" + LEFT * 6 + "t" + RIGHT * 6 + BACKSPACE + "g\r")
            alice.sees("> testing", TESTING, ">")

    def test_moves_with_the_arrows_of_application_mode(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("tesing" + "\x1bOD" * 3 + "t\r")
            alice.sees("> testing", TESTING, ">")

    def test_gets_an_earlier_line_back(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("testing\r")
            alice.sees("> testing", TESTING, ">")
            alice.types(UP)
            alice.sees(TESTING, "> testing")
            alice.types("\r")
            alice.sees("> testing", TESTING, "> testing", TESTING, ">")

    def test_drops_a_line_with_ctrl_c(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("no, not that" + CTRL_C)
            alice.sees(*GREETING, "> no, not that^C", ">")
            alice.types("testing\r")
            alice.sees("> testing", TESTING, ">")

    def test_learns_how_to_leave_with_ctrl_c_on_an_empty_line(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types(CTRL_C)
            alice.sees("> ^C", "Type quit or press Ctrl-D to leave.", ">")

    def test_leaves_with_ctrl_d(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types(CTRL_D)
            assert alice.leaves() == 0
            assert alice.rows[3] == "Goodbye, loser."

    def test_types_a_line_longer_than_the_window(self, server: RealServer) -> None:
        with Person(server, columns=12) as alice:
            alice.sees(">")
            alice.types("a testing of" + LEFT * 3)
            alice.sees("> a testing", "of")
            assert alice.cursor == (alice.rows.index("of") - 1, 11)
            alice.types(KILL_TO_END + HOME + DELETE * 2)
            alice.sees("> testing")
            alice.types("\r")
            alice.sees("> testing", "You test in", "production,", "on behalf of", "everyone.", ">")

    def test_makes_the_window_larger_in_the_middle_of_a_line(self, server: RealServer) -> None:
        with Person(server, columns=12) as alice:
            alice.sees(">")
            alice.types("is testing so hard?")
            alice.sees("> is testing", " so hard?")
            alice.resizes(60, 24)
            alice.sees("> is testing so hard?")

    def test_makes_the_window_smaller_in_the_middle_of_a_line(self, server: RealServer) -> None:
        with Person(server) as alice:
            alice.sees(">")
            alice.types("is testing so hard?" + LEFT)
            alice.sees("> is testing so hard?")
            alice.resizes(12, 24)
            alice.sees("> is testing", " so hard?")
            alice.types(KILL_TO_START + KILL_TO_END + "testing")
            alice.sees("> testing")
            alice.types("\r")
            alice.sees("> testing", "You test in", "production,", "on behalf of", "everyone.", ">")
