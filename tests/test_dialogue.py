"""The dialogue: what somebody types, and what comes back."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conch_insults.core.dialogue import GOODBYE, MAX_LINE, Dialogue, Reply, Status
from conch_insults.core.insulter import Insulter
from conch_insults.core.packs import builtin_pack
from conch_insults.core.person import Person
from conch_insults.core.printable import printable
from conch_insults.rating import Rating
from tests.talks import Chat, small_pack


def test_a_topic_is_insulted_however_it_is_typed() -> None:
    chat = Chat()
    assert {*chat.lines("perl"), *chat.lines(" PERL\t")} == {"Perl one.", "Perl two."}
    assert chat.lines("C++") == ["Plus plus what?"]
    assert chat.lines("code\t  Review") == ["Looks good to nobody."]


def test_what_was_heard_is_shared_by_the_dialogues_of_one_person() -> None:
    chat = Chat()
    other = Dialogue(chat.insulter, chat.person)
    assert {*chat.lines("perl"), *other.answer(b"perl").lines} == {"Perl one.", "Perl two."}


WORDS = st.sampled_from(
    b"perl PERL c++ code review topics Random again insult rating g -n 2 --json -- - nothing help "
    b"quit beer \x07 \xff".split(b" ")
)


@given(st.lists(WORDS | st.lists(WORDS, max_size=4).map(b" ".join), max_size=12))
def test_what_is_answered_at_once_is_what_would_be_answered_anyway(lines: list[bytes]) -> None:
    def replies(*, at_once: bool) -> list[Reply]:
        chat = Chat()
        chat.insulter.random = Random(1)
        with pytest.MonkeyPatch.context() as patch:
            if not at_once:
                patch.setattr(Insulter, "note", lambda *_: None)
            return [chat.dialogue.answer(line) for line in lines]

    assert replies(at_once=True) == replies(at_once=False)


def test_a_new_pack_is_used_at_once() -> None:
    chat = Chat()
    chat.insulter.pack = small_pack(
        b'name = "x"\nrating = "g"\n[topics.go]\ntexts = ["Gone."]\n',
    )
    assert chat.lines("go") == ["Gone."]
    assert chat.lines("topics") == ["go"]


def test_controls_around_and_in_a_known_topic_do_not_hide_it() -> None:
    assert Chat().says("\x1b \x00c\x07++\x7f") == Reply(("Plus plus what?",))


@pytest.mark.parametrize("typed", ["quit", "exit", "bye", " QUIT ", "Bye\r", "\x07exit"])
def test_leaving(typed: str) -> None:
    assert Chat().says(typed) == Reply(("Goodbye, loser.",), finished=True, status=0)
    assert GOODBYE == "Goodbye, loser."


def test_leaving_in_json() -> None:
    reply = Chat().says("quit --json")
    assert reply == Reply(('{"text": "Goodbye, loser."}',), finished=True)


@pytest.mark.parametrize(
    "line", [b"--json \xff", b"x" * MAX_LINE + b" --json", b"-x --json", b"--json --seed"]
)
def test_what_cannot_be_read_is_told_in_json_to_those_who_asked(line: bytes) -> None:
    reply = Chat().dialogue.answer(line)
    (told,) = map(json.loads, reply.lines)
    assert set(told) == {"error"}
    assert reply.status == Status.USAGE


@pytest.mark.parametrize("line", [b"\xff -- --json", b"-- --json" + b"x" * MAX_LINE])
def test_and_in_words_to_others(line: bytes) -> None:
    assert not Chat().dialogue.answer(line).lines[0].startswith("{")


class TestBuiltInTopics:
    dialogue = Dialogue(Insulter(builtin_pack(), Random(0)), Person(Rating.R))

    def test_every_one_can_be_typed(self) -> None:
        pack = builtin_pack()
        names = [*(topic.name for topic in pack.by_key.values()), *pack.aliases]
        assert [name for name in names if self.dialogue.answer(name.encode()).status] == []

    @pytest.mark.parametrize("line", ["insult", "help me", "HELP  Me"])
    def test_a_topic_that_begins_like_a_command(self, line: str) -> None:
        assert len(self.dialogue.answer(line.encode()).lines) == 1
        told = json.loads(self.dialogue.answer(f"{line} --json".encode()).lines[0])
        assert builtin_pack().key_of(line) == told["topic"]


class TestNothingToSay:
    @pytest.mark.parametrize("typed", ["", "  \t ", "\x1b\x07", "\u3000\u202e"])
    def test_an_empty_line_gets_a_nudge(self, typed: str) -> None:
        assert Chat().says(typed) == Reply(
            ('An empty line? Even you have more to say. Try a topic, or "help".',), status=2
        )

    @pytest.mark.parametrize("typed", [b"\xff", b"perl\xc3", b"\xed\xa0\x80", b"\xff\xfd\x01"])
    def test_invalid_utf_8_gets_one_sentence(self, typed: bytes) -> None:
        reply = Chat().dialogue.answer(typed)
        assert reply.lines == ("That was not UTF-8. Whatever you meant, mean it in an encoding.",)
        assert (reply.finished, reply.status) == (False, Status.USAGE)

    def test_the_longest_line_is_read_and_a_longer_one_is_not(self) -> None:
        talk = Chat().dialogue
        assert talk.answer(b"x" * MAX_LINE).status == Status.ANSWERED
        assert talk.answer(b"x" * (MAX_LINE + 1)) == talk.too_long()
        assert talk.too_long() == Reply(
            ("I stopped reading after 1024 bytes, like everyone you send email to.",), status=2
        )


class TestWrongUsage:
    @pytest.mark.parametrize("typed", ["-x", "perl -n", "--json=2 perl"])
    def test_an_option_that_is_none(self, typed: str) -> None:
        reply = Chat().says(typed)
        assert (len(reply.lines), reply.status) == (1, Status.USAGE)
        assert reply.lines[0].endswith(".")

    def test_options_of_nothing(self) -> None:
        assert Chat().says("--json").lines == ('{"error": "Options, but of what? Name a topic."}',)

    @pytest.mark.parametrize("typed", ["topics -n 2", "whoami --seed 1", "quit -n 1"])
    def test_an_option_that_this_command_does_not_take(self, typed: str) -> None:
        reply = Chat().says(typed)
        assert "takes no -n and no --seed" in reply.lines[0]
        assert (reply.finished, reply.status) == (False, Status.USAGE)

    @pytest.mark.parametrize("typed", ["insult", "search", "search --json"])
    def test_an_argument_that_is_missing(self, typed: str) -> None:
        assert Chat().says(typed).status == Status.USAGE

    def test_in_json_as_well(self) -> None:
        assert "error" in Chat().objects("perl --json -n x")[0]


def test_it_completes_lines() -> None:
    assert list(Chat().dialogue.complete("pe")) == ["perl"]


def test_who_shows_it_may_say_how_it_looks() -> None:
    one, other = Chat(), Chat()
    one.dialogue.appearance = other.dialogue.appearance
    one.lines("plain")
    assert other.dialogue.appearance.plain


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.binary(max_size=30)
        | st.text(max_size=30).map(str.encode)
        | st.lists(
            st.sampled_from(
                ["help", "why", "again", "--json", "-n", "3", "--seed", "random", "search", "perl"]
            ),
            max_size=5,
        ).map(lambda words: " ".join(words).encode())
    ),
    st.booleans(),
)
def test_any_line_has_a_clean_answer(lines: list[bytes], classic: bool) -> None:
    talk = Chat(classic=classic).dialogue
    for line in lines:
        reply = talk.answer(line)
        assert reply.lines
        assert all(printable(text) == text for text in reply.lines)
        assert reply.status in set(Status)
