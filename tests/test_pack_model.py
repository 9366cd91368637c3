"""Packs as they are used: joined, in layers of rudeness, and every text with its credit."""

from __future__ import annotations

from conch_insults.core.grammar import Grammar, Template
from conch_insults.core.pack_model import Pack, build_pack, insult_id
from conch_insults.core.packs import parse_written
from conch_insults.rating import Rating

RUDE = """
name = "rude"
licence = "MIT"
author = "Somebody"
rating = "r"
unknown = ["#topic#!", { text = "#topic#?", rating = "g" }]
[topics.Perl]
aliases = ["Camel", "py"]
texts = ["worst", { text = "mild", rating = "g" }, { text = "bad", rating = "pg" }]
templates = [{ text = "#topic# ##1", rating = "pg", weight = 3 }]
[topics.gore]
texts = ["worse"]
"""
TALK = "perl: mild\nperl: plain\npy: x\ngo: y\n"


def packed(*contents: str) -> Pack:
    return build_pack(
        parse_written(content.encode(), f"{at}.{'toml' if 'name =' in content else 'txt'}")
        for at, content in enumerate(contents)
    )


class TestJoined:
    def test_a_shared_topic_has_the_texts_of_both_each_once(self) -> None:
        pack = packed("Perl: a\nPerl: b\nc: c", "PERL: b\nperl: d\ngo: e")
        assert pack.topics() == ("c", "go", "Perl")
        assert pack.texts("perl") == ("a", "b", "d")
        assert pack.insult_count() == 5
        assert [info.name for info in pack.infos] == ["0", "1"]

    def test_no_packs_are_an_empty_pack(self) -> None:
        pack = packed()
        assert pack.topics() == ()
        assert pack.insult_count() == 0
        assert pack.unknown.size(Rating.R) == 0

    def test_of_two_ratings_of_a_text_the_first_counts(self) -> None:
        assert "mild" in packed(RUDE, TALK).texts("perl", Rating.G)
        assert "mild" not in packed(TALK, RUDE).texts("perl", Rating.G)

    def test_a_topic_is_known_by_its_aliases(self) -> None:
        pack = packed(RUDE)
        assert pack.key_of("CAMEL ") == pack.key_of("perl") == "perl"
        assert pack.key_of("cobol") is None
        assert pack.texts("camel") == pack.texts("Perl")

    def test_a_name_that_is_a_topic_somewhere_is_no_alias(self) -> None:
        pack = packed(RUDE, TALK)
        assert pack.texts("py") == ("x",)
        assert dict(pack.aliases) == {"camel": "perl"}

    def test_of_two_aliases_the_first_counts(self) -> None:
        other = 'name = "o"\n[topics.camel-case]\naliases = ["camel"]\ntexts = ["z"]'
        assert packed(RUDE, other).key_of("camel") == "perl"
        assert packed(other, RUDE).key_of("camel") == "camel-case"

    def test_a_template_is_not_the_text_that_looks_like_it(self) -> None:
        pack = packed('name = "x"\n[topics.a]\ntexts = ["##"]\ntemplates = ["##"]')
        assert [insult.is_template for insult in pack.by_key["a"].insults(Rating.R)] == [
            False,
            True,
        ]


class TestCeilings:
    def test_each_shows_what_is_not_ruder(self) -> None:
        pack = packed(RUDE)
        assert pack.topics() == pack.topics(Rating.R) == ("gore", "Perl")
        assert pack.topics(Rating.PG) == pack.topics(Rating.G) == ("Perl",)
        assert pack.texts("perl", Rating.G) == ("mild",)
        assert pack.texts("perl", Rating.PG) == ("mild", "bad", "#topic# ##1")
        assert pack.texts("perl") == ("mild", "bad", "#topic# ##1", "worst")
        assert pack.texts("gore", Rating.PG) == ()
        assert [pack.insult_count(ceiling) for ceiling in Rating] == [1, 3, 5]
        assert [pack.unknown.size(ceiling) for ceiling in Rating] == [1, 1, 2]

    def test_a_weight_is_a_number_of_lots(self) -> None:
        topic = packed(RUDE).by_key["perl"]
        assert topic.ends == (1, 5, 6)
        assert topic.lots.count(Template("#topic# ##1", (), Grammar({}))) == 3

    def test_what_nobody_has_rated_is_the_rudest(self) -> None:
        assert packed(TALK).topics(Rating.PG) == ()


class TestInsult:
    def test_it_has_its_credit(self) -> None:
        topic = packed(RUDE).by_key["perl"]
        (mild, bad, template, worst) = topic.insults(Rating.R)
        assert [insult.rating for insult in (mild, bad, template, worst)] == [
            Rating.G,
            Rating.PG,
            Rating.PG,
            Rating.R,
        ]
        assert (mild.topic, mild.pack, mild.author, mild.licence) == (
            "Perl",
            "rude",
            "Somebody",
            "MIT",
        )
        assert template.is_template
        assert not mild.is_template

    def test_its_id_is_short_and_the_same_whatever_stands_beside_it(self) -> None:
        one = packed(RUDE).by_key["perl"].insults(Rating.G)[0]
        other = packed("go: x", "PERL: a\nPERL: mild").by_key["perl"].insults(Rating.R)[1]
        assert one.text == other.text == "mild"
        # From `printf 'perl\0mild' | sha256sum | cut -c1-10 | xxd -r -p | base32`.
        assert one.id == other.id == insult_id("PERL", "mild") == "ywhq2g7w"

    def test_ids_differ_by_text_and_by_topic(self) -> None:
        ids = {insult_id(topic, text) for topic in ("a", "ab") for text in ("b", "bb", "")}
        assert len(ids) == 6
        assert insult_id("a", "bc") != insult_id("ab", "c")


def test_a_topic_with_other_texts_has_another_mark() -> None:
    marks = [packed(text).by_key["a"].mark for text in ("a: x", "a: x\nb: y", "a: y", "a: x\na: z")]
    assert marks[0] == marks[1]
    assert len(set(marks)) == 3
