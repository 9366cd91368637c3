"""The insulter: what may be said to whom, about what, and that it can be said again."""

from __future__ import annotations

from random import Random

import pytest

from conch_insults.core.insulter import MAX_SUGGESTIONS, Heard, Insulter
from conch_insults.core.pack_model import Pack, build_pack
from conch_insults.core.packs import builtin_pack, parse_pack, parse_written
from conch_insults.rating import Rating

G, PG, R = Rating

NATIVE = """
name = "mine"
licence = "MIT"
rating = "pg"
unknown = [
    "#topic.capitalize#, #topic#!",
    { text = "#topic#? #word#, #word#.", rating = "g" },
]
[topics.Perl]
aliases = ["camel", "PRL"]
texts = ["Line noise.", { text = "Fit for children.", rating = "g" }, { text = "R!", rating = "r" }]
[topics.python]
templates = ["#topic#: #word.capitalize#."]
[topics.gore]
texts = [{ text = "Noise, rude.", rating = "r" }]
[grammar]
word = ["one", "two"]
"""


def native(text: str = NATIVE) -> Pack:
    return build_pack([parse_written(text.encode(), "mine.toml")])


def pack_of(**topics: str) -> Pack:
    """Make a pack: one letter, one insult."""
    lines = (f"{topic}: {text}" for topic, texts in topics.items() for text in texts)
    return parse_pack("\n".join(lines).encode(), "test")


def insulter_of(pack: Pack | None = None, seed: int = 0) -> Insulter:
    return Insulter(native() if pack is None else pack, Random(seed))


def told(
    insulter: Insulter, heard: Heard, times: int, topic: str = "perl", ceiling: Rating = R
) -> str:
    said = (insulter.insult(topic, heard, ceiling) for _ in range(times))
    return "".join(each.text if each else "?" for each in said)


class TestInsult:
    def test_an_unknown_topic_gets_nothing(self) -> None:
        assert insulter_of().insult("cobol", Heard(), R) is None

    @pytest.mark.parametrize("typed", ["perl", " PERL ", "\uff30erl", "camel", "prl"])
    def test_a_topic_is_known_however_it_is_typed(self, typed: str) -> None:
        said = insulter_of().insult(typed, Heard(), G)
        assert said
        assert said.text == "Fit for children."
        assert (said.insult.topic, said.insult.pack, said.insult.rating) == ("Perl", "mine", G)

    def test_nothing_is_ruder_than_the_ceiling(self) -> None:
        insulter, heard = insulter_of(), Heard()
        said = {ceiling: told(insulter, heard, 20, "perl", ceiling) for ceiling in Rating}
        assert said[G] == "Fit for children." * 20
        assert "Line noise." in said[PG]
        assert "R!" not in said[PG]
        assert "R!" in said[R]

    def test_a_topic_of_which_nothing_may_be_said_is_unknown(self) -> None:
        insulter = insulter_of()
        assert insulter.insult("gore", Heard(), PG) is None
        assert insulter.insult("gore", Heard(), R) is not None

    def test_a_template_is_filled_with_what_was_typed(self) -> None:
        said = insulter_of().insult("PYTHON", Heard(), PG)
        assert said
        assert said.text in {"PYTHON: One.", "PYTHON: Two."}
        assert said.insult.text == "#topic#: #word.capitalize#."
        assert said.insult.is_template

    def test_spellings_share_a_bag_and_topics_do_not(self) -> None:
        insulter, heard = insulter_of(pack_of(perl="ab", go="cd")), Heard()
        said = [told(insulter, heard, 1, topic) for topic in ("perl", "go", "PERL", "Go ")]
        assert {said[0], said[2]} == {"a", "b"}
        assert {said[1], said[3]} == {"c", "d"}

    def test_an_alias_shares_the_bag_of_its_topic(self) -> None:
        insulter, heard = insulter_of(), Heard()
        said = [told(insulter, heard, 1, topic) for topic in ("perl", "camel", "prl")]
        assert sorted(said) == ["Fit for children.", "Line noise.", "R!"]

    def test_each_person_hears_everything(self) -> None:
        insulter = insulter_of(pack_of(perl="abc"))
        one, other = Heard(), Heard()
        turns = [told(insulter, heard, 1) for heard in (one, other) * 3]
        assert sorted(turns[::2]) == sorted(turns[1::2]) == ["a", "b", "c"]

    def test_the_order_comes_from_the_randomness_given(self) -> None:
        def tell(seed: int) -> str:
            return told(insulter_of(pack_of(perl="abcdefgh"), seed), Heard(), 8)

        assert tell(7) == tell(7)
        assert len({tell(seed) for seed in range(10)}) > 1


class TestSeed:
    def test_with_a_new_history_it_alone_decides(self) -> None:
        insulter = insulter_of(pack_of(perl="abcdefgh"))
        told(insulter, Heard(), 5)

        def tell(seed: int) -> list[str]:
            heard, random = Heard(), Random(seed)
            said = [insulter.insult("perl", heard, R, random) for _ in range(8)]
            return [each.text for each in said if each]

        assert tell(3) == tell(3)
        assert sorted(tell(3)) == list("abcdefgh")
        assert len({"".join(tell(seed)) for seed in range(10)}) > 1

    def test_it_decides_on_words_and_topics_too(self) -> None:
        insulter = insulter_of()

        def tell() -> list[object]:
            random = Random(5)
            return [
                insulter.improvise("zork", Heard(), G, random),
                insulter.random_topic(PG, random),
            ]

        assert tell() == tell()


class TestImprovise:
    def test_it_is_built_around_what_was_typed(self) -> None:
        insulter, heard = insulter_of(), Heard()
        said = [insulter.improvise("#word# c#", heard, PG) for _ in range(2)]
        texts = sorted(each.text for each in said if each)
        assert texts[0] == "#word# c#, #word# c#!"
        assert texts[1] in {"#word# c#? one, two.", "#word# c#? two, one."}
        assert {(each.insult.topic, each.insult.pack) for each in said if each} == {("", "mine")}

    def test_nothing_is_ruder_than_the_ceiling(self) -> None:
        insulter, heard = insulter_of(), Heard()
        said = [insulter.improvise("zork", heard, G) for _ in range(9)]
        assert all(each and each.text.startswith("zork? ") for each in said)

    def test_a_template_is_not_used_twice_in_a_row(self) -> None:
        insulter, heard = insulter_of(), Heard()
        said = [insulter.improvise(topic, heard, PG) for topic in "abcdefgh"]
        ids = [each.insult.id for each in said if each]
        assert ids[::2] == [ids[0]] * 4
        assert ids[1::2] == [ids[1]] * 4
        assert ids[0] != ids[1]

    def test_without_such_a_template_there_is_nothing(self) -> None:
        assert insulter_of(pack_of(perl="a")).improvise("zork", Heard(), R) is None


class TestTopics:
    def test_only_those_of_which_something_may_be_said(self) -> None:
        insulter = insulter_of()
        assert insulter.topics(R) == ("gore", "Perl", "python")
        assert insulter.topics(PG) == ("Perl", "python")
        assert insulter.topics(G) == ("Perl",)

    def test_any_of_them(self) -> None:
        insulter = insulter_of()
        assert {insulter.random_topic(PG) for _ in range(50)} == {"Perl", "python"}
        assert insulter_of(pack_of()).random_topic(R) is None


class TestSuggestions:
    @pytest.mark.parametrize(
        ("typed", "suggested"),
        [
            ("pelr", ("Perl",)),
            ("pyhton", ("python",)),
            ("Pithonn", ("python",)),
            ("kamel", ("camel",)),
            ("prll", ("prl",)),
            ("perl", ()),
            ("camel", ()),
            ("fortran", ()),
        ],
    )
    def test_what_may_have_been_meant(self, typed: str, suggested: tuple[str, ...]) -> None:
        assert insulter_of().suggestions(typed, PG) == suggested

    def test_what_may_not_be_said_is_not_suggested(self) -> None:
        insulter = insulter_of()
        assert insulter.suggestions("gorre", R) == ("gore",)
        assert insulter.suggestions("gorre", PG) == ()
        assert insulter.suggestions("gore", PG) == ()

    def test_a_few_are_enough(self) -> None:
        insulter = insulter_of(pack_of(bard="a", card="a", yard="a", ward="a", beard="a"))
        assert insulter.suggestions("gard", R) == ("bard", "card", "ward")
        assert MAX_SUGGESTIONS == 3


class TestSearch:
    def test_texts_with_a_word(self) -> None:
        insulter = insulter_of()
        assert [insult.text for insult in insulter.search("NOISE", R, 9)] == [
            "Noise, rude.",
            "Line noise.",
        ]
        assert [insult.topic for insult in insulter.search("noise", PG, 9)] == ["Perl"]
        assert [insult.text for insult in insulter.search("noise", R, 1)] == ["Noise, rude."]

    def test_templates_and_nothing_are_not_found(self) -> None:
        insulter = insulter_of()
        assert insulter.search("word", R, 9) == []
        assert insulter.search(" ", R, 9) == []


class TestById:
    def test_an_insult_by_its_id(self) -> None:
        insulter = insulter_of()
        for topic in ("perl", "python"):
            said = insulter.insult(topic, Heard(), PG)
            assert said
            assert insulter.by_id(said.insult.id.upper(), PG) == (said.insult,)
        assert insulter.by_id("aaaaaaaa", R) == ()

    def test_nothing_ruder_than_the_ceiling(self) -> None:
        insulter = insulter_of()
        said = insulter.insult("gore", Heard(), R)
        assert said
        assert insulter.by_id(said.insult.id, R) == (said.insult,)
        assert insulter.by_id(said.insult.id, PG) == ()


class TestReplacedPack:
    def test_what_was_heard_is_not_heard_again_before_the_rest(self) -> None:
        insulter, heard = insulter_of(pack_of(perl="abc")), Heard()
        first = told(insulter, heard, 2)
        insulter.pack = pack_of(perl="dcbae")
        assert sorted(told(insulter, heard, 3)) == sorted(set("abcde") - set(first))

    def test_a_topic_that_is_gone_is_unknown_and_one_that_is_new_is_known(self) -> None:
        insulter, heard = insulter_of(pack_of(perl="ab")), Heard()
        told(insulter, heard, 1)
        insulter.pack = pack_of(go="x")
        assert insulter.insult("perl", heard, R) is None
        assert told(insulter, heard, 1, "go") == "x"

    def test_what_is_looked_up_is_the_new_one(self) -> None:
        insulter = insulter_of(pack_of(perl="a"))
        (old,) = insulter.search("a", R, 9)
        assert insulter.suggestions("prl", R) == ("perl",)
        assert insulter.by_id(old.id, R)
        insulter.pack = pack_of(cobol="b")
        assert insulter.suggestions("prl", R) == ()
        assert insulter.suggestions("cobl", R) == ("cobol",)
        assert insulter.search("a", R, 9) == []
        assert insulter.by_id(old.id, R) == ()


def test_every_id_of_the_built_in_packs_is_of_one_insult() -> None:
    pack = builtin_pack()
    insulter = insulter_of(pack)
    for topic in (*pack.by_key.values(), pack.unknown):
        for insult in topic.insults(R):
            assert insulter.by_id(insult.id, R) == (insult,)


class TestNotedLines:
    def test_mean_their_topic_by_any_of_its_names(self) -> None:
        insulter = insulter_of()
        insulter.note(b"  PRL", "PRL")
        meant = insulter.meant(b"  PRL")
        assert meant is not None
        assert (meant.typed, meant.key, meant.topic.name) == ("PRL", "perl", "Perl")
        said = insulter.insult_meant(meant, Heard(), G)
        assert said is not None
        assert said.text == "Fit for children."

    def test_what_is_no_topic_is_not_kept(self) -> None:
        insulter = insulter_of()
        for line in (b"my password", b"perl" + b" " * 61):
            insulter.note(line, line.decode().strip())
            assert insulter.meant(line) is None

    def test_are_forgotten_with_their_pack(self) -> None:
        insulter = insulter_of()
        insulter.note(b"perl", "perl")
        insulter.pack = pack_of(cobol="a")
        assert insulter.meant(b"perl") is None

    def test_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("conch_insults.core.insulter._MOST_NOTED", 3)
        insulter = insulter_of()
        for spaces in range(10):
            insulter.note(b" " * spaces + b"perl", "perl")
            assert len(insulter._meant) <= 3
            assert insulter.meant(b" " * spaces + b"perl") is not None
