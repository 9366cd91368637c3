"""The dialogue: what somebody types, and what comes back."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from conch_insults.core.dialogue import GOODBYE, MAX_LINE, Dialogue, Reply, Status
from conch_insults.core.insulter import Insulter
from conch_insults.core.packs import builtin_pack, parse_pack
from conch_insults.core.person import Person
from conch_insults.core.printable import printable
from conch_insults.rating import Rating

PACK = b"Perl: a\nPerl: b\nc++: c\ncode review: d\nquit: never said\n"


def dialogue(pack: bytes = PACK, *, classic: bool = False, seed: int = 0) -> Dialogue:
    return Dialogue(
        Insulter(parse_pack(pack, "test"), Random(seed)), Person(Rating.R), classic=classic
    )


def test_a_topic_is_insulted() -> None:
    talk = dialogue()
    assert {talk.answer(b"perl"), talk.answer(b" PERL\t")} == {Reply(("a",)), Reply(("b",))}
    assert talk.answer(b"C++") == Reply(("c",))
    assert talk.answer(b"code\t  Review") == Reply(("d",))


def test_what_was_heard_is_shared_by_the_dialogues_of_one_person() -> None:
    insulter, person = Insulter(parse_pack(PACK, "test"), Random(0)), Person(Rating.R)
    one, other = Dialogue(insulter, person), Dialogue(insulter, person)
    assert {one.answer(b"perl").lines, other.answer(b"perl").lines} == {("a",), ("b",)}


def test_a_new_pack_is_used_at_once() -> None:
    insulter = Insulter(parse_pack(PACK, "test"), Random(0))
    talk = Dialogue(insulter, Person(Rating.R))
    insulter.pack = parse_pack(b"go: x", "test")
    assert talk.answer(b"go") == Reply(("x",))
    assert talk.answer(b"topics") == Reply(("go",))


def test_controls_around_and_in_a_known_topic_do_not_hide_it() -> None:
    assert dialogue().answer(b"\x1b \x00c\x07++\x7f") == Reply(("c",))


class TestCommands:
    @pytest.mark.parametrize("typed", [b"quit", b"exit", b"bye", b" QUIT ", b"Bye\r", b"\x07exit"])
    def test_leaving(self, typed: bytes) -> None:
        assert dialogue().answer(typed) == Reply(("Goodbye, loser.",), finished=True, status=0)
        assert GOODBYE == "Goodbye, loser."

    @pytest.mark.parametrize("typed", [b"topics", b"Topics "])
    def test_topics_are_one_a_line_and_sorted(self, typed: bytes) -> None:
        assert dialogue().answer(typed) == Reply(("c++", "code review", "Perl", "quit"))

    @pytest.mark.parametrize("typed", [b"help", b" HELP"])
    def test_help_names_every_command_and_topic(self, typed: bytes) -> None:
        reply = dialogue().answer(typed)
        assert (reply.finished, reply.status) == (False, Status.ANSWERED)
        commands, topics = reply.lines[:-1], reply.lines[-1]
        for command in ("help", "topics", "quit", "exit", "bye"):
            assert any(command in line for line in commands)
        assert topics == "  c++, code review, Perl, quit"

    def test_help_fits_a_terminal_and_lists_each_topic_once(self) -> None:
        talk = Dialogue(Insulter(builtin_pack(), Random(0)), Person(Rating.R))
        lines = talk.answer(b"help").lines
        assert all(len(line) <= 78 for line in lines)
        listed = lines[lines.index("Topics:") + 1 :]
        assert len(listed) > 5
        assert all(line.startswith("  ") and line.endswith(",") for line in listed[:-1])
        assert tuple(" ".join(map(str.strip, listed)).split(", ")) == builtin_pack().topics()

    def test_help_of_an_empty_pack_lists_nothing(self) -> None:
        assert dialogue(b"").answer(b"help").lines[-1] == "Topics:"

    def test_help_lines_are_as_full_as_they_can_be(self) -> None:
        pack = b"".join(b"%c" % letter * 36 + b": x\n" for letter in b"abc")
        # Two for the indent, 36, two, 36, and the comma: 77 columns.
        expected = (f"  {'a' * 36}, {'b' * 36},", f"  {'c' * 36}")
        assert dialogue(pack).answer(b"help").lines[-2:] == expected

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.text("ab日é", min_size=1, max_size=38), min_size=1, unique=True))
    def test_help_counts_columns_not_characters(self, topics: list[str]) -> None:
        pack = "".join(f"{topic}: x\n" for topic in topics).encode()
        lines = dialogue(pack).answer(b"help").lines
        assert all(wcswidth(line) <= 78 for line in lines)
        assert sum(line.count(",") for line in lines[5:]) == len(topics) - 1


class TestNothingToSay:
    @pytest.mark.parametrize("typed", [b"", b"  \t ", b"\x1b\x07", "\u3000\u202e".encode()])
    def test_an_empty_line_gets_a_nudge(self, typed: bytes) -> None:
        reply = dialogue().answer(typed)
        assert reply == Reply(
            ('An empty line? Even you have more to say. Try a topic, or "help".',), status=2
        )

    @pytest.mark.parametrize("typed", [b"\xff", b"perl\xc3", b"\xed\xa0\x80", b"\xff\xfd\x01"])
    def test_invalid_utf_8_gets_one_sentence(self, typed: bytes) -> None:
        reply = dialogue().answer(typed)
        assert reply.lines == ("That was not UTF-8. Whatever you meant, mean it in an encoding.",)
        assert (reply.finished, reply.status) == (False, Status.USAGE)

    def test_the_longest_line_is_read_and_a_longer_one_is_not(self) -> None:
        talk = dialogue()
        assert talk.answer(b"x" * MAX_LINE).status == Status.ANSWERED
        assert talk.answer(b"x" * (MAX_LINE + 1)) == talk.too_long()
        assert talk.too_long() == Reply(
            ("I stopped reading after 1024 bytes, like everyone you send email to.",), status=2
        )


class TestUnknownTopic:
    def test_the_answer_uses_the_topic_as_typed(self) -> None:
        reply = dialogue().answer("  My Été ".encode())
        assert "My Été" in reply.lines[0]
        assert (len(reply.lines), reply.finished, reply.status) == (1, False, Status.ANSWERED)

    def test_the_answer_is_not_always_the_same(self) -> None:
        talk = dialogue()
        answers = [talk.answer(b"zork").lines[0] for _ in range(8)]
        assert len(set(answers)) == 8
        assert dialogue(seed=1).answer(b"zork") != dialogue(seed=2).answer(b"zork")

    def test_the_topic_is_cleaned_and_cut(self) -> None:
        line = dialogue().answer(b"\x1b[31m" + b"x" * 200).lines[0]
        assert "[31m" + "x" * 59 + "…" in line
        assert "x" * 60 not in line

    def test_braces_are_only_braces(self) -> None:
        assert "{topic.__class__} {0}" in dialogue().answer(b"{topic.__class__} {0}").lines[0]

    def test_the_classic_answer(self) -> None:
        talk = dialogue(classic=True)
        assert talk.answer(b"zork") == Reply(("I've got nothing.",), status=Status.UNKNOWN_TOPIC)
        assert talk.answer(b"c++") == Reply(("c",))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.binary(max_size=30) | st.text(max_size=30).map(str.encode)), st.booleans())
def test_any_line_has_a_clean_answer(lines: list[bytes], classic: bool) -> None:
    talk = dialogue(classic=classic)
    for line in lines:
        reply = talk.answer(line)
        assert reply.lines
        assert all(printable(text) == text for text in reply.lines)
        assert reply.status in set(Status)
