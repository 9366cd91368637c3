"""Commands about the person and the talk."""

from __future__ import annotations

import pytest

from conch_insults.core.reply import Reply, Status
from conch_insults.rating import Rating
from tests.talks import Chat, Operator


class TestRating:
    def test_a_person_may_lower_it_and_raise_it_again(self) -> None:
        chat = Chat()
        assert chat.lines("rating g") == ["At most g. You may have up to pg."]
        assert chat.lines("topics") == ["c++"]
        assert chat.lines("rating pg") == ["At most pg. You may have up to pg."]
        assert len(chat.lines("topics")) == 4

    def test_never_above_the_ceiling(self) -> None:
        chat = Chat()
        assert chat.lines("rating r") == ["You may have pg, and not a word more."]
        assert chat.lines("rating") == ["At most pg. You may have up to pg."]
        assert "beer" not in chat.lines("topics")

    def test_a_ceiling_that_comes_down_counts_at_once(self) -> None:
        chat = Chat()
        chat.person.ceiling = Rating.G
        assert chat.lines("topics") == ["c++"]

    def test_it_holds_for_all_conversations_of_the_person(self) -> None:
        chat, other = Chat(), Chat()
        other.dialogue._talk.person = chat.person
        chat.lines("rating g")
        assert other.lines("topics") == ["c++"]

    def test_no_such_rating(self) -> None:
        reply = Chat().says("rating x")
        assert reply == Reply(("'x' is not a rating: use g, pg or r.",), status=Status.USAGE)

    def test_json(self) -> None:
        assert Chat().objects("rating g --json") == [{"rating": "g", "ceiling": "pg"}]
        assert "error" in Chat().objects("rating x --json")[0]


def test_quiet_takes_the_asides_away() -> None:
    chat = Chat()
    chat.lines("quiet")
    assert len(chat.lines("prel")) == 1
    assert chat.objects("prel --json")[0]["suggestions"] == []
    chat.lines("quiet off")
    assert len(chat.lines("prel")) == 2


@pytest.mark.parametrize("line", ["quiet OFF", "plain On", "COLOR Auto", "rating PG", "help EXIT"])
def test_what_they_take_may_be_in_any_case(line: str) -> None:
    assert Chat().lines(line) == Chat().lines(line.lower())
    assert Chat().says(line).status == Status.ANSWERED


@pytest.mark.parametrize("line", ["quiet x", "plain x", "color x", "colour x"])
def test_what_they_do_not_take(line: str) -> None:
    assert Chat().says(line).status == Status.USAGE


def test_the_appearance_follows() -> None:
    chat = Chat()
    appearance = chat.dialogue.appearance
    colours = []
    for line in ("color on", "colour", "color auto", "COLOR off"):
        assert chat.lines(line) == [f"Colours: {appearance.colour}."]
        colours.append(str(appearance.colour))
    assert colours == ["on", "on", "auto", "off"]
    chat.lines("plain")
    assert appearance.plain
    chat.lines("plain off")
    assert not appearance.plain


class TestAbout:
    def test_nobody_is_known_at_first(self) -> None:
        assert Chat().lines("whoami")[0].startswith("Nobody in particular.")
        assert len(Chat().lines("explain")) == 2

    def test_what_others_say_of_somebody_is_cleaned(self) -> None:
        class Loud:
            def whoami(self) -> tuple[str, ...]:
                return ("You are \x1b[31malice.",)

            def explain(self) -> tuple[str, ...]:
                return ("By \u202ea key.",)

        chat = Chat(about=Loud())
        assert chat.lines("whoami") == ["You are [31malice."]
        assert chat.objects("explain --json") == [{"text": "By a key."}]


class TestOperators:
    def test_who_kick_reload(self) -> None:
        operator = Operator()
        chat = Chat(operations=operator)
        assert chat.lines("who") == ["c0ffee alice 192.0.2.1 for 3 s"]
        assert chat.lines("kick c0ffee") == ["alice is gone."]
        assert chat.lines("reload") == ["Reloaded."]
        assert (operator.kicked, operator.reloads) == (["c0ffee"], 1)

    @pytest.mark.parametrize("line", ["kick", "kick nobody"])
    def test_kick_whom(self, line: str) -> None:
        assert Chat(operations=Operator()).says(line).status == Status.USAGE

    @pytest.mark.parametrize("line", ["who", "kick c0ffee", "reload"])
    def test_to_others_they_are_topics(self, line: str) -> None:
        assert line in Chat().lines(line)[0]
