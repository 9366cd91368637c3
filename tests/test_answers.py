"""Answers about topics."""

from __future__ import annotations

import pytest

from conch_insults.core.reply import Reply, Status
from conch_insults.rating import Rating
from tests.talks import Chat

FIELDS = {"topic", "text", "id", "pack", "author", "licence", "rating"}


class TestInsult:
    def test_a_topic_by_any_of_its_names(self) -> None:
        chat = Chat()
        assert {*chat.lines("perl"), *chat.lines(" PL ")} == {"Perl one.", "Perl two."}

    def test_of_a_name_that_is_a_command(self) -> None:
        assert Chat().lines("insult quit") == ["You never finish anything."]
        assert Chat().says("quit").finished

    def test_several_at_once_are_different(self) -> None:
        assert sorted(Chat().lines("perl -n 2")) == ["Perl one.", "Perl two."]

    def test_nothing_above_the_ceiling(self) -> None:
        assert set(Chat().lines("perl -n 50")) == {"Perl one.", "Perl two."}
        assert "Damn Perl." in Chat(ceiling=Rating.R).lines("perl -n 3")

    def test_a_topic_with_nothing_but_ruder_texts_is_unknown(self) -> None:
        assert "beer" in Chat().lines("beer")[0]
        assert Chat(ceiling=Rating.R).lines("beer") == ["Cheers, damn it."]

    def test_a_seed_decides_whatever_was_said_before(self) -> None:
        one, other = Chat(seed=1), Chat(seed=2)
        other.lines("perl -n 7")
        assert one.lines("perl -n 2 --seed 7") == other.lines("perl -n 2 --seed 7")
        assert len({tuple(one.lines(f"perl -n 2 --seed {seed}")) for seed in range(9)}) == 2

    def test_a_seed_changes_nothing_for_those_without(self) -> None:
        one, other = Chat(seed=1), Chat(seed=1)
        other.lines("perl --seed 3")
        assert one.lines("perl") == other.lines("perl")

    def test_json(self) -> None:
        (told,) = Chat().objects("--json c++")
        assert set(told) == FIELDS
        assert told["text"] == "Plus plus what?"
        assert (told["topic"], told["pack"], told["rating"]) == ("c++", "small", "g")
        assert (told["author"], told["licence"]) == ("Nobody", "MIT")


class TestUnknown:
    def test_the_answer_is_about_the_topic(self) -> None:
        reply = Chat().says("Zork")
        assert "Zork" in reply.lines[0]
        assert (len(reply.lines), reply.status) == (1, Status.ANSWERED)

    def test_what_was_meant_is_an_aside_after_it(self) -> None:
        first, aside = Chat().lines("prel")
        assert "prel" in first
        assert aside == "(Did you mean perl?)"

    def test_an_alias_that_was_meant_is_named_as_it_can_be_typed(self) -> None:
        content = b'name = "x"\nrating = "g"\nunknown = ["#topic#?"]\n'
        content += b'[topics.npm]\naliases = ["nodejs"]\ntexts = ["b"]\n'
        assert Chat(content).lines("nodesj") == ["nodesj?", "(Did you mean nodejs?)"]

    def test_nothing_is_suggested_that_may_not_be_said(self) -> None:
        assert len(Chat().lines("beers")) == 1
        assert Chat(ceiling=Rating.R).lines("beers")[1] == "(Did you mean beer?)"

    def test_a_topic_cannot_bring_symbols(self) -> None:
        assert "#topic#" in Chat().lines("#topic#")[0]
        assert "{topic}" in Chat().lines("{topic}")[0]

    def test_a_long_topic_is_cut(self) -> None:
        line = Chat().lines("x" * 200)[0]
        assert "x" * 63 + "…" in line
        assert "x" * 65 not in line

    def test_the_terse_answer_of_old(self) -> None:
        assert Chat(classic=True).says("prel") == Reply(
            ("I've got nothing.",), status=Status.UNKNOWN_TOPIC
        )

    def test_a_pack_without_anything_for_it(self) -> None:
        content = b'name = "x"\nlicence = "MIT"\nrating = "g"\n[topics.a]\ntexts = ["b"]\n'
        chat = Chat(content, ceiling=Rating.G)
        # The built-in packs are not asked.
        assert chat.says("zork").status == Status.UNKNOWN_TOPIC
        assert chat.objects("zork --json") == [{"text": "I've got nothing."}]

    def test_json(self) -> None:
        (told,) = Chat().objects("prel --json")
        assert set(told) == FIELDS | {"suggestions"}
        assert (told["topic"], told["suggestions"]) == ("prel", ["perl"])


class TestRandomAndAgain:
    def test_any_topic_that_may_be_heard(self) -> None:
        said = {line for _ in range(40) for line in Chat(seed=_).lines("random")}
        assert "Cheers, damn it." not in said
        assert len(said) > 3

    def test_again_is_about_the_last_topic(self) -> None:
        chat = Chat()
        assert {*chat.lines("perl"), *chat.lines("again")} == {"Perl one.", "Perl two."}
        chat.lines("zork")
        assert "zork" in chat.lines("again")[0]

    def test_again_after_random_is_about_the_same(self) -> None:
        chat = Chat()
        (first,) = chat.objects("random --json")
        (second,) = chat.objects("again --json")
        assert first["topic"] == second["topic"]

    def test_again_at_first(self) -> None:
        assert Chat().says("again").status == Status.USAGE
        assert set(Chat().objects("again --json")[0]) == {"error"}

    def test_random_where_there_is_nothing(self) -> None:
        content = b'name = "x"\n[topics.a]\ntexts = ["b"]\n'
        assert Chat(content, ceiling=Rating.G).says("random").status == Status.UNKNOWN_TOPIC


class TestWhy:
    def test_the_last_one(self) -> None:
        chat = Chat()
        chat.lines("c++")
        (line,) = chat.lines("why")
        (told,) = chat.objects("why --json")
        assert line == f"{told['id']}: c++, rated g, from the pack small by Nobody (MIT)."

    def test_one_by_its_id(self) -> None:
        chat = Chat()
        (told,) = chat.objects("c++ --json")
        assert chat.objects(f"why {told['id']} --json") == [told]
        text, source = chat.lines(f"why {told['id']}")
        assert text == "Plus plus what?"
        assert source.startswith(f"{told['id']}: c++, rated g,")

    def test_a_template_is_said_to_be_one(self) -> None:
        chat = Chat(ceiling=Rating.G)
        (told,) = chat.objects("zork --json")
        assert "template" not in told
        (made_from,) = chat.objects(f"why {told['id']} --json")
        assert (made_from["text"], made_from["template"]) == ("No #topic#, child.", True)
        assert chat.lines(f"why {told['id']}")[0] == "No #topic#, child."

    def test_none_yet(self) -> None:
        assert Chat().says("why").status == Status.USAGE
        assert set(Chat().objects("why --json")[0]) == {"error"}

    @pytest.mark.parametrize("name", ["nothing", "zzzzzzzz"])
    def test_no_such_id(self, name: str) -> None:
        reply = Chat().says(f"why {name}")
        assert reply == Reply(
            (f"No insult of mine is called {name}.",), status=Status.UNKNOWN_TOPIC
        )


class TestSearch:
    def test_topics_and_texts(self) -> None:
        lines = Chat().lines("search perl")
        assert lines[0] == "topic: perl"
        assert [line.split(" ", 1)[1] for line in lines[1:]] == [
            "perl: Perl one.",
            "perl: Perl two.",
        ]

    def test_no_more_than_can_be_read_and_it_says_so(self) -> None:
        topics = (f'[topics.perl{at}]\ntexts = ["Perl{at}."]\n' for at in range(21))
        chat = Chat(f'name = "x"\nrating = "g"\n{"".join(topics)}'.encode())
        lines = chat.lines("search perl")
        assert lines[-1] == "(There is more. Look for something rarer.)"
        assert len(lines) == 20 + 20 + 1
        assert len(chat.objects("search perl --json")) == 20 + 20
        assert len(chat.lines("search perl1")) == 11 + 11

    def test_only_what_may_be_heard(self) -> None:
        assert Chat().says("search damn").status == Status.UNKNOWN_TOPIC
        assert len(Chat(ceiling=Rating.R).lines("search DAMN")) == 2

    def test_json(self) -> None:
        topic, *texts = Chat().objects("search perl --json")
        assert topic == {"topic": "perl"}
        assert all(set(text) == FIELDS for text in texts)


class TestTopics:
    def test_all(self) -> None:
        assert Chat().lines("topics") == ["c++", "code review", "perl", "quit"]

    def test_by_their_beginning(self) -> None:
        assert Chat().lines("topics C") == ["c++", "code review"]
        assert Chat().says("topics zzz").status == Status.UNKNOWN_TOPIC

    def test_json(self) -> None:
        assert Chat().objects("topics p --json") == [{"topic": "perl"}]
